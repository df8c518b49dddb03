// A linear layer: input (rows, depth) times the transposed weights (columns, depth), plus a bias (columns), with GELU through
// the exact error function, with ADD plus what a residual connection brings (rows, columns).

struct Sizes {
    rows: u32,
    columns: u32,
    depth: u32,
}

@group(0) @binding(0) var<storage, read_write> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> residual: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

fn columns() -> u32 {
    return sizes.columns;
}

fn depths() -> u32 {
    return sizes.depth;
}

// Without branches, as the weights are read.
fn input_quad(row: u32, depth: u32) -> vec4f {
    let start = row * sizes.depth + depth;
    let inside = vec4<bool>(vec4u(row) < vec4u(sizes.rows))
        & (vec4u(depth, depth + 1u, depth + 2u, depth + 3u) < vec4u(sizes.depth));
    let places = select(vec4u(), vec4u(start, start + 1u, start + 2u, start + 3u), inside);
    let quad = vec4f(input[places.x], input[places.y], input[places.z], input[places.w]);
    return select(vec4f(), quad, inside);
}

fn left_block(row: u32, depth: u32) -> mat4x4f {
    return transpose(mat4x4f(
        input_quad(row, depth),
        input_quad(row + 1u, depth),
        input_quad(row + 2u, depth),
        input_quad(row + 3u, depth),
    ));
}

// To 2e-7 (Abramowitz and Stegun, 7.1.26).
fn error_function(x: f32) -> f32 {
    let size = abs(x);
    let t = 1.0 / (1.0 + 0.3275911 * size);
    let sum = ((((1.0614054 * t - 1.4531520) * t + 1.4214138) * t - 0.28449674) * t + 0.25482960) * t;
    return sign(x) * (1.0 - sum * exp(-size * size));
}

fn store(row: u32, column: u32, number: f32) {
    if row < sizes.rows && column < sizes.columns {
        let place = row * sizes.columns + column;
        let sum = number + bias[column];
        let gated = 0.5 * sum * (1.0 + error_function(sum * 0.70710678));
        let added = select(0.0, residual[select(0u, place, ADD)], ADD);
        output[place] = select(sum, gated, GELU) + added;
    }
}

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) invocation: vec3u) {
    multiply(group.xy, invocation.xy, sizes.depth);
}
