//! A committed report of before: only what is worse fails.

use std::fs;

use crate::check::{check, drifted, ghost, knex_migrator, run};
use crate::ghost::fake_registry::{FakeRegistry, Package};

fn registry(newest: Package) -> FakeRegistry {
    FakeRegistry::start(vec![
        ghost("6.0.0", "6.2.1"),
        drifted("6.64.0"),
        newest,
        knex_migrator("6.2.1"),
    ])
}

#[test]
fn only_a_verdict_that_is_worse_fails() {
    let home = tempfile::tempdir().unwrap();
    let good = registry(ghost("6.65.0", "6.2.1"));
    let bad = registry(drifted("6.66.0"));
    let write = |name: &str, registry: &FakeRegistry, targets: &[&str]| {
        let (_, report) = check(home.path(), &registry.url(), targets);
        fs::write(home.path().join(name), report.to_string()).unwrap();
    };
    write("good.json", &good, &["latest", "6.0.0", "6.64.0"]);
    write("bad.json", &bad, &["latest"]);
    for (registry, baseline, target, code, worse) in [
        (&good, "good.json", "latest", 0, false),
        // The same name, and another version behind it.
        (&bad, "good.json", "latest", 1, true),
        (&bad, "bad.json", "latest", 0, false),
        (&good, "bad.json", "latest", 0, false),
        (&good, "good.json", "6.64.0", 0, false),
        // The baseline does not know it: then it speaks for itself.
        (&good, "bad.json", "6.64.0", 1, false),
        (&good, "bad.json", "6.0.0", 0, false),
    ] {
        let (found, report) = check(
            home.path(),
            &registry.url(),
            &[target, "--baseline", baseline],
        );
        assert_eq!(found, code, "{target} against {baseline}: {report}");
        assert_eq!(report["comparison"]["worse"], worse);
    }
    let answer = run(
        home.path(),
        &[
            "check",
            "latest",
            "--baseline",
            "good.json",
            "--registry",
            &bad.url(),
        ],
    );
    assert!(
        answer
            .stdout
            .contains("changed: latest: ok (6.65.0) before, refused now\n")
            && answer
                .stdout
                .ends_with("Worse than in good.json: latest.\n"),
        "{answer}"
    );
    // What cannot be checked is no yes, whatever was before.
    let answer = run(
        home.path(),
        &[
            "check",
            "6.99.0",
            "--baseline",
            "good.json",
            "--registry",
            &bad.url(),
        ],
    );
    assert_eq!(answer.code(), 6);
}

#[test]
fn what_is_no_baseline_is_said_so_before_anybody_is_asked() {
    let home = tempfile::tempdir().unwrap();
    for (text, problem) in [
        ("{", "it is no report of `ghostfix check`"),
        (
            r#"{"schema": "ghostfix.patch.v1"}"#,
            "its schema is `ghostfix.patch.v1`, not `ghostfix.check.v1`",
        ),
        (
            r#"{"schema": "ghostfix.check.v1", "targets": [{"target": "x", "verdict": "fine"}]}"#,
            "it is no report of `ghostfix check`",
        ),
    ] {
        fs::write(home.path().join("b.json"), text).unwrap();
        let answer = run(home.path(), &["check", "--baseline", "b.json"]);
        assert_eq!(answer.code(), 5, "{answer}");
        assert!(answer.stderr.contains(problem), "{answer}");
    }
    let absent = run(home.path(), &["check", "--baseline", "absent.json"]);
    assert_eq!(absent.code(), 5, "{absent}");
    assert!(
        absent
            .stderr
            .contains("next: check the path; `ghostfix check TARGET --format json > FILE`"),
        "{absent}"
    );
}
