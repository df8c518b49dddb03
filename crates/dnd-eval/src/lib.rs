//! Evaluation of adapters: scores on test lines with confidence intervals, baselines, controls,
//! and reports. Native only.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod adapt;
mod answer;
mod bootstrap;
mod directions;
mod evaluate;
mod fingerprint;
mod generated;
mod method;
mod nearest;
mod options;
pub mod report;
mod results;
mod row;
mod scorer;
mod suite;
mod summary;
mod task_evaluation;
mod tokenized_prompt;
mod training;
mod tuned;

pub use answer::{Answer, answers};
pub use bootstrap::{Estimate, RESAMPLES, estimate};
pub use evaluate::evaluate;
pub use fingerprint::weights_hash;
pub(crate) use method::asked_label;
pub use method::{Method, TuneStart, is_training_adapter, label};
pub use nearest::{
    TEMPERATURE, average_adapter, nearest_task, prompt_embedding, similarity_weights,
    weighted_adapter,
};
pub use options::{EvaluateOptions, Sources};
pub use results::{read_rows, summary_table, table, write_rows};
pub use row::Row;
pub use scorer::{Scorer, Scores};
pub use suite::suite;
pub use summary::{Summary, exact_match, generated_ahead, percent, summarize};
pub(crate) use summary::{bar, distinct};
pub use tokenized_prompt::TokenizedPrompt;
pub use tuned::{Tuned, shuffled, tune_on_few};
