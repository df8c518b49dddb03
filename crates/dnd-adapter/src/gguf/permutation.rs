//! The row order of rotary projections in GGUF files.

/// Brings the rows of a query or key projection of the Llama family from the order of llama.cpp into that of Hugging
/// Face. Takes `rows * columns` values, row-major, and returns as many. For a packed weight, give its bytes and the
/// bytes of a row as `columns`; for a bias, one column. `None` if the rows do not make `heads` heads of even size, or
/// the values do not make `rows` rows of `columns`.
///
/// Rotary embedding turns the channels of a head two by two. Hugging Face pairs channel `i` of the first half of a
/// head with channel `i` of its second half; ggml pairs neighbours, `2 i` with `2 i + 1`. So `LlamaModel.permute` of
/// llama.cpp's `convert_hf_to_gguf.py` interleaves the two halves of every head, by
/// `reshape(heads, 2, rows / heads / 2, columns).swapaxes(1, 2)`, and here they are taken apart again. Qwen2 and other
/// families keep the order of Hugging Face in GGUF: leave them alone.
pub fn unpermute_rows<T: Copy>(
    weight: &[T],
    rows: usize,
    columns: usize,
    heads: usize,
) -> Option<Vec<T>> {
    let head_rows = rows.checked_div(heads)?;
    let fits = rows.checked_mul(columns) == Some(weight.len());
    if !fits || head_rows * heads != rows || head_rows % 2 != 0 {
        return None;
    }
    // Without columns there may be any number of rows or heads to loop over for nothing.
    if weight.is_empty() {
        return Some(Vec::new());
    }
    let mut unpermuted = Vec::with_capacity(weight.len());
    for head in 0..heads {
        for half in 0..2 {
            for pair in 0..head_rows / 2 {
                let stored_row = head * head_rows + 2 * pair + half;
                unpermuted.extend_from_slice(&weight[stored_row * columns..][..columns]);
            }
        }
    }
    Some(unpermuted)
}
