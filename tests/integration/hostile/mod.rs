//! Input that nobody means well: a clear error within a second, no crash, and not a byte written.

use std::fs;
use std::time::Duration;

use crate::common::Report;
use crate::installation::Installation;
use crate::packages;
use crate::tree::Tree;
use crate::variants::DATABASE;

mod code;
mod surroundings;
mod text;

/// What a user waits at most for the news that it is not to be. A debug build is slower by more than this allows for.
fn patience() -> Duration {
    let slow = cfg!(debug_assertions) && std::env::var_os("GHOSTFIX_UNDER_TEST").is_none();
    Duration::from_secs(if slow { 10 } else { 1 })
}

/// Runs `patch`, and makes sure of all that every hostile input has in common.
fn refused(what: &str, installation: &Installation) -> Report {
    let before = Tree::of(&installation.root);
    let report = installation.patch();
    let changes: Vec<String> = before
        .changes(&Tree::of(&installation.root))
        .into_iter()
        .filter(|change| !change.contains(".ghostfix"))
        .collect();
    assert_eq!(changes, [""; 0], "{what}");
    let code = report.code();
    assert!([3, 4, 5].contains(&code), "{what}: {}", report.answer);
    assert!(
        !report.answer.stderr.contains("panicked"),
        "{what}: {}",
        report.answer
    );
    assert!(
        report.answer.worked < patience(),
        "{what}: {}",
        report.answer
    );
    report
}

/// `patch` on a knex-migrator whose file holds these bytes: exit code 4, and the state and the reason given.
fn file(what: &str, bytes: &[u8]) -> (String, String) {
    let installation = Installation::small("6.2.1");
    fs::write(installation.database(), bytes).unwrap();
    let report = refused(what, &installation);
    assert_eq!(report.code(), 4, "{what}: {}", report.answer);
    let entry = report.entry();
    assert!(entry["next_step"].is_string(), "{what}");
    (
        report.state().to_owned(),
        entry["reason"].as_str().unwrap().to_owned(),
    )
}

fn published() -> String {
    String::from_utf8(packages::published("knex-migrator", "6.2.1", DATABASE)).unwrap()
}

/// The published file with more code, run when it is loaded.
fn loading(more: &str) -> String {
    format!("{}\n{more}\n", published())
}

/// The published file with more code where the connection is made.
fn connecting(more: &str) -> String {
    published().replacen(
        "    debug('Create database', name);",
        &format!("    {more}"),
        1,
    )
}
