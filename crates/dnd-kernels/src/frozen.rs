//! Frozen weight matrices, stored for fast matmuls.

use std::sync::Arc;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::blocked::{self, Blocked};
use crate::cpu;
use crate::cross_entropy::CrossEntropy;
#[cfg(feature = "wgpu")]
use crate::epilogue::LinearEpilogue;
use crate::half_matrix::HalfMatrix;
#[cfg(feature = "wgpu")]
use crate::linear_wgsl::launch;
use crate::lora::AdaptedProduct;
use crate::packed_pair::{PackedMatrix, PackedPair};
use crate::quantized::Quantized;
#[cfg(feature = "wgpu")]
use crate::quantized::QuantizedBuffers;
#[cfg(feature = "wgpu")]
use crate::shaders::Storage;

/// A frozen matrix (output, input), as linear layers store it.
#[derive(Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "a model has a few hundred of them, with their values on the heap"
)]
pub enum FrozenMatrix {
    /// A tensor on any device.
    Plain(Tensor<2>),
    /// Packed in f32, for inputs on burn's CPU device without gradients.
    Blocked(Arc<Blocked>),
    /// Packed in f32 or bfloat16, or in 16 bits or quantized, for inputs on burn's CPU device, with
    /// or without gradients.
    Packed(Arc<PackedPair>),
    /// Rounded to f16, two per 32-bit word, on a device that runs WGSL. The input size is a
    /// multiple of four.
    #[cfg(feature = "wgpu")]
    Half {
        /// How kernels read the words.
        storage: Storage,
        /// The words, row-major.
        words: Tensor<1, Int>,
        /// (output, input).
        shape: [usize; 2],
    },
    /// Quantized, on a device that runs WGSL.
    #[cfg(feature = "wgpu")]
    Quantized(QuantizedBuffers),
}

impl FrozenMatrix {
    /// Uses a tensor as it is.
    pub fn new(weight: Tensor<2>) -> Self {
        Self::Plain(weight)
    }

    /// Rounds the matrix to bfloat16, for inputs on burn's CPU device. Returns `None` if the
    /// CPU lacks the [instructions](crate::bf16::is_available).
    pub fn packed_bf16(values: &[f32], shape: [usize; 2]) -> Option<Self> {
        Some(Self::Packed(Arc::new(PackedPair::bf16(values, shape)?)))
    }

    /// Packs the matrix in f32, for inputs on burn's CPU device.
    pub fn packed_f32(values: &[f32], shape: [usize; 2]) -> Self {
        Self::Packed(Arc::new(PackedPair::f32(values, shape)))
    }

    /// Keeps the matrix in 16 bits, for inputs on burn's CPU device.
    pub fn stored_half(matrix: HalfMatrix) -> Self {
        Self::Packed(Arc::new(PackedPair::half(matrix)))
    }

    /// Keeps the matrix quantized, for inputs on `device`: burn's CPU device or one that runs
    /// WGSL; `None` for others.
    pub fn quantized(matrix: &Arc<Quantized>, device: &Device) -> Option<Self> {
        if *device == Device::flex() {
            let pair = PackedPair::quantized(Arc::clone(matrix));
            return Some(Self::Packed(Arc::new(pair)));
        }
        #[cfg(feature = "wgpu")]
        return QuantizedBuffers::new(matrix, device).map(Self::Quantized);
        #[cfg(not(feature = "wgpu"))]
        None
    }

    /// Stores the matrix for inference on `device`: packed on the CPU, rounded to f16 on
    /// devices that run WGSL if sizes are multiples of four and the values fit f16, and
    /// unchanged otherwise. Inputs must not track gradients.
    pub fn inference(values: Vec<f32>, shape: [usize; 2], device: &Device) -> Self {
        if *device == Device::flex() {
            return Self::Blocked(Arc::new(Blocked::new(&values, shape)));
        }
        // The WGSL matmul computes four columns at a time.
        if shape[0].is_multiple_of(4) {
            return Self::half(values, shape, device);
        }
        Self::Plain(Tensor::from_data(TensorData::new(values, shape), device))
    }

