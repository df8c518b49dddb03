// Product with a quantized matrix: rows of the input (rows, depth) times the transposed matrix
// (columns, depth). A block has 32 values of a matrix row, and a word with its scale and minimum.
// One workgroup computes COLUMNS columns of ROWS rows, which are four; LANES invocations share the
// blocks of a column.

struct Sizes {
    rows: u32,
    columns: u32,
    // Blocks of a matrix row.
    blocks: u32,
}

@group(0) @binding(0) var<storage, read_write> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> integers: array<u32>;
@group(0) @binding(2) var<storage, read_write> scales: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

// vec4s of a block.
const QUADS: u32 = 8u;

var<workgroup> parts: array<vec4f, LANES * COLUMNS>;

@compute @workgroup_size(LANES, COLUMNS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) place: vec3u) {
    let column = group.x * COLUMNS + place.y;
    let first = group.y * ROWS;
    var sums: array<f32, ROWS>;
    if column < sizes.columns {
        for (var index = place.x; index < sizes.blocks; index += LANES) {
            let block = column * sizes.blocks + index;
            let scale = unpack2x16float(scales[block]);
            for (var quad = 0u; quad < QUADS; quad++) {
                let weights = block_integers(block, quad) * scale.x + scale.y;
                for (var row = 0u; row < ROWS; row++) {
                    // Rows behind the last are computed and not written.
                    let from_row = min(first + row, sizes.rows - 1u);
                    let values = input[(from_row * sizes.blocks + index) * QUADS + quad];
                    sums[row] += dot(weights, values);
                }
            }
        }
    }
    parts[place.y * LANES + place.x] = vec4f(sums[0], sums[1], sums[2], sums[3]);
    workgroupBarrier();
    let row = first + place.x;
    if place.x < ROWS && row < sizes.rows && column < sizes.columns {
        var sum = 0.0;
        for (var lane = 0u; lane < LANES; lane++) {
            sum += parts[place.y * LANES + lane][place.x];
        }
        output[row * sizes.columns + column] = sum;
    }
}
