// What a convolution makes of four products: a bias for each channel is added, and a residual.

fn ending(numbers: vec4f, place: u32, channel: u32) -> vec4f {
    return numbers + channel_bias(channel) + other[place];
}
