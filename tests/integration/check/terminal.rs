//! What somebody sees who watches a `check` that takes its time.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::check::{at, ghost, knex_migrator};
use crate::common::PROGRAM;
use crate::ghost::fake_registry::FakeRegistry;
use crate::ghost::server::Reply;
use crate::process::{Answer, bounded};

/// A registry that needs a second for Ghost's package.
fn slow() -> FakeRegistry {
    let package = ghost("6.65.0", "6.2.1");
    let body = package.tarball();
    let registry = FakeRegistry::start(vec![package, knex_migrator("6.2.1")]);
    let piece = body.len() / 4 + 1;
    let pause = Duration::from_millis(250);
    let reply = Reply::Trickle { body, piece, pause };
    registry.fault("/ghost/-/6.65.0.tgz", [reply]);
    registry
}

/// In a terminal of its own, which `script` makes.
fn watched(home: &Path, arguments: &str) -> Answer {
    let mut command = Command::new("script");
    command
        .args(["--quiet", "--return", "--command"])
        .arg(format!(
            "stty cols 80 rows 40; exec {} check {arguments}",
            PROGRAM.display()
        ))
        .arg("/dev/null")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("SHELL", "/bin/sh")
        .env("TERM", "xterm-256color")
        .env("HOME", home)
        .env("TMPDIR", home)
        .current_dir(home);
    bounded(command, Duration::from_secs(60))
}

#[test]
fn a_single_target_shows_that_something_happens_to_whoever_watches() {
    let (registry, home) = (slow(), tempfile::tempdir().unwrap());
    let url = registry.url();
    let answer = watched(home.path(), &format!("6.65.0 --registry {url}"));
    assert_eq!(answer.code(), 0, "{answer}");
    for seen in ["checking 6.65.0, 0s", "checking 6.65.0, 1s"] {
        assert!(answer.stdout.contains(seen), "{seen}: {:?}", answer.stdout);
    }
    // It is gone before the report begins.
    let (_, after) = answer.stdout.rsplit_once("checking 6.65.0").unwrap();
    assert!(after.contains("can be patched"), "{after:?}");

    let quiet = watched(
        home.path(),
        &format!("6.65.0 -q --cache-dir other --registry {url}"),
    );
    assert!(!quiet.stdout.contains("checking"), "{:?}", quiet.stdout);

    let logged = bounded(
        at(home.path(), &["check", "6.65.0", "--registry", &url]),
        Duration::from_secs(60),
    );
    assert_eq!(logged.stderr, "");
}

#[test]
fn of_several_targets_no_time_is_promised_before_one_is_done() {
    let (registry, home) = (slow(), tempfile::tempdir().unwrap());
    let arguments = format!("6.65.0 '>=6.65' --registry {}", registry.url());
    let answer = watched(home.path(), &arguments);
    assert_eq!(answer.code(), 0, "{answer}");
    assert!(answer.stdout.contains("0/2 checked"), "{:?}", answer.stdout);
    assert!(
        !answer.stdout.contains("0/2 checked,"),
        "{:?}",
        answer.stdout
    );
}
