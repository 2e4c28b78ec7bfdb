//! What is shown while preflight is under way.

use std::time::Instant;

use crate::preflight::accepted::Accepted;
use crate::preflight::facts::Facts;
use crate::preflight::finding::{Finding, Level};
use crate::preflight::layer::{Event, Layer};
use crate::settings::Preflight;

/// A step, as it is shown while the command runs.
pub enum Step {
    /// A part of the way begins.
    Begun(&'static str),
    /// A part is over.
    Ended {
        /// How bad it is; nothing where it cannot be bad.
        level: Level,
        /// The short fact, or what is wrong.
        words: String,
    },
    /// The database is not there yet. It is tried again, until then at the latest.
    Waiting(Instant),
}

/// Told of each step.
pub type Progress<'a> = &'a mut dyn FnMut(Step);

/// Turns what happens into what is shown: a part's worst finding is its mark, unless the team lives with it.
pub(super) struct Telling<'t> {
    skip: &'t [String],
    accepted: &'t Accepted,
    /// What was bad before is not told twice.
    told: Vec<&'static str>,
    today: String,
    progress: Progress<'t>,
}

impl<'t> Telling<'t> {
    pub(super) fn new(
        settings: &'t Preflight,
        accepted: &'t Accepted,
        today: String,
        progress: Progress<'t>,
    ) -> Self {
        Self {
            skip: &settings.skip,
            accepted,
            told: Vec::new(),
            today,
            progress,
        }
    }

    pub(super) fn tell(&mut self, event: Event<'_>) {
        let step = match event {
            Event::Begun(layer) => Step::Begun(layer.title),
            Event::Ended(layer, facts) => {
                let worst = self.worst(layer, facts);
                Step::Ended {
                    level: worst
                        .as_ref()
                        .map_or(Level::Passed, |finding| finding.level),
                    words: layer.words(facts, worst.as_ref()),
                }
            }
        };
        (self.progress)(step);
    }

    /// The way is gone once more, until then at the latest.
    pub(super) fn wait(&mut self, end: Instant) {
        self.told.clear();
        (self.progress)(Step::Waiting(end));
    }

    fn worst(&mut self, layer: &Layer, facts: &Facts) -> Option<Finding> {
        let mut findings = layer.findings(facts);
        findings.retain(|finding| {
            !self.skip.iter().any(|id| id == finding.id) && !self.told.contains(&finding.id)
        });
        self.accepted.mark(&mut findings, &self.today);
        findings.retain(|finding| finding.accepted.is_none());
        let bad = |finding: &&Finding| finding.level > Level::Notice;
        self.told
            .extend(findings.iter().filter(bad).map(|finding| finding.id));
        // The first of the worst: what fails first stands first.
        findings
            .into_iter()
            .rev()
            .max_by_key(|finding| finding.level)
    }
}
