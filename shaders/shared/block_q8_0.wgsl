// Blocks of signed 8-bit integers, four a word.

fn block_integers(block: u32, quad: u32) -> vec4f {
    let word = bitcast<i32>(integers[block * 8u + quad]);
    return vec4f(vec4i(word << 24u, word << 16u, word << 8u, word) >> vec4u(24u));
}
