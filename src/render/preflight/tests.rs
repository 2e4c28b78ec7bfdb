use super::*;
use crate::preflight::facts::Facts;
use crate::render::tests::output;
use crate::settings::{Format, Screen};

fn report(findings: Vec<(&'static str, Finding)>) -> PreflightReport {
    PreflightReport {
        findings: findings
            .into_iter()
            .map(|(id, finding)| Finding { id, ..finding })
            .collect(),
        not_reached: vec!["clock"],
        facts: Facts::default(),
        least: Level::Error,
    }
}

fn failing() -> PreflightReport {
    report(vec![
        (
            "dns",
            Finding::passed("db is found.").seen("name resolution", "10.0.0.1"),
        ),
        (
            "login",
            Finding::error("The server does not let Ghost in.")
                .seen("login", "errno 1045: \u{1b}[31mno\n::error::x")
                .fix("database__connection__password=…"),
        ),
        ("patches", Finding::unknown("No Ghost was looked at.")),
    ])
}

#[test]
fn the_verdict_says_what_becomes_of_ghost() {
    for (findings, expected) in [
        (vec![], "Nothing was found that will stop Ghost."),
        (
            vec![("a", Finding::error("x"))],
            "Ghost will not start here: 1 thing has to be put right.",
        ),
        (
            vec![
                ("a", Finding::fails_in_use("x")),
                ("b", Finding::fails_in_use("x")),
            ],
            "Ghost will start, and fail in use: 2 things have to be put right.",
        ),
        (
            vec![("a", Finding::warning("x")), ("b", Finding::unknown("x"))],
            "Nothing was found that will stop Ghost; 1 answer is unknown.",
        ),
    ] {
        assert_eq!(verdict(&report(findings)), expected);
    }
}

#[test]
fn a_checklist_ends_with_the_first_thing_to_do() {
    let text =
        anstream::adapter::strip_str(&human(&failing(), &output(Format::Human, Screen::LOG)))
            .to_string();
    assert_eq!(
        text,
        "\
Preflight: no connection can be made

[+] dns: db is found.
[x] login: The server does not let Ghost in.
    login: errno 1045: \\u{1b}[31mno
           \\u{3a}:error::x
    fix:
      database__connection__password=…
[?] patches: No Ghost was looked at.

not reached: clock

Ghost will not start here: 1 thing has to be put right; 1 answer is unknown.

do this first (login):
  database__connection__password=…
  ghostfix preflight --explain login
"
    );
}

#[test]
fn behind_the_list_of_steps_only_what_is_left_is_said() {
    let watched = Output {
        stage: Some(super::super::tests::TERMINAL),
        ..output(Format::Human, super::super::tests::TERMINAL)
    };
    let text =
        |output: &Output| anstream::adapter::strip_str(&human(&failing(), output)).to_string();
    assert_eq!(
        text(&watched).lines().take(7).collect::<Vec<_>>(),
        [
            "",
            "✗ login: The server does not let Ghost in.",
            "  login: errno 1045: \\u{1b}[31mno",
            "         \\u{3a}:error::x",
            "? patches: No Ghost was looked at.",
            "✓ 1 check has passed (-v shows it)",
            "",
        ]
    );
    assert!(text(&watched).contains("not reached: 1 check that needs what failed"));
    assert_eq!(text(&watched).matches("password=…").count(), 1);
    let verbose = Output {
        verbosity: Verbosity::Verbose,
        ..watched
    };
    assert!(text(&verbose).contains("✓ dns: db is found."));
}

#[test]
fn an_accepted_finding_is_shown_and_not_counted() {
    let mut report = failing();
    report.findings[1].accepted = Some("we know".to_owned());
    assert_eq!(report.outcome(), Outcome::Yes);
    let text = human(&report, &output(Format::Human, Screen::LOG));
    assert!(
        anstream::adapter::strip_str(&text)
            .to_string()
            .contains("accepted: we know")
    );
    assert!(sarif(&report).contains("\"justification\": \"we know\""));
}

#[test]
fn annotations_are_one_line_each() {
    let text = github(&failing());
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("::error"))
            .count(),
        1
    );
    assert!(!text.contains("\u{1b}"));
}

#[test]
fn junit_fails_what_counts_and_skips_what_is_unknown() {
    let text = super::super::junit::preflight_report(&failing());
    assert!(text.contains("failures=\"1\""), "{text}");
    assert_eq!(text.matches("<skipped").count(), 2, "{text}");
    assert!(!text.contains("\u{1b}"));
}
