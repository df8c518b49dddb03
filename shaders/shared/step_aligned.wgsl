// Input of a kernel with one column: four columns in one vec4.

fn input_step(places: Places, channel: u32) -> vec4f {
    return four_columns(places, places.column, channel);
}
