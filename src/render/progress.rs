//! How far a long run is, on standard error; nothing where that is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::command::check::Progress;
use crate::settings::{Output, Verbosity, What};

/// Between two pictures of a run that does not say how far it is.
const FRAME: Duration = Duration::from_millis(120);

/// First that something happens and for how long, then a bar once there are several steps; it goes with the value.
pub struct Bar {
    bar: ProgressBar,
    unicode: bool,
}

impl Bar {
    /// Shows what is being checked, for people who watch.
    #[must_use]
    pub fn new(output: &Output, what: &What) -> Self {
        let bar = Self {
            bar: ProgressBar::hidden(),
            unicode: output.screen.unicode,
        };
        bar.style("{spinner} {msg}, {elapsed}");
        if output.verbosity != Verbosity::Quiet {
            bar.bar.set_message(words(what));
            // Hides itself where standard error is no terminal.
            bar.bar
                .set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            if !bar.bar.is_hidden() {
                bar.bar.enable_steady_tick(FRAME);
            }
        }
        bar
    }

    /// Shows a step.
    pub fn show(&self, step: Progress<'_>) {
        match step {
            Progress::Begin(targets) => {
                // How long it will take shows with the first that is done.
                self.style("{bar} {pos}/{len} checked");
                self.bar.set_length(targets as u64);
            }
            Progress::Done(target) => {
                self.bar.inc(1);
                self.bar
                    .set_message(super::text::clean(target).into_owned());
                self.style("{bar} {pos}/{len} checked, {eta} left  {msg}");
            }
        }
    }

    fn style(&self, template: &str) {
        let bar = if self.unicode {
            "{bar:24}"
        } else {
            "[{bar:24}]"
        };
        // It never fails: the templates are those above.
        let Ok(style) = ProgressStyle::with_template(&template.replace("{bar}", bar)) else {
            return;
        };
        self.bar.set_style(if self.unicode {
            style.progress_chars("━╸─").tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
        } else {
            style.progress_chars("=> ").tick_chars("-\\|/ ")
        });
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// What is done before there are steps, and all that is done for a single target.
fn words(what: &What) -> String {
    match what {
        What::Targets(targets) => match targets.as_slice() {
            [target] => format!("checking {}", super::text::clean(target)),
            targets => format!("checking {} targets", targets.len()),
        },
        What::All | What::Since(_) => "asking for the list of versions".to_owned(),
    }
}
