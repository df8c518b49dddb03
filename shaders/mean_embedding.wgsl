// Mean prompt embedding: sums the tokens of each prompt, scales each sum to unit length, and
// averages over prompts. States (prompts, length, width) give a vector (width). One workgroup; each
// invocation handles QUADS_PER_INVOCATION vec4s of the width.

struct Sizes {
    prompts: u32,
    length: u32,
    // vec4s of the width.
    quads: u32,
    // Added to vector lengths.
    epsilon: f32,
}

@group(0) @binding(0) var<storage, read_write> states: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

// The inverse length of a vector that is distributed over the invocations.
fn scale_to_one(own: array<vec4f, QUADS_PER_INVOCATION>, invocation: u32) -> f32 {
    var squares = 0.0;
    var vectors = own;
    for (var index = 0u; index < QUADS_PER_INVOCATION; index++) {
        squares += dot(vectors[index], vectors[index]);
    }
    return 1.0 / (sqrt(workgroup_sum(squares, invocation)) + sizes.epsilon);
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(local_invocation_index) invocation: u32) {
    var mean: array<vec4f, QUADS_PER_INVOCATION>;
    for (var prompt = 0u; prompt < sizes.prompts; prompt++) {
        var sums: array<vec4f, QUADS_PER_INVOCATION>;
        for (var index = 0u; index < QUADS_PER_INVOCATION; index++) {
            let quad = invocation + index * INVOCATIONS;
            sums[index] = vec4f();
            for (var token = 0u; token < sizes.length && quad < sizes.quads; token++) {
                sums[index] += states[(prompt * sizes.length + token) * sizes.quads + quad];
            }
        }
        let scale = scale_to_one(sums, invocation);
        for (var index = 0u; index < QUADS_PER_INVOCATION; index++) {
            mean[index] += sums[index] * scale / f32(sizes.prompts);
        }
    }
    for (var index = 0u; index < QUADS_PER_INVOCATION; index++) {
        let quad = invocation + index * INVOCATIONS;
        if quad < sizes.quads { output[quad] = mean[index]; }
    }
}
