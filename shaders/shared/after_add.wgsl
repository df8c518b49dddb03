// What follows a linear layer: a residual connection.

fn after(numbers: vec4f, place: u32) -> vec4f {
    return numbers + residual[place];
}
