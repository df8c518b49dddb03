// Column-contiguous plane, in the input and the output; the number of columns is a multiple of
// 4.

@group(0) @binding(0) var<storage, read_write> input: array<vec4f>;

// Four adjacent positions of the plane, in one row.
struct Line {
    row: u32,
    column: u32,
}

fn line_from(first: u32) -> Line {
    let place = min(first, sizes.height * sizes.width - 4u);
    let row = place / sizes.width;
    return Line(row, place - row * sizes.width);
}

// A line shifted by a kernel tap.
struct Places {
    // Offset of the row in the first channel, in vec4s, and whether the row is inside the
    // plane.
    row: u32,
    has_row: bool,
    // First column. A negative column wraps to a large unsigned value, which counts as outside.
    column: u32,
}

fn moved(line: Line, tap_row: u32, tap_column: u32) -> Places {
    let row = line.row + tap_row - sizes.kernel_height / 2u;
    let has_row = row < sizes.height;
    let column = line.column + tap_column - sizes.kernel_width / 2u;
    return Places(select(0u, row * sizes.input_row / 4u, has_row), has_row, column);
}

// Four columns of a channel from a multiple of 4 on; zeros outside the plane.
fn four_columns(places: Places, column: u32, channel: u32) -> vec4f {
    let inside = places.has_row && column < sizes.width;
    let at = places.row + channel * (sizes.input_channel / 4u) + column / 4u;
    return select(vec4f(), input[select(0u, at, inside)], vec4<bool>(inside));
}

fn input_block(places: Places, quad: u32) -> mat4x4f {
    let channel = quad * 4u;
    return mat4x4f(
        load_columns(places, channel),
        load_columns(places, channel + 1u),
        load_columns(places, channel + 2u),
        load_columns(places, channel + 3u),
    );
}

fn channel_bias(channel: u32) -> vec4f {
    return vec4f(bias[channel]);
}

fn store(first_row: u32, first_channel: u32, sums: mat4x4f) {
    if first_row >= sizes.height * sizes.width { return; }
    let line = line_from(first_row);
    var columns = sums;
    for (var index = 0u; index < 4u && first_channel + index < sizes.outputs; index++) {
        let channel = first_channel + index;
        let at = line.row * sizes.output_row + line.column + channel * sizes.output_channel;
        let place = at / 4u;
        output[place] = epilogue(columns[index], place, channel);
    }
}
