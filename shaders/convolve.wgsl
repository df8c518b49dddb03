// A 2-D convolution with 'same' padding over any two axes of a tensor, computed as one matrix
// product per kernel tap: rows are positions of the plane, columns are output channels, and the
// depth is input channels, a multiple of 4. Weights are (kernel height, kernel width, outputs,
// inputs). The axes of input and output are given by strides, so that nothing is permuted.
// `layout_channels_last.wgsl` or `layout_columns_last.wgsl` fixes the contiguous axis and accesses
// it in vec4s.

struct Sizes {
    // Of the plane.
    height: u32,
    width: u32,
    // vec4s of input channels.
    input_quads: u32,
    outputs: u32,
    // Of the kernel, odd.
    kernel_height: u32,
    kernel_width: u32,
    // Strides of the input and the output. The stride of the contiguous axis is 1, and the
    // plane file does not read it.
    input_row: u32,
    input_column: u32,
    input_channel: u32,
    output_row: u32,
    output_column: u32,
    output_channel: u32,
    // Length of the bias.
    bias: u32,
}

@group(0) @binding(2) var<storage, read_write> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> other: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

@compute @workgroup_size(TILE_COLUMNS * TILE_ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
    let row = first_row(group, invocation);
    let channel = first_column(group, invocation);
    if row >= sizes.height * sizes.width || channel >= sizes.outputs { return; }
    let upper_line = line_from(row);
    let lower_line = line_from(row + 4u);
    var near = clamped_indices(channel, sizes.outputs) * sizes.input_quads;
    var far = clamped_indices(channel + 4u, sizes.outputs) * sizes.input_quads;
    for (var tap_row = 0u; tap_row < sizes.kernel_height; tap_row++) {
        for (var tap_column = 0u; tap_column < sizes.kernel_width; tap_column++) {
            let upper = moved(upper_line, tap_row, tap_column);
            let lower = moved(lower_line, tap_row, tap_column);
            for (var quad = 0u; quad < sizes.input_quads; quad++) {
                accumulate(
                    input_block(upper, quad),
                    input_block(lower, quad),
                    weight_block(near + quad),
                    weight_block(far + quad),
                );
            }
            near += sizes.outputs * sizes.input_quads;
            far += sizes.outputs * sizes.input_quads;
        }
    }
    store_block(row, channel);
}
