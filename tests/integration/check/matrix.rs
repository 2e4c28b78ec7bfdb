//! Many versions, and the forms that are published.

use serde_json::Value;

use crate::check::{ancient, check, drifted, ghost, knex_migrator, run, verdicts};
use crate::ghost::fake_registry::FakeRegistry;

fn registry() -> FakeRegistry {
    FakeRegistry::start(vec![
        ancient(),
        ghost("5.75.1", "6.2.1"),
        ghost("6.0.0-rc.1", "6.2.1"),
        ghost("6.0.0", "6.2.1"),
        ghost("6.10.0", "6.2.1"),
        ghost("6.9.0", "6.2.1"),
        drifted("6.66.0"),
        knex_migrator("6.2.1"),
    ])
}

#[test]
fn every_version_has_a_verdict_and_what_they_share_is_fetched_once() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let (code, report) = check(home.path(), &registry.url(), &["--all"]);
    assert_eq!(code, 1);
    let expected: Vec<(&str, &str, &str)> = [
        ("0.11.14", "not-applicable"),
        ("5.75.1", "ok"),
        ("6.0.0-rc.1", "ok"),
        ("6.0.0", "ok"),
        ("6.9.0", "ok"),
        ("6.10.0", "ok"),
        ("6.66.0", "refused"),
    ]
    .into_iter()
    .map(|(version, verdict)| (version, version, verdict))
    .collect();
    assert_eq!(verdicts(&report), expected);
    assert_eq!(
        report["summary"],
        "Of 7 published Ghosts: 5 ok, 1 not-applicable, 1 refused."
    );
    let (_, again) = check(home.path(), &registry.url(), &["--all", "--offline"]);
    assert_eq!(report, again);
    assert_eq!(registry.asked("/ghost/-/6.0.0.tgz"), 1);
}

#[test]
fn since_begins_with_a_version_and_leaves_pre_releases_out() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let (code, report) = check(home.path(), &registry.url(), &["--since", "6.0"]);
    assert_eq!(code, 1);
    let versions: Vec<&str> = verdicts(&report).iter().map(|found| found.1).collect();
    assert_eq!(versions, ["6.0.0", "6.9.0", "6.10.0", "6.66.0"]);
    let url = registry.url();
    for (arguments, code) in [
        (&["--since", "7"][..], 6),
        (&["--since", "latest"], 2),
        (&["--since", "6", "--all"], 2),
        (&["--all", "6.0.0"], 2),
    ] {
        let mut all = vec!["check", "--registry", &url];
        all.extend(arguments);
        assert_eq!(run(home.path(), &all).code(), code, "{arguments:?}");
    }
}

#[test]
fn every_form_is_whole_and_nothing_else_is_said() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let url = registry.url();
    let say = |format: &str| {
        let answer = run(
            home.path(),
            &["check", "--all", "--registry", &url, "--format", format],
        );
        assert_eq!(answer.code(), 1, "{answer}");
        // Neither a bar nor a word where nobody looks on.
        assert_eq!(answer.stderr, "", "{format}");
        answer.stdout
    };
    let human = say("human");
    assert_eq!(
        human.lines().filter(|line| line.starts_with('[')).count(),
        7
    );
    assert!(
        human.contains(
            "[x] 6.66.0      refused         knex-migrator 6.2.1\n    comments-parent drifted\n"
        ),
        "{human}"
    );
    let sarif: Value = serde_json::from_str(&say("sarif")).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 1);
    assert_eq!(results[0]["ruleId"], "comments-parent");
    let github = say("github");
    assert!(
        github.starts_with("::error title=Ghost 6.66.0%3A refused::"),
        "{github}"
    );
    let markdown = say("markdown");
    assert!(
        markdown.contains("| 5.75.1 to 6.10.0 | 5 | 22 | 6.2.1 | ✅ ok | try-catch | try-catch |"),
        "{markdown}"
    );
    let html = say("html");
    assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
    assert_eq!(html.matches("<details class=\"ghost ").count(), 7);
    // These two are for reports that are published.
    let answer = run(home.path(), &["patches", "list", "--format", "html"]);
    assert_eq!(answer.code(), 2);
    assert!(
        answer.stdout.contains("<h1>No answer from ghostfix</h1>"),
        "{answer}"
    );
}
