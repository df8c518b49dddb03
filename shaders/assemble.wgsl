// From a generator's output to the numbers of an adapter in their own order: the cascade's weight tokens, plus what the basis
// head adds, times a token's scale, plus the mean adapter. One invocation four numbers of a token; four divides its rows.
//
// The head's tiles are integers from -127 to 127, four in a word, with a scale for each tile.

struct Sizes {
    tokens: u32,
    // Numbers of a token, and in a row of it, in fours.
    token_quads: u32,
    row_quads: u32,
    // Tiles of the head: how many are mixed, and how many tokens they cover.
    mixed: u32,
    covered: u32,
}

// Where a token's numbers go, how far apart rows and columns lie there, how many columns are no padding.
struct Token {
    start: u32,
    row: u32,
    column: u32,
    taken: u32,
    // Which tile of the head covers it, or as many as there are.
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
            sum += coefficients[mixed] * tile_scales[at] * integers(tiles[at * sizes.token_quads + quad]);
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
