// Epilogue of a convolution: identity.

fn epilogue(numbers: vec4f, place: u32, channel: u32) -> vec4f {
    // All epilogues bind the same buffers.
    _ = bias[0];
    _ = other[0];
    return numbers;
}
