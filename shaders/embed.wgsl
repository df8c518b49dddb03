// What a BERT layer stack begins with: the embedding of a token's word, plus what its place brings (length, width), the kind
// of the token included, in a layer norm. Four divides the width.

struct Sizes {
    rows: u32,
    vocabulary: u32,
    // Fours of the width.
    quads: u32,
    length: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<storage, read_write> words: array<i32>;
@group(0) @binding(2) var<storage, read_write> places: array<vec4f>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

const NORM_BINDING: u32 = 3u;

fn value(row: u32, quad: u32) -> vec4f {
    let word = min(u32(words[row]), sizes.vocabulary - 1u);
    return weight_quad(word * sizes.quads + quad) + places[(row % sizes.length) * sizes.quads + quad];
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
    normalise(group, sizes.rows, sizes.quads, invocation, sizes.epsilon);
}
