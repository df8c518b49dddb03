// Masked attention of short sequences: queries, keys and values (prompts * length, heads * HEAD), a mask (prompts, length)
// that is added to the scores. The softmax is made as the keys come (Milakov and Gimelshein, arXiv 1805.02867), so that no
// scores are stored. An invocation has one query of one head; a workgroup shares the keys it reads.

struct Sizes {
    length: u32,
    heads: u32,
    scale: f32,
}

@group(0) @binding(0) var<storage, read_write> queries: array<f32>;
@group(0) @binding(1) var<storage, read_write> keys: array<f32>;
@group(0) @binding(2) var<storage, read_write> values: array<f32>;
@group(0) @binding(3) var<storage, read_write> mask: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

const INVOCATIONS: u32 = 32u;
const QUADS: u32 = HEAD / 4u;

var<workgroup> shared_keys: array<vec4f, INVOCATIONS * QUADS>;
var<workgroup> shared_values: array<vec4f, INVOCATIONS * QUADS>;
var<workgroup> shared_mask: array<f32, INVOCATIONS>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
    let first = group.z * sizes.length;
    let width = sizes.heads * HEAD;
    let column = group.y * HEAD;
    let place = group.x * INVOCATIONS + invocation;
    // Invocations beyond the sequence compute its last query again and store nothing.
    let row = (first + min(place, sizes.length - 1u)) * width + column;
    var query: array<vec4f, QUADS>;
    var mixed: array<vec4f, QUADS>;
    for (var quad = 0u; quad < QUADS; quad++) {
        let at = row + quad * 4u;
        query[quad] = sizes.scale * vec4f(queries[at], queries[at + 1u], queries[at + 2u], queries[at + 3u]);
    }
    var largest = -3.0e38;
    var sum = 0.0;
    for (var start = 0u; start < sizes.length; start += INVOCATIONS) {
        workgroupBarrier();
        let key = start + invocation;
        if key < sizes.length {
            let key_row = (first + key) * width + column;
            for (var quad = 0u; quad < QUADS; quad++) {
                let at = key_row + quad * 4u;
                shared_keys[invocation * QUADS + quad] = vec4f(keys[at], keys[at + 1u], keys[at + 2u], keys[at + 3u]);
                shared_values[invocation * QUADS + quad] = vec4f(values[at], values[at + 1u], values[at + 2u], values[at + 3u]);
            }
            shared_mask[invocation] = mask[first + key];
        }
        workgroupBarrier();
        let count = min(INVOCATIONS, sizes.length - start);
        for (var index = 0u; index < count; index++) {
            var score = shared_mask[index];
            for (var quad = 0u; quad < QUADS; quad++) {
                score += dot(query[quad], shared_keys[index * QUADS + quad]);
            }
            let before = largest;
            largest = max(largest, score);
            let kept = exp(before - largest);
            let share = exp(score - largest);
            sum = sum * kept + share;
            for (var quad = 0u; quad < QUADS; quad++) {
                mixed[quad] = mixed[quad] * kept + share * shared_values[index * QUADS + quad];
            }
        }
    }
    if place >= sizes.length { return; }
    for (var quad = 0u; quad < QUADS; quad++) {
        let numbers = mixed[quad] / sum;
        let at = row + quad * 4u;
        output[at] = numbers.x;
        output[at + 1u] = numbers.y;
        output[at + 2u] = numbers.z;
        output[at + 3u] = numbers.w;
    }
}
