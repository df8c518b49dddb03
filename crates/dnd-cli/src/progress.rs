//! Progress bars on a terminal, and Ctrl-C.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use dnd_files::Observer;
use indicatif::{ProgressBar, ProgressStyle};

use crate::output;

/// Exit code after Ctrl-C: 128 + SIGINT, as in shells.
pub const INTERRUPTED: u8 = 130;

/// Shows one progress bar per stage if standard error is a terminal, and cancels on Ctrl-C.
pub struct ProgressBars {
    bar: Mutex<ProgressBar>,
    interrupts: Arc<AtomicUsize>,
    is_quiet: bool,
}

impl ProgressBars {
    /// Installs the Ctrl-C handler: the first press cancels the work, the second exits.
    pub fn new() -> Result<Self> {
        let interrupts = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&interrupts);
        ctrlc::set_handler(move || {
            if counter.fetch_add(1, Ordering::Relaxed) > 0 {
                std::process::exit(i32::from(INTERRUPTED));
            }
            output::eprint_line("stopping after this step; press Ctrl-C again to stop at once");
        })
        .context("cannot install the Ctrl-C handler")?;
        Ok(Self {
            bar: Mutex::new(ProgressBar::hidden()),
            interrupts,
            is_quiet: false,
        })
    }

    /// Shows nothing from now on, and cancels on Ctrl-C all the same.
    pub fn hide(&mut self) {
        self.is_quiet = true;
    }

    /// Locks the bar, even after a panic in another thread.
    fn bar(&self) -> MutexGuard<'_, ProgressBar> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for ProgressBars {
    fn begin(&self, stage: &str, units: u64) {
        if self.is_quiet {
            return;
        }
        let bar = ProgressBar::new(units).with_message(String::new());
        if let Ok(style) = ProgressStyle::with_template(
            "{prefix:28!} [{bar:24}] {pos}/{len} {elapsed} (left {eta}) {msg}",
        ) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(stage.to_owned());
        std::mem::replace(&mut *self.bar(), bar).finish_and_clear();
    }

    fn advance(&self, units: u64, message: &str) {
        let bar = self.bar();
        bar.set_message(message.to_owned());
        bar.inc(units);
    }

    fn note(&self, message: &str) {
        if !self.is_quiet {
            self.bar().suspend(|| output::eprint_line(message));
        }
    }

    fn is_cancelled(&self) -> bool {
        self.interrupts.load(Ordering::Relaxed) > 0
    }
}

impl Drop for ProgressBars {
    fn drop(&mut self) {
        self.bar().finish_and_clear();
    }
}
