//! The projections of a base model that an adapter covers, with their shapes, order and rank.

use serde::{Deserialize, Serialize};

use crate::dimensions::BaseDimensions;
use crate::error::Error;
use crate::projection::Projection;

/// Upper bound of dimensions, ranks and layer numbers. It keeps sums of a few dimensions far
/// from overflow, also with a 32-bit `usize`.
const MAX_DIMENSION: usize = 1 << 24;
/// Maximum tile width. A token of r x 256 values is about as much as a small generator predicts
/// well.
const MAX_TILE_WIDTH: usize = 256;
/// Minimum width of tiles with padding; narrower tiles give too many tokens.
const MIN_PADDED_TILE_WIDTH: usize = 64;

/// One adapted projection: `A` is (rank, in_features), `B` is (out_features, rank).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Module {
    /// Transformer layer, from 0.
    pub layer: usize,
    /// Projection in the layer.
    pub projection: Projection,
    /// Input size of the projection.
    pub in_features: usize,
    /// Output size of the projection.
    pub out_features: usize,
    /// Rows of `A` and columns of `B`.
    pub rank: usize,
    /// Numerator of the LoRA scaling.
    pub alpha: f32,
}

impl Module {
    /// The factor of `B A` in the adapted weight: alpha / rank, or alpha / sqrt(rank) for
    /// rank-stabilized LoRA (arXiv 2312.03732).
    pub fn scaling(&self, use_rslora: bool) -> f32 {
        let rank = self.rank as f32;
        self.alpha / if use_rslora { rank.sqrt() } else { rank }
    }

    /// Number of values in `A` and `B`.
    pub fn parameter_count(&self) -> usize {
        self.rank * (self.in_features + self.out_features)
    }

    /// Path of the module in the base model, such as `model.layers.0.self_attn.q_proj`.
    pub fn path(&self) -> String {
        let (layer, projection) = (self.layer, self.projection);
        format!("model.layers.{layer}.{}.{projection}", projection.block())
    }
}

/// The modules that an adapter covers, sorted by layer, then in the order of
/// [`Projection::ALL`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// Name or path of the base model, `base_model_name_or_path` in PEFT.
    pub base_model: String,
    /// Whether scaling is alpha / sqrt(rank) instead of alpha / rank.
    pub use_rslora: bool,
    /// The adapted projections.
    pub modules: Vec<Module>,
}

impl Layout {
    /// A layout that adapts the same `targets` in every layer, with one rank and alpha.
    ///
    /// Targets may come in any order. Fails when there is none, when one is listed twice, or
    /// when a value is out of range.
    pub fn new(
        base_model: &str,
        dimensions: &BaseDimensions,
        rank: usize,
        alpha: f32,
        targets: &[Projection],
    ) -> Result<Layout, Error> {
        let mut targets = targets.to_vec();
        targets.sort();
        let mut modules = Vec::new();
        for layer in 0..dimensions.num_layers {
            for &projection in &targets {
                let (in_features, out_features) = dimensions.projection_shape(projection);
                modules.push(Module {
                    layer,
                    projection,
                    in_features,
                    out_features,
                    rank,
                    alpha,
                });
            }
        }
        let layout = Layout {
            base_model: base_model.to_owned(),
            use_rslora: false,
            modules,
        };
        layout.validate("layout")?;
        Ok(layout)
    }

