//! The generator's configuration.

use serde::{Deserialize, Serialize};

use super::ExpansionConfig;
use crate::Error;

/// Sizes of a generator (Drag-and-Drop LLMs, arXiv 2506.16406, section 3.5).
///
/// `features` lists the shapes between layers. In the paper the first is the condition's (prompts
/// N, tokens L, width C), and the last the adapter's (weight tokens, rows, columns). With
/// `pooling` the first is the pooled block's (queries, positions, C), and conditions have any
/// number of prompts and tokens. With `expansion` the last is that of the features (modules, rows,
/// columns).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorConfig {
    /// Shapes (N, L, C) before, between and after the layers; at least two.
    pub features: Vec<[usize; 3]>,
    /// Kernel size of the convolutions that mix tokens and widths; odd.
    pub kernel_size: usize,
    /// Kernel size of the convolution that mixes prompts; odd. In the paper it equals
    /// `kernel_size`. With 1 it is a plain matrix product over the prompts and has far fewer
    /// weights.
    pub prompt_kernel_size: usize,
    /// Whether learned queries pool the condition; not in the paper.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pooling: bool,
    /// What the last features are expanded to; not in the paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expansion: Option<ExpansionConfig>,
}

impl GeneratorConfig {
    /// Checks the sizes.
    ///
    /// # Errors
    /// [`Error::Field`] for the first invalid field.
    pub fn validate(&self, source_name: &str) -> Result<(), Error> {
        if self.features.len() < 2 || self.features.iter().flatten().any(|&size| size == 0) {
            return Err(Error::field(
                source_name,
                "features",
                "at least two shapes of three positive sizes",
                format!("{:?}", self.features),
            ));
        }
        for (field, size) in [
            ("kernel_size", self.kernel_size),
            ("prompt_kernel_size", self.prompt_kernel_size),
        ] {
            if size.is_multiple_of(2) {
                return Err(Error::field(source_name, field, "an odd number", size));
            }
        }
        if let Some(expansion) = &self.expansion {
            expansion.validate(self.features[self.features.len() - 1], source_name)?;
        }
        Ok(())
    }

    /// Shape of the first layer's input: that of the condition, or of the pooled block.
    pub fn input(&self) -> [usize; 3] {
        self.features[0]
    }

    /// Shape (weight tokens, rows, columns) of the output.
    pub fn output(&self) -> [usize; 3] {
        match &self.expansion {
            Some(expansion) => expansion.output,
            None => self.features[self.features.len() - 1],
        }
    }

    /// Number of trained parameters.
    pub fn parameter_count(&self) -> usize {
        // Saturating, because a file may contain any sizes.
        let product = |sizes: &[usize]| sizes.iter().copied().fold(1, usize::saturating_mul);
        let (k, prompt_k) = (self.kernel_size, self.prompt_kernel_size);
        self.features
            .windows(2)
            .flat_map(|pair| {
                let ([n, l, c], [n_out, l_out, c_out]) = (pair[0], pair[1]);
                [
                    product(&[2, l, c]),
                    product(&[2, k, k, c, c_out]),
                    product(&[2, k, k, l, l_out]),
                    product(&[l_out, c_out]),
                    product(&[prompt_k, prompt_k, n, n_out]),
                    n_out,
                ]
            })
            .fold(self.pooling_parameters(), usize::saturating_add)
            .saturating_add(self.expansion_parameters())
    }

    /// Multiplications and additions of the convolutions and the expansion for one condition.
    pub fn flops(&self) -> u64 {
        // In a browser, usize has only 32 bits.
        let sizes = |features: [usize; 3]| features.map(|size| size as u64);
        let taps = (self.kernel_size as u64).pow(2);
        let mixing_taps = (self.prompt_kernel_size as u64).pow(2);
        let layers = self.features.windows(2).map(|pair| {
            let ([n, l, c], [n_out, l_out, c_out]) = (sizes(pair[0]), sizes(pair[1]));
            let width_first = l * n * c * c_out + n * c_out * l * l_out;
            let height_first = n * c * l * l_out + l_out * n * c * c_out;
            let mixing = l_out * c_out * n * n_out;
            2 * (taps * (width_first + height_first) + mixing_taps * mixing)
        });
        let expansion = self.expansion.as_ref();
        let expanded = expansion.map_or(0, |expansion| expansion.flops(self.last_width()));
        layers.sum::<u64>() + expanded
    }

    /// Numbers of a block of the last layer.
    pub fn last_width(&self) -> usize {
        let [_, rows, columns] = self.features[self.features.len() - 1];
        rows.saturating_mul(columns)
    }

    fn pooling_parameters(&self) -> usize {
        let sizes = if self.pooling { self.input() } else { [0; 3] };
        sizes.into_iter().fold(1, usize::saturating_mul)
    }

    fn expansion_parameters(&self) -> usize {
        let count = |expansion: &ExpansionConfig| expansion.parameter_count(self.last_width());
        self.expansion.as_ref().map_or(0, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paper_size_has_the_published_parameters() {
        let config = GeneratorConfig {
            features: vec![
                [128, 384, 384],
                [128, 200, 300],
                [128, 100, 256],
                [256, 50, 200],
                [512, 50, 200],
                [1024, 25, 200],
                [1024, 10, 200],
                [2048, 10, 200],
                [4296, 10, 130],
            ],
            kernel_size: 9,
            prompt_kernel_size: 9,
            pooling: false,
            expansion: None,
        };
        config.validate("paper").unwrap();
        let millions = config.parameter_count() as f64 / 1e6;
        assert!((1_100.0..1_120.0).contains(&millions), "{millions}");
    }

    #[test]
    fn even_kernels_are_refused() {
        let config = GeneratorConfig {
            features: vec![[1, 2, 3], [4, 5, 6]],
            kernel_size: 4,
            prompt_kernel_size: 1,
            pooling: false,
            expansion: None,
        };
        let message = config.validate("g.toml").unwrap_err().to_string();
        assert!(message.contains("kernel_size") && message.contains('4'));
    }
}
