// An 8 x 8 block of a matrix product, computed by one invocation. Inputs are read directly in
// vec4s and shared through caches: this needs no barrier, and no workgroup memory, which WebGPU
// would zero first.

var<private> upper_left: mat4x4f;
var<private> upper_right: mat4x4f;
var<private> lower_left: mat4x4f;
var<private> lower_right: mat4x4f;

// First row and column of the block of an invocation. Workgroups are one-dimensional, because
// Mesa's software renderer vectorizes only along one axis.
fn first_row(group: vec3u, invocation: u32) -> u32 {
    return (group.y * TILE_ROWS + invocation / TILE_COLUMNS) * 8u;
}

fn first_column(group: vec3u, invocation: u32) -> u32 {
    return (group.x * TILE_COLUMNS + invocation % TILE_COLUMNS) * 8u;
}

// Accumulates four steps of the depth. Columns of `upper` and `lower` are steps with four rows
// each; columns of `near` and `far` are result columns with four steps each.
fn accumulate(upper: mat4x4f, lower: mat4x4f, near: mat4x4f, far: mat4x4f) {
    upper_left += upper * near;
    upper_right += upper * far;
    lower_left += lower * near;
    lower_right += lower * far;
}

// Stores the block at a row and column; the including kernel defines `store(row, column,
// block)`.
fn store_block(row: u32, column: u32) {
    store(row, column, upper_left);
    store(row, column + 4u, upper_right);
    store(row + 4u, column, lower_left);
    store(row + 4u, column + 4u, lower_right);
}

// Four consecutive indices, clamped to the last one. Results of clamped indices are not stored.
fn clamped_indices(first: u32, count: u32) -> vec4u {
    return min(vec4u(first, first + 1u, first + 2u, first + 3u), vec4u(count - 1u));
}

fn weight_block(places: vec4u) -> mat4x4f {
    return mat4x4f(
        weight_quad(places.x),
        weight_quad(places.y),
        weight_quad(places.z),
        weight_quad(places.w),
    );
}
