//! How far a long run is, on standard error; nothing where that is no terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::command::check::Progress;
use crate::settings::{Output, Verbosity};

/// A bar that comes with the first step and goes with the value.
pub struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// A bar that is not shown yet.
    #[must_use]
    pub fn new(output: &Output) -> Self {
        let bar = ProgressBar::hidden();
        let template = if output.screen.unicode {
            "{bar:24} {pos}/{len} checked, {eta} left  {msg}"
        } else {
            "[{bar:24}] {pos}/{len} checked, {eta} left  {msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars(if output.screen.unicode {
                "━╸─"
            } else {
                "=> "
            }));
        }
        if output.verbosity != Verbosity::Quiet {
            // Hides itself where standard error is no terminal.
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
        Self { bar }
    }

    /// Shows a step.
    pub fn show(&self, step: Progress<'_>) {
        match step {
            Progress::Begin(targets) => self.bar.set_length(targets as u64),
            Progress::Done(target) => {
                self.bar
                    .set_message(super::text::clean(target).into_owned());
                self.bar.inc(1);
            }
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
