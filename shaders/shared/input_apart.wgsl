// The input of a convolution whose channels lie apart: four places at once.

@group(0) @binding(0) var<storage, read_write> input: array<f32>;

fn input_step(places: Places, channel: u32) -> vec4f {
    let at = places.at + channel * sizes.input_channel;
    return select(vec4f(), vec4f(input[at.x], input[at.y], input[at.z], input[at.w]), places.inside);
}

fn input_block(places: Places, quad: u32) -> mat4x4f {
    let channel = quad * 4u;
    return mat4x4f(
        input_step(places, channel),
        input_step(places, channel + 1u),
        input_step(places, channel + 2u),
        input_step(places, channel + 3u),
    );
}
