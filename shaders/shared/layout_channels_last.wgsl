// Channel-contiguous plane, in the input and the output; the number of channels is a multiple
// of 4.

@group(0) @binding(0) var<storage, read_write> input: array<vec4f>;

// Four adjacent positions of the plane. Division is slow, so rows and columns are computed
// once, not per tap.
struct Line {
    row: vec4u,
    column: vec4u,
}

fn line_from(first: u32) -> Line {
    let places = clamped_indices(first, sizes.height * sizes.width);
    let row = places / sizes.width;
    return Line(row, places - row * sizes.width);
}

// A line shifted by a kernel tap: offsets of the first channels, in vec4s, and whether they are
// inside the plane.
struct Places {
    at: vec4u,
    inside: vec4<bool>,
}

fn moved(line: Line, tap_row: u32, tap_column: u32) -> Places {
    let row = line.row + tap_row - sizes.kernel_height / 2u;
    let column = line.column + tap_column - sizes.kernel_width / 2u;
    // Negative values wrap to large unsigned ones, which are outside.
    let inside = (row < vec4u(sizes.height)) & (column < vec4u(sizes.width));
    let at = (row * sizes.input_row + column * sizes.input_column) / 4u;
    return Places(select(vec4u(), at, inside), inside);
}

fn four_channels(place: u32, inside: bool) -> vec4f {
    return select(vec4f(), input[place], vec4<bool>(inside));
}

fn input_block(places: Places, quad: u32) -> mat4x4f {
    let at = places.at + quad;
    return transpose(mat4x4f(
        four_channels(at.x, places.inside.x),
        four_channels(at.y, places.inside.y),
        four_channels(at.z, places.inside.z),
        four_channels(at.w, places.inside.w),
    ));
}

fn channel_bias(channel: u32) -> vec4f {
    return vec4f(bias[channel], bias[channel + 1u], bias[channel + 2u], bias[channel + 3u]);
}

fn store(first_row: u32, channel: u32, sums: mat4x4f) {
    if channel >= sizes.outputs { return; }
    let line = line_from(first_row);
    var places = (line.row * sizes.output_row + line.column * sizes.output_column + channel) / 4u;
    var rows = transpose(sums);
    for (var index = 0u; index < 4u && first_row + index < sizes.height * sizes.width; index++) {
        output[places[index]] = epilogue(rows[index], places[index], channel);
    }
}
