// Embedding layer of BERT: word embedding plus position embedding (length, width), which
// includes the token type embedding, then layer norm. The width is a multiple of 4.

struct Sizes {
    rows: u32,
    vocabulary: u32,
    // vec4s per row.
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
    let place = row % sizes.length;
    return weight_quad(word * sizes.quads + quad) + places[place * sizes.quads + quad];
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
    normalize(group, sizes.rows, sizes.quads, invocation, sizes.epsilon);
}
