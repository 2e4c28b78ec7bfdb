//! A report for people: where it looked, a line for each patch with its diff, its proof, its reason and what to do,
//! and at the end what was done and what that means.

use anstyle::Style;

use super::page::{BAD, CALM, FAINT, GOOD, PLAIN, Page, STRONG, WARN};
use super::verdict::verdict;
use super::{diff, snippet, text};
use crate::report::{
    CaseResult, Coverage, Evidence, Outcome, PatchCommand, PatchEntry, PatchReport, Proof,
    ProofResult, State,
};
use crate::settings::{Screen, Verbosity};

/// As many unreadable directories are named without `-v`.
const FEW: usize = 5;

pub(super) fn patch_report(report: &PatchReport, verbosity: Verbosity, screen: Screen) -> String {
    let mut page = Page::new(screen);
    if verbosity == Verbosity::Quiet {
        page.prose(0, outcome_style(report.outcome()), &verdict(report).done);
        return page.into_text();
    }
    header(report, &mut page);
    coverage(&report.coverage, verbosity, &mut page);
    for entry in &report.patches {
        page.blank();
        patch_entry(entry, verbosity, &mut page);
    }
    if !report.notes.is_empty() {
        page.blank();
        for note in &report.notes {
            page.labelled(0, (CALM, "note:"), note);
        }
    }
    page.blank();
    let verdict = verdict(report);
    page.prose(0, outcome_style(report.outcome()), &verdict.done);
    page.prose(0, PLAIN, &verdict.meaning);
    page.into_text()
}

pub(super) fn outcome_style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Yes => GOOD,
        Outcome::No | Outcome::Refused => BAD,
        Outcome::NothingToWorkOn | Outcome::Unknown => WARN,
    }
}

fn header(report: &PatchReport, page: &mut Page) {
    let root = text::path_text(&report.root);
    let directory = text::path_text(&report.ghost.directory);
    let version = text::clean(&report.ghost.version);
    page.line(
        0,
        &[
            (STRONG, &format!("Ghost {version}")),
            (PLAIN, " in "),
            (STRONG, &text::clean(&root)),
        ],
    );
    if directory != root {
        page.line(2, &[(FAINT, "that is "), (FAINT, &text::clean(&directory))]);
    }
    if report.command == PatchCommand::PatchDryRun {
        page.line(2, &[(FAINT, "dry run: nothing is written")]);
    }
}

fn coverage(coverage: &Coverage, verbosity: Verbosity, page: &mut Page) {
    let searched = [
        (
            coverage.node_resolution && !coverage.everything,
            "what Node resolves from Ghost",
        ),
        (
            coverage.package_directories && !coverage.everything,
            "every node_modules and .pnpm",
        ),
        (coverage.everything, "every directory"),
    ];
    let words: Vec<&str> = searched
        .into_iter()
        .filter(|(was, _)| *was)
        .map(|(_, words)| words)
        .collect();
    page.prose(2, FAINT, &format!("searched {}", words.join(", ")));
    if verbosity == Verbosity::Verbose && !coverage.everything {
        page.prose(2, FAINT, "not searched: other directories (--deep does)");
    }
    if coverage.unreadable.is_empty() {
        return;
    }
    let number = text::count(coverage.unreadable.len(), "directory", "directories");
    page.labelled(
        2,
        (WARN, "warning:"),
        &format!("{number} could not be read; what is in there is unknown:"),
    );
    let shown = if verbosity == Verbosity::Verbose {
        coverage.unreadable.len()
    } else {
        FEW
    };
    for directory in coverage.unreadable.iter().take(shown) {
        page.line(
            4,
            &[
                (WARN, "? "),
                (PLAIN, &text::clean(&text::path_text(directory))),
            ],
        );
    }
    if let Some(more @ 1..) = coverage.unreadable.len().checked_sub(shown) {
        page.line(4, &[(FAINT, &format!("and {more} more; -v names all"))]);
    }
}

/// A mark and its colour: what a state means to somebody who reads only the left edge.
fn mark(state: State, unicode: bool) -> (Style, &'static str) {
    let (style, sign, ascii) = match state {
        State::Applied
        | State::AlreadyApplied
        | State::ByHand
        | State::FixedUpstream
        | State::Reverted => (GOOD, "✓", "[+]"),
        State::WouldApply => (CALM, "→", "[>]"),
        State::NotNeeded => (FAINT, "–", "[-]"),
        State::Outdated | State::Interrupted => (WARN, "!", "[!]"),
        State::NotApplied
        | State::Drifted
        | State::Ambiguous
        | State::BrokenByHand
        | State::Missing
        | State::ProofFailed => (BAD, "✗", "[x]"),
    };
    (style, if unicode { sign } else { ascii })
}

