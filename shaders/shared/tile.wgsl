// A product of two matrices in tiles of 64 rows and 64 columns: 8 x 8 invocations make 8 x 8 numbers each, in steps of 16
// along the depth that both matrices share.
//
// The kernel around it says what stands in the matrices, in blocks of four: column d of `left_block(row, depth)` holds rows
// row to row + 3 at depth + d, and so `right_block(column, depth)`; beyond the matrices both are zero. `store(row, column,
// number)` takes a number of the result.

const TILE: u32 = 64u;
const DEPTH: u32 = 16u;
const QUADS: u32 = TILE / 4u;

var<workgroup> left_tile: array<vec4f, DEPTH * QUADS>;
var<workgroup> right_tile: array<vec4f, DEPTH * QUADS>;

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

fn multiply(group: vec2u, invocation: vec2u, depth: u32) {
    let index = invocation.y * 8u + invocation.x;
    // Which block of four by four this invocation brings in.
    let quad = index / 4u;
    let part = (index % 4u) * 4u;
    var upper_left = mat4x4f();
    var upper_right = mat4x4f();
    var lower_left = mat4x4f();
    var lower_right = mat4x4f();
    for (var start = 0u; start < depth; start += DEPTH) {
        let left = left_block(group.y * TILE + quad * 4u, start + part);
        let right = right_block(group.x * TILE + quad * 4u, start + part);
        workgroupBarrier();
        left_tile[(part + 0u) * QUADS + quad] = left[0];
        left_tile[(part + 1u) * QUADS + quad] = left[1];
        left_tile[(part + 2u) * QUADS + quad] = left[2];
        left_tile[(part + 3u) * QUADS + quad] = left[3];
        right_tile[(part + 0u) * QUADS + quad] = right[0];
        right_tile[(part + 1u) * QUADS + quad] = right[1];
        right_tile[(part + 2u) * QUADS + quad] = right[2];
        right_tile[(part + 3u) * QUADS + quad] = right[3];
        workgroupBarrier();
        for (var step = 0u; step < DEPTH; step++) {
            let upper = left_tile[step * QUADS + invocation.y];
            let lower = left_tile[step * QUADS + invocation.y + 8u];
            let near = right_tile[step * QUADS + invocation.x];
            let far = right_tile[step * QUADS + invocation.x + 8u];
            upper_left = add_outer(upper_left, upper, near);
            upper_right = add_outer(upper_right, upper, far);
            lower_left = add_outer(lower_left, lower, near);
            lower_right = add_outer(lower_right, lower, far);
        }
    }
    let row = group.y * TILE + invocation.y * 4u;
    let column = group.x * TILE + invocation.x * 4u;
    store_block(row, column, upper_left);
    store_block(row, column + 32u, upper_right);
    store_block(row + 32u, column, lower_left);
    store_block(row + 32u, column + 32u, lower_right);
}
