// What a convolution makes of a product: nothing.

fn ending(number: f32, place: u32, channel: u32) -> f32 {
    // Every ending has the same buffers.
    _ = bias[0];
    _ = other[0];
    return number;
}
