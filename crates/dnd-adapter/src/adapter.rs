//! A LoRA adapter in memory.

use crate::error::Error;
use crate::layout::{Layout, Module};

/// The LoRA factors of one module; the adapted weight is W + scaling * B A.
#[derive(Clone, Debug, PartialEq)]
pub struct Factors {
    /// (rank, in_features), row-major.
    pub a: Vec<f32>,
    /// (out_features, rank), row-major.
    pub b: Vec<f32>,
}

/// LoRA factors for every module of a layout.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapter {
    /// The covered modules.
    pub layout: Layout,
    /// One pair of factors per module, in layout order.
    pub factors: Vec<Factors>,
}

impl Adapter {
    /// Creates an adapter. Fails when the layout is invalid or when the number or the sizes of
    /// the factors do not match it.
    pub fn new(layout: Layout, factors: Vec<Factors>) -> Result<Adapter, Error> {
        let adapter = Adapter { layout, factors };
        adapter.validate()?;
        Ok(adapter)
    }

    /// Repeats the checks of [`Adapter::new`]; the fields are public and may have changed.
    pub fn validate(&self) -> Result<(), Error> {
        self.layout.validate("adapter")?;
        let modules = &self.layout.modules;
        if self.factors.len() != modules.len() {
            let expected = format!("{} pairs, one per module", modules.len());
            return Err(Error::field(
                "adapter",
                "factors",
                expected,
                self.factors.len(),
            ));
        }
        for (module, factors) in modules.iter().zip(&self.factors) {
            for (name, expected, found) in [
                ("lora_A", module.rank * module.in_features, factors.a.len()),
                ("lora_B", module.out_features * module.rank, factors.b.len()),
            ] {
                if expected != found {
                    let tensor = format!("{}.{name}", module.path());
                    let expected = format!("{expected} values");
                    return Err(Error::tensor("adapter", tensor, expected, found));
                }
            }
        }
        Ok(())
    }

    /// A zero adapter, which leaves the base model unchanged.
    pub fn zeros(layout: Layout) -> Adapter {
        let zeros = |module: &Module| Factors {
            a: vec![0.0; module.rank * module.in_features],
            b: vec![0.0; module.out_features * module.rank],
        };
        let factors = layout.modules.iter().map(zeros).collect();
        Adapter { layout, factors }
    }

    /// Frobenius norm of the weight update of module `index`, scaling * B A.
    ///
    /// |B A|^2 is the sum over i, j of (B'B)ij (A A')ij, which needs two (rank, rank) matrices
    /// instead of one of (out, in).
    ///
    /// # Panics
    /// When `index` is out of range.
    pub fn update_norm(&self, index: usize) -> f32 {
        let module = &self.layout.modules[index];
        let Factors { a, b } = &self.factors[index];
        let (rank, columns) = (module.rank, module.in_features);
        let mut squared = 0.0_f64;
        for i in 0..rank {
            for j in 0..rank {
                let rows = a[i * columns..][..columns]
                    .iter()
                    .zip(&a[j * columns..][..columns]);
                let of_a: f64 = rows.map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
                let rows = b.chunks_exact(rank);
                let of_b: f64 = rows.map(|row| f64::from(row[i]) * f64::from(row[j])).sum();
                squared += of_a * of_b;
            }
        }
        // Rounding can make a product that should be zero slightly negative.
        squared.max(0.0).sqrt() as f32 * module.scaling(self.layout.use_rslora).abs()
    }

    /// Largest absolute value in any factor.
    pub fn max_abs(&self) -> f32 {
        let numbers = self
            .factors
            .iter()
            .flat_map(|factors| factors.a.iter().chain(&factors.b));
        numbers.fold(0.0, |largest, number| largest.max(number.abs()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_data::{adapter, layouts, tiny_adapter};

    /// The norm of the explicit product B A.
    fn slow_update_norm(adapter: &Adapter, index: usize) -> f64 {
        let module = &adapter.layout.modules[index];
        let Factors { a, b } = &adapter.factors[index];
        let mut squared = 0.0;
        for row in 0..module.out_features {
            for column in 0..module.in_features {
                let of_rank = |r: usize| {
                    f64::from(b[row * module.rank + r])
                        * f64::from(a[r * module.in_features + column])
                };
                squared += (0..module.rank).map(of_rank).sum::<f64>().powi(2);
            }
        }
        squared.sqrt() * f64::from(module.scaling(adapter.layout.use_rslora))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn update_norm_is_that_of_the_product(layout in layouts(1_usize..6), seed: u32) {
            let adapter = adapter(layout, seed.into());
            let slow = slow_update_norm(&adapter, 0);
            prop_assert!((f64::from(adapter.update_norm(0)) - slow).abs() <= 1e-5 * slow);
        }
    }

    #[test]
    fn zeros_change_nothing() {
        let adapter = Adapter::zeros(tiny_adapter().layout);
        assert_eq!(adapter.update_norm(5), 0.0);
        assert_eq!(adapter.max_abs(), 0.0);
        adapter.validate().unwrap();
    }

    #[test]
    fn largest_number_counts_whatever_its_sign() {
        let mut adapter = tiny_adapter();
        adapter.factors[3].b[2] = -9.0;
        assert_eq!(adapter.max_abs(), 9.0);
    }

    #[test]
    fn lengths_are_checked() {
        let Adapter {
            layout,
            mut factors,
        } = tiny_adapter();
        factors[1].b.pop();
        let message = Adapter::new(layout.clone(), factors.clone())
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("model.layers.0.self_attn.k_proj.lora_B"),
            "{message}"
        );
        factors.pop();
        assert!(Adapter::new(layout, factors).is_err());
    }
}
