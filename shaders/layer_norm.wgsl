// Layer norm (arXiv 1607.06450) of each row of (rows, width).

struct Sizes {
    rows: u32,
    width: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<storage, read_write> input: array<f32>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

const NORM_BINDING: u32 = 1u;

fn value(row: u32, column: u32) -> f32 {
    return input[row * sizes.width + column];
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
    normalise(group, sizes.rows, sizes.width, invocation, sizes.epsilon);
}
