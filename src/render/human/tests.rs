use std::path::PathBuf;

use super::*;
use crate::render::tests::fixtures::{STATES, case, hostile_report, report_for};
use crate::render::tests::{TERMINAL, assert_snapshot, without_colour};

fn shown(report: &PatchReport, verbosity: Verbosity) -> String {
    without_colour(&patch_report(report, verbosity, Screen::LOG))
}

/// A fleet's worth: several patches, notes, directories that could not be read.
fn large_report() -> PatchReport {
    let states = [
        State::AlreadyApplied,
        State::NotApplied,
        State::Outdated,
        State::FixedUpstream,
        State::NotNeeded,
    ];
    let mut report = report_for(State::AlreadyApplied);
    report.patches = states
        .into_iter()
        .flat_map(|state| report_for(state).patches)
        .collect();
    report.coverage.everything = true;
    report.coverage.unreadable = (1..=7)
        .map(|number| PathBuf::from(format!("content/private-{number}")))
        .collect();
    report.notes = vec![
        "A run of ghostfix patch that had been interrupted after 1 of 2 files was finished before anything else was looked at.".to_owned(),
        "The receipt names another digest for this file.".to_owned(),
    ];
    report
}

#[test]
fn a_large_report_normal_verbose_and_quiet() {
    assert_snapshot(
        "large/normal.txt",
        &shown(&large_report(), Verbosity::Normal),
    );
    assert_snapshot(
        "large/verbose.txt",
        &shown(&large_report(), Verbosity::Verbose),
    );
    assert_eq!(
        shown(&large_report(), Verbosity::Quiet),
        "Not verified: 2 of 5 patches; what 7 unreadable directories hold is unknown.\n"
    );
}

#[test]
fn verbose_names_every_case_and_what_was_not_searched() {
    for state in STATES {
        let report = report_for(state);
        let verbose = shown(&report, Verbosity::Verbose);
        for case in &report.patches[0].proof.cases {
            assert!(
                verbose.contains(&case.name),
                "{}: {}",
                state.word(),
                case.name
            );
        }
        assert!(verbose.contains("not searched: other directories (--deep does)"));
    }
}

#[test]
fn failed_cases_are_shown_without_being_asked_for() {
    let mut report = report_for(State::ProofFailed);
    report.patches[0].proof.cases = vec![
        case("good", ProofResult::Passed, ""),
        case("bad", ProofResult::Failed, "was swallowed"),
        case("skipped", ProofResult::NotRun, ""),
    ];
    let normal = shown(&report, Verbosity::Normal);
    assert!(
        normal.contains("[x] bad: was swallowed\n")
            && !normal.contains("good")
            && !normal.contains("skipped")
    );
}

#[test]
fn each_proof_is_called_what_it_is() {
    use ProofResult::{Failed, NotRun, Passed};
    for (syntax, behaviour, expected) in [
        (Passed, Passed, "proved: syntax, 1 of 2 behaviour cases\n"),
        (Passed, NotRun, "proved: syntax\n"),
        (NotRun, Passed, "proved: 1 of 2 behaviour cases\n"),
        (Failed, NotRun, "proof failed: syntax failed\n"),
        (
            Failed,
            Passed,
            "proof failed: syntax failed, 1 of 2 behaviour cases\n",
        ),
        (
            Passed,
            Failed,
            "proof failed: syntax, 1 of 2 behaviour cases\n",
        ),
        (NotRun, Failed, "proof failed: 1 of 2 behaviour cases\n"),
        (NotRun, NotRun, ""),
    ] {
        let mut page = Page::new(Screen::LOG);
        let cases = vec![case("a", Passed, ""), case("b", NotRun, "")];
        proof(
            &Proof {
                syntax,
                behaviour,
                cases,
            },
            "proved:",
            Verbosity::Normal,
            0,
            &mut page,
        );
        assert_eq!(without_colour(&page.into_text()), expected);
    }
}

#[test]
fn without_a_package_there_is_nothing_to_work_on() {
    let report = PatchReport {
        patches: Vec::new(),
        ..report_for(State::Applied)
    };
    assert_snapshot("nothing/log.txt", &shown(&report, Verbosity::Normal));
}

#[test]
fn every_outcome_has_its_two_sentences() {
    for command in [
        PatchCommand::Patch,
        PatchCommand::PatchDryRun,
        PatchCommand::Verify,
        PatchCommand::Revert,
    ] {
        for state in STATES {
            let report = PatchReport {
                command,
                ..report_for(state)
            };
            let verdict = verdict(&report);
            for sentence in [&verdict.done, &verdict.meaning] {
                assert!(
                    sentence.ends_with('.') && !sentence.ends_with(".."),
                    "{command:?} {state:?}: {sentence}"
                );
                assert!(sentence.len() > 10, "{command:?} {state:?}: {sentence}");
            }
        }
    }
}

#[test]
fn hostile_text_does_nothing_to_a_terminal_or_a_runner() {
    let report = hostile_report();
    assert_snapshot("hostile/log.txt", &shown(&report, Verbosity::Verbose));
    for verbosity in [Verbosity::Quiet, Verbosity::Normal, Verbosity::Verbose] {
        for screen in [
            TERMINAL,
            Screen::LOG,
            Screen {
                columns: Some(1),
                unicode: true,
            },
        ] {
            let styled = patch_report(&report, verbosity, screen);
            let plain = without_colour(&styled);
            for line in plain.lines() {
                assert!(!line.chars().any(text::is_hidden), "{line:?}");
                assert!(
                    !line.trim_start().starts_with("::") && !line.contains("##["),
                    "{line:?}"
                );
            }
            // What is left of the styled text are our own colours.
            let colours = styled.matches("\u{1b}[").count();
            assert_eq!(colours, styled.matches('\u{1b}').count());
            assert_eq!(
                colours,
                styled
                    .split("\u{1b}[")
                    .skip(1)
                    .filter(|part| is_colour(part))
                    .count()
            );
        }
    }
}

/// Whether what follows `ESC [` chooses a colour or an effect: digits and semicolons up to an `m`.
fn is_colour(part: &str) -> bool {
    part.split_once('m').is_some_and(|(codes, _)| {
        codes
            .chars()
            .all(|code| code.is_ascii_digit() || code == ';')
    })
}
