// A weight matrix in f32; read in vec4s along rows.

@group(0) @binding(1) var<storage, read_write> weights: array<vec4f>;

fn weight_quad(place: u32) -> vec4f {
    return weights[place];
}
