//! Batches of tokens.

/// New tokens of a batch: B rows of T, padded on the right.
#[derive(Debug, Clone)]
pub struct TokenBatch {
    /// Token ids, B * T of them.
    pub ids: Vec<u32>,
    /// Position of each token in its own sequence.
    pub positions: Vec<usize>,
    /// B and T.
    pub shape: [usize; 2],
    /// For each row, which of the S positions hold real tokens: cached positions first, then
    /// the T new ones; B * S values.
    pub columns: Vec<bool>,
}

impl TokenBatch {
    /// Pads sequences that continue a shared prefix of `cached` real tokens.
    pub fn after_prefix(sequences: &[&[u32]], cached: usize) -> Self {
        let length = sequences.iter().map(|ids| ids.len()).max().unwrap_or(0);
        let shape = [sequences.len(), length];
        let mut batch = Self {
            ids: Vec::with_capacity(shape[0] * length),
            positions: Vec::with_capacity(shape[0] * length),
            shape,
            columns: Vec::with_capacity(shape[0] * (cached + length)),
        };
        for ids in sequences {
            batch.ids.extend_from_slice(ids);
            batch.ids.resize(batch.ids.len() + length - ids.len(), 0);
            batch.positions.extend(cached..cached + length);
            batch
                .columns
                .extend((0..cached + length).map(|column| column < cached + ids.len()));
        }
        batch
    }
}
