// Epilogue of a linear layer: adds a residual.

fn epilogue(numbers: vec4f, place: u32) -> vec4f {
    return numbers + residual[place];
}
