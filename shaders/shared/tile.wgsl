// A product of two matrices in tiles: ACROSS x DOWN invocations, 64 of them, make 8 columns and 8 rows of the result each, in
// steps of DEPTH along the depth that both matrices share. Many columns take 8 x 8 invocations, few columns 1 x 64.
//
// The kernel around it says what stands in the matrices, in blocks of four. `prepare_left(slot, row)` is told once which four
// rows a slot stands for; column d of `left_block(slot, depth)` then holds these rows at depth + d, and `right_block(column,
// depth)` four columns. Beyond the matrices both are zero. `store(row, column, number)` takes a number of the result.

const COLUMN_QUADS: u32 = 2u * ACROSS;
const ROW_QUADS: u32 = 2u * DOWN;
// Blocks of the left matrix that each invocation brings in at a step, one or two.
const SLOTS: u32 = ROW_QUADS * DEPTH / 256u;

var<workgroup> left_tile: array<vec4f, DEPTH * ROW_QUADS>;
var<workgroup> right_tile: array<vec4f, DEPTH * COLUMN_QUADS>;

// Adds the products of four rows and four columns; a matrix column is a column of the result.
fn add_outer(sums: mat4x4f, left: vec4f, right: vec4f) -> mat4x4f {
    return mat4x4f(
        fma(left, vec4f(right.x), sums[0]),
        fma(left, vec4f(right.y), sums[1]),
        fma(left, vec4f(right.z), sums[2]),
        fma(left, vec4f(right.w), sums[3]),
    );
}

fn store_column(row: u32, column: u32, numbers: vec4f) {
    store(row, column, numbers.x);
    store(row + 1u, column, numbers.y);
    store(row + 2u, column, numbers.z);
    store(row + 3u, column, numbers.w);
}

fn store_block(row: u32, column: u32, sums: mat4x4f) {
    store_column(row, column, sums[0]);
    store_column(row, column + 1u, sums[1]);
    store_column(row, column + 2u, sums[2]);
    store_column(row, column + 3u, sums[3]);
}

fn keep_left(quad: u32, part: u32, block: mat4x4f) {
    left_tile[(part + 0u) * ROW_QUADS + quad] = block[0];
    left_tile[(part + 1u) * ROW_QUADS + quad] = block[1];
    left_tile[(part + 2u) * ROW_QUADS + quad] = block[2];
    left_tile[(part + 3u) * ROW_QUADS + quad] = block[3];
}

fn multiply(group: vec2u, invocation: vec2u, depth: u32) {
    let index = invocation.y * ACROSS + invocation.x;
    // Which blocks of four by four this invocation brings in.
    let quad = index % ROW_QUADS;
    let part = index / ROW_QUADS * 4u;
    let right_quad = index % COLUMN_QUADS;
    let right_part = index / COLUMN_QUADS * 4u;
    let first_row = group.y * ROW_QUADS * 4u;
    let first_column = group.x * COLUMN_QUADS * 4u;
    prepare_left(0u, first_row + quad * 4u);
    if SLOTS > 1u { prepare_left(1u, first_row + (quad + 64u) * 4u); }
    var upper_left = mat4x4f();
    var upper_right = mat4x4f();
    var lower_left = mat4x4f();
    var lower_right = mat4x4f();
    for (var start = 0u; start < depth; start += DEPTH) {
        workgroupBarrier();
        keep_left(quad, part, left_block(0u, start + part));
        if SLOTS > 1u { keep_left(quad + 64u, part, left_block(1u, start + part)); }
        if right_part < DEPTH {
            let right = right_block(first_column + right_quad * 4u, start + right_part);
            right_tile[(right_part + 0u) * COLUMN_QUADS + right_quad] = right[0];
            right_tile[(right_part + 1u) * COLUMN_QUADS + right_quad] = right[1];
            right_tile[(right_part + 2u) * COLUMN_QUADS + right_quad] = right[2];
            right_tile[(right_part + 3u) * COLUMN_QUADS + right_quad] = right[3];
        }
        workgroupBarrier();
        for (var step = 0u; step < DEPTH; step++) {
            let upper = left_tile[step * ROW_QUADS + invocation.y];
            let lower = left_tile[step * ROW_QUADS + invocation.y + DOWN];
            let near = right_tile[step * COLUMN_QUADS + invocation.x];
            let far = right_tile[step * COLUMN_QUADS + invocation.x + ACROSS];
            upper_left = add_outer(upper_left, upper, near);
            upper_right = add_outer(upper_right, upper, far);
            lower_left = add_outer(lower_left, lower, near);
            lower_right = add_outer(lower_right, lower, far);
        }
    }
    let row = first_row + invocation.y * 4u;
    let column = first_column + invocation.x * 4u;
    store_block(row, column, upper_left);
    store_block(row, column + ACROSS * 4u, upper_right);
    store_block(row + DOWN * 4u, column, lower_left);
    store_block(row + DOWN * 4u, column + ACROSS * 4u, lower_right);
}
