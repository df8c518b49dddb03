// Masked attention for short sequences. Input rows are (prompts * length, 3 * heads * HEAD):
// queries, keys and values side by side. The mask (prompts, length) is added to the scores. An
// online softmax (Milakov and Gimelshein, arXiv 1805.02867) avoids storing the scores. One
// invocation per query and head; the invocations of a workgroup read the same keys.

struct Sizes {
    length: u32,
    heads: u32,
    scale: f32,
}

@group(0) @binding(0) var<storage, read_write> rows: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> mask: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

const QUADS: u32 = HEAD / 4u;

@compute @workgroup_size(QUERIES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(global_invocation_id) invocation: vec3u) {
    if invocation.x >= sizes.length { return; }
    let first = group.z * sizes.length;
    let width = sizes.heads * QUADS;
    let column = group.y * QUADS;
    let row = first + invocation.x;
    var query: array<vec4f, QUADS>;
    var mixed: array<vec4f, QUADS>;
    for (var quad = 0u; quad < QUADS; quad++) {
        query[quad] = sizes.scale * rows[row * 3u * width + column + quad];
    }
    var largest = -3.0e38;
    var sum = 0.0;
    for (var key = first; key < first + sizes.length; key++) {
        let keys = (key * 3u + 1u) * width + column;
        let values = keys + width;
        var score = mask[key];
        for (var quad = 0u; quad < QUADS; quad++) {
            score += dot(query[quad], rows[keys + quad]);
        }
        let before = largest;
        largest = max(largest, score);
        let kept = exp(before - largest);
        let share = exp(score - largest);
        sum = sum * kept + share;
        for (var quad = 0u; quad < QUADS; quad++) {
            mixed[quad] = mixed[quad] * kept + share * rows[values + quad];
        }
    }
    for (var quad = 0u; quad < QUADS; quad++) {
        output[row * width + column + quad] = mixed[quad] / sum;
    }
}
