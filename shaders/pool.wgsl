// Attention pooling: each query attends over all tokens of all prompts. Tokens (tokens, width)
// and queries (queries, width) give vectors (queries, width) of tokens that are normalized by
// `mean` and `deviation`. One workgroup per query; each invocation scores one token of a block of
// INVOCATIONS, and sums QUADS_PER_INVOCATION vec4s of the width.
//
// The softmax is computed as blocks come in (Milakov and Gimelshein, arXiv 1805.02867). The mean
// of the tokens adds the same to all scores of a query, so that it can be left out of them, and
// the weights add up to one, so that their sum can be normalized instead of each token.

struct Sizes {
    tokens: u32,
    // vec4s of the width.
    quads: u32,
    // Scale of the scores.
    scale: f32,
    // Score of padding, which is zero everywhere.
    masked: f32,
}

@group(0) @binding(0) var<storage, read_write> tokens: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> queries: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> mean: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> deviation: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

var<workgroup> query: array<vec4f, QUADS_PER_INVOCATION * INVOCATIONS>;
var<workgroup> scores: array<f32, INVOCATIONS>;

fn score(token: u32) -> f32 {
    var sum = vec4f();
    var size = vec4f();
    for (var quad = 0u; quad < sizes.quads; quad++) {
        let values = tokens[token * sizes.quads + quad];
        sum += values * query[quad];
        size += abs(values);
    }
    if all(size == vec4f()) { return sizes.masked; }
    return dot(sum, vec4f(1.0));
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
    for (var quad = invocation; quad < sizes.quads; quad += INVOCATIONS) {
        query[quad] = queries[group.x * sizes.quads + quad] / deviation[quad] * sizes.scale;
    }
    var sums: array<vec4f, QUADS_PER_INVOCATION>;
    var total = 0.0;
    var largest = sizes.masked;
    for (var first = 0u; first < sizes.tokens; first += INVOCATIONS) {
        // The query is complete, and the previous scores have been read.
        workgroupBarrier();
        let own = first + invocation;
        scores[invocation] = sizes.masked;
        if own < sizes.tokens { scores[invocation] = score(own); }
        workgroupBarrier();
        let before = largest;
        for (var index = 0u; index < INVOCATIONS; index++) {
            largest = max(largest, scores[index]);
        }
        let kept = exp(before - largest);
        total *= kept;
        for (var part = 0u; part < QUADS_PER_INVOCATION; part++) {
            sums[part] *= kept;
        }
        let count = min(INVOCATIONS, sizes.tokens - first);
        for (var index = 0u; index < count; index++) {
            let weight = exp(scores[index] - largest);
            total += weight;
            for (var part = 0u; part < QUADS_PER_INVOCATION; part++) {
                let quad = invocation + part * INVOCATIONS;
                if quad < sizes.quads {
                    sums[part] += weight * tokens[(first + index) * sizes.quads + quad];
                }
            }
        }
    }
    for (var part = 0u; part < QUADS_PER_INVOCATION; part++) {
        let quad = invocation + part * INVOCATIONS;
        if quad < sizes.quads {
            let pooled = (sums[part] / total - mean[quad]) / deviation[quad];
            output[group.x * sizes.quads + quad] = pooled;
        }
    }
}
