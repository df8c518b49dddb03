//! Intel AMX: eight tile registers of 16 rows of 64 bytes, and an instruction that multiplies
//! two tiles and accumulates.
//!
//! Rust has no stable intrinsics for AMX, hence the assembly (Intel 64 and IA-32 Architectures
//! Software Developer's Manual, volume 1, chapter 18).

#![allow(
    unsafe_code,
    reason = "tile registers are only accessible from assembly"
)]

use std::ops::Range;

use half::bf16;

use super::packed::{DEPTH, Packed, ROWS, TILE, WIDTH};
use super::target::Target;

/// Rounds to bfloat16: to nearest, ties to even.
pub(super) fn round(values: &[f32], rounded: &mut [bf16]) {
    // SAFETY: `is_available` was true when the matrix was packed.
    unsafe { round_vectors(values, rounded) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn round_vectors(values: &[f32], rounded: &mut [bf16]) {
    use std::arch::x86_64::{
        __m256bh, __m256i, _mm256_storeu_si256, _mm512_cvtneps_pbh, _mm512_loadu_ps,
    };
    let vectors = values.chunks_exact(16);
    let rest = vectors.remainder();
    let mut targets = rounded.chunks_exact_mut(16);
    for (vector, target) in vectors.zip(&mut targets) {
        // SAFETY: both hold 16 elements.
        unsafe {
            let narrow: __m256bh = _mm512_cvtneps_pbh(_mm512_loadu_ps(vector.as_ptr()));
            let bits: __m256i = std::mem::transmute(narrow);
            _mm256_storeu_si256(target.as_mut_ptr().cast(), bits);
        }
    }
    let start = values.len() - rest.len();
    for (value, rounded) in rest.iter().zip(&mut rounded[start..]) {
        *rounded = bf16::from_f32(*value);
    }
}

/// Operand of `ldtilecfg`: palette 1, tiles of 16 rows of 64 bytes.
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

pub(super) fn blocks(packed: &Packed, left: &[bf16], range: Range<usize>, target: &Target) {
    use std::arch::asm;

    let mut shapes = Shapes {
        palette: 1,
        start_row: 0,
        reserved: [0; 14],
        row_bytes: [0; 16],
        rows: [0; 16],
    };
    shapes.row_bytes[..8].fill(64);
    shapes.rows[..8].fill(16);
    let steps = packed.depth().div_ceil(DEPTH);
    let stride = steps * DEPTH;
    let padded = left.len() / stride;
    let mut square = [0.0f32; ROWS * WIDTH];
    // SAFETY: `is_available` was true when the matrix was packed. Tiles are loaded from inside
    // `left`, which has `padded` rows of `steps` steps, and from inside the block, which has
    // `steps` pairs of tiles. Results are stored in a buffer of 32 x 32, or in place where 32
    // rows and columns are inside the output. The tile configuration persists between the
    // pieces of assembly: nothing else in this function, or called by it, uses tiles.
    unsafe {
        asm!("ldtilecfg [{}]", in(reg) &shapes, options(nostack));
        for block in range {
            let right = packed.block(block).as_ptr();
            let column = block * WIDTH;
            let mut row = 0;
            while row < padded {
                let place = target.place(row, column);
                let (output, output_stride) = match place {
                    Some(place) => (place, packed.width() * 4),
                    None => (square.as_mut_ptr(), WIDTH * 4),
                };
                let first = left.as_ptr().add(row * stride);
                if row + TILE < padded {
                    asm!(
                        "tilezero tmm0",
                        "tilezero tmm1",
                        "tilezero tmm2",
                        "tilezero tmm3",
                        "2:",
                        "tileloadd tmm4, [{first} + {stride}*1]",
                        "tileloadd tmm6, [{right} + {line}*1]",
                        "tileloadd tmm7, [{right} + {line}*1 + 1024]",
                        "tileloadd tmm5, [{second} + {stride}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7",
                        "add {first}, 64",
                        "add {second}, 64",
                        "add {right}, 2048",
                        "dec {steps}",
                        "jnz 2b",
                        "tilestored [{output} + {output_stride}*1], tmm0",
                        "tilestored [{output} + {output_stride}*1 + 64], tmm1",
                        "tilestored [{lower} + {output_stride}*1], tmm2",
                        "tilestored [{lower} + {output_stride}*1 + 64], tmm3",
                        first = inout(reg) first => _,
                        second = inout(reg) first.add(TILE * stride) => _,
                        stride = in(reg) stride * 2,
                        right = inout(reg) right => _,
                        line = in(reg) 64usize,
                        steps = inout(reg) steps => _,
                        output = in(reg) output,
                        lower = in(reg) output.byte_add(TILE * output_stride),
                        output_stride = in(reg) output_stride,
                        out("tmm0") _,
                        out("tmm1") _,
                        out("tmm2") _,
                        out("tmm3") _,
                        out("tmm4") _,
                        out("tmm5") _,
                        out("tmm6") _,
                        out("tmm7") _,
                        options(nostack),
                    );
                } else {
                    asm!(
                        "tilezero tmm0",
                        "tilezero tmm1",
                        "2:",
                        "tileloadd tmm4, [{first} + {stride}*1]",
                        "tileloadd tmm6, [{right} + {line}*1]",
                        "tileloadd tmm7, [{right} + {line}*1 + 1024]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "add {first}, 64",
                        "add {right}, 2048",
                        "dec {steps}",
                        "jnz 2b",
                        "tilestored [{output} + {output_stride}*1], tmm0",
                        "tilestored [{output} + {output_stride}*1 + 64], tmm1",
                        first = inout(reg) first => _,
                        stride = in(reg) stride * 2,
                        right = inout(reg) right => _,
                        line = in(reg) 64usize,
                        steps = inout(reg) steps => _,
                        output = in(reg) output,
                        output_stride = in(reg) output_stride,
                        out("tmm0") _,
                        out("tmm1") _,
                        out("tmm4") _,
                        out("tmm6") _,
                        out("tmm7") _,
                        options(nostack),
                    );
                }
                if place.is_none() {
                    target.store(&square, row, column);
                }
                row += ROWS;
            }
        }
        asm!("tilerelease", options(nostack, nomem));
    }
}