    /// Rounds the matrix to f16 on a device that runs WGSL, if the input size is a multiple of
    /// four and the values fit f16; stores it unchanged otherwise. For
    /// [products](Self::product), the output size must be a multiple of four too.
    ///
    /// # Panics
    /// If the number of values does not match the shape.
    pub fn half(values: Vec<f32>, shape: [usize; 2], device: &Device) -> Self {
        cpu::expect("values", [values.len()], [shape[0] * shape[1]]);
        #[cfg(feature = "wgpu")]
        if shape[1].is_multiple_of(4) && fit_f16(&values) && crate::gpu::is_device(device) {
            let words: Vec<i32> = values.chunks(2).map(pair_of_halves).collect();
            let words = Tensor::from_data(words.as_slice(), device);
            let storage = crate::gpu::half_storage(device);
            return Self::Half {
                storage,
                words,
                shape,
            };
        }
        Self::Plain(Tensor::from_data(TensorData::new(values, shape), device))
    }

    /// (output, input).
    pub fn shape(&self) -> [usize; 2] {
        match self {
            Self::Plain(weight) => weight.dims(),
            Self::Blocked(matrix) => matrix.shape(),
            Self::Packed(pair) => [pair.forward.width(), pair.forward.depth()],
            #[cfg(feature = "wgpu")]
            Self::Half { shape, .. } => *shape,
            #[cfg(feature = "wgpu")]
            Self::Quantized(matrix) => matrix.shape(),
        }
    }

    /// The buffer of a matrix on a device that runs WGSL, and its storage format.
    #[cfg(feature = "wgpu")]
    pub(crate) fn buffer(&self) -> Option<(burn::backend::wgpu::CubeTensor, Storage)> {
        match self {
            Self::Plain(weight) => Some((crate::gpu::buffer(weight)?, Storage::F32)),
            Self::Blocked(_) | Self::Packed(_) | Self::Quantized(_) => None,
            Self::Half { storage, words, .. } => Some((crate::gpu::integers(words)?, *storage)),
        }
    }

    /// `input` (rows, input) times the transposed matrix: (rows, output).
    ///
    /// # Panics
    /// If the matrix was packed or rounded for a device other than the input's, or does not
    /// support gradients and the input tracks them.
    pub fn product(&self, input: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Plain(weight) => input.matmul(weight.clone().transpose()),
            Self::Blocked(matrix) => blocked::product(input, matrix, blocked::Epilogue::Identity),
            Self::Packed(pair) => {
                let output = Dispatch::frozen_product(input.into_dispatch(), Arc::clone(pair));
                Tensor::from_dispatch(output)
            }
            #[cfg(feature = "wgpu")]
            Self::Half { shape, .. } => {
                let bias = Tensor::zeros([1, shape[0]], &input.device());
                let output = self.buffer().and_then(|weights| {
                    launch(&input, weights, *shape, &bias, &LinearEpilogue::Identity)
                });
                output.expect(
                    "f16 weights need f32 inputs without gradients, sizes that are multiples of \
                     four, a device that runs WGSL, and enabled kernels",
                )
            }
            #[cfg(feature = "wgpu")]
            Self::Quantized(matrix) => matrix.product(&input).expect(
                "quantized weights need f32 inputs without gradients, a device that runs WGSL, \
                 and enabled kernels",
            ),
        }
    }

    /// Cross-entropies (rows), in nats, of `answers` by the logits of hidden states (rows, input),
    /// which are not all in memory at once. `None` for matrices that are not packed.
    ///
    /// # Panics
    /// If there are not as many answers as rows, or an answer is not below the output size.
    pub fn cross_entropy(&self, hidden: Tensor<2>, answers: Vec<u32>) -> Option<Tensor<1>> {
        let Self::Packed(pair) = self else {
            return None;
        };
        let (hidden, pair) = (hidden.into_dispatch(), Arc::clone(pair));
        let losses = Dispatch::cross_entropy(hidden, pair, Arc::new(answers));
        Some(Tensor::from_dispatch(losses))
    }

    /// The rows at the indices `places` (n) of a matrix that is neither packed nor rounded:
    /// (n, input).
    ///
    /// # Panics
    /// If it is packed or rounded.
    pub fn select(&self, places: Tensor<1, Int>) -> Tensor<2> {
        match self {
            Self::Plain(weight) => weight.clone().select(0, places),
            _ => panic!("cannot select rows of a packed or rounded matrix"),
        }
    }

    /// [`product`](Self::product) plus the LoRA update with `a` (rank, input) and `b`
    /// (output, rank): `scaling` times input times `a` transposed times `b` transposed.
    pub fn adapted(&self, input: Tensor<2>, a: Tensor<2>, b: Tensor<2>, scaling: f32) -> Tensor<2> {
        match self {
            Self::Packed(pair) => {
                let [input, a, b] = [input, a, b].map(Tensor::into_dispatch);
                let output = Dispatch::adapted_product(input, a, b, scaling, Arc::clone(pair));
                Tensor::from_dispatch(output)
            }
            _ => {
                let low = input.clone().matmul(a.transpose()) * scaling;
                self.product(input) + low.matmul(b.transpose())
            }
        }
    }
}

