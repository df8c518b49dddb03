//! Weight tokens as LoRA factors, on the device.
//!
//! The same as `dnd_adapter::tokens`, for tensors. Nothing here is recorded for gradients: the
//! gradient of a cut through a whole adapter would fill a whole adapter for every tile. Factors and
//! their gradients are laid out alike, so that [`merge`] brings gradients back to tokens.

use burn::tensor::Tensor;
use dnd_adapter::Layout;

use crate::answer_gradients::FactorPair;

/// The factors of a layout's modules from its weight tokens (T, rank, tile width).
pub fn split(layout: &Layout, tokens: &Tensor<3>) -> Vec<FactorPair> {
    let [_, rank, width] = tokens.dims();
    let mut start = 0;
    let mut take = |length: usize| {
        let count = length.div_ceil(width);
        let tiles = tokens.clone().narrow(0, start, count);
        start += count;
        tiles
            .permute([1, 0, 2])
            .reshape([rank, count * width])
            .narrow(1, 0, length)
    };
    let factors: Vec<Tensor<2>> = layout.lengths().map(&mut take).collect();
    let pairs = factors.chunks_exact(2);
    pairs
        .map(|pair| (pair[0].clone(), pair[1].clone().transpose()))
        .collect()
}

/// The weight tokens (T, rank, tile width) of factors in the order of the layout's modules; padding
/// is zero.
pub fn merge(layout: &Layout, factors: impl IntoIterator<Item = FactorPair>) -> Tensor<3> {
    let width = layout.tile_width();
    let tiles = factors
        .into_iter()
        .flat_map(|(a, b)| [a, b.transpose()])
        .map(|factor| {
            let [rank, length] = factor.dims();
            let count = length.div_ceil(width);
            let missing = count * width - length;
            let filled = if missing == 0 {
                factor
            } else {
                let padding = Tensor::zeros([rank, missing], &factor.device());
                Tensor::cat(vec![factor, padding], 1)
            };
            filled.reshape([rank, count, width]).permute([1, 0, 2])
        });
    Tensor::cat(tiles.collect(), 0)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};
    use dnd_adapter::tokens;
    use dnd_model::Lora;

    use super::*;
    use crate::collect::initial_adapter;
    use dnd_test_support::small_layout;

    fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
        tensor.clone().try_into_vec_as::<f32>().unwrap()
    }

    /// Asserts that factors and tokens agree with those of `dnd_adapter`.
    fn agrees(layout: &Layout) {
        let device = Device::flex();
        let mut adapter = initial_adapter(layout, 3);
        for (index, factors) in adapter.factors.iter_mut().enumerate() {
            for (place, value) in factors.b.iter_mut().enumerate() {
                *value = (index * 100 + place) as f32;
            }
        }
        let cut = tokens::from_adapter(&adapter).unwrap();
        let shape = tokens::shape(layout).unwrap();
        let whole = Tensor::<3>::from_data(TensorData::new(cut.clone(), shape), &device);
        let factors = split(layout, &whole);
        let lora = Lora::from_adapter(&adapter, &device);
        for (module, (a, b)) in layout.modules.iter().zip(&factors) {
            let expected = lora.factors(module.layer, module.projection).unwrap();
            assert_eq!(numbers(a), numbers(&expected.a));
            assert_eq!(numbers(b), numbers(&expected.b));
        }
        let merged = merge(layout, factors);
        assert_eq!(numbers(&merged), cut);
    }

    #[test]
    fn factors_are_those_of_the_adapter_crate() {
        agrees(&small_layout());
    }

    #[test]
    fn padding_comes_and_goes() {
        let mut layout = small_layout();
        for module in &mut layout.modules {
            module.in_features = 67;
            module.out_features = 30;
        }
        assert!(!67usize.is_multiple_of(layout.tile_width()));
        agrees(&layout);
    }
}
