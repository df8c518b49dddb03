// Epilogue of a linear layer: identity.

fn epilogue(numbers: vec4f, place: u32) -> vec4f {
    // All epilogues bind the same buffers.
    _ = residual[0];
    return numbers;
}
