//! Launches the WGSL kernels of `shaders/` on burn's wgpu devices.
//!
//! A kernel consists of its file, the shared files it uses, and constants prepended to them. It
//! binds its input buffers in order, then the output, then a uniform block of sizes.

use std::sync::atomic::{AtomicBool, Ordering};

use burn::backend::wgpu::{CubeDim, CubeTensor, KernelSource, SourceKernel, SourceTemplate};
use burn::backend::{Cube, wgpu};
use burn::tensor::{DType, Int, Shape, Tensor};
use cubecl::CubeCount;
use cubecl::ir::{ElemType, FloatKind};
use cubecl::prelude::KernelId;
use cubecl::server::{KernelArguments, MetadataBindingInfo};

use crate::shaders::{MAX_GROUPS, Shader, Storage};

/// Workgroup counts for one workgroup per row, spread over two axes if one is not enough. The
/// last workgroups may have no row.
pub(crate) fn a_group_each(rows: usize) -> [usize; 3] {
    [rows.min(MAX_GROUPS), rows.div_ceil(MAX_GROUPS), 1]
}

/// Size in bytes of the placeholder for an unused buffer, at least one element of any binding.
const UNREAD: usize = 64;

/// Whether the WGSL kernels are disabled.
static OFF: AtomicBool = AtomicBool::new(false);

/// Enables the WGSL kernels (the default), or disables them to compare with burn's own
/// operations. A [`FrozenMatrix`](crate::FrozenMatrix) that was rounded to f16 while they were
/// enabled still needs them.
pub fn enable(enabled: bool) {
    OFF.store(!enabled, Ordering::Relaxed);
}

/// The contiguous buffer of an f32 tensor; `None` if the tensor is on a device that does not
/// run WGSL, or tracks gradients.
pub(crate) fn buffer<const D: usize>(tensor: &Tensor<D>) -> Option<CubeTensor> {
    let tensor = tensor.clone().try_into_primitive::<Cube>().ok()?;
    (tensor.dtype == DType::F32 && runs_wgsl(&tensor)).then(|| wgpu::into_contiguous(tensor))
}

/// The contiguous buffer of a 32-bit integer tensor, as [`buffer`].
pub(crate) fn integers<const D: usize>(tensor: &Tensor<D, Int>) -> Option<CubeTensor> {
    let tensor = tensor.clone().try_into_primitive::<Cube>().ok()?;
    let words = matches!(tensor.dtype, DType::I32 | DType::U32);
    (words && runs_wgsl(&tensor)).then(|| wgpu::into_contiguous(tensor))
}

fn runs_wgsl(tensor: &CubeTensor) -> bool {
    !OFF.load(Ordering::Relaxed) && tensor.client.name() == "wgpu<wgsl>" && tensor.qparams.is_none()
}

/// Whether [`launch`] accepts tensors on this device.
pub(crate) fn is_device(device: &burn::tensor::Device) -> bool {
    buffer(&Tensor::<1>::zeros([1], device)).is_some()
}

/// Preferred storage format for f16 weights on this device.
pub(crate) fn half_storage(device: &burn::tensor::Device) -> Storage {
    let f16 = ElemType::Float(FloatKind::F16);
    match buffer(&Tensor::<1>::zeros([1], device)) {
        Some(tensor) if tensor.client.properties().supports_type(f16) => Storage::F16,
        _ => Storage::Packed,
    }
}

impl KernelSource for Shader {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(self.text())
    }

    fn id(&self) -> KernelId {
        let [x, y] = self.workgroup();
        KernelId::new::<Self>()
            .cube_dim(CubeDim::new_2d(x, y).0)
            .info(self.clone())
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

/// Runs a kernel over `groups` workgroups. Its bindings are `inputs`, an output of `shape`, and
/// a uniform block of the words in `sizes`. An input of `None` is one that this shader does not
/// read. Inputs must be distinct: WebGPU does not allow binding a writable buffer twice.
pub(crate) fn launch<const D: usize>(
    shader: Shader,
    inputs: &[Option<&CubeTensor>],
    shape: [usize; D],
    sizes: &[u32],
    groups: [usize; 3],
) -> Tensor<D> {
    let given = inputs.iter().flatten().next().expect("at least one input");
    let (client, device) = (given.client.clone(), given.device.clone());
    let length = shape.iter().product::<usize>();
    let output = client.empty(length.max(1) * size_of::<f32>());
    let mut arguments = KernelArguments::new();
    for input in inputs {
        // Bindings must be distinct, so every unused input gets a new buffer.
        let handle = input.map_or_else(|| client.empty(UNREAD), |tensor| tensor.handle.clone());
        arguments = arguments.with_buffer(handle.binding());
    }
    let words = sizes.chunks(2).map(|pair| {
        let high = pair.get(1).copied().unwrap_or(0);
        u64::from(pair[0]) | u64::from(high) << 32
    });
    let arguments = arguments
        .with_buffer(output.clone().binding())
        .with_info(MetadataBindingInfo::custom(words.collect()));
    let [x, y] = shader.workgroup();
    let kernel = SourceKernel::new(shader, CubeDim::new_2d(x, y));
    assert!(
        groups.iter().all(|&count| count <= MAX_GROUPS),
        "{groups:?} workgroups exceed the limit per axis"
    );
    if length > 0 {
        let [x, y, z] = groups.map(|count| count as u32);
        client.launch(Box::new(kernel), CubeCount::Static(x, y, z), arguments);
    }
    let output = CubeTensor::new_contiguous(client, device, Shape::from(shape), output, DType::F32);
    Tensor::from_primitive::<Cube>(output)
}
