//! The script of the GitHub Action, run as the runner runs it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::check::{check, drifted, ghost, knex_migrator};
use crate::ghost::fake_registry::FakeRegistry;
use crate::process::{Answer, bounded};

const ACTION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.github/actions/check");

/// The action with these inputs, by the names that the script has for them.
fn act(home: &Path, registry: &str, inputs: &[(&str, &str)]) -> (Answer, String) {
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
        .env("ARGUMENTS", format!("--registry {registry}"))
        .env("FROM", "")
        .env("BASELINE", "")
        .envs(inputs.iter().copied())
        .current_dir(home);
    let answer = bounded(command, Duration::from_secs(120));
    (answer, fs::read_to_string(summary).unwrap())
}

fn registry() -> FakeRegistry {
    FakeRegistry::start(vec![
        ghost("6.65.0", "6.2.1"),
        drifted("6.66.0"),
        knex_migrator("6.2.1"),
    ])
}

/// The targets that the report is about.
fn checked(home: &Path) -> Vec<String> {
    let report = fs::read_to_string(home.join("ghostfix-check.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let targets = report["targets"].as_array().unwrap().iter();
    targets
        .map(|target| target["target"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_report_is_the_jobs_summary_and_only_what_is_worse_fails() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let url = registry.url();
    let (answer, summary) = act(home.path(), &url, &[("TARGETS", "6.65.0")]);
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
    let (answer, summary) = act(home.path(), &url, &[("TARGETS", "latest 6.65.0")]);
    assert_eq!(answer.code(), 1, "{answer}");
    assert!(summary.contains("❌ refused"), "{summary}");
    // What the run before wrote is a baseline, and then it is no news.
    fs::rename(
        home.path().join("ghostfix-check.json"),
        home.path().join("baseline.json"),
    )
    .unwrap();
    let inputs = [("TARGETS", "latest 6.65.0"), ("BASELINE", "baseline.json")];
    let (answer, _) = act(home.path(), &url, &inputs);
    assert_eq!(answer.code(), 0, "{answer}");
}

#[test]
fn a_range_is_one_target_on_a_line_of_its_own_and_between_quotes() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let url = registry.url();
    for (targets, expected) in [
        ("  >=6 <6.66\n\n6.65.0\n", vec![">=6 <6.66", "6.65.0"]),
        ("'>=6 <6.66' 6.65.0", vec![">=6 <6.66", "6.65.0"]),
        ("\"*\"\n", vec!["*"]),
        ("--since 6.66.0", vec!["6.66.0"]),
        ("\n--since 6.66.0\n", vec!["6.66.0"]),
    ] {
        let (answer, _) = act(home.path(), &url, &[("TARGETS", targets)]);
        assert!(answer.code() < 2, "{targets}: {answer}");
        assert_eq!(checked(home.path()), expected, "{targets}");
    }
    for targets in ["'6.65.0", "  \n"] {
        let inputs = [("TARGETS", targets), ("ARGUMENTS", "")];
        let (answer, _) = act(home.path(), &url, &inputs);
        assert_eq!(answer.code(), 2, "{targets}: {answer}");
        assert!(
            answer.stdout.contains("::error title=ghostfix::"),
            "{answer}"
        );
    }
}

#[test]
fn the_summary_tells_what_the_upgrade_does() {
    let registry = FakeRegistry::start(vec![
        ghost("6.65.0", "6.2.1").file(
            "core/server/data/migrations/versions/6.0/01-first.js",
            "module.exports.up = async () => {};\n",
        ),
        ghost("6.66.0", "6.2.1").file(
            "core/server/data/migrations/versions/6.0/01-first.js",
            "module.exports.up = async () => {};\n",
        ),
        knex_migrator("6.2.1"),
    ]);
    let home = tempfile::tempdir().unwrap();
    let inputs = [("TARGETS", "6.66.0 6.65.0"), ("FROM", "6.66.0")];
    let (answer, summary) = act(home.path(), &registry.url(), &inputs);
    assert_eq!(answer.code(), 0, "{answer}");
    assert!(
        summary.contains("\n- **error `newer-database`**: "),
        "{summary}"
    );
}

#[test]
fn what_cannot_be_asked_is_said_in_the_summary_and_leaves_no_report() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let inputs = [("TARGETS", "ltest")];
    let (answer, summary) = act(home.path(), &registry.url(), &inputs);
    assert_eq!(answer.code(), 6, "{answer}");
    assert!(summary.contains("ltest"), "{summary}");
    assert!(summary.contains("\nNext: "), "{summary}");
    assert!(answer.stdout.contains("::error"), "{answer}");
    let report = fs::read_to_string(home.path().join("ghostfix-check.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let is_report = report["schema"] == "ghostfix.check.v1";
    let output = fs::read_to_string(home.path().join("output")).unwrap();
    assert_eq!(output.contains("report="), is_report, "{output}");
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
    for name in ["GHOSTFIX", "TARGETS", "FROM", "BASELINE", "ARGUMENTS"] {
        assert!(
            action.contains(&format!("        {name}: ${{{{ ")),
            "{name}"
        );
        assert!(script.contains(&format!("${name}")), "{name}");
    }
    // Nothing that somebody typed becomes part of a script, and nobody else decides which script an action is.
    for line in action.lines() {
        assert!(!(line.contains("run:") && line.contains("${{")), "{line}");
        if let Some((_, used)) = line.split_once("uses: ") {
            let (_, revision) = used.split_once('@').unwrap();
            let digits = revision.chars().take_while(char::is_ascii_hexdigit);
            assert_eq!(digits.count(), 40, "{line}");
        }
    }
}
