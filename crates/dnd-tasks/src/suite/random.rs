//! Seeded random choices that are the same on every platform.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// Random number generator of one task. Computes in `u64`, because `usize` differs between
/// platforms.
pub(super) struct Random(ChaCha12Rng);

impl Random {
    /// Seeds the generator with `seed` and the task name.
    pub(super) fn new(seed: u64, name: &str) -> Self {
        let bytes = seed.to_le_bytes();
        Self(ChaCha12Rng::seed_from_u64(hash(
            bytes.iter().copied().chain(name.bytes()),
        )))
    }

    /// A number in `0..bound`; 0 if `bound` is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.0.next_u64()) * u128::from(bound);
        (product >> 64) as u64
    }

    /// A number in `low..=high`.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// `true` or `false` with equal probability.
    pub(super) fn coin(&mut self) -> bool {
        self.below(2) == 1
    }

    /// An index into a slice of `length` items.
    pub(super) fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// One of the items. `items` must not be empty.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.index(items.len())]
    }

    /// Draws `count` items without replacement, or all if there are fewer.
    pub(super) fn sample<T: Copy>(&mut self, items: &[T], count: usize) -> Vec<T> {
        let mut places: Vec<usize> = Vec::with_capacity(count);
        while places.len() < count.min(items.len()) {
            let place = self.index(items.len());
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places.into_iter().map(|place| items[place]).collect()
    }

    /// Shuffles items in place.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }
}

/// 64-bit FNV-1a. Unlike the standard library's hash, it never changes.
pub(super) fn hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(hash(*b"a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn samples_stand_at_different_places() {
        let mut random = Random::new(0, "sample");
        let items: Vec<u64> = (0..5).collect();
        for count in 0..8 {
            let mut sample = random.sample(&items, count);
            sample.sort_unstable();
            sample.dedup();
            assert_eq!(sample.len(), count.min(5));
        }
    }
}
