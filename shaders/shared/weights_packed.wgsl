// A weight matrix in f16, packed two per u32, for devices without f16 arithmetic; read in vec4s
// along rows.

@group(0) @binding(1) var<storage, read_write> weights: array<vec2u>;

fn weight_quad(place: u32) -> vec4f {
    let words = weights[place];
    return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}
