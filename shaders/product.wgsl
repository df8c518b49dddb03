// A linear layer: input (rows, depth) times the transposed weights (columns, depth), plus a bias (columns), and what follows.

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

var<private> first_rows: array<u32, SLOTS>;

fn prepare_left(slot: u32, row: u32) {
    first_rows[slot] = row;
}

fn left_block(slot: u32, depth: u32) -> mat4x4f {
    let first_row = first_rows[slot];
    return transpose(mat4x4f(
        input_quad(first_row, depth),
        input_quad(first_row + 1u, depth),
        input_quad(first_row + 2u, depth),
        input_quad(first_row + 3u, depth),
    ));
}

fn store(row: u32, column: u32, number: f32) {
    if row < sizes.rows && column < sizes.columns {
        let place = row * sizes.columns + column;
        output[place] = after(number + bias[column], place);
    }
}

@compute @workgroup_size(ACROSS, DOWN)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) invocation: vec3u) {
    multiply(group.xy, invocation.xy, sizes.depth);
}