/// Whether all values fit f16.
#[cfg(feature = "wgpu")]
fn fit_f16(values: &[f32]) -> bool {
    let largest = half::f16::MAX.to_f32();
    values.iter().all(|value| value.abs() <= largest)
}

/// Rounds two values to f16 and packs them in a word, the first in the low half.
#[cfg(feature = "wgpu")]
fn pair_of_halves(pair: &[f32]) -> i32 {
    let bits = |index| {
        let number: f32 = pair.get(index).copied().unwrap_or(0.0);
        u32::from(half::f16::from_f32(number).to_bits())
    };
    (bits(0) | bits(1) << 16).cast_signed()
}

/// Backend operation: matmul with a packed matrix on burn's CPU device.
#[backend_extension(Autodiff: cfg(feature = "autodiff"), Flex)]
pub trait FrozenProduct: Backend {
    /// `input` (rows, input) times the transposed matrix: (rows, output).
    fn frozen_product(input: FloatTensor<Self>, matrix: Arc<PackedPair>) -> FloatTensor<Self>;
}

impl FrozenProduct for Flex {
    fn frozen_product(input: FloatTensor<Self>, matrix: Arc<PackedPair>) -> FloatTensor<Self> {
        product(&input, &matrix.forward)
    }
}

/// `left` (rows, depth) times a packed matrix (depth, width).
pub(crate) fn product(left: &FloatTensor<Flex>, right: &PackedMatrix) -> FloatTensor<Flex> {
    let left = left.to_contiguous();
    let [rows, columns] = cpu::shape(&left);
    cpu::expect("input", [columns], [right.depth()]);
    cpu::tensor(right.product(cpu::numbers(&left)), [rows, right.width()])
}

#[cfg(feature = "autodiff")]
mod gradient {
    use burn::backend::Autodiff;
    use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
    use burn::backend::autodiff::grads::Gradients;
    use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};

    use super::*;

    /// The gradient of the input is the gradient of the output times the matrix.
    #[derive(Debug)]
    struct FrozenProductBackward;

    impl Backward<Flex, 1> for FrozenProductBackward {
        type State = Arc<PackedPair>;

        fn backward(
            self,
            ops: Ops<Self::State, 1>,
            gradients: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let [input] = ops.parents;
            let gradient = gradients.consume::<Flex>(&ops.node);
            if let Some(input) = input {
                gradients.register::<Flex>(input.id, product(&gradient, ops.state.backward()));
            }
        }
    }

    impl<C: CheckpointStrategy> FrozenProduct for Autodiff<Flex, C> {
        fn frozen_product(input: FloatTensor<Self>, matrix: Arc<PackedPair>) -> FloatTensor<Self> {
            let output = product(input.primitive(), &matrix.forward);
            match FrozenProductBackward
                .prepare::<C>([input.node()])
                .compute_bound()
                .stateful()
            {
                OpsKind::Tracked(step) => step.finish(matrix, output),
                OpsKind::UnTracked(step) => step.finish(output),
            }
        }
    }
}
