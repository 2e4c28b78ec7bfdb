//! A report as annotations of a GitHub workflow: one for each file that something is wrong with or was done to, one
//! for the verdict. What a workflow command may hold is escaped as the runner takes it apart again.

use std::path::Path;

use super::verdict::verdict;
use super::{diff, snippet, text};
use crate::error::Error;
use crate::report::{Outcome, PatchDescription, PatchEntry, PatchReport, PatchesReport, State};

/// How GitHub shows an annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    /// Of the report as a whole.
    pub(super) fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Yes => Self::Notice,
            Outcome::No | Outcome::Refused | Outcome::NothingToWorkOn | Outcome::Unknown => {
                Self::Error
            }
        }
    }
}

pub(super) fn patch_report(report: &PatchReport) -> String {
    let mut commands = String::new();
    for entry in &report.patches {
        if let Some(level) = level(entry.state) {
            commands.push_str(&annotate(
                level,
                &place(&report.root, entry),
                &title(entry),
                &message(entry),
            ));
        }
    }
    for directory in &report.coverage.unreadable {
        let message = format!(
            "{} could not be read; what it holds is unknown",
            text::path_text(directory)
        );
        commands.push_str(&annotate(
            Level::Warning,
            &[],
            "ghostfix: unknown coverage",
            &message,
        ));
    }
    for note in &report.notes {
        commands.push_str(&annotate(Level::Notice, &[], "ghostfix: note", note));
    }
    let level = Level::of(report.outcome());
    let verdict = verdict(report);
    let title = format!("ghostfix: Ghost {}", report.ghost.version);
    commands.push_str(&annotate(
        level,
        &[],
        &title,
        &format!("{}\n{}", verdict.done, verdict.meaning),
    ));
    commands
}

/// The list, for want of anything to annotate.
pub(super) fn patches_report(report: &PatchesReport) -> String {
    let notice =
        |patch: &PatchDescription, words: &str| annotate(Level::Notice, &[], &patch.id, words);
    match report {
        PatchesReport::List(patches) => patches
            .iter()
            .map(|patch| notice(patch, &patch.title))
            .collect(),
        PatchesReport::Page { patch, page } => notice(patch, page),
    }
}

pub(super) fn error(error: &Error) -> String {
    annotate(
        Level::Error,
        &[],
        "ghostfix",
        &format!("{error}\n{}", error.next_step()),
    )
}

/// `None` where a file is as it should be and nothing was done to it.
fn level(state: State) -> Option<Level> {
    match state {
        State::Applied | State::WouldApply | State::Reverted => Some(Level::Notice),
        State::AlreadyApplied | State::ByHand | State::FixedUpstream | State::NotNeeded => None,
        State::Outdated => Some(Level::Warning),
        State::NotApplied
        | State::Interrupted
        | State::Drifted
        | State::Ambiguous
        | State::BrokenByHand
        | State::Missing
        | State::ProofFailed => Some(Level::Error),
    }
}

fn title(entry: &PatchEntry) -> String {
    format!("{}: {}", entry.id, entry.state.word())
}

fn message(entry: &PatchEntry) -> String {
    let mut message = format!("{} {}: {}", entry.package, entry.version, entry.reason);
    if let Some(step) = &entry.next_step {
        message.push_str("\nnext: ");
        message.push_str(step);
    }
    message
}

/// The file below the root (the runner makes it relative to the checkout), and where in it.
fn place(root: &Path, entry: &PatchEntry) -> Vec<(&'static str, String)> {
    let mut place = vec![("file", text::path_text(&root.join(&entry.path)))];
    let first = entry
        .evidence
        .as_ref()
        .and_then(|evidence| Some((&evidence.source, evidence.labels.first()?)));
    if let Some((source, (range, _))) = first {
        let (start, end) = snippet::positions(source, range);
        place.extend([
            ("line", start.line.to_string()),
            ("endLine", end.line.to_string()),
        ]);
        // Columns count only within one line.
        if start.line == end.line {
            place.extend([
                ("col", start.column.to_string()),
                ("endColumn", end.column.to_string()),
            ]);
        }
    } else if let Some(line) = diff::first_changed_line(&entry.diff) {
        place.push(("line", line.to_string()));
    }
    place
}

pub(super) fn annotate(
    level: Level,
    place: &[(&str, String)],
    title: &str,
    message: &str,
) -> String {
    let command = match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
    };
    let mut properties: Vec<String> = place
        .iter()
        .map(|(name, value)| format!("{name}={}", escape_property(value)))
        .collect();
    properties.push(format!("title={}", escape_property(title)));
    format!(
        "::{command} {}::{}\n",
        properties.join(","),
        escape_message(message)
    )
}

/// As the runner's `unescapeData` undoes it; the lines stay, everything else that does not show itself does not.
fn escape_message(message: &str) -> String {
    let lines: Vec<String> = message
        .lines()
        .map(|line| text::clean(line).replace('%', "%25"))
        .collect();
    lines.join("%0A")
}

/// As the runner's `unescapeProperty` undoes it.
fn escape_property(value: &str) -> String {
    text::clean(value)
        .replace('%', "%25")
        .replace(':', "%3A")
        .replace(',', "%2C")
}

#[cfg(test)]
mod tests;
