// A matrix of weights in f16, for devices that know the type: four numbers of a row at once.

@group(0) @binding(1) var<storage, read_write> weights: array<vec4<f16>>;

fn weight_quad(place: u32) -> vec4f {
    return vec4f(weights[place]);
}
