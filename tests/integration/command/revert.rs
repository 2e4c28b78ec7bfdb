//! `ghostfix revert`: the identical bytes, or a refusal.

use std::fs;

use crate::common::run;
use crate::installation::{GHOST_5, GHOST_6, Installation, Layout};
use crate::tree::Tree;

/// What differs, ghostfix's own directory aside.
fn left(before: &Tree, installation: &Installation) -> Vec<String> {
    before
        .changes(&Tree::of(&installation.root))
        .into_iter()
        .filter(|change| !change.contains(".ghostfix"))
        .collect()
}

#[test]
fn every_layout_comes_back_byte_for_byte() {
    for (layout, ghost) in Layout::ALL
        .into_iter()
        .zip([GHOST_5, GHOST_6].into_iter().cycle())
    {
        let installation = Installation::real(layout, ghost).with_nested_copy("0.0.7");
        let before = Tree::of(&installation.root);
        let patched = installation.patch();
        assert_eq!(
            patched.states(),
            ["applied", "applied"],
            "{layout:?}: {}",
            patched.answer
        );
        let report = installation.revert();
        assert_eq!(
            (report.code(), report.states()),
            (0, vec!["reverted", "reverted"]),
            "{layout:?}: {}",
            report.answer
        );
        assert_eq!(left(&before, &installation), [""; 0], "{layout:?}");
        assert_eq!(installation.verify().code(), 1);
    }
}

#[test]
fn of_two_patches_in_one_file_each_shows_what_it_takes_out() {
    let installation = Installation::small("6.2.1");
    let both = ["--only", "database-exists", "--only", "schema-lag"];
    let patched = run("patch", &installation.root, &both);
    assert_eq!(
        patched.states(),
        ["applied", "applied"],
        "{}",
        patched.answer
    );
    let report = run("revert", &installation.root, &both);
    assert_eq!(
        report.states(),
        ["reverted", "reverted"],
        "{}",
        report.answer
    );
    let diffs = report
        .entries()
        .iter()
        .map(|entry| entry["diff"].as_str().unwrap())
        .collect::<Vec<_>>();
    assert!(
        diffs[0].contains("1105") && diffs[0].contains("database exists"),
        "{}",
        diffs[0]
    );
    assert!(!diffs[0].contains("not found in table"), "{}", diffs[0]);
    assert!(diffs[1].contains("not found in table"), "{}", diffs[1]);
    assert!(!diffs[1].contains("database exists"), "{}", diffs[1]);
}

#[test]
fn a_second_revert_does_nothing_at_all() {
    let installation = Installation::small("5.1.5");
    installation.patch();
    installation.revert();
    let before = Tree::of(&installation.root);
    let report = installation.revert();
    assert_eq!(report.code(), 0, "{}", report.answer);
    assert_eq!(before.touched(&Tree::of(&installation.root)), [""; 0]);
}

#[test]
fn nothing_is_taken_out_of_what_was_never_patched() {
    let installation = Installation::small("5.1.5");
    let before = Tree::of(&installation.root);
    assert_eq!(installation.revert().code(), 0);
    assert_eq!(left(&before, &installation), [""; 0]);
}

#[test]
fn a_file_that_was_written_since_is_left_alone() {
    let installation = Installation::small("6.2.1");
    installation.patch();
    let mut edited = fs::read_to_string(installation.database()).unwrap();
    edited.push_str("\n// mine\n");
    fs::write(installation.database(), &edited).unwrap();
    let report = installation.revert();
    assert_eq!(report.code(), 4, "{}", report.answer);
    assert_eq!(fs::read_to_string(installation.database()).unwrap(), edited);
}

#[test]
fn without_a_receipt_nothing_tells_what_was_there_before() {
    let installation = Installation::small("6.2.1");
    installation.patch();
    let patched = fs::read(installation.database()).unwrap();
    fs::remove_dir_all(installation.ghost.join(".ghostfix")).unwrap();
    let report = installation.revert();
    assert_eq!(report.code(), 4, "{}", report.answer);
    assert_eq!(fs::read(installation.database()).unwrap(), patched);
}

#[test]
fn patch_revert_patch_gives_the_same_file_each_time() {
    let installation = Installation::real(Layout::Pnpm, GHOST_6);
    installation.patch();
    let first = fs::read(installation.database()).unwrap();
    installation.revert();
    assert_eq!(installation.patch().state(), "applied");
    assert_eq!(fs::read(installation.database()).unwrap(), first);
}
