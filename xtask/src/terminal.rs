//! `cargo xtask run --terminal`: from example prompts to an adapter, and what the adapter changes.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::cache::Cache;
use crate::page::BUNDLE;
use crate::{command, programs, setup};

/// Prompts of a kind that the shipped generator was not trained on.
const PROMPTS: &str = "assets/prompts/sentiment.txt";
/// How many of the prompts are answered.
const SHOWN: usize = 3;

/// Sets up, builds, generates an adapter into `out` and shows answers without and with it.
pub fn run(cache: &Cache, out: &Path) -> Result<()> {
    setup::run(cache, &setup::Args::default())?;
    let dnd = programs::dnd()?;

    let mut generate = command::new(&dnd);
    generate
        .args([
            "generate",
            "--prompts",
            PROMPTS,
            "--bundle",
            BUNDLE,
            "--seed",
            "0",
            "--out",
        ])
        .arg(out);
    command::run(generate)?;

    let text = std::fs::read_to_string(command::root().join(PROMPTS))
        .with_context(|| format!("cannot read {PROMPTS}"))?;
    let mut rows = vec![["prompt", "base model", "with the adapter"].map(str::to_owned)];
    for prompt in text.lines().take(SHOWN) {
        rows.push([
            prompt.to_owned(),
            complete(&dnd, prompt, None)?,
            complete(&dnd, prompt, Some(out))?,
        ]);
    }
    println!(
        "\n{}\nadapter: {}\nprogram: {}",
        table(&rows),
        out.display(),
        dnd.display()
    );
    Ok(())
}

fn complete(dnd: &Path, prompt: &str, adapter: Option<&Path>) -> Result<String> {
    let mut command: Command = command::new(dnd);
    command.args(["complete", "--max-tokens", "16", "--prompt", prompt]);
    if let Some(folder) = adapter {
        command.arg("--adapter").arg(folder);
    }
    command::output(command)
}

/// Lines up rows of cells; a cell is one line and at most `WIDEST` characters long.
fn table(rows: &[[String; 3]]) -> String {
    const WIDEST: usize = 44;
    let rows: Vec<[String; 3]> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| shorten(cell, WIDEST)))
        .collect();
    let mut widths = [0; 3];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let [first, second, _] = widths;
    let lines = rows
        .iter()
        .map(|[prompt, base, adapted]| format!("{prompt:first$}  {base:second$}  {adapted}\n"));
    lines.collect()
}

fn shorten(text: &str, limit: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= limit {
        return line;
    }
    line.chars().take(limit - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_line_up() {
        let rows = [
            ["prompt", "base", "adapted"],
            ["hot?", "The\nopposite…", "cold"],
        ];
        let rows = rows.map(|row| row.map(str::to_owned));
        assert_eq!(
            table(&rows),
            "prompt  base           adapted\nhot?    The opposite…  cold\n"
        );
    }

    #[test]
    fn long_cells_are_cut_at_characters() {
        assert_eq!(shorten("äöüß", 3), "äö…");
        assert_eq!(shorten("äöü", 3), "äöü");
    }
}
