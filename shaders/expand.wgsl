// Expands the features of every module into the flat values of an adapter: features times the
// matrix of the module's type, times the scale of the weight token, plus the mean adapter. All
// layers share the matrices. Each invocation computes four values of one weight token in LAYERS
// layers; the row length of a token is a multiple of 4, and so is the number of features.
//
// The matrices are int8, from -127 to 127, packed four per u32, with one scale per feature and
// module type.

struct Sizes {
    layers: u32,
    // Weight tokens of a layer.
    tokens: u32,
    // vec4s per weight token, and per row of one.
    token_quads: u32,
    row_quads: u32,
    // vec4s of the features of a module.
    features: u32,
}

// Offset of a weight token in the output, strides of its rows and columns, and columns that are
// not padding.
struct Token {
    start: u32,
    row: u32,
    column: u32,
    taken: u32,
    scale: f32,
    // Type of its module, and its place in the matrix of that type: index of the first of its
    // words, and distance between features. A distance of zero means that no matrix writes it.
    kind: u32,
    first: u32,
    stride: u32,
}

@group(0) @binding(0) var<storage, read_write> features: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> matrices: array<u32>;
@group(0) @binding(2) var<storage, read_write> matrix_scales: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> mean: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> tokens: array<Token>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

fn integers(word: u32) -> vec4f {
    return unpack4x8snorm(word) * 127.0;
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(global_invocation_id) invocation: vec3u) {
    let quad = invocation.x;
    if quad >= sizes.token_quads { return; }
    let layer = invocation.z * LAYERS;
    let model = tokens[invocation.y];
    var sums: array<vec4f, LAYERS>;
    if model.stride > 0u {
        var word = model.first + quad;
        for (var feature = 0u; feature < sizes.features; feature++) {
            let rows = mat4x4f(
                integers(matrices[word]),
                integers(matrices[word + model.stride]),
                integers(matrices[word + 2u * model.stride]),
                integers(matrices[word + 3u * model.stride]),
            );
            word += 4u * model.stride;
            let scales = matrix_scales[model.kind * sizes.features + feature];
            for (var index = 0u; index < LAYERS; index++) {
                let block = model.kind * sizes.layers + min(layer + index, sizes.layers - 1u);
                sums[index] += rows * (features[block * sizes.features + feature] * scales);
            }
        }
    }
    let column = quad % sizes.row_quads * 4u;
    for (var index = 0u; index < LAYERS && layer + index < sizes.layers; index++) {
        let place = (layer + index) * sizes.tokens + invocation.y;
        let token = tokens[place];
        let numbers = sums[index] * token.scale + mean[place * sizes.token_quads + quad];
        let at = token.start + quad / sizes.row_quads * token.row + column * token.column;
        for (var part = 0u; part < 4u && column + part < token.taken; part++) {
            output[at + part * token.column] = numbers[part];
        }
    }
}
