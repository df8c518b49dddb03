//! The WGSL kernels of `shaders/`, assembled from files and constants.

use std::fmt::Write as _;
use std::hash::{Hash, Hasher};

use crate::epilogue::{ConvolutionEpilogue, LinearEpilogue};
use crate::quantized::Blocks;

/// A kernel: its files, shared ones first, and the constants prepended to them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shader {
    files: Vec<File>,
    constants: Vec<(&'static str, u32)>,
    workgroup: [u32; 2],
}

/// A file of `shaders/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct File {
    name: &'static str,
    text: &'static str,
}

/// Every launch hashes its shader to look it up; hashing the name is enough and fast.
impl Hash for File {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

macro_rules! file {
    ($name:literal) => {
        File {
            name: $name,
            text: include_str!(concat!("../../../shaders/", $name)),
        }
    };
}

/// How a result is split into tiles, one per workgroup. Each invocation computes eight rows by
/// eight columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tiling {
    /// Invocations of a workgroup along columns and along rows.
    invocations: [u32; 2],
}

impl Tiling {
    /// The tiling of a result with this many columns.
    pub fn new(columns: usize) -> Self {
        // With few columns, a square workgroup would leave invocations idle.
        let across = columns.div_ceil(8).clamp(1, 8) as u32;
        Self {
            invocations: [across, 64 / across],
        }
    }

    /// Number of workgroups along columns, along rows, and one.
    pub fn groups(self, rows: usize, columns: usize) -> [usize; 3] {
        let [across, down] = self.invocations.map(|count| 8 * count as usize);
        [columns.div_ceil(across), rows.div_ceil(down), 1]
    }
}

/// Maximum head dimension of the attention kernel, which keeps a query in registers.
pub const WIDEST_HEAD: usize = 128;
/// Queries per workgroup of the attention kernel.
pub const QUERIES: usize = 32;
/// Groups of four values per workgroup of the expansion kernel.
pub const EXPANDED: usize = 64;
/// Layers that an invocation of it computes.
pub const LAYERS: usize = 6;
/// Workgroups along one axis that every WebGPU implementation supports.
pub const MAX_GROUPS: usize = 65_535;
/// Largest width of the pooling kernel, which keeps a query in workgroup memory.
pub const WIDEST_POOL: usize = 2048;
/// Columns per workgroup of the quantized product.
pub const PRODUCT_COLUMNS: usize = 8;
/// Rows per workgroup of it; the kernel adds up this many as a vec4.
pub const PRODUCT_ROWS: usize = 4;
/// Invocations per column of it.
const PRODUCT_LANES: u32 = 8;
/// Invocations per workgroup of kernels that reduce over a workgroup, such as layer norm.
const ADDING: u32 = 64;

impl Shader {
    /// `shaders/linear.wgsl`.
    pub fn linear(weights: Storage, epilogue: &LinearEpilogue, tiling: Tiling) -> Self {
        let epilogue = match epilogue {
            LinearEpilogue::Identity => file!("shared/linear_epilogue_identity.wgsl"),
            LinearEpilogue::Gelu => file!("shared/linear_epilogue_gelu.wgsl"),
            LinearEpilogue::Residual(_) => file!("shared/linear_epilogue_residual.wgsl"),
        };
        Self::matmul(weights, tiling, vec![epilogue, file!("linear.wgsl")])
    }

    /// `shaders/convolve.wgsl`.
    pub fn convolve(plane: Plane, epilogue: &ConvolutionEpilogue, tiling: Tiling) -> Self {
        let epilogue = match epilogue {
            ConvolutionEpilogue::Identity => file!("shared/convolve_epilogue_identity.wgsl"),
            ConvolutionEpilogue::Combine { .. } => file!("shared/convolve_epilogue_combine.wgsl"),
            ConvolutionEpilogue::Bias { residual: None, .. } => {
                file!("shared/convolve_epilogue_bias.wgsl")
            }
            ConvolutionEpilogue::Bias { .. } => file!("shared/convolve_epilogue_residual.wgsl"),
        };
        let mut own = plane.files();
        own.extend([epilogue, file!("convolve.wgsl")]);
        Self::matmul(Storage::F32, tiling, own)
    }

    /// `shaders/layer_norm.wgsl`.
    pub fn layer_norm() -> Self {
        Self::norm(vec![file!("layer_norm.wgsl")])
    }

