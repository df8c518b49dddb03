// A 2-D convolution with 'same' padding between any axes of a tensor, as a matrix product whose left matrix is never stored:
// rows are places of the plane, columns output channels, and the depth is input channels times places of the kernel.
// Axes of input and output are told by how far apart their numbers lie, so that nothing is permuted.

struct Sizes {
    // Of the plane, and the channels.
    height: u32,
    width: u32,
    inputs: u32,
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

@group(0) @binding(0) var<storage, read_write> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> other: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

fn columns() -> u32 {
    return sizes.outputs;
}

fn depths() -> u32 {
    return sizes.inputs * sizes.kernel_height * sizes.kernel_width;
}

// Rows and columns in the plane of the four places of each slot; far outside of it for those beyond the last.
var<private> rows: array<vec4i, SLOTS>;
var<private> columns_of: array<vec4i, SLOTS>;

fn prepare_left(slot: u32, row: u32) {
    let places = vec4u(row, row + 1u, row + 2u, row + 3u);
    let inside = places < vec4u(sizes.height * sizes.width);
    rows[slot] = select(vec4i(-0x10000), vec4i(places / sizes.width), inside);
    columns_of[slot] = vec4i(places % sizes.width);
}

// The places of a slot moved by a place of the kernel; zero outside. Without branches, as the weights are read.
fn left_column(slot: u32, depth: u32) -> vec4f {
    let taps = sizes.kernel_height * sizes.kernel_width;
    let channel = depth / taps;
    let tap = depth - channel * taps;
    let tap_row = tap / sizes.kernel_width;
    let tap_column = tap - tap_row * sizes.kernel_width;
    let down = rows[slot] + i32(tap_row) - i32(sizes.kernel_height / 2u);
    let right = columns_of[slot] + i32(tap_column) - i32(sizes.kernel_width / 2u);
    // As unsigned numbers, negative ones are large.
    let inside = (vec4u(down) < vec4u(sizes.height)) & (vec4u(right) < vec4u(sizes.width))
        & vec4<bool>(vec4u(channel) < vec4u(sizes.inputs));
    let corner = vec4u(channel * sizes.input_channel);
    let there = corner + vec4u(down) * sizes.input_row + vec4u(right) * sizes.input_column;
    let at = select(vec4u(), there, inside);
    return select(vec4f(), vec4f(input[at.x], input[at.y], input[at.z], input[at.w]), inside);
}

fn left_block(slot: u32, depth: u32) -> mat4x4f {
    return mat4x4f(
        left_column(slot, depth),
        left_column(slot, depth + 1u),
        left_column(slot, depth + 2u),
        left_column(slot, depth + 3u),
    );
}

fn store(row: u32, channel: u32, number: f32) {
    if row < sizes.height * sizes.width && channel < sizes.outputs {
        let corner = (row / sizes.width) * sizes.output_row + (row % sizes.width) * sizes.output_column;
        let place = corner + channel * sizes.output_channel;
        output[place] = ending(number, place, channel);
    }
}

@compute @workgroup_size(ACROSS, DOWN)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) invocation: vec3u) {
    multiply(group.xy, invocation.xy, depths());
}
