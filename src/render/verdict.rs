//! What a report comes to, in two sentences that every form shows: what was done, and what that means.

use super::text::count;
use crate::report::{Outcome, PatchCommand, PatchReport, State};

/// The two sentences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    /// What was done.
    pub(super) done: String,
    /// What it means.
    pub(super) meaning: String,
}

pub(super) fn verdict(report: &PatchReport) -> Verdict {
    let (done, meaning) = match (report.outcome(), report.command) {
        (Outcome::NothingToWorkOn | Outcome::Unknown, _) => nothing_to_work_on(),
        (Outcome::Refused, command) => refused(report, command),
        (Outcome::No, _) => not_verified(report),
        (Outcome::Yes, PatchCommand::Patch) => patched(report),
        (Outcome::Yes, PatchCommand::PatchDryRun) => would_patch(report),
        (Outcome::Yes, PatchCommand::Verify) => verified(report),
        (Outcome::Yes, PatchCommand::Revert) => reverted(report),
    };
    let unreadable = report.coverage.unreadable.len();
    let unknown = match unreadable {
        0 => String::new(),
        _ => format!(
            "; what {} is unknown",
            count(
                unreadable,
                "unreadable directory holds",
                "unreadable directories hold"
            )
        ),
    };
    Verdict {
        done: format!("{done}{unknown}."),
        meaning: meaning.to_owned(),
    }
}

fn nothing_to_work_on() -> (String, &'static str) {
    (
        "Nothing to work on: this Ghost has none of the packages that the patches change"
            .to_owned(),
        "No file was touched. A Ghost older than 1.0 has no knex-migrator and needs no patch.",
    )
}

fn refused(report: &PatchReport, command: PatchCommand) -> (String, &'static str) {
    let refusals = number(report, stops);
    let of_all = format!("{refusals} of {}", patches(report.patches.len()));
    let waiting =
        of(report, State::WouldApply) + of(report, State::NotApplied) + of(report, State::Outdated);
    match command {
        PatchCommand::Revert => (
            format!("Refused to revert: {of_all}"),
            "No file was touched.",
        ),
        PatchCommand::PatchDryRun => (
            format!("Would refuse: {of_all}"),
            "No file would be touched, and an image build would stop here.",
        ),
        PatchCommand::Patch | PatchCommand::Verify if waiting > 0 => (
            format!("Refused: {of_all}"),
            "No file was touched, the others neither: a Ghost is patched whole or not at all.",
        ),
        PatchCommand::Patch | PatchCommand::Verify => (
            format!("Refused: {of_all}"),
            "No file was touched. An image build stops here, before this Ghost fails at boot.",
        ),
    }
}

fn patched(report: &PatchReport) -> (String, &'static str) {
    let rest = unchanged(report);
    match of(report, State::Applied) {
        0 => (
            sentence("Nothing left to do", ": ", &rest),
            "No file was touched; what is in place was proved again.",
        ),
        _ => (
            sentence(
                &format!("Applied {}", patches_in_files(report, State::Applied)),
                "; ",
                &rest,
            ),
            "Each was proved before its file was replaced. `ghostfix verify` repeats the proof.",
        ),
    }
}

fn would_patch(report: &PatchReport) -> (String, &'static str) {
    let rest = unchanged(report);
    let interrupted = of(report, State::Interrupted);
    if interrupted > 0 {
        let done = format!(
            "Would first finish an interrupted run, with {}",
            patches(interrupted)
        );
        return (
            done,
            "Nothing was written. The same command without --dry-run does it.",
        );
    }
    match of(report, State::WouldApply) {
        0 => (
            sentence("Nothing left to do", ": ", &rest),
            "Nothing was written, and nothing would be.",
        ),
        _ => (
            sentence(
                &format!(
                    "Would apply {}",
                    patches_in_files(report, State::WouldApply)
                ),
                "; ",
                &rest,
            ),
            "Nothing was written. The same command without --dry-run does it.",
        ),
    }
}

fn verified(report: &PatchReport) -> (String, &'static str) {
    (
        sentence(
            &format!("Verified {}", patches(report.patches.len())),
            ": ",
            &unchanged(report),
        ),
        "Every selected patch is in place or not needed, proved on the files as they are.",
    )
}

fn not_verified(report: &PatchReport) -> (String, &'static str) {
    let missing = number(report, |state| !state.is_satisfied());
    let done = format!(
        "Not verified: {missing} of {}",
        patches(report.patches.len())
    );
    if number(report, State::is_refusal) > 0 {
        (done, "`ghostfix patch` would refuse this Ghost as it is.")
    } else {
        (
            done,
            "This Ghost is not ready yet. `ghostfix patch` puts in what is missing.",
        )
    }
}

fn reverted(report: &PatchReport) -> (String, &'static str) {
    let rest = unchanged(report);
    match of(report, State::Reverted) {
        0 => (
            sentence("Nothing to revert", ": ", &rest),
            "No file was touched.",
        ),
        _ => (
            sentence(
                &format!("Reverted {}", patches_in_files(report, State::Reverted)),
                "; ",
                &rest,
            ),
            "What they had changed is as it was, byte for byte.",
        ),
    }
}

/// Whether the state makes `patch` refuse.
fn stops(state: State) -> bool {
    state.is_refusal() || state == State::Interrupted
}

/// What holds of the files that nothing was done to, in words.
fn unchanged(report: &PatchReport) -> Vec<String> {
    [
        (State::AlreadyApplied, "in place already"),
        (State::ByHand, "handled by hand"),
        (State::FixedUpstream, "fixed upstream"),
        (State::NotNeeded, "not needed"),
        (State::NotApplied, "not in place"),
        (State::Outdated, "from an earlier ghostfix"),
    ]
    .into_iter()
    .filter_map(|(state, words)| match of(report, state) {
        0 => None,
        number => Some(format!("{number} {words}")),
    })
    .collect()
}

fn sentence(done: &str, joint: &str, rest: &[String]) -> String {
    if rest.is_empty() {
        done.to_owned()
    } else {
        format!("{done}{joint}{}", rest.join(", "))
    }
}

fn number(report: &PatchReport, holds: impl Fn(State) -> bool) -> usize {
    report
        .patches
        .iter()
        .filter(|entry| holds(entry.state))
        .count()
}

fn of(report: &PatchReport, state: State) -> usize {
    number(report, |other| other == state)
}

fn patches(number: usize) -> String {
    count(number, "patch", "patches")
}

/// `2 patches in 1 file`: a file may take several, and a patch may have several files.
fn patches_in_files(report: &PatchReport, state: State) -> String {
    let mut files: Vec<_> = report
        .patches
        .iter()
        .filter(|entry| entry.state == state)
        .map(|entry| &entry.path)
        .collect();
    let entries = patches(files.len());
    files.sort();
    files.dedup();
    format!("{entries} in {}", count(files.len(), "file", "files"))
}
