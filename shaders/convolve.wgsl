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

// Where the input is read from: a place of the plane, moved by a place of the kernel.
struct Step {
    channel: u32,
    down: i32,
    right: i32,
    inside: bool,
}

fn step_at(depth: u32) -> Step {
    let taps = sizes.kernel_height * sizes.kernel_width;
    let channel = depth / taps;
    let tap = depth % taps;
    return Step(
        channel * sizes.input_channel,
        i32(tap / sizes.kernel_width) - i32(sizes.kernel_height / 2u),
        i32(tap % sizes.kernel_width) - i32(sizes.kernel_width / 2u),
        channel < sizes.inputs,
    );
}

fn read(place: u32, step: Step) -> f32 {
    let row = i32(place / sizes.width) + step.down;
    let column = i32(place % sizes.width) + step.right;
    let inside = step.inside && place < sizes.height * sizes.width
        && row >= 0 && row < i32(sizes.height) && column >= 0 && column < i32(sizes.width);
    if !inside { return 0.0; }
    return input[step.channel + u32(row) * sizes.input_row + u32(column) * sizes.input_column];
}

fn left_column(row: u32, depth: u32) -> vec4f {
    let step = step_at(depth);
    return vec4f(read(row, step), read(row + 1u, step), read(row + 2u, step), read(row + 3u, step));
}

fn left_block(row: u32, depth: u32) -> mat4x4f {
    return mat4x4f(
        left_column(row, depth),
        left_column(row, depth + 1u),
        left_column(row, depth + 2u),
        left_column(row, depth + 3u),
    );
}

fn column_quad(column: u32, depth: u32) -> vec4f {
    if column >= sizes.outputs { return vec4f(); }
    return weight_quad(column, depth, sizes.inputs * sizes.kernel_height * sizes.kernel_width);
}

fn right_block(column: u32, depth: u32) -> mat4x4f {
    return transpose(mat4x4f(
        column_quad(column, depth),
        column_quad(column + 1u, depth),
        column_quad(column + 2u, depth),
        column_quad(column + 3u, depth),
    ));
}

fn store(row: u32, column: u32, numbers: vec4f) {
    if row >= sizes.height * sizes.width { return; }
    let corner = (row / sizes.width) * sizes.output_row + (row % sizes.width) * sizes.output_column;
    for (var index = 0u; index < 4u; index++) {
        let channel = column + index;
        if channel >= sizes.outputs { return; }
        let place = corner + channel * sizes.output_channel;
        var number = numbers[index];
        if ENDING == JOIN {
            number = (tanh(number) + other[place] + bias[place % sizes.bias]) / 3.0;
        }
        if ENDING == SHIFT {
            number += bias[channel];
            if ADD { number += other[place]; }
        }
        output[place] = number;
    }
}

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) invocation: vec3u) {
    multiply(group.xy, invocation.xy, sizes.inputs * sizes.kernel_height * sizes.kernel_width);
}
