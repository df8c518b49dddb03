// A matrix of weights, (rows, depth), in f32.
//
// Like all that is read for a tile it has no branches: compilers of software GPUs take minutes for those in a loop.

@group(0) @binding(1) var<storage, read_write> weights: array<f32>;

// Four numbers of a row from `depth` on, which four divides; zero outside of `rows` and `row_depth`.
fn weight_quad(row: u32, depth: u32, rows: u32, row_depth: u32) -> vec4f {
    let start = row * row_depth + depth;
    let inside = vec4<bool>(vec4u(row) < vec4u(rows)) & (vec4u(depth, depth + 1u, depth + 2u, depth + 3u) < vec4u(row_depth));
    let places = select(vec4u(), vec4u(start, start + 1u, start + 2u, start + 3u), inside);
    let quad = vec4f(weights[places.x], weights[places.y], weights[places.z], weights[places.w]);
    return select(vec4f(), quad, inside);
}
