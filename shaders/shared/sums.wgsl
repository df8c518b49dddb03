// Eight rows and eight columns of a product of matrices, which an invocation has to itself. It reads what it needs where that
// lies, in fours, and caches share it: there is no barrier, and no memory of a workgroup to be filled with zeros first.

var<private> upper_left: mat4x4f;
var<private> upper_right: mat4x4f;
var<private> lower_left: mat4x4f;
var<private> lower_right: mat4x4f;

// Where an invocation's sums begin. A workgroup is numbered along one axis, the only one along which Mesa's software GPU
// fills vectors.
fn first_row(group: vec3u, invocation: u32) -> u32 {
    return (group.y * DOWN + invocation / ACROSS) * 8u;
}

fn first_column(group: vec3u, invocation: u32) -> u32 {
    return (group.x * ACROSS + invocation % ACROSS) * 8u;
}

// Adds four steps along the depth that both matrices share. Columns of `upper` and `lower` are steps, of four rows each;
// columns of `near` and `far` are columns of the result, of four steps each.
fn add_products(upper: mat4x4f, lower: mat4x4f, near: mat4x4f, far: mat4x4f) {
    upper_left += upper * near;
    upper_right += upper * far;
    lower_left += lower * near;
    lower_right += lower * far;
}

// Stores the sums from a row and a column of the result on; the kernel around it says how with `store(row, column, block)`.
fn store_sums(row: u32, column: u32) {
    store(row, column, upper_left);
    store(row, column + 4u, upper_right);
    store(row + 4u, column, lower_left);
    store(row + 4u, column + 4u, lower_right);
}

// Four places that follow each other, the last one again for those beyond it: what is made of them is not stored.
fn four_from(first: u32, count: u32) -> vec4u {
    return min(vec4u(first, first + 1u, first + 2u, first + 3u), vec4u(count - 1u));
}

fn weight_block(places: vec4u) -> mat4x4f {
    return mat4x4f(weight_quad(places.x), weight_quad(places.y), weight_quad(places.z), weight_quad(places.w));
}
