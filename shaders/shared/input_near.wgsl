// The input of a convolution whose channels are neighbours: four of them at once.

@group(0) @binding(0) var<storage, read_write> input: array<vec4f>;

fn four_channels(place: u32, inside: bool) -> vec4f {
    return select(vec4f(), input[place], vec4<bool>(inside));
}

fn input_block(places: Places, quad: u32) -> mat4x4f {
    let at = places.at / 4u + quad;
    return transpose(mat4x4f(
        four_channels(at.x, places.inside.x),
        four_channels(at.y, places.inside.y),
        four_channels(at.z, places.inside.z),
        four_channels(at.w, places.inside.w),
    ));
}