pub(super) fn patch_entry(entry: &PatchEntry, verbosity: Verbosity, page: &mut Page) {
    let (style, sign) = mark(entry.state, page.is_unicode());
    let indent = text::width(sign) + 1;
    let path = text::path_text(&entry.path);
    page.line(
        0,
        &[
            (style, sign),
            (PLAIN, " "),
            (STRONG, &text::clean(&entry.id)),
            (PLAIN, ": "),
            (style, entry.state.word()),
        ],
    );
    let package = format!(
        "{} {}",
        text::clean(&entry.package),
        text::clean(&entry.version)
    );
    let shape = entry
        .shape
        .as_deref()
        .map(|shape| format!(", shape {}", text::clean(shape)))
        .unwrap_or_default();
    page.line(
        indent,
        &[(FAINT, "in "), (PLAIN, &package), (FAINT, &shape)],
    );
    page.line(indent, &[(FAINT, "at "), (PLAIN, &text::clean(&path))]);
    page.prose(indent, PLAIN, &entry.reason);
    if !entry.diff.is_empty() {
        page.blank();
        diff::show(&entry.diff, indent, page);
        page.blank();
    }
    if let Some(evidence) = &entry.evidence {
        show_evidence(evidence, &path, indent, page);
    }
    // A proof of what could be done must not read like one of what is there.
    let proved = if entry.state == State::NotApplied {
        "the edit is proved:"
    } else {
        "proved:"
    };
    proof(&entry.proof, proved, verbosity, indent, page);
    if let Some(step) = &entry.next_step {
        page.labelled(indent, (CALM, "next:"), step);
    }
}

fn show_evidence(evidence: &Evidence, path: &str, indent: usize, page: &mut Page) {
    if !evidence.labels.is_empty() {
        page.blank();
        snippet::show(evidence, path, indent, page);
        page.blank();
    }
    let Some((shape, _)) = &evidence.nearest_shape else {
        return;
    };
    if evidence.shape_diff.is_empty() {
        page.prose(
            indent,
            PLAIN,
            &format!("The nearest known shape is {shape}."),
        );
    } else {
        page.prose(
            indent,
            PLAIN,
            &format!("The nearest known shape is {shape}. From there to the code found:"),
        );
        page.blank();
        diff::show(&evidence.shape_diff, indent, page);
        page.blank();
    }
}

fn proof(proof: &Proof, proved: &str, verbosity: Verbosity, indent: usize, page: &mut Page) {
    let syntax = match proof.syntax {
        ProofResult::Passed => Some("syntax".to_owned()),
        ProofResult::Failed => Some("syntax failed".to_owned()),
        ProofResult::NotRun => None,
    };
    let behaviour = match (proof.behaviour, proof.cases.len()) {
        (ProofResult::NotRun, _) => None,
        (ProofResult::Passed, 0) => Some("behaviour".to_owned()),
        (ProofResult::Failed, 0) => Some("behaviour failed".to_owned()),
        (ProofResult::Passed | ProofResult::Failed, all) => {
            Some(format!("{} of {all} behaviour cases", proof.passed()))
        }
    };
    let parts: Vec<String> = [syntax, behaviour].into_iter().flatten().collect();
    if [proof.syntax, proof.behaviour].contains(&ProofResult::Failed) {
        page.labelled(indent, (BAD, "proof failed:"), &parts.join(", "));
    } else if !parts.is_empty() {
        page.labelled(indent, (GOOD, proved), &parts.join(", "));
    } else if verbosity == Verbosity::Verbose {
        page.line(indent, &[(FAINT, "not proved: nothing was run")]);
    }
    for case in &proof.cases {
        if verbosity == Verbosity::Verbose || case.result == ProofResult::Failed {
            show_case(case, indent + 2, page);
        }
    }
}

fn show_case(case: &CaseResult, indent: usize, page: &mut Page) {
    let unicode = page.is_unicode();
    let (style, sign) = match case.result {
        ProofResult::Passed => (GOOD, if unicode { "✓" } else { "[+]" }),
        ProofResult::Failed => (BAD, if unicode { "✗" } else { "[x]" }),
        ProofResult::NotRun => (FAINT, if unicode { "–" } else { "[-]" }),
    };
    let words = if case.detail.is_empty() {
        case.name.clone()
    } else {
        format!("{}: {}", case.name, case.detail)
    };
    page.labelled(indent, (style, sign), &words);
}

#[cfg(test)]
mod tests;
