// Turns generator output into the flat values of an adapter: the decoder's weight tokens
// (`cascade`), plus the output of the basis head, times the scale of the token, plus the mean
// adapter. One invocation per four values of a token; the row length of a token is a multiple
// of 4.
//
// The tiles of the head are int8, from -127 to 127, packed four per u32, with one scale per
// tile.

struct Sizes {
    tokens: u32,
    // vec4s per token, and per row of a token.
    token_quads: u32,
    row_quads: u32,
    // Basis head: tiles mixed per token, and number of covered tokens.
    mixed: u32,
    covered: u32,
}

// Offset of a token in the output, strides of its rows and columns, and columns that are not
// padding.
struct Token {
    start: u32,
    row: u32,
    column: u32,
    taken: u32,
    // Index of its tile in the head; `covered` if it has none.
    tile: u32,
    scale: f32,
}

@group(0) @binding(0) var<storage, read_write> cascade: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> coefficients: array<f32>;
@group(0) @binding(2) var<storage, read_write> tiles: array<u32>;
@group(0) @binding(3) var<storage, read_write> tile_scales: array<f32>;
@group(0) @binding(4) var<storage, read_write> mean: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> tokens: array<Token>;
@group(0) @binding(6) var<storage, read_write> output: array<f32>;
@group(0) @binding(7) var<uniform> sizes: Sizes;

fn integers(word: u32) -> vec4f {
    return unpack4x8snorm(word) * 127.0;
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(global_invocation_id) invocation: vec3u) {
    let quad = invocation.x;
    let index = invocation.y;
    if quad >= sizes.token_quads { return; }
    let place = index * sizes.token_quads + quad;
    let tile = tokens[index].tile;
    var sum = cascade[place];
    if tile < sizes.covered {
        for (var mixed = 0u; mixed < sizes.mixed; mixed++) {
            let at = mixed * sizes.covered + tile;
            let tile_values = integers(tiles[at * sizes.token_quads + quad]);
            sum += coefficients[mixed] * tile_scales[at] * tile_values;
        }
    }
    let numbers = sum * tokens[index].scale + mean[place];
    let column = quad % sizes.row_quads * 4u;
    let step = tokens[index].column;
    let taken = tokens[index].taken;
    let at = tokens[index].start + quad / sizes.row_quads * tokens[index].row + column * step;
    if column < taken { output[at] = numbers.x; }
    if column + 1u < taken { output[at + step] = numbers.y; }
    if column + 2u < taken { output[at + 2u * step] = numbers.z; }
    if column + 3u < taken { output[at + 3u * step] = numbers.w; }
}
