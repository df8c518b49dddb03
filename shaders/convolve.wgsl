// A 2-D convolution with 'same' padding between any axes of a tensor, as a matrix product whose left matrix is never stored:
// rows are places of the plane, columns output channels, and the depth is input channels times places of the kernel.
// Axes of input and output are told by how far apart their numbers lie, so that nothing is permuted.
//
// What becomes of a product is told by ENDING: PLAIN it is stored; JOIN makes it (tanh(product) + other + bias) / 3, the bias
// repeating through the output; SHIFT adds a bias a channel, with ADD also the other tensor.

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

const PLAIN: u32 = 0u;
const JOIN: u32 = 1u;
const SHIFT: u32 = 2u;

fn columns() -> u32 {
    return sizes.outputs;
}

fn depths() -> u32 {
    return sizes.inputs * sizes.kernel_height * sizes.kernel_width;
}

// Four neighbouring places of the plane, moved by a place of the kernel; zero outside. Without branches, as the weights are
// read.
fn left_column(first: u32, depth: u32) -> vec4f {
    let taps = sizes.kernel_height * sizes.kernel_width;
    let channel = depth / taps;
    let tap = depth % taps;
    let down = i32(tap / sizes.kernel_width) - i32(sizes.kernel_height / 2u);
    let right = i32(tap % sizes.kernel_width) - i32(sizes.kernel_width / 2u);
    let places = vec4u(first, first + 1u, first + 2u, first + 3u);
    let rows = vec4i(places / sizes.width) + down;
    let columns = vec4i(places % sizes.width) + right;
    let inside = (places < vec4u(sizes.height * sizes.width)) & (rows >= vec4i()) & (rows < vec4i(i32(sizes.height)))
        & (columns >= vec4i()) & (columns < vec4i(i32(sizes.width))) & vec4<bool>(vec4u(channel) < vec4u(sizes.inputs));
    let start = vec4u(channel * sizes.input_channel);
    let where_they_are = start + vec4u(rows) * sizes.input_row + vec4u(columns) * sizes.input_column;
    let at = select(vec4u(), where_they_are, inside);
    return select(vec4f(), vec4f(input[at.x], input[at.y], input[at.z], input[at.w]), inside);
}

fn left_block(row: u32, depth: u32) -> mat4x4f {
    return mat4x4f(
        left_column(row, depth),
        left_column(row, depth + 1u),
        left_column(row, depth + 2u),
        left_column(row, depth + 3u),
    );
}

fn store(row: u32, channel: u32, number: f32) {
    if row < sizes.height * sizes.width && channel < sizes.outputs {
        let corner = (row / sizes.width) * sizes.output_row + (row % sizes.width) * sizes.output_column;
        let place = corner + channel * sizes.output_channel;
        let brought = other[select(0u, place, ENDING == JOIN || ADD)];
        let joined = (tanh(number) + brought + bias[select(0u, place % sizes.bias, ENDING == JOIN)]) / 3.0;
        let shifted = number + bias[select(0u, channel, ENDING == SHIFT)] + select(0.0, brought, ADD);
        output[place] = select(select(number, shifted, ENDING == SHIFT), joined, ENDING == JOIN);
    }
}

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) invocation: vec3u) {
    multiply(group.xy, invocation.xy, depths());
}
