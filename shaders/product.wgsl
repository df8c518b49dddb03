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

fn input_quad(row: u32, depth: u32) -> vec4f {
    var quad = vec4f();
    if row >= sizes.rows { return quad; }
    let start = row * sizes.depth + depth;
    if depth < sizes.depth { quad.x = input[start]; }
    if depth + 1u < sizes.depth { quad.y = input[start + 1u]; }
    if depth + 2u < sizes.depth { quad.z = input[start + 2u]; }
    if depth + 3u < sizes.depth { quad.w = input[start + 3u]; }
    return quad;
}

fn left_block(row: u32, depth: u32) -> mat4x4f {
    return transpose(mat4x4f(
        input_quad(row, depth),
        input_quad(row + 1u, depth),
        input_quad(row + 2u, depth),
        input_quad(row + 3u, depth),
    ));
}

fn column_quad(column: u32, depth: u32) -> vec4f {
    if column >= sizes.columns { return vec4f(); }
    return weight_quad(column, depth, sizes.depth);
}

fn right_block(column: u32, depth: u32) -> mat4x4f {
    return transpose(mat4x4f(
        column_quad(column, depth),
        column_quad(column + 1u, depth),
        column_quad(column + 2u, depth),
        column_quad(column + 3u, depth),
    ));
}

// To 2e-7 (Abramowitz and Stegun, 7.1.26).
fn error_function(x: f32) -> f32 {
    let size = abs(x);
    let t = 1.0 / (1.0 + 0.3275911 * size);
    let sum = ((((1.0614054 * t - 1.4531520) * t + 1.4214138) * t - 0.28449674) * t + 0.25482960) * t;
    return sign(x) * (1.0 - sum * exp(-size * size));
}

fn store(row: u32, column: u32, numbers: vec4f) {
    if row >= sizes.rows { return; }
    for (var index = 0u; index < 4u; index++) {
        if column + index >= sizes.columns { return; }
        let place = row * sizes.columns + column + index;
        var number = numbers[index] + bias[column + index];
        if GELU { number = 0.5 * number * (1.0 + error_function(number * 0.70710678)); }
        if ADD { number += residual[place]; }
        output[place] = number;
    }
}

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) invocation: vec3u) {
    multiply(group.xy, invocation.xy, sizes.depth);
}
