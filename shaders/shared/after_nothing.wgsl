// What follows a linear layer: nothing.

fn after(numbers: vec4f, place: u32) -> vec4f {
    // Everything that may follow has the same buffers.
    _ = residual[0];
    return numbers;
}
