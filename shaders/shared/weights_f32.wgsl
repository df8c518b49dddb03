// A matrix of weights in f32: four numbers of a row at once.

@group(0) @binding(1) var<storage, read_write> weights: array<vec4f>;

fn weight_quad(place: u32) -> vec4f {
    return weights[place];
}
