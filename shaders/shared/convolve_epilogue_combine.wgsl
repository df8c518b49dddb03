// Epilogue of a hyper-convolution: combines its two branches to (tanh(product) + other + bias)
// / 3. The bias is repeated over the output.

fn epilogue(numbers: vec4f, place: u32, channel: u32) -> vec4f {
    let at = place * 4u % sizes.bias;
    let repeated = vec4f(bias[at], bias[at + 1u], bias[at + 2u], bias[at + 3u]);
    // tanh is 1 in f32 beyond 10, and some drivers compute inf / inf for large inputs.
    return (tanh(clamp(numbers, vec4f(-10.0), vec4f(10.0))) + other[place] + repeated) / 3.0;
}
