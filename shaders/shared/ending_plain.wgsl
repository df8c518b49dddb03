// What a convolution makes of four products: nothing.

fn ending(numbers: vec4f, place: u32, channel: u32) -> vec4f {
    // Every ending has the same buffers.
    _ = bias[0];
    _ = other[0];
    return numbers;
}
