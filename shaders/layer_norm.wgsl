// Layer norm (arXiv 1607.06450) of each row of (rows, width); the width is a multiple of 4.

struct Sizes {
    rows: u32,
    // vec4s per row.
    quads: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<storage, read_write> input: array<vec4f>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

const NORM_BINDING: u32 = 1u;

fn value(row: u32, quad: u32) -> vec4f {
    return input[row * sizes.quads + quad];
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
    normalize(group, sizes.rows, sizes.quads, invocation, sizes.epsilon);
}
