//! Mean and scale of weight tokens over a set of adapters.

use crate::error::Error;

/// Minimum scale of a token, relative to the root mean square deviation over all tokens.
const SMALLEST_PART: f64 = 0.01;

/// Normalization of generator output: a generator predicts (token - mean) / scale.
///
/// The mean is the mean adapter. All training adapters start from one initialization, and the
/// mean keeps it (see design.md).
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Elementwise mean over the adapters: (tokens, rank, tile width), row-major.
    pub mean: Vec<f32>,
    /// One positive scale per token.
    pub scale: Vec<f32>,
}

impl Statistics {
    /// Computes the elementwise mean, and for every token the root mean square deviation from
    /// it, over the samples and over the `token_len` values of the token.
    ///
    /// A token that is (almost) constant, such as one of a frozen module, would get a scale
    /// near zero. So the scale of a token is at least a hundredth of the root mean square
    /// deviation over all tokens. It is 1 everywhere when all samples are equal, as with a
    /// single sample.
    ///
    /// Fails when there is no sample, or when samples differ in length, have a length that is
    /// not a multiple of `token_len`, or contain values that are not finite.
    pub fn from_samples<'a>(
        samples: impl Iterator<Item = &'a [f32]>,
        token_len: usize,
    ) -> Result<Statistics, Error> {
        let error = |expected: String, found: String| {
            Error::tensor("statistics", "sample", expected, found)
        };
        let mut samples = samples.peekable();
        let length = samples.peek().map_or(0, |sample| sample.len());
        if length == 0 || token_len == 0 || !length.is_multiple_of(token_len) {
            let expected = format!("a sample whose length is a multiple of {token_len}");
            return Err(error(expected, format!("{length} values")));
        }
        // Welford: one pass, and no cancellation when the mean is large.
        let mut mean = vec![0.0_f64; length];
        let mut squares = vec![0.0_f64; length / token_len];
        let mut count = 0_usize;
        for sample in samples {
            if sample.len() != length {
                let found = format!("{} values", sample.len());
                return Err(error(format!("{length} values as in the first"), found));
            }
            count += 1;
            for (index, (mean, &value)) in mean.iter_mut().zip(sample).enumerate() {
                let value = f64::from(value);
                let before = value - *mean;
                *mean += before / count as f64;
                squares[index / token_len] += before * (value - *mean);
            }
        }
        if !squares.iter().all(|square| square.is_finite()) {
            return Err(error(
                "finite values".to_owned(),
                "NaN or infinity".to_owned(),
            ));
        }
        let variances = squares
            .iter()
            .map(|square| square / (count * token_len) as f64);
        let typical = variances.clone().sum::<f64>() / squares.len() as f64;
        let floor = if typical > 0.0 {
            SMALLEST_PART * typical.sqrt()
        } else {
            1.0
        };
        Ok(Statistics {
            mean: mean.into_iter().map(|mean| mean as f32).collect(),
            // A deviation that underflows to zero in f32 still gets a positive scale.
            scale: variances
                .map(|variance| (variance.sqrt().max(floor) as f32).max(f32::MIN_POSITIVE))
                .collect(),
        })
    }

    /// Replaces every value x of `tokens`, which may hold several adapters in sequence, by (x -
    /// mean) / scale.
    ///
    /// # Panics
    /// When the length of `tokens` is not a multiple of the length of `mean`.
    pub fn normalize(&self, tokens: &mut [f32]) {
        self.for_each(tokens, |value, mean, scale| (value - mean) / scale);
    }

    /// Replaces every value y of `tokens` by y * scale + mean: the inverse of
    /// [`Statistics::normalize`], up to rounding.
    ///
    /// # Panics
    /// When the length of `tokens` is not a multiple of the length of `mean`.
    pub fn denormalize(&self, tokens: &mut [f32]) {
        self.for_each(tokens, |value, mean, scale| value * scale + mean);
    }

    fn for_each(&self, tokens: &mut [f32], change: impl Fn(f32, f32, f32) -> f32) {
        let (numbers, tokens_in_sample) = (self.mean.len(), self.scale.len());
        assert!(
            tokens.len().is_multiple_of(numbers) && numbers.is_multiple_of(tokens_in_sample),
            "{} values do not match statistics of {numbers} values in {tokens_in_sample} tokens",
            tokens.len(),
        );
        let token_len = numbers / tokens_in_sample;
        for adapter in tokens.chunks_exact_mut(numbers) {
            let means = self.mean.chunks_exact(token_len);
            for ((token, means), &scale) in adapter
                .chunks_exact_mut(token_len)
                .zip(means)
                .zip(&self.scale)
            {
                for (value, &mean) in token.iter_mut().zip(means) {
                    *value = change(*value, mean, scale);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_data::numbers;

    fn of(samples: &[&[f32]], token_len: usize) -> Result<Statistics, Error> {
        Statistics::from_samples(samples.iter().copied(), token_len)
    }

    #[test]
    fn mean_is_of_numbers_and_scale_of_tokens() {
        let statistics = of(&[&[1.0, 10.0, 0.0, 4.0], &[3.0, 10.0, 0.0, 0.0]], 2).unwrap();
        assert_eq!(statistics.mean, [2.0, 10.0, 0.0, 2.0]);
        // Deviations 1, 0 and 0, 2: root mean squares over four values each.
        assert_eq!(statistics.scale, [0.5_f32.sqrt(), 2.0_f32.sqrt()]);
    }

    #[test]
    fn constant_tokens_have_a_small_scale() {
        let statistics = of(&[&[5.0, 1.0], &[5.0, -1.0]], 1).unwrap();
        assert_eq!(statistics.mean, [5.0, 0.0]);
        assert!((statistics.scale[0] - 0.01 * 0.5_f32.sqrt()).abs() < 1e-6);
        assert_eq!(of(&[&[5.0, 1.0]], 1).unwrap().scale, [1.0, 1.0]);
    }

    #[test]
    fn wrong_samples_are_refused() {
        assert!(of(&[], 1).is_err());
        assert!(of(&[&[]], 1).is_err());
        assert!(of(&[&[1.0]], 0).is_err());
        assert!(of(&[&[1.0, 2.0, 3.0]], 2).is_err());
        assert!(of(&[&[1.0], &[1.0, 2.0]], 1).is_err());
        assert!(of(&[&[1.0], &[f32::NAN]], 1).is_err());
        assert!(of(&[&[f32::INFINITY], &[1.0]], 1).is_err());
    }

    proptest! {
        #[test]
        fn denormalize_undoes_normalise(samples in 1_usize..5, tokens in 1_usize..5, seed: u32) {
            let token_len = 6;
            let all = numbers(samples * tokens * token_len, seed.into());
            let parts = all.chunks_exact(tokens * token_len);
            let statistics = Statistics::from_samples(parts, token_len).unwrap();
            prop_assert!(statistics.scale.iter().all(|&scale| scale > 0.0));
            let mut changed = all.clone();
            statistics.normalize(&mut changed);
            let mean_square = changed.iter().map(|x| x * x).sum::<f32>() / changed.len() as f32;
            prop_assert!(mean_square < 1.001);
            statistics.denormalize(&mut changed);
            for (before, after) in all.iter().zip(&changed) {
                prop_assert!((before - after).abs() < 1e-5);
            }
        }
    }
}
