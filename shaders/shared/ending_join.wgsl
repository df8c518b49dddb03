// What a convolution makes of four products: both ways of a hyper-convolution together, (tanh(product) + other + bias) / 3, the
// bias repeating through the output.

fn ending(numbers: vec4f, place: u32, channel: u32) -> vec4f {
    let at = place * 4u % sizes.bias;
    let repeated = vec4f(bias[at], bias[at + 1u], bias[at + 2u], bias[at + 3u]);
    // Beyond 10 it is 1 in f32, and some drivers divide one infinity by another.
    return (tanh(clamp(numbers, vec4f(-10.0), vec4f(10.0))) + other[place] + repeated) / 3.0;
}