    /// `shaders/embed.wgsl`.
    pub fn embed(words: Storage) -> Self {
        Self::norm(vec![words.file(), file!("embed.wgsl")])
    }

    /// `shaders/attention.wgsl` for heads of dimension `width`, a multiple of four.
    pub fn attention(width: usize) -> Self {
        Self {
            files: vec![file!("attention.wgsl")],
            constants: vec![("HEAD", width as u32), ("QUERIES", QUERIES as u32)],
            workgroup: [QUERIES as u32, 1],
        }
    }

    /// `shaders/expand.wgsl`.
    pub fn expand() -> Self {
        Self {
            files: vec![file!("expand.wgsl")],
            constants: vec![("INVOCATIONS", EXPANDED as u32), ("LAYERS", LAYERS as u32)],
            workgroup: [EXPANDED as u32, 1],
        }
    }

    /// `shaders/quantized.wgsl`.
    pub fn quantized(blocks: Blocks) -> Self {
        let integers = match blocks {
            Blocks::Q4_1 => file!("shared/block_q4_1.wgsl"),
            Blocks::Q8_0 => file!("shared/block_q8_0.wgsl"),
        };
        Self {
            files: vec![integers, file!("quantized.wgsl")],
            constants: vec![
                ("LANES", PRODUCT_LANES),
                ("COLUMNS", PRODUCT_COLUMNS as u32),
                ("ROWS", PRODUCT_ROWS as u32),
            ],
            workgroup: [PRODUCT_LANES, PRODUCT_COLUMNS as u32],
        }
    }

    fn matmul(weights: Storage, tiling: Tiling, own: Vec<File>) -> Self {
        let mut files = vec![weights.file(), file!("shared/matmul_block.wgsl")];
        files.extend(own);
        let [across, down] = tiling.invocations;
        Self {
            files,
            constants: vec![("TILE_COLUMNS", across), ("TILE_ROWS", down)],
            workgroup: [across * down, 1],
        }
    }

    /// `shaders/mean_embedding.wgsl` for vectors of length `width`, a multiple of four.
    pub fn mean_embedding(width: usize) -> Self {
        let mut shader = Self::adding(vec![file!("mean_embedding.wgsl")]);
        shader.constants.push(quads_per_invocation(width));
        shader
    }

    /// `shaders/pool.wgsl` for vectors of length `width`, a multiple of four.
    pub fn pool(width: usize) -> Self {
        Self {
            files: vec![file!("pool.wgsl")],
            constants: vec![("INVOCATIONS", ADDING), quads_per_invocation(width)],
            workgroup: [ADDING, 1],
        }
    }

    fn norm(own: Vec<File>) -> Self {
        let mut files = vec![file!("shared/row_norm.wgsl")];
        files.extend(own);
        let mut shader = Self::adding(files);
        shader.constants.push(("MAX_GROUPS", MAX_GROUPS as u32));
        shader
    }

    /// A kernel that reduces over its workgroup.
    fn adding(own: Vec<File>) -> Self {
        let mut files = vec![file!("shared/workgroup_sum.wgsl")];
        files.extend(own);
        Self {
            files,
            constants: vec![("INVOCATIONS", ADDING)],
            workgroup: [ADDING, 1],
        }
    }

    /// The complete WGSL source.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if self.files.contains(&Storage::F16.file()) {
            text.push_str("enable f16;\n");
        }
        for (name, number) in &self.constants {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "const {name}: u32 = {number}u;");
        }
        for file in &self.files {
            text.push_str(file.text);
        }
        text
    }

    /// Workgroup size along two axes, as the WGSL file declares it.
    pub fn workgroup(&self) -> [u32; 2] {
        self.workgroup
    }
}

/// The part of a vector of length `width` that each of [`ADDING`] invocations computes.
fn quads_per_invocation(width: usize) -> (&'static str, u32) {
    // At least two, so that common widths share a kernel.
    let each = (width / 4).div_ceil(ADDING as usize).max(2);
    ("QUADS_PER_INVOCATION", each as u32)
}

/// The contiguous (last) axis of a convolution's input and output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plane {
    /// Channels.
    Channels,
    /// Columns of the plane, for kernels one column wide.
    Columns,
    /// Columns of the plane, for wider kernels.
    ShiftedColumns,
}

