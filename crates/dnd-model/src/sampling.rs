//! Choosing the next token from logits.

use rand::SeedableRng;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand_chacha::ChaCha12Rng;

/// How the next token is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampling {
    /// The most likely token.
    Greedy,
    /// Drawn from the smallest set of tokens whose probabilities reach `top_p`
    /// (Holtzman et al., arXiv 1904.09751), after dividing the logits by `temperature`.
    Nucleus {
        /// Above 0; below 1 sharpens the distribution.
        temperature: f32,
        /// Between 0 and 1; 1 keeps all tokens.
        top_p: f32,
        /// Seed of the draws.
        seed: u64,
    },
}

/// Chooses tokens one after the other.
pub struct Sampler {
    sampling: Sampling,
    random: ChaCha12Rng,
}

impl Sampler {
    /// A sampler whose random stream starts at the seed.
    pub fn new(sampling: Sampling) -> Self {
        let seed = match sampling {
            Sampling::Greedy => 0,
            Sampling::Nucleus { seed, .. } => seed,
        };
        Self {
            sampling,
            random: ChaCha12Rng::seed_from_u64(seed),
        }
    }

    /// Chooses the next token from logits, one per vocabulary entry.
    pub fn next(&mut self, logits: &[f32]) -> usize {
        match self.sampling {
            Sampling::Greedy => argmax(logits),
            Sampling::Nucleus {
                temperature, top_p, ..
            } => {
                let nucleus = nucleus(logits, temperature, top_p);
                let weights = nucleus.iter().map(|(_, weight)| weight);
                // Sampling by weights fails only when logits are not numbers.
                let place = WeightedIndex::new(weights)
                    .map_or(0, |weights| weights.sample(&mut self.random));
                nucleus[place].0
            }
        }
    }
}

/// Index of the first largest value; 0 when there are no values.
pub fn argmax(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

/// The tokens of the nucleus, at least one, with their weights.
fn nucleus(logits: &[f32], temperature: f32, top_p: f32) -> Vec<(usize, f32)> {
    let largest = logits[argmax(logits)];
    let mut candidates: Vec<(usize, f32)> = logits
        .iter()
        .map(|logit| ((logit - largest) / temperature).exp())
        .enumerate()
        .collect();
    candidates.sort_by(|a, b| b.1.total_cmp(&a.1));
    let total: f32 = candidates.iter().map(|(_, weight)| weight).sum();
    let mut kept = 0.0;
    let mut count = 0;
    while count < candidates.len() && (count == 0 || kept < top_p * total) {
        kept += candidates[count].1;
        count += 1;
    }
    candidates.truncate(count);
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greedy_takes_the_first_largest() {
        assert_eq!(Sampler::new(Sampling::Greedy).next(&[0.0, 2.0, 2.0]), 1);
    }

    #[test]
    fn nucleus_leaves_out_the_tail() {
        let logits = [3.0, 2.0, -5.0];
        let tokens = |top_p| -> Vec<usize> {
            let nucleus = nucleus(&logits, 1.0, top_p).into_iter();
            nucleus.map(|(token, _)| token).collect()
        };
        assert_eq!(tokens(0.9), [0, 1]);
        assert_eq!(tokens(0.0), [0]);
        assert_eq!(tokens(1.0), [0, 1, 2]);
    }

    #[test]
    fn the_same_seed_draws_the_same_tokens() {
        let sampling = Sampling::Nucleus {
            temperature: 1.5,
            top_p: 0.95,
            seed: 7,
        };
        let logits: Vec<f32> = (0..50).map(|i| (i as f32 * 0.7).sin()).collect();
        let draw = || {
            let mut sampler = Sampler::new(sampling);
            (0..20).map(|_| sampler.next(&logits)).collect::<Vec<_>>()
        };
        assert_eq!(draw(), draw());
    }
}
