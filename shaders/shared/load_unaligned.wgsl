// Input of a kernel with several columns: four columns that may span two vec4s.

fn load_columns(places: Places, channel: u32) -> vec4f {
    let shift = places.column % 4u;
    let first = places.column - shift;
    let here = four_columns(places, first, channel);
    let next = four_columns(places, first + 4u, channel);
    let by_two = shift >= 2u;
    let even = select(here, vec4f(here.zw, next.xy), by_two);
    return select(even, vec4f(even.yzw, select(next.x, next.z, by_two)), shift % 2u == 1u);
}
