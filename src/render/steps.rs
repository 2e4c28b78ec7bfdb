//! What is being done, on standard error, while it is being done; nothing where that is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::settings::{Format, Output, Verbosity};

/// The line that says which step is under way. It is gone when this is dropped, an interrupt leaves nothing either.
pub struct Steps(ProgressBar);

impl Steps {
    /// A line for people; hidden in forms for programs and with `-q`.
    #[must_use]
    pub fn new(output: &Output) -> Self {
        let bar = if output.format == Format::Human && output.verbosity != Verbosity::Quiet {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        let plain = !output.screen.unicode;
        let style = ProgressStyle::with_template("{spinner} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        bar.set_style(if plain {
            style.tick_chars("|/-\\ ")
        } else {
            style
        });
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// The next step.
    pub fn show(&self, step: &'static str) {
        self.0.set_message(step);
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
