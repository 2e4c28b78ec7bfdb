//! Every state in every form: whole outputs as snapshots, from literal reports. `SNAPSHOTS=overwrite` writes them anew.

use std::path::Path;

use super::*;
use crate::settings::Verbosity;

pub(super) mod fixtures;

use fixtures::{STATES, report_for};

/// An 80-column terminal.
pub(super) const TERMINAL: Screen = Screen {
    columns: Some(80),
    unicode: true,
};

pub(super) fn output(format: Format, screen: Screen) -> Output {
    Output {
        format,
        color: anstream::ColorChoice::Auto,
        verbosity: Verbosity::Normal,
        screen,
        stage: None,
    }
}

/// What standard output gets where colours are not wanted.
pub(super) fn without_colour(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// Our own version, as it stands in JSON; a release is no reason for new snapshots.
const VERSION: &str = concat!("\"", env!("CARGO_PKG_VERSION"), "\"");

/// Compares with a file below `snapshots/`, nothing in it a wildcard.
pub(super) fn assert_snapshot(name: &str, actual: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/render/snapshots")
        .join(name);
    let expected = snapbox::Data::read_from(&file, Some(snapbox::data::DataFormat::Text)).raw();
    snapbox::Assert::new()
        .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
        .eq(
            snapbox::Data::text(actual.replace(VERSION, "\"VERSION\"")).raw(),
            expected,
        );
}

#[test]
fn every_state_for_people_in_a_log() {
    for state in STATES {
        let shown = report(
            &report_for(state).into(),
            &output(Format::Human, Screen::LOG),
        );
        assert_snapshot(
            &format!("{}/log.txt", state.word()),
            &without_colour(&shown),
        );
    }
}

#[test]
fn every_state_for_people_on_a_terminal() {
    for state in STATES {
        let shown = report(&report_for(state).into(), &output(Format::Human, TERMINAL));
        // The escape character would make the snapshot a binary file to git.
        assert_snapshot(
            &format!("{}/terminal.txt", state.word()),
            &shown.replace('\u{1b}', "␛"),
        );
    }
}

#[test]
fn every_state_for_programs() {
    for state in STATES {
        for (format, name) in [
            (Format::Json, "report.json"),
            (Format::Github, "github.txt"),
            (Format::Sarif, "report.sarif"),
        ] {
            let shown = report(&report_for(state).into(), &output(format, Screen::LOG));
            assert_snapshot(&format!("{}/{name}", state.word()), &shown);
        }
    }
}

#[test]
fn no_form_but_the_one_for_people_has_colours() {
    for state in STATES {
        for format in [Format::Json, Format::Github, Format::Sarif] {
            let shown = report(&report_for(state).into(), &output(format, TERMINAL));
            assert!(!shown.contains('\u{1b}'), "{} {format:?}", state.word());
        }
    }
}

#[test]
fn nothing_but_code_paths_and_commands_is_wider_than_80_columns() {
    for state in STATES {
        let shown = report(&report_for(state).into(), &output(Format::Human, TERMINAL));
        for line in without_colour(&shown).lines() {
            let is_path = line.contains("at node_modules/") || line.contains("▸ node_modules/");
            assert!(
                is_path || text::width(line) <= 80,
                "{}: {line}",
                state.word()
            );
        }
    }
}

#[test]
fn quiet_is_one_line() {
    for state in STATES {
        let quiet = Output {
            verbosity: Verbosity::Quiet,
            ..output(Format::Human, Screen::LOG)
        };
        let shown = report(&report_for(state).into(), &quiet);
        assert_eq!(shown.lines().count(), 1, "{shown}");
    }
}
