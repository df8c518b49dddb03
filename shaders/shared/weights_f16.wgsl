// A weight matrix in f16, for devices that support the type; read in vec4s along rows.

@group(0) @binding(1) var<storage, read_write> weights: array<vec4<f16>>;

fn weight_quad(place: u32) -> vec4f {
    return vec4f(weights[place]);
}
