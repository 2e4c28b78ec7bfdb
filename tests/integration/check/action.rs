//! The script of the GitHub Action, run as the runner runs it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::check::{check, drifted, ghost, knex_migrator};
use crate::ghost::fake_registry::FakeRegistry;
use crate::process::{Answer, bounded};

const ACTION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.github/actions/check");

fn act(home: &Path, registry: &str, targets: &str, baseline: &str) -> (Answer, String) {
    let summary = home.join("summary.md");
    fs::write(&summary, "").unwrap();
    fs::write(home.join("output"), "").unwrap();
    let mut command = Command::new(format!("{ACTION}/run"));
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", home)
        .env("RUNNER_TEMP", home)
        .env("GITHUB_STEP_SUMMARY", &summary)
        .env("GITHUB_OUTPUT", home.join("output"))
        .env("GHOSTFIX", env!("CARGO_BIN_EXE_ghostfix"))
        .env("TARGETS", targets)
        .env("ARGUMENTS", format!("--registry {registry}"))
        .env("BASELINE", baseline)
        .current_dir(home);
    let answer = bounded(command, Duration::from_secs(120));
    (answer, fs::read_to_string(summary).unwrap())
}

#[test]
fn the_report_is_the_jobs_summary_and_only_what_is_worse_fails() {
    let registry = FakeRegistry::start(vec![
        ghost("6.65.0", "6.2.1"),
        drifted("6.66.0"),
        knex_migrator("6.2.1"),
    ]);
    let (home, url) = (tempfile::tempdir().unwrap(), registry.url());
    let (answer, summary) = act(home.path(), &url, "6.65.0", "");
    assert_eq!(answer.code(), 0, "{answer}");
    assert!(summary.starts_with("## ✅ Ghost 6.65.0: ok\n"), "{summary}");
    assert!(
        answer.stdout.starts_with("::notice title=ghostfix check::"),
        "{answer}"
    );
    assert_eq!(
        fs::read_to_string(home.path().join("output")).unwrap(),
        format!("report={}/ghostfix-check.json\n", home.path().display())
    );
    let (answer, summary) = act(home.path(), &url, "latest 6.65.0", "");
    assert_eq!(answer.code(), 1, "{answer}");
    assert!(summary.contains("❌ refused"), "{summary}");
    // What the run before wrote is a baseline, and then it is no news.
    fs::rename(
        home.path().join("ghostfix-check.json"),
        home.path().join("baseline.json"),
    )
    .unwrap();
    let (answer, _) = act(home.path(), &url, "latest 6.65.0", "baseline.json");
    assert_eq!(answer.code(), 0, "{answer}");
}

#[test]
fn the_baseline_of_our_own_workflow_can_be_read() {
    let registry = FakeRegistry::start(vec![ghost("6.65.0", "6.2.1"), knex_migrator("6.2.1")]);
    let home = tempfile::tempdir().unwrap();
    let baseline = concat!(env!("CARGO_MANIFEST_DIR"), "/.github/ghost.json");
    let (code, report) = check(
        home.path(),
        &registry.url(),
        &["latest", "--baseline", baseline],
    );
    assert_eq!(code, 0, "{report}");
    assert_eq!(report["comparison"]["added"], serde_json::json!([]));
}

/// What the runner reads of the action names what is there.
#[test]
fn the_action_hands_its_inputs_to_the_script() {
    let action = fs::read_to_string(format!("{ACTION}/action.yml")).unwrap();
    let script = fs::read_to_string(format!("{ACTION}/run")).unwrap();
    for name in ["GHOSTFIX", "TARGETS", "BASELINE", "ARGUMENTS"] {
        assert!(
            action.contains(&format!("        {name}: ${{{{ ")),
            "{name}"
        );
        assert!(script.contains(&format!("${name}")), "{name}");
    }
    // Nothing that somebody typed becomes part of a script.
    for line in action.lines().filter(|line| line.contains("run:")) {
        assert!(!line.contains("${{"), "{line}");
    }
}
