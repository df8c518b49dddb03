// What a convolution makes of four products: a bias for each channel is added.

fn ending(numbers: vec4f, place: u32, channel: u32) -> vec4f {
    // Every ending has the same buffers.
    _ = other[0];
    return numbers + channel_bias(channel);
}
