// A matrix of weights, (rows, depth): f32, or with HALF pairs of f16 in words, where a row has a whole number of words.

@group(0) @binding(1) var<storage, read_write> weights: array<u32>;

// Four numbers of a row, from an even place on; zero beyond the depth.
fn weight_quad(row: u32, depth: u32, row_depth: u32) -> vec4f {
    var quad = vec4f();
    if HALF {
        let start = row * ((row_depth + 1u) / 2u) + depth / 2u;
        if depth < row_depth {
            let pair = unpack2x16float(weights[start]);
            quad.x = pair.x;
            quad.y = pair.y;
        }
        if depth + 2u < row_depth {
            let pair = unpack2x16float(weights[start + 1u]);
            quad.z = pair.x;
            quad.w = pair.y;
        }
        return quad;
    }
    let start = row * row_depth + depth;
    if depth < row_depth { quad.x = bitcast<f32>(weights[start]); }
    if depth + 1u < row_depth { quad.y = bitcast<f32>(weights[start + 1u]); }
    if depth + 2u < row_depth { quad.z = bitcast<f32>(weights[start + 2u]); }
    if depth + 3u < row_depth { quad.w = bitcast<f32>(weights[start + 3u]); }
    return quad;
}
