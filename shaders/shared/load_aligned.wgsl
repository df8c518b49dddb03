// Input of a kernel with one column: four columns in one vec4.

fn load_columns(places: Places, channel: u32) -> vec4f {
    return four_columns(places, places.column, channel);
}
