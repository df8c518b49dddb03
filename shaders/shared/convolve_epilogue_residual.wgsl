// Epilogue of a convolution: adds a per-channel bias and a residual.

fn epilogue(numbers: vec4f, place: u32, channel: u32) -> vec4f {
    return numbers + channel_bias(channel) + other[place];
}