impl Plane {
    fn files(self) -> Vec<File> {
        match self {
            Self::Channels => vec![file!("shared/layout_channels_last.wgsl")],
            Self::Columns => vec![
                file!("shared/load_aligned.wgsl"),
                file!("shared/layout_columns_last.wgsl"),
            ],
            Self::ShiftedColumns => vec![
                file!("shared/load_unaligned.wgsl"),
                file!("shared/layout_columns_last.wgsl"),
            ],
        }
    }
}

/// Storage format of a weight matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Storage {
    /// f32.
    F32,
    /// f16, two per 32-bit word, for devices without f16 arithmetic.
    Packed,
    /// f16, for devices that support the type.
    F16,
}

impl Storage {
    fn file(self) -> File {
        match self {
            Self::F32 => file!("shared/weights_f32.wgsl"),
            Self::Packed => file!("shared/weights_packed.wgsl"),
            Self::F16 => file!("shared/weights_f16.wgsl"),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};
    use naga::AddressSpace;
    use naga::proc::Layouter;
    use naga::valid::{Capabilities, ValidationFlags, Validator};

    use super::*;

    /// Workgroup memory that every WebGPU implementation provides.
    const WORKGROUP_BYTES: u32 = 16_384;

    fn variants() -> Vec<Shader> {
        let device = Device::flex();
        let storages = [Storage::F32, Storage::Packed, Storage::F16];
        let mut all = vec![Shader::layer_norm(), Shader::expand()];
        all.extend([4, 384].map(Shader::mean_embedding));
        all.extend([4, 384, WIDEST_POOL].map(Shader::pool));
        all.extend([4, 32, WIDEST_HEAD].map(Shader::attention));
        all.extend(storages.map(Shader::embed));
        all.extend([Blocks::Q4_1, Blocks::Q8_0].map(Shader::quantized));
        for tiling in [8, 48, 64].map(Tiling::new) {
            let matrix = Tensor::zeros([1, 1], &device);
            let residual = LinearEpilogue::Residual(matrix.clone());
            for epilogue in [LinearEpilogue::Identity, LinearEpilogue::Gelu, residual] {
                all.extend(storages.map(|weights| Shader::linear(weights, &epilogue, tiling)));
            }
            let other: Tensor<4> = Tensor::zeros([1; 4], &device);
            let bias = |residual| ConvolutionEpilogue::Bias {
                bias: Tensor::zeros([1], &device),
                residual,
            };
            let combine = ConvolutionEpilogue::Combine {
                other: other.clone(),
                bias: matrix,
            };
            let identity = ConvolutionEpilogue::Identity;
            let epilogues = [identity, combine, bias(None), bias(Some(other))];
            for plane in [Plane::Channels, Plane::Columns, Plane::ShiftedColumns] {
                all.extend(
                    epilogues
                        .each_ref()
                        .map(|epilogue| Shader::convolve(plane, epilogue, tiling)),
                );
            }
        }
        all
    }

    #[test]
    fn every_variant_is_valid() {
        for shader in variants() {
            let text = shader.text();
            let module = naga::front::wgsl::parse_str(&text)
                .unwrap_or_else(|error| panic!("{shader:?}: {}", error.emit_to_string(&text)));
            // Every WebGPU implementation can unpack f16. Only shaders that enable f16 may use
            // the type.
            let mut capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
            if text.starts_with("enable f16;") {
                capabilities |= Capabilities::SHADER_FLOAT16;
            }
            Validator::new(ValidationFlags::all(), capabilities)
                .validate(&module)
                .unwrap_or_else(|error| panic!("{shader:?}: {}", error.emit_to_string(&text)));
            let mut layouter = Layouter::default();
            layouter.update(module.to_ctx()).unwrap();
            let shared = module.global_variables.iter();
            let bytes: u32 = shared
                .filter(|(_, variable)| variable.space == AddressSpace::WorkGroup)
                .map(|(_, variable)| layouter[variable.ty].size)
                .sum();
            assert!(bytes <= WORKGROUP_BYTES, "{shader:?}: {bytes} bytes");
            let [x, y] = shader.workgroup();
            assert_eq!(
                module.entry_points[0].workgroup_size,
                [x, y, 1],
                "{shader:?}"
            );
        }
    }
}
