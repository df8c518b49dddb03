//! Counts what the test runners say about themselves.

use std::process::Command;

use anyhow::Result;

use crate::command;

/// How the summary of cargo-nextest starts.
pub const NEXTEST: &str = "Summary [";
/// How the summary of `cargo test` starts.
pub const LIBTEST: &str = "test result:";
/// How the summary of the tests in a browser starts.
pub const BROWSER: &str = "browser:";

/// What the test runners said about themselves, kept for the last lines of the output.
#[derive(Default)]
pub struct Tally {
    summaries: Vec<String>,
    passed: usize,
    failed: usize,
}

impl Tally {
    /// Runs a test runner whose summaries start with `summary`.
    pub fn run(&mut self, runner: Command, summary: &str) -> Result<()> {
        command::tee(runner, |line| self.read(line, summary))
    }

    /// Counts what a summary line says; all other lines pass by. nextest shows the output of a failed
    /// test, with a summary of another kind inside, so only the runner's own kind counts.
    fn read(&mut self, line: &str, summary: &str) {
        let line = line.trim();
        if !line.starts_with(summary) {
            return;
        }
        self.summaries.push(line.to_owned());
        let words: Vec<&str> = line
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(2) {
            let count = pair[0].parse().unwrap_or(0);
            match pair[1] {
                "passed" => self.passed += count,
                // nextest counts a test that ran out of time apart from one that failed.
                "failed" | "timed" => self.failed += count,
                _ => {}
            }
        }
    }

    /// Prints all summaries, then their sum.
    pub fn report(&self) {
        if self.summaries.is_empty() {
            return;
        }
        for summary in &self.summaries {
            println!("{summary}");
        }
        println!("{} passed, {} failed", self.passed, self.failed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_all_runners_count() {
        let mut tally = Tally::default();
        let nextest = [
            "        PASS [   0.004s] xtask tests::one_passed",
            "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 9 filtered out",
            "     Summary [   0.1s] 14 tests run: 11 passed (1 slow), 2 failed, 1 timed out, 3 skipped",
        ];
        for line in nextest {
            tally.read(line, NEXTEST);
        }
        tally.read(
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured",
            LIBTEST,
        );
        tally.read("browser: 7 passed, 1 failed", BROWSER);
        assert_eq!(
            (tally.passed, tally.failed, tally.summaries.len()),
            (23, 4, 3)
        );
    }
}
