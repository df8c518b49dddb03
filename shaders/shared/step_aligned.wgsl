// What a kernel of one column reads.

fn input_step(places: Places, channel: u32) -> vec4f {
    return four_columns(places, places.column, channel);
}
