//! Fitting a generator to a collection: the paper's weight objective (section 3.4).

mod curve;
mod data;
mod recipe;
mod run;
mod state;

pub use curve::{CurvePoint, read_curve};
pub use data::TrainingData;
pub use recipe::{CollectRecipe, FitSettings, GeneratorRecipe, Recipe};
pub use run::fit;
