//! Real Ghosts: what `check` says of a version from the registry is what `patch --dry-run` says where it is installed.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::common;
use crate::installation::{Installation, Layout};
use crate::process::bounded;

/// Of each major several, the odd ones among them: in 5.8.0 the comments' key has no cascade yet.
const GHOSTS: [&str; 16] = [
    "4.1.2", "4.32.0", "4.40.0", "4.48.9", "5.8.0", "5.14.1", "5.30.1", "5.60.0", "5.75.1",
    "5.100.1", "5.130.6", "6.0.0", "6.20.1", "6.40.0", "6.50.0", "6.65.0",
];

/// Where the upstream tests keep what they fetched, too.
fn cache() -> PathBuf {
    std::env::var_os("GHOSTFIX_TEST_CACHE")
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from)
        .join("upstream")
}

/// With the machine's own npm configuration: these are the real packages.
fn check(ghosts: &[&str]) -> (i32, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ghostfix"));
    command
        .args(["check", "--format", "json", "--cache-dir"])
        .arg(cache())
        .args(ghosts);
    let answer = bounded(command, Duration::from_secs(600));
    let report = serde_json::from_str(&answer.stdout)
        .unwrap_or_else(|problem| panic!("{problem}: {answer}"));
    (answer.code(), report)
}

#[test]
fn the_verdict_is_what_patch_says_on_the_installed_tree() {
    let (_, report) = check(&GHOSTS);
    let targets = report["targets"].as_array().unwrap();
    assert_eq!(targets.len(), GHOSTS.len());
    let mut verdicts = Vec::new();
    for (version, target) in GHOSTS.iter().zip(targets) {
        let installed = Installation::real(Layout::Flat, version);
        let patch = common::run("patch", &installed.root, &["--dry-run"]);
        assert_eq!(target["ghost"], *version);
        assert_eq!(
            target["patches"], patch.json["patches"],
            "{version}: states, shapes, proofs, diffs and reasons"
        );
        let expected = match patch.code() {
            0 => "ok",
            4 => "refused",
            other => panic!("{version}: patch answers {other}"),
        };
        assert_eq!(target["verdict"], expected, "{version}");
        verdicts.push(expected);
        // The directory itself is a target, and says the same of itself.
        let root = installed.root.to_str().unwrap();
        let (code, directory) = check(&[root]);
        assert_eq!(code, i32::from(expected == "refused"), "{version}");
        assert_eq!(directory["targets"][0]["patches"], patch.json["patches"]);
    }
    assert_eq!(verdicts, ["ok"; GHOSTS.len()]);
}
