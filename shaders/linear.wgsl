// A linear layer: input (rows, depth) times transposed weights (columns, depth), plus a bias
// (columns), with an epilogue. Columns and depth are multiples of 4.

struct Sizes {
    rows: u32,
    // vec4s of columns, and of the depth.
    column_quads: u32,
    depth_quads: u32,
}

@group(0) @binding(0) var<storage, read_write> input: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> residual: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

fn input_block(places: vec4u) -> mat4x4f {
    return transpose(mat4x4f(input[places.x], input[places.y], input[places.z], input[places.w]));
}

fn store(first_row: u32, first_column: u32, sums: mat4x4f) {
    let column = first_column / 4u;
    if column >= sizes.column_quads { return; }
    var rows = transpose(sums);
    for (var line = 0u; line < 4u && first_row + line < sizes.rows; line++) {
        let place = (first_row + line) * sizes.column_quads + column;
        output[place] = epilogue(rows[line] + bias[column], place);
    }
}

@compute @workgroup_size(TILE_COLUMNS * TILE_ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
    let row = first_row(group, invocation);
    let column = first_column(group, invocation);
    let columns = sizes.column_quads * 4u;
    if row >= sizes.rows || column >= columns { return; }
    let upper_rows = clamped_indices(row, sizes.rows) * sizes.depth_quads;
    let lower_rows = clamped_indices(row + 4u, sizes.rows) * sizes.depth_quads;
    let near_columns = clamped_indices(column, columns) * sizes.depth_quads;
    let far_columns = clamped_indices(column + 4u, columns) * sizes.depth_quads;
    for (var quad = 0u; quad < sizes.depth_quads; quad++) {
        accumulate(
            input_block(upper_rows + quad),
            input_block(lower_rows + quad),
            weight_block(near_columns + quad),
            weight_block(far_columns + quad),
        );
    }
    store_block(row, column);
}
