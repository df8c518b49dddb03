// What a BERT layer stack begins with: the embedding of a token's word, plus what its place brings (length, width), the kind
// of the token included, in a layer norm.

struct Sizes {
    rows: u32,
    vocabulary: u32,
    width: u32,
    length: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<storage, read_write> words: array<i32>;
@group(0) @binding(2) var<storage, read_write> places: array<f32>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

const NORM_BINDING: u32 = 3u;

fn value(row: u32, column: u32) -> f32 {
    let quad = weight_quad(u32(words[row]), column - column % 4u, sizes.vocabulary, sizes.width);
    return quad[column % 4u] + places[(row % sizes.length) * sizes.width + column];
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
    normalise(group, sizes.rows, sizes.width, invocation, sizes.epsilon);
}
