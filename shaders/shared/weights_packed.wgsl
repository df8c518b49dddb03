// A matrix of weights in f16, two in a word, for devices that compute in f32 alone: four numbers of a row at once.

@group(0) @binding(1) var<storage, read_write> weights: array<vec2u>;

fn weight_quad(place: u32) -> vec4f {
    let words = weights[place];
    return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}
