// From a generator's output to the numbers of an adapter in their own order: the cascade's weight tokens, plus what the basis
// head adds, times a token's scale, plus the mean adapter. One invocation a number of a token.
//
// The head's tiles are integers from -127 to 127, four in a word, with a scale for each tile.

struct Sizes {
    tokens: u32,
    // Numbers of a token, and in a row of it.
    numbers: u32,
    columns: u32,
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

@group(0) @binding(0) var<storage, read_write> cascade: array<f32>;
@group(0) @binding(1) var<storage, read_write> coefficients: array<f32>;
@group(0) @binding(2) var<storage, read_write> tiles: array<u32>;
@group(0) @binding(3) var<storage, read_write> tile_scales: array<f32>;
@group(0) @binding(4) var<storage, read_write> mean: array<f32>;
@group(0) @binding(5) var<storage, read_write> tokens: array<Token>;
@group(0) @binding(6) var<storage, read_write> output: array<f32>;
@group(0) @binding(7) var<uniform> sizes: Sizes;

fn integer(place: u32) -> f32 {
    return f32(extractBits(i32(tiles[place / 4u]), (place % 4u) * 8u, 8u));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) invocation: vec3u) {
    let number = invocation.x;
    let index = invocation.y;
    if number >= sizes.numbers { return; }
    let token = tokens[index];
    let column = number % sizes.columns;
    if column >= token.taken { return; }
    let place = index * sizes.numbers + number;
    var sum = cascade[place];
    if token.tile < sizes.covered {
        for (var mixed = 0u; mixed < sizes.mixed; mixed++) {
            let tile = mixed * sizes.covered + token.tile;
            sum += coefficients[mixed] * tile_scales[tile] * integer(tile * sizes.numbers + number);
        }
    }
    let row = number / sizes.columns;
    output[token.start + row * token.row + column * token.column] = sum * token.scale + mean[place];
}
