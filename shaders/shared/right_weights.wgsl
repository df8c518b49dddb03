// The right matrix of a tile, where its columns are the rows of a matrix of weights.

fn right_block(column: u32, depth: u32) -> mat4x4f {
    return transpose(mat4x4f(
        weight_quad(column, depth, columns(), depths()),
        weight_quad(column + 1u, depth, columns(), depths()),
        weight_quad(column + 2u, depth, columns(), depths()),
        weight_quad(column + 3u, depth, columns(), depths()),
    ));
}
