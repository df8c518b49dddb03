// What a convolution makes of a product: both ways of a hyper-convolution together, (tanh(product) + other + bias) / 3, the bias
// repeating through the output.

fn ending(number: f32, place: u32, channel: u32) -> f32 {
    // Beyond 10 it is 1 in f32, and some drivers divide one infinity by another.
    return (tanh(clamp(number, -10.0, 10.0)) + other[place] + bias[place % sizes.bias]) / 3.0;
}
