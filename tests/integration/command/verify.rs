//! `ghostfix verify`: believes the code and nothing else, and writes nothing.

use std::fs;

use crate::installation::{GHOST_6, Installation, Layout};
use crate::tree::Tree;

#[test]
fn before_the_patch_the_answer_is_no_and_after_it_yes() {
    let installation = Installation::real(Layout::OfficialImage, GHOST_6);
    let no = installation.verify();
    assert_eq!((no.code(), no.state()), (1, "not-applied"));
    installation.patch();
    let before = Tree::of(&installation.root);
    let yes = installation.verify();
    assert_eq!((yes.code(), yes.state()), (0, "already-applied"));
    assert_eq!(yes.entry()["proof"]["syntax"], "passed");
    assert_eq!(yes.entry()["proof"]["behaviour"], "passed");
    assert_eq!(before.touched(&Tree::of(&installation.root)), [""; 0]);
}

#[test]
fn the_receipt_is_believed_in_nothing() {
    let installation = Installation::small("6.2.1");
    let original = fs::read(installation.database()).unwrap();
    installation.patch();
    let patched = fs::read(installation.database()).unwrap();

    // The receipt says patched, the file is not.
    fs::write(installation.database(), &original).unwrap();
    let report = installation.verify();
    assert_eq!((report.code(), report.state()), (1, "not-applied"));

    // No receipt, or one that lies: the file is what counts.
    fs::write(installation.database(), &patched).unwrap();
    for receipt in walkdir::WalkDir::new(installation.ghost.join(".ghostfix"))
        .into_iter()
        .map(Result::unwrap)
    {
        if receipt.file_type().is_file() {
            fs::write(receipt.path(), "{\"files\": \"none\"}").unwrap();
        }
    }
    let report = installation.verify();
    assert_eq!(
        (report.code(), report.state()),
        (0, "already-applied"),
        "{}",
        report.answer
    );
    fs::remove_dir_all(installation.ghost.join(".ghostfix")).unwrap();
    let report = installation.verify();
    assert_eq!((report.code(), report.state()), (0, "already-applied"));
}

#[test]
fn an_edit_that_was_weakened_afterwards_is_seen() {
    for (from, to) in [
        ("1105", "1106"),
        ("database exists", "exists"),
        ("|| err.errno === 1105 &&", "|| err.errno === 1105 ||"),
    ] {
        let installation = Installation::small("6.2.1");
        installation.patch();
        let patched = fs::read_to_string(installation.database()).unwrap();
        let weakened = patched.replacen(from, to, 1);
        assert_ne!(patched, weakened, "{from}");
        fs::write(installation.database(), weakened).unwrap();
        let report = installation.verify();
        assert_eq!(report.code(), 1, "{from} -> {to}: {}", report.answer);
        assert_ne!(report.state(), "already-applied", "{from} -> {to}");
        let again = installation.patch();
        assert_eq!(again.code(), 4, "{from} -> {to}: {}", again.answer);
    }
}

#[test]
fn one_unpatched_copy_is_enough_for_a_no() {
    let installation = Installation::real(Layout::Flat, GHOST_6);
    installation.patch();
    let installation = installation.with_nested_copy("5.3.2");
    let report = installation.verify();
    assert_eq!(
        (report.code(), report.states()),
        (1, vec!["already-applied", "not-applied"]),
        "{}",
        report.answer
    );
}
