//! Neighbours that are alike: versions in a row whose patches are made in the same way, and edits that are the same
//! but for their line numbers.

use crate::report::check::{TargetReport, Verdict};
use crate::report::{CheckReport, PatchDescription, PatchEntry, State};

/// Versions in a row with one verdict, each patch in one state and shape.
pub(super) struct Row<'r> {
    pub(super) verdict: Verdict,
    /// One for each selected patch.
    pub(super) cells: Vec<Cell>,
    pub(super) targets: Vec<&'r TargetReport>,
}

/// What becomes of a patch in a Ghost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    /// `None`: this Ghost does not have the package that the patch is for.
    pub(super) state: Option<State>,
    pub(super) shape: Option<String>,
}

impl Cell {
    pub(super) fn of(patch: &PatchDescription, target: &TargetReport) -> Self {
        let entries = entries(patch, target);
        // Of several copies the one that is worst off counts.
        let worst = entries
            .clone()
            .find(|entry| entry.state.is_refusal() || entry.state == State::Interrupted)
            .or_else(|| entries.clone().next());
        Self {
            state: worst.map(|entry| entry.state),
            shape: worst.and_then(|entry| entry.shape.clone()),
        }
    }
}

/// A patch's entries in a target: one for each copy of its file.
pub(super) fn entries<'r>(
    patch: &PatchDescription,
    target: &'r TargetReport,
) -> impl Iterator<Item = &'r PatchEntry> + Clone {
    let id = patch.id.clone();
    target.patches.iter().filter(move |entry| entry.id == id)
}

/// All targets, in rows.
pub(super) fn rows(report: &CheckReport) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for target in &report.targets {
        let cells: Vec<Cell> = report
            .selected
            .iter()
            .map(|patch| Cell::of(patch, target))
            .collect();
        match rows.last_mut() {
            Some(row) if row.verdict == target.verdict && row.cells == cells => {
                row.targets.push(target);
            }
            _ => rows.push(Row {
                verdict: target.verdict,
                cells,
                targets: vec![target],
            }),
        }
    }
    rows
}

/// `5.0.0 to 5.2.4`, `6.1.0`: from the first to the last of what is there, each once.
pub(super) fn span<'v>(values: impl Iterator<Item = Option<&'v str>>) -> String {
    match distinct(values).as_slice() {
        [] => "-".to_owned(),
        [only] => (*only).to_owned(),
        [first, .., last] => format!("{first} to {last}"),
    }
}

/// `5.0.0, 6.1.0`: what is there, each once. Between versions that somebody named lie others that nobody has looked at.
pub(super) fn each<'v>(values: impl Iterator<Item = Option<&'v str>>) -> String {
    distinct(values).join(", ")
}

fn distinct<'v>(values: impl Iterator<Item = Option<&'v str>>) -> Vec<&'v str> {
    let mut distinct: Vec<&str> = Vec::new();
    for value in values.flatten() {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}

/// An edit without what only says where in the file it is.
pub(super) fn without_places(diff: &str) -> String {
    let is_place = |line: &&str| {
        line.starts_with("@@ ") || line.starts_with("--- ") || line.starts_with("+++ ")
    };
    diff.lines()
        .filter(|line| !is_place(line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// One way in which a patch is made, and the Ghosts that it is made in.
pub(super) struct Edit<'r> {
    pub(super) entry: &'r PatchEntry,
    pub(super) targets: Vec<&'r TargetReport>,
}

/// The different edits of a patch, in the order of the targets.
pub(super) fn edits<'r>(patch: &PatchDescription, report: &'r CheckReport) -> Vec<Edit<'r>> {
    let mut edits: Vec<(String, Edit<'r>)> = Vec::new();
    for target in &report.targets {
        for entry in entries(patch, target).filter(|entry| !entry.diff.is_empty()) {
            let text = without_places(&entry.diff);
            match edits.iter_mut().find(|(known, _)| *known == text) {
                Some((_, edit)) => edit.targets.push(target),
                None => edits.push((
                    text,
                    Edit {
                        entry,
                        targets: vec![target],
                    },
                )),
            }
        }
    }
    edits.into_iter().map(|(_, edit)| edit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_name_the_ends() {
        let span_of = |values: &[&'static str]| span(values.iter().copied().map(Some));
        assert_eq!(span_of(&[]), "-");
        assert_eq!(span_of(&["1.0.0", "1.0.0"]), "1.0.0");
        assert_eq!(span_of(&["1.0.0", "1.1.0", "2.0.0"]), "1.0.0 to 2.0.0");
        assert_eq!(span([None, Some("x")].into_iter()), "x");
    }

    #[test]
    fn an_edit_that_only_moves_is_the_same_edit() {
        let one = "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-b\n+c\n";
        let other = "--- a/x\n+++ b/x\n@@ -9,3 +9,3 @@\n a\n-b\n+c\n";
        assert_eq!(without_places(one), without_places(other));
        assert_ne!(
            without_places(one),
            without_places(&one.replace("+c", "+d"))
        );
    }
}
