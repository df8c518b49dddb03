//! Launching the WGSL kernels of `shaders/` on burn's wgpu devices.
//!
//! A kernel is its file, the shared files that it uses, and constants that are put before them. Its
//! bindings are buffers in order and last a uniform block of sizes.

use std::sync::atomic::{AtomicBool, Ordering};

use burn::backend::wgpu::{CubeDim, CubeTensor, KernelSource, SourceKernel, SourceTemplate};
use burn::backend::{Cube, wgpu};
use burn::tensor::{DType, Int, Shape, Tensor};
use cubecl::CubeCount;
use cubecl::ir::{ElemType, FloatKind};
use cubecl::prelude::KernelId;
use cubecl::server::{KernelArguments, MetadataBindingInfo};

use crate::shaders::{MAX_GROUPS, Shader, Storage};

/// Workgroups for so many rows with one each, along as many axes as it takes; some may be left
/// without a row.
pub(crate) fn a_group_each(rows: usize) -> [usize; 3] {
    [rows.min(MAX_GROUPS), rows.div_ceil(MAX_GROUPS), 1]
}

/// Bytes of a buffer that stands for one left unread: as many as any element of a binding has, or
/// more.
const UNREAD: usize = 64;

/// Whether kernels are switched off.
static OFF: AtomicBool = AtomicBool::new(false);

/// Switches the kernels on, as they are at first, or off: then burn's own operations take their
/// place, to be compared with. A [`FrozenMatrix`](crate::FrozenMatrix) that was rounded to halves
/// while they were on needs them.
pub fn enable(enabled: bool) {
    OFF.store(!enabled, Ordering::Relaxed);
}

/// A float tensor's buffer, contiguous, if the tensor lives on a device that runs WGSL and carries
/// no gradients.
pub(crate) fn buffer<const D: usize>(tensor: &Tensor<D>) -> Option<CubeTensor> {
    let tensor = tensor.clone().try_into_primitive::<Cube>().ok()?;
    (tensor.dtype == DType::F32 && runs_wgsl(&tensor)).then(|| wgpu::into_contiguous(tensor))
}

/// An integer tensor's buffer, as [`buffer`].
pub(crate) fn integers<const D: usize>(tensor: &Tensor<D, Int>) -> Option<CubeTensor> {
    let tensor = tensor.clone().try_into_primitive::<Cube>().ok()?;
    let words = matches!(tensor.dtype, DType::I32 | DType::U32);
    (words && runs_wgsl(&tensor)).then(|| wgpu::into_contiguous(tensor))
}

fn runs_wgsl(tensor: &CubeTensor) -> bool {
    !OFF.load(Ordering::Relaxed) && tensor.client.name() == "wgpu<wgsl>" && tensor.qparams.is_none()
}

/// Whether tensors of a device may be given to [`launch`].
pub(crate) fn is_device(device: &burn::tensor::Device) -> bool {
    buffer(&Tensor::<1>::zeros([1], device)).is_some()
}

/// How weights that are rounded to f16 are best stored on a device.
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

/// Runs a kernel over `groups` of invocations: `inputs` are its first buffers, an output of `shape`
/// is its last, and `sizes` the words of its uniform block. An input that is `None` is one that
/// these constants leave unread; no two may be the same, as WebGPU does not bind a buffer twice to
/// be written.
pub(crate) fn launch<const D: usize>(
    shader: Shader,
    inputs: &[Option<&CubeTensor>],
    shape: [usize; D],
    sizes: &[u32],
    groups: [usize; 3],
) -> Tensor<D> {
    let given = inputs.iter().flatten().next().expect("an input");
    let (client, device) = (given.client.clone(), given.device.clone());
    let length = shape.iter().product::<usize>();
    let output = client.empty(length.max(1) * size_of::<f32>());
    let mut arguments = KernelArguments::new();
    for input in inputs {
        // No two buffers of a launch may be the same, so each one that is left out is new.
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
        "{groups:?} workgroups"
    );
    if length > 0 {
        let [x, y, z] = groups.map(|count| count as u32);
        client.launch(Box::new(kernel), CubeCount::Static(x, y, z), arguments);
    }
    let output = CubeTensor::new_contiguous(client, device, Shape::from(shape), output, DType::F32);
    Tensor::from_primitive::<Cube>(output)
}
