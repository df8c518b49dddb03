//! Measuring adapters honestly: exact match on test lines, against baselines.

mod bars;
mod evaluate;
mod method;
mod nearest;
mod results;
mod score;

pub use bars::draw_bars;
pub use evaluate::{EvaluateOptions, Sources, evaluate};
pub use method::Method;
pub use nearest::{average_adapter, nearest_task, prompt_embedding};
pub use results::{Row, read_rows, table, write_rows};
pub use score::exact_matches;