    /// Checks order and ranges, so that sizes computed from this layout cannot overflow.
    /// `source_name` names the source of the layout in errors.
    pub fn validate(&self, file: &str) -> Result<(), Error> {
        if self.modules.is_empty() {
            return Err(Error::field(file, "modules", "at least one module", "none"));
        }
        for pair in self.modules.windows(2) {
            let key = |module: &Module| (module.layer, module.projection);
            if key(&pair[0]) >= key(&pair[1]) {
                let expected = format!("modules after {} in order, each once", pair[0].path());
                return Err(Error::field(file, "modules", expected, pair[1].path()));
            }
        }
        let mut numbers = 0_usize;
        for module in &self.modules {
            let path = module.path();
            if module.layer >= MAX_DIMENSION {
                let expected = format!("less than {MAX_DIMENSION}");
                return Err(Error::field(file, "layer", expected, module.layer));
            }
            for (name, value) in [
                ("in_features", module.in_features),
                ("out_features", module.out_features),
                ("rank", module.rank),
            ] {
                if value == 0 || value > MAX_DIMENSION {
                    let expected = format!("1 to {MAX_DIMENSION}");
                    return Err(Error::field(
                        file,
                        format!("{path}: {name}"),
                        expected,
                        value,
                    ));
                }
            }
            if !module.alpha.is_finite() {
                let field = format!("{path}: alpha");
                return Err(Error::field(file, field, "a finite number", module.alpha));
            }
            // Includes the padding of the last tile of A and of B.
            let width = module.in_features + module.out_features + 2 * MAX_TILE_WIDTH;
            numbers = module
                .rank
                .checked_mul(width)
                .and_then(|count| count.checked_add(numbers))
                .filter(|&count| count <= isize::MAX as usize / size_of::<f32>())
                .ok_or_else(|| Error::field(file, &path, "sizes that fit in memory", "more"))?;
        }
        Ok(())
    }

    /// The common rank of all modules, which weight tokens require. Fails when ranks differ.
    pub fn uniform_rank(&self) -> Result<usize, Error> {
        let first = self.modules.first();
        let rank = first.map(|module| module.rank).unwrap_or_default();
        match self.modules.iter().find(|module| module.rank != rank) {
            None if rank > 0 => Ok(rank),
            None => Err(Error::field(
                "layout",
                "modules",
                "at least one module of rank > 0",
                "none",
            )),
            Some(other) => {
                let field = format!("{}: rank", other.path());
                Err(Error::field(
                    "layout",
                    field,
                    format!("{rank} as in the first module"),
                    other.rank,
                ))
            }
        }
    }

    /// Number of values in all factors.
    pub fn parameter_count(&self) -> usize {
        self.modules.iter().map(Module::parameter_count).sum()
    }

    /// Number of base model layers up to the last one covered.
    pub fn num_layers(&self) -> usize {
        self.modules.last().map_or(0, |module| module.layer + 1)
    }

    /// The projections that occur in any layer, in the order of [`Projection::ALL`].
    pub fn targets(&self) -> Vec<Projection> {
        let occurs = |target: &Projection| self.modules.iter().any(|m| m.projection == *target);
        Projection::ALL.into_iter().filter(occurs).collect()
    }

    /// Columns of a weight token, at most 256. The first rule that yields a width applies:
    ///
    /// 1. the largest multiple of 8 that divides all input and output sizes, so that no tile is
    ///    padded (192 for SmolLM2-135M, with sizes 192, 576 and 1,536);
    /// 2. the largest other width of at least 64 that divides all sizes;
    /// 3. the multiple of 8 from 64 to 256 with the least padding; on a tie, the largest.
    pub fn tile_width(&self) -> usize {
        let pads_nothing = |width: &usize| self.padding(*width) == 0;
        let multiples_of_8 = || (1..=MAX_TILE_WIDTH / 8).rev().map(|count| 8 * count);
        multiples_of_8()
            .find(pads_nothing)
            .or_else(|| {
                (MIN_PADDED_TILE_WIDTH..=MAX_TILE_WIDTH)
                    .rev()
                    .find(pads_nothing)
            })
            .or_else(|| {
                multiples_of_8()
                    .take_while(|&width| width >= MIN_PADDED_TILE_WIDTH)
                    .min_by_key(|&width| self.padding(width))
            })
            .unwrap_or(MAX_TILE_WIDTH)
    }

    /// Number of weight tokens when tiles have `tile_width` columns.
    pub fn token_count(&self, tile_width: usize) -> usize {
        self.lengths()
            .map(|length| length.div_ceil(tile_width))
            .sum()
    }

    /// Total columns of padding in all factors.
    fn padding(&self, width: usize) -> usize {
        self.lengths()
            .map(|length| length.next_multiple_of(width) - length)
            .sum()
    }

    /// The sizes along which factors are split, in token order: in_features, out_features per
    /// module.
    pub fn lengths(&self) -> impl Iterator<Item = usize> {
        self.modules
            .iter()
            .flat_map(|module| [module.in_features, module.out_features])
    }
}

#[cfg(test)]
mod tests;
