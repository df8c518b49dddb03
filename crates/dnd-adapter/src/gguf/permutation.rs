//! The row order of rotary projections in GGUF files.

/// Reorders the rows of a query or key projection of the Llama family from llama.cpp's order to
/// that of Hugging Face. Takes and returns `rows * columns` values, row-major. For a packed
/// weight, pass its bytes, with the bytes per row as `columns`; for a bias, one column. Returns
/// `None` if `rows` does not split into `heads` heads of even size, or if there are not `rows *
/// columns` values.
///
/// Rotary embedding rotates pairs of channels of a head. Hugging Face pairs channel `i` of the
/// first half of a head with channel `i` of the second half; ggml pairs the adjacent channels
/// `2 i` and `2 i + 1`. So `LlamaModel.permute` in llama.cpp's `convert_hf_to_gguf.py`
/// interleaves the two halves of every head, by `reshape(heads, 2, rows / heads / 2,
/// columns).swapaxes(1, 2)`; this function undoes that. Do not apply it to Qwen2 and other
/// families, which keep the Hugging Face order in GGUF.
pub fn unpermute_rows<T: Copy>(
    weight: &[T],
    rows: usize,
    columns: usize,
    heads: usize,
) -> Option<Vec<T>> {
    reordered(weight, rows, columns, heads, |row, head_rows| {
        let (half, pair) = (row / (head_rows / 2), row % (head_rows / 2));
        2 * pair + half
    })
}

/// The inverse of [`unpermute_rows`]: from the order of Hugging Face to that of llama.cpp.
pub fn permute_rows<T: Copy>(
    weight: &[T],
    rows: usize,
    columns: usize,
    heads: usize,
) -> Option<Vec<T>> {
    reordered(weight, rows, columns, heads, |row, head_rows| {
        let (pair, half) = (row / 2, row % 2);
        half * (head_rows / 2) + pair
    })
}

/// Rows in a new order: `source` tells from where in its head a row comes, given the rows of a
/// head.
fn reordered<T: Copy>(
    weight: &[T],
    rows: usize,
    columns: usize,
    heads: usize,
    source: impl Fn(usize, usize) -> usize,
) -> Option<Vec<T>> {
    let head_rows = rows.checked_div(heads)?;
    let fits = rows.checked_mul(columns) == Some(weight.len());
    if !fits || head_rows * heads != rows || head_rows % 2 != 0 {
        return None;
    }
    // With zero columns, `rows` and `heads` are unbounded, so return before looping over them.
    if weight.is_empty() {
        return Some(Vec::new());
    }
    let mut reordered = Vec::with_capacity(weight.len());
    for head in 0..heads {
        for row in 0..head_rows {
            let row = head * head_rows + source(row, head_rows);
            reordered.extend_from_slice(&weight[row * columns..][..columns]);
        }
    }
    Some(reordered)
}
