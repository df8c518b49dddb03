//! Fitting a generator: to a collection by the paper's weight objective (section 3.4), or to tasks
//! through the behaviour of its adapters.

mod behaviour;
mod curve;
mod data;
mod directions;
mod recipe;
mod run;
mod schedule;
mod state;
mod state_folder;
mod values;

pub use behaviour::{
    BehaviourOptions, BehaviourPoint, BehaviourSettings, Start, fit_behaviour, mean_adapter,
};
pub use curve::{CurvePoint, read_curve};
pub use data::TrainingData;
pub use recipe::{BasisRecipe, CollectRecipe, FitSettings, GeneratorRecipe, Recipe};
pub use run::fit;
