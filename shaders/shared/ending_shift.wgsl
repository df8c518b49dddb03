// What a convolution makes of a product: a bias for each channel is added.

fn ending(number: f32, place: u32, channel: u32) -> f32 {
    // Every ending has the same buffers.
    _ = other[0];
    return number + bias[channel];
}
