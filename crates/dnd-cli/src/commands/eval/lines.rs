//! `dnd eval --lines`: the base model and an adapter on prompts with answers.

use std::path::Path;

use anyhow::Result;
use dnd_adapter::prompts::with_answers;
use dnd_adapter::score::{interval, is_right};
use dnd_eval::{TokenizedPrompt, answers};
use dnd_model::Lora;
use dnd_tasks::Line;
use serde::Serialize;

use super::Arguments;
use crate::commands::adapter::open_lora;
use crate::output;
use crate::progress::ProgressBars;
use crate::prompts::read_prompts;

/// Longest text in a cell of the table, in characters.
const CELL: usize = 40;

/// A line and what was answered.
#[derive(Serialize)]
struct Compared<'a> {
    prompt: &'a str,
    expected: &'a str,
    without: String,
    without_is_right: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    with: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    with_is_right: Option<bool>,
}

/// Asks every prompt as it stands, without and with the adapter, and prints a table.
pub fn run(arguments: &Arguments, path: &Path) -> Result<()> {
    let name = path.display().to_string();
    let lines = with_answers(&read_prompts(path, None, std::io::stdin())?, &name)?;
    let device = arguments.compute.device()?;
    let base_path = arguments.base.path.as_deref();
    let base = arguments.compute.open_base(base_path, &device)?;
    let lora = open_lora(arguments.adapter.as_deref(), &base, base_path)?;
    let line = |(prompt, answer): &(String, String)| Line {
        prompt: prompt.clone(),
        input: None,
        response: answer.clone(),
        system: None,
    };
    let questions = lines
        .iter()
        .map(|answered| TokenizedPrompt::new(&base, &line(answered), &[]));
    let questions = questions.collect::<Result<Vec<_>, _>>()?;
    let observer = ProgressBars::new()?;
    let ask = |lora: Option<&Lora>, stage: &str| -> Result<Vec<(String, bool)>> {
        use dnd_files::Observer;
        observer.begin(stage, questions.len() as u64);
        let answers = answers(&base, &questions, lora, &observer)?;
        let scored = answers
            .into_iter()
            .zip(&lines)
            .map(|(answer, (_, expected))| {
                let is_right = is_right(&answer.text, answer.ended, expected);
                (answer.text.trim().to_owned(), is_right)
            });
        Ok(scored.collect())
    };
    let without = ask(None, "without the adapter")?;
    let with = lora
        .as_ref()
        .map(|lora| ask(Some(lora), "with the adapter"));
    let mut with = with.transpose()?.map(Vec::into_iter);
    drop(observer);
    let compared: Vec<Compared> = lines
        .iter()
        .zip(without)
        .map(|((prompt, expected), (without, without_is_right))| {
            let (with, with_is_right) = with.as_mut().and_then(Iterator::next).unzip();
            Compared {
                prompt,
                expected,
                without,
                without_is_right,
                with,
                with_is_right,
            }
        })
        .collect();
    if let Some(json) = &arguments.json {
        dnd_files::write_json(json, &compared)?;
    }
    output::print(&table(&compared))
}

/// One row per line, and the shares of right answers with their intervals.
fn table(compared: &[Compared]) -> String {
    let mark =
        |text: &str, is_right: bool| format!("{} {}", if is_right { "+" } else { "-" }, cell(text));
    let has_adapter = compared.iter().any(|line| line.with.is_some());
    let mut text = String::from("| question | wanted | without |");
    text.push_str(if has_adapter { " with |\n" } else { "\n" });
    text.push_str(if has_adapter {
        "|---|---|---|---|\n"
    } else {
        "|---|---|---|\n"
    });
    for line in compared {
        let without = mark(&line.without, line.without_is_right);
        text.push_str(&format!(
            "| {} | {} | {without} |",
            cell(line.prompt),
            cell(line.expected)
        ));
        if let Some((answer, is_right)) = line.with.as_ref().zip(line.with_is_right) {
            text.push_str(&format!(" {} |", mark(answer, is_right)));
        }
        text.push('\n');
    }
    let share = |name: &str, right: &dyn Fn(&Compared) -> Option<bool>| {
        let outcomes: Vec<bool> = compared.iter().filter_map(right).collect();
        if outcomes.is_empty() {
            return String::new();
        }
        let (total, count) = (
            outcomes.len(),
            outcomes.iter().filter(|right| **right).count(),
        );
        let share = 100.0 * count as f64 / total as f64;
        let [low, high] = interval(count, total);
        format!("{name}: {count} of {total} right, {share:.1} [{low:.1}, {high:.1}] %\n")
    };
    text.push('\n');
    text.push_str(&share("without", &|line| Some(line.without_is_right)));
    text.push_str(&share("with", &|line| line.with_is_right));
    text.push_str("Right is what is wanted and nothing else; in brackets, 95 % intervals.\n");
    text
}

/// A text as a cell: one line, not too long.
fn cell(text: &str) -> String {
    let line = text.replace('|', "\\|").replace(['\n', '\r'], " ");
    match line.char_indices().nth(CELL) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_marks_and_shares() {
        let line = |with: Option<&str>| Compared {
            prompt: "a\n|b|",
            expected: "x",
            without: "y".to_owned(),
            without_is_right: false,
            with: with.map(str::to_owned),
            with_is_right: with.map(|with| with == "x"),
        };
        let text = table(&[line(Some("x")), line(Some("z"))]);
        assert!(text.contains("| a \\|b\\| | x | - y | + x |\n"), "{text}");
        assert!(text.contains("without: 0 of 2 right"), "{text}");
        assert!(
            text.contains("with: 1 of 2 right, 50.0 [9.5, 90.5] %"),
            "{text}"
        );
        let text = table(&[line(None)]);
        assert!(
            !text.contains("with:") && text.contains("| - y |\n"),
            "{text}"
        );
        assert_eq!(cell(&"x".repeat(50)).len(), 43);
    }
}
