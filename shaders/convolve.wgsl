// A 2-D convolution with 'same' padding between any axes of a tensor, as a product of matrices for each place of the kernel: rows
// are places of the plane, columns output channels, and the depth is input channels, which four divides. Weights lie as
// (kernel height, kernel width, outputs, inputs). Axes of input and output are told by how far apart their numbers lie, so that
// nothing is permuted.

struct Sizes {
    // Of the plane.
    height: u32,
    width: u32,
    // Fours of input channels.
    input_quads: u32,
    outputs: u32,
    // Of the kernel, odd.
    kernel_height: u32,
    kernel_width: u32,
    // How far apart neighbours lie in the input, and in the output.
    input_row: u32,
    input_column: u32,
    input_channel: u32,
    output_row: u32,
    output_column: u32,
    output_channel: u32,
    // Numbers of the bias.
    bias: u32,
}

@group(0) @binding(2) var<storage, read_write> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> other: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

// Four places of the plane, moved by a place of the kernel: where their first channels lie, and whether they are inside.
struct Places {
    at: vec4u,
    inside: vec4<bool>,
}

fn moved(places: vec4u, tap_row: u32, tap_column: u32) -> Places {
    let row = places / sizes.width + tap_row - sizes.kernel_height / 2u;
    let column = places % sizes.width + tap_column - sizes.kernel_width / 2u;
    // Unsigned, what is negative is large.
    let inside = (row < vec4u(sizes.height)) & (column < vec4u(sizes.width));
    return Places(select(vec4u(), row * sizes.input_row + column * sizes.input_column, inside), inside);
}

fn store(first_row: u32, first_channel: u32, sums: mat4x4f) {
    var columns = sums;
    for (var line = 0u; line < 4u && first_row + line < sizes.height * sizes.width; line++) {
        let row = first_row + line;
        let corner = (row / sizes.width) * sizes.output_row + (row % sizes.width) * sizes.output_column;
        for (var index = 0u; index < 4u && first_channel + index < sizes.outputs; index++) {
            let channel = first_channel + index;
            let place = corner + channel * sizes.output_channel;
            output[place] = ending(columns[index][line], place, channel);
        }
    }
}

@compute @workgroup_size(ACROSS, DOWN)
fn main(@builtin(global_invocation_id) invocation: vec3u) {
    let row = invocation.y * 8u;
    let channel = invocation.x * 8u;
    if row >= sizes.height * sizes.width || channel >= sizes.outputs { return; }
    let upper_places = four_from(row, sizes.height * sizes.width);
    let lower_places = four_from(row + 4u, sizes.height * sizes.width);
    let near_channels = four_from(channel, sizes.outputs);
    let far_channels = four_from(channel + 4u, sizes.outputs);
    for (var tap = 0u; tap < sizes.kernel_height * sizes.kernel_width; tap++) {
        let upper = moved(upper_places, tap / sizes.kernel_width, tap % sizes.kernel_width);
        let lower = moved(lower_places, tap / sizes.kernel_width, tap % sizes.kernel_width);
        let near = (near_channels + tap * sizes.outputs) * sizes.input_quads;
        let far = (far_channels + tap * sizes.outputs) * sizes.input_quads;
        for (var quad = 0u; quad < sizes.input_quads; quad++) {
            add_products(
                input_block(upper, quad),
                input_block(lower, quad),
                weight_block(near + quad),
                weight_block(far + quad),
            );
        }
    }
    store_sums(row, channel);
}
