use super::*;
use crate::render::tests::fixtures::{STATES, hostile_report, report_for};

/// A workflow command as the runner takes it apart: the first `::` after the leading one ends the properties, `,`
/// separates them, and what is escaped is put back last.
fn read(line: &str) -> (String, Vec<(String, String)>, String) {
    let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
    let (command, properties) = head.split_once(' ').unwrap();
    let properties = properties
        .split(',')
        .map(|property| {
            let (name, value) = property.split_once('=').unwrap();
            (
                name.to_owned(),
                value
                    .replace("%3A", ":")
                    .replace("%2C", ",")
                    .replace("%25", "%"),
            )
        })
        .collect();
    (
        command.to_owned(),
        properties,
        message
            .replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%25", "%"),
    )
}

#[test]
fn what_is_written_is_what_the_runner_reads() {
    let mut report = report_for(State::Drifted);
    report.patches[0].path = "a,b:c/100%25=x::y.js".into();
    report.patches[0].reason = "50% of: a, b::c\r\nsecond line %0A".to_owned();
    report.patches[0].next_step = None;
    let shown = patch_report(&report);
    let (command, properties, message) = read(shown.lines().next().unwrap());
    assert_eq!(command, "error");
    assert_eq!(
        properties[0],
        (
            "file".to_owned(),
            "/var/lib/ghost/a,b:c/100%25=x::y.js".to_owned()
        )
    );
    assert_eq!(
        properties.last().unwrap(),
        &("title".to_owned(), "database-exists: drifted".to_owned())
    );
    assert_eq!(
        message,
        "knex-migrator 6.9.0: 50% of: a, b::c\nsecond line %0A"
    );
}

#[test]
fn what_fails_the_step_is_an_error_and_what_is_fine_is_silent() {
    for state in STATES {
        let report = report_for(state);
        let shown = patch_report(&report);
        let commands: Vec<String> = shown.lines().map(|line| read(line).0).collect();
        let (verdict, entries) = commands.split_last().unwrap();
        assert_eq!(
            verdict == "error",
            report.outcome().exit_code() != 0,
            "{state:?}"
        );
        assert_eq!(entries.is_empty(), level(state).is_none(), "{state:?}");
        assert_eq!(
            state.is_refusal(),
            entries == ["error"] && report.outcome() == Outcome::Refused,
            "{state:?}"
        );
    }
}

#[test]
fn a_relative_root_gives_paths_relative_to_the_checkout() {
    let mut report = report_for(State::NotApplied);
    report.root = "site/ghost".into();
    let (_, properties, _) = read(patch_report(&report).lines().next().unwrap());
    assert_eq!(
        properties[0].1,
        "site/ghost/node_modules/knex-migrator/lib/database.js"
    );
}

#[test]
fn hostile_text_makes_no_commands() {
    let shown = patch_report(&hostile_report());
    // One for the file, one for the directory, one for the note, one for the verdict.
    assert_eq!(shown.lines().count(), 4, "{shown}");
    for line in shown.lines() {
        assert!(!line.chars().any(text::is_hidden), "{line:?}");
        assert!(!line.contains("##["), "{line}");
        assert!(
            ["error", "warning", "notice"].contains(&read(line).0.as_str()),
            "{line}"
        );
    }
}

#[test]
fn an_error_is_one_annotation() {
    let error = Error::NothingToWorkOn {
        problem: "no Ghost: 100%".to_owned(),
        next_step: "look\nhere".to_owned(),
    };
    assert_eq!(
        super::error(&error),
        "::error title=ghostfix::no Ghost: 100%25%0Alook%0Ahere\n"
    );
}

#[test]
fn the_list_is_notices() {
    let [list, page] = crate::render::patches::tests::reports();
    assert_eq!(patches_report(&list).lines().count(), 2);
    assert!(
        patches_report(&page)
            .starts_with("::notice title=database-exists::# What breaks%0A%0AOn first boot")
    );
}
