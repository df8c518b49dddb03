//! The WGSL kernels of `shaders/`, put together from their files and constants.

use std::fmt::Write as _;

/// A kernel with the constants that choose its variant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shader {
    kernel: Kernel,
    /// Whether weights are in half precision.
    half: bool,
    constants: Vec<(&'static str, Constant)>,
}

/// A file of `shaders/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kernel {
    Product,
    Convolve,
    LayerNorm,
    Embed,
    Attention,
    Assemble,
}

/// The value of a WGSL constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Constant {
    Flag(bool),
    Number(u32),
}

/// What a convolution makes of its products; see `shaders/convolve.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// They are the result.
    Plain,
    /// (tanh(product) + other + bias) / 3.
    Join,
    /// A bias for each channel is added.
    Shift,
}

const TILE: &str = include_str!("../../../shaders/shared/tile.wgsl");
const MATRIX_F32: &str = include_str!("../../../shaders/shared/matrix_f32.wgsl");
const MATRIX_F16: &str = include_str!("../../../shaders/shared/matrix_f16.wgsl");
const RIGHT_WEIGHTS: &str = include_str!("../../../shaders/shared/right_weights.wgsl");
const ROW_NORM: &str = include_str!("../../../shaders/shared/row_norm.wgsl");

/// Rows and columns of the result that one workgroup of a product makes.
pub const TILE_SIZE: usize = 64;
/// Queries that one workgroup of the attention has.
pub const QUERIES: usize = 32;
/// Numbers that one workgroup of the assembly makes.
pub const ASSEMBLED: usize = 64;

impl Shader {
    /// `shaders/product.wgsl`: weights in `half` precision or not, with GELU or not, plus a residual or not.
    pub fn product(half: bool, gelu: bool, add: bool) -> Self {
        Self::new(
            Kernel::Product,
            half,
            [("GELU", Constant::Flag(gelu)), ("ADD", Constant::Flag(add))],
        )
    }

    /// `shaders/convolve.wgsl`; `add` with [`Ending::Shift`] alone.
    pub fn convolve(ending: Ending, add: bool) -> Self {
        Self::new(
            Kernel::Convolve,
            false,
            [
                ("ENDING", Constant::Number(ending as u32)),
                ("ADD", Constant::Flag(add)),
            ],
        )
    }

    /// `shaders/layer_norm.wgsl`.
    pub fn layer_norm() -> Self {
        Self::new(Kernel::LayerNorm, false, [])
    }

    /// `shaders/embed.wgsl`: the embedding of words in `half` precision or not.
    pub fn embed(half: bool) -> Self {
        Self::new(Kernel::Embed, half, [])
    }

    /// `shaders/attention.wgsl` for heads of `width` numbers, a multiple of four.
    pub fn attention(width: usize) -> Self {
        Self::new(
            Kernel::Attention,
            false,
            [("HEAD", Constant::Number(width as u32))],
        )
    }

    /// `shaders/assemble.wgsl`.
    pub fn assemble() -> Self {
        Self::new(Kernel::Assemble, false, [])
    }

    fn new<const N: usize>(
        kernel: Kernel,
        half: bool,
        constants: [(&'static str, Constant); N],
    ) -> Self {
        Self {
            kernel,
            half,
            constants: constants.to_vec(),
        }
    }

    /// The whole text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, constant) in &self.constants {
            let written = match constant {
                Constant::Flag(flag) => writeln!(text, "const {name}: bool = {flag};"),
                Constant::Number(number) => writeln!(text, "const {name}: u32 = {number}u;"),
            };
            // Writing into a string does not fail.
            let _ = written;
        }
        self.parts().for_each(|part| text.push_str(part));
        text
    }

    /// The files, the kernel's own last.
    fn parts(&self) -> impl Iterator<Item = &'static str> {
        let matrix = if self.half { MATRIX_F16 } else { MATRIX_F32 };
        let product = [TILE, matrix, RIGHT_WEIGHTS];
        let (shared, own): (&[&str], &str) = match self.kernel {
            Kernel::Product => (&product, include_str!("../../../shaders/product.wgsl")),
            Kernel::Convolve => (&product, include_str!("../../../shaders/convolve.wgsl")),
            Kernel::LayerNorm => (
                &[ROW_NORM],
                include_str!("../../../shaders/layer_norm.wgsl"),
            ),
            Kernel::Embed => (
                &[matrix, ROW_NORM],
                include_str!("../../../shaders/embed.wgsl"),
            ),
            Kernel::Attention => (&[], include_str!("../../../shaders/attention.wgsl")),
            Kernel::Assemble => (&[], include_str!("../../../shaders/assemble.wgsl")),
        };
        let mut parts = shared.to_vec();
        parts.push(own);
        parts.into_iter()
    }

    /// Invocations of a workgroup along two axes, as the file says.
    pub fn workgroup(&self) -> [u32; 2] {
        match self.kernel {
            Kernel::Product | Kernel::Convolve => [8, 8],
            Kernel::LayerNorm | Kernel::Embed => [64, 1],
            Kernel::Attention => [QUERIES as u32, 1],
            Kernel::Assemble => [ASSEMBLED as u32, 1],
        }
    }
}

#[cfg(test)]
mod tests {
    use naga::valid::{Capabilities, ValidationFlags, Validator};

    use super::*;

    fn variants() -> Vec<Shader> {
        let flags = [false, true];
        let mut all = vec![Shader::layer_norm(), Shader::assemble()];
        all.extend([4, 32, 64].map(Shader::attention));
        for first in flags {
            all.push(Shader::embed(first));
            for second in flags {
                all.extend(flags.map(|third| Shader::product(first, second, third)));
            }
            all.extend(
                [Ending::Plain, Ending::Join, Ending::Shift]
                    .map(|ending| Shader::convolve(ending, first)),
            );
        }
        all
    }

    #[test]
    fn every_variant_is_valid() {
        for shader in variants() {
            let text = shader.text();
            let module = naga::front::wgsl::parse_str(&text)
                .unwrap_or_else(|error| panic!("{shader:?}: {}", error.emit_to_string(&text)));
            // What every WebGPU has: halves can be unpacked.
            let capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
            Validator::new(ValidationFlags::all(), capabilities)
                .validate(&module)
                .unwrap_or_else(|error| panic!("{shader:?}: {}", error.emit_to_string(&text)));
            let [x, y] = shader.workgroup();
            assert_eq!(
                module.entry_points[0].workgroup_size,
                [x, y, 1],
                "{shader:?}"
            );
        }
    }
}
