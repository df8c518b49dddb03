// A matrix of weights, (rows, depth), as pairs of f16 in words; a row has a whole number of words, and a number is missing at
// its end where the depth is odd.
//
// Like all that is read for a tile it has no branches: compilers of software GPUs take minutes for those in a loop.

@group(0) @binding(1) var<storage, read_write> weights: array<u32>;

// Four numbers of a row from `depth` on, which four divides; zero outside of `rows` and `row_depth`.
fn weight_quad(row: u32, depth: u32, rows: u32, row_depth: u32) -> vec4f {
    let start = row * ((row_depth + 1u) / 2u) + depth / 2u;
    let first = row < rows && depth < row_depth;
    let second = row < rows && depth + 2u < row_depth;
    let front = unpack2x16float(weights[select(0u, start, first)]);
    let back = unpack2x16float(weights[select(0u, start + 1u, second)]);
    return vec4f(select(vec2f(), front, first), select(vec2f(), back, second));
}
