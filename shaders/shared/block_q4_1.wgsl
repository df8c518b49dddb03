// Blocks of 4-bit integers: a word holds values 4 w to 4 w + 3 of the first half of the block in
// the low bits of its bytes, and those of the second half in the high bits.

fn block_integers(block: u32, quad: u32) -> vec4f {
    let word = integers[block * 4u + quad % 4u] >> (quad / 4u * 4u);
    return vec4f(vec4u(word, word >> 8u, word >> 16u, word >> 24u) & vec4u(15u));
}
