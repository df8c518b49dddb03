//! Fitting a generator through the behaviour of its adapters.
//!
//! The frozen base model answers lines of a task under the adapter that the generator makes of the
//! task's prompts; the gradient of the answers' cross-entropy flows into the generator and into the
//! mean adapter that its output is added to (after Text-to-LoRA, Charakorn et al., arXiv
//! 2506.06105). No collected adapters are needed, so that many tasks cost no more than their lines.
//!
//! ```text
//! adapter = mean + scale * generator(condition)
//! ```

mod bare;
mod choose;
mod curve;
mod data;
mod factors;
mod fitting;
mod learner;
mod objective;
mod pack;
mod plan;
mod run;
mod settings;
mod start;
mod state;
#[cfg(test)]
mod tests;
mod validate;

pub use curve::BehaviourPoint;
pub use pack::mean_adapter;
pub use run::{BehaviourOptions, fit_behaviour};
pub use settings::BehaviourSettings;
pub use start::Start;
