//! `ghostfix patch`: what it writes, what it leaves alone, and that a second run does nothing at all.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::PermissionsExt as _;

use crate::common::{self, PATCH};
use crate::installation::{GHOST_5, GHOST_6, Installation, Layout};
use crate::packages;
use crate::tree::Tree;
use crate::variants::DATABASE;
use crate::witness;

#[test]
fn a_real_ghost_is_patched_however_it_was_installed() {
    for ghost in [GHOST_5, GHOST_6] {
        for layout in Layout::ALL {
            let installation = Installation::real(layout, ghost);
            let before = fs::read_to_string(installation.database()).unwrap();
            let tree = Tree::of(&installation.root);
            let report = installation.patch();
            assert_eq!(report.code(), 0, "{layout:?} {ghost}: {}", report.answer);
            assert_eq!(report.state(), "applied", "{layout:?} {ghost}");
            assert_eq!(report.json["ghost"]["version"], ghost);

            // Nothing but the one file and the receipt.
            let changes: Vec<String> = tree.changes(&Tree::of(&installation.root));
            let file = installation
                .database()
                .strip_prefix(&installation.root)
                .unwrap()
                .display()
                .to_string();
            let (ours, others): (Vec<_>, Vec<_>) = changes
                .into_iter()
                .partition(|change| change.contains(".ghostfix"));
            assert_eq!(others, [format!("~ {file}")], "{layout:?} {ghost}");
            assert!(!ours.is_empty());

            let after = fs::read_to_string(installation.database()).unwrap();
            let flaws = witness::flaws(&witness::watch(&before), &witness::watch(&after));
            assert!(flaws.is_empty(), "{layout:?} {ghost}: {flaws:#?}");
        }
    }
}

#[test]
fn the_diff_is_the_change_and_nothing_else() {
    let installation = Installation::small("6.2.1");
    let before = fs::read_to_string(installation.database()).unwrap();
    let report = installation.patch();
    let after = fs::read_to_string(installation.database()).unwrap();

    let diff = report.entry()["diff"].as_str().unwrap();
    let lines = |sign: char| -> Vec<&str> {
        diff.lines()
            .filter(|line| {
                line.starts_with(sign) && !line.starts_with("---") && !line.starts_with("+++")
            })
            .collect()
    };
    let (gone, come) = (lines('-'), lines('+'));
    assert_eq!((gone.len(), come.len()), (1, 1), "{diff}");
    assert_eq!(after, before.replacen(&gone[0][1..], &come[0][1..], 1));
    assert!(
        come[0].contains("1105") && come[0].contains("database exists"),
        "{diff}"
    );
}

#[test]
fn a_second_run_writes_nothing_at_all() {
    for layout in [Layout::OfficialImage, Layout::Flat] {
        let installation = Installation::real(layout, GHOST_6);
        assert_eq!(installation.patch().state(), "applied");
        let before = Tree::of(&installation.root);
        let report = installation.patch();
        assert_eq!((report.code(), report.state()), (0, "already-applied"));
        assert_eq!(
            before.touched(&Tree::of(&installation.root)),
            [""; 0],
            "{layout:?}"
        );
    }
}

#[test]
fn a_dry_run_tells_all_and_writes_nothing() {
    let installation = Installation::small("6.2.1");
    let before = Tree::of(&installation.root);
    let dry = installation.dry_run();
    assert_eq!((dry.code(), dry.state()), (0, "would-apply"));
    assert_eq!(before.touched(&Tree::of(&installation.root)), [""; 0]);

    let done = installation.patch();
    for field in ["id", "package", "version", "path", "shape", "proof", "diff"] {
        assert_eq!(dry.entry()[field], done.entry()[field], "{field}");
    }
    assert_eq!(dry.entry()["proof"]["syntax"], "passed");
    assert_eq!(dry.entry()["proof"]["behaviour"], "passed");
}

#[test]
fn pnpm_s_store_is_never_written_through() {
    let installation = Installation::real(Layout::OfficialImage, GHOST_6);
    let store = installation.store.clone().unwrap();
    let stored = Tree::of(&store);
    let inode = fs::metadata(installation.database()).unwrap().ino();
    assert_eq!(installation.patch().state(), "applied");

    assert_eq!(stored.changes(&Tree::of(&store)), [""; 0]);
    let now = fs::metadata(installation.database()).unwrap();
    assert_ne!(now.ino(), inode, "the file must be a new one");
    assert_eq!(now.nlink(), 1);
}

#[test]
fn two_entries_of_pnpm_s_virtual_store_are_two_copies_of_one_file() {
    let version = "6.2.1";
    let installation = Installation::real(Layout::Pnpm, GHOST_6).with_second_pnpm_entry(version);
    let report = installation.patch();
    assert_eq!(
        (report.code(), report.states()),
        (0, vec!["applied", "applied"]),
        "{}",
        report.answer
    );
    let stored = fs::read(
        installation
            .store
            .as_ref()
            .unwrap()
            .join(format!("knex-migrator-{version}"))
            .join(DATABASE),
    )
    .unwrap();
    assert_eq!(
        stored,
        packages::published("knex-migrator", version, DATABASE),
        "the store is as it was"
    );
    for database in &installation.databases {
        assert_ne!(
            fs::read(database).unwrap(),
            stored,
            "{}",
            database.display()
        );
    }
}

#[test]
fn a_copy_within_another_package_is_found_and_patched() {
    let installation = Installation::real(Layout::Flat, GHOST_5).with_nested_copy("3.1.3");
    let report = installation.patch();
    assert_eq!(
        (report.code(), report.states()),
        (0, vec!["applied", "applied"]),
        "{}",
        report.answer
    );
    let versions: Vec<&str> = report
        .entries()
        .iter()
        .map(|entry| entry["version"].as_str().unwrap())
        .collect();
    assert_eq!(
        versions,
        ["5.1.5", "3.1.3"],
        "the one that Node finds comes first"
    );
}

#[test]
fn all_copies_are_patched_or_none() {
    let installation = Installation::real(Layout::Flat, GHOST_6).with_nested_copy("6.1.0");
    let nested = &installation.databases[1];
    let drifted = fs::read_to_string(nested)
        .unwrap()
        .replace("err.errno === 1007", "err.errno === 1008");
    fs::write(nested, drifted).unwrap();
    let before = Tree::of(&installation.root);
    let report = installation.patch();
    assert_eq!(
        (report.code(), report.states()),
        (4, vec!["not-applied", "drifted"]),
        "{}",
        report.answer
    );
    assert_eq!(
        before
            .changes(&Tree::of(&installation.root))
            .iter()
            .filter(|change| !change.contains(".ghostfix"))
            .count(),
        0
    );
}

#[test]
fn mode_and_owner_stay() {
    let installation = Installation::small("6.2.1");
    let database = installation.database();
    fs::set_permissions(database, fs::Permissions::from_mode(0o640)).unwrap();
    let root = rustix::process::geteuid().is_root();
    if root {
        std::os::unix::fs::chown(database, Some(1000), Some(1001)).unwrap();
    }
    let before = fs::metadata(database).unwrap();
    assert_eq!(installation.patch().state(), "applied");
    let after = fs::metadata(database).unwrap();
    assert_eq!(
        (after.mode(), after.uid(), after.gid()),
        (before.mode(), before.uid(), before.gid())
    );
}

#[test]
fn an_image_built_twice_holds_the_same_bytes() {
    let build = || {
        let installation = Installation::real(Layout::OfficialImage, GHOST_6);
        assert_eq!(installation.patch().state(), "applied");
        let receipt = installation.ghost.join(".ghostfix");
        let mut files: Vec<(String, Vec<u8>)> = walkdir::WalkDir::new(&receipt)
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                (
                    entry
                        .path()
                        .strip_prefix(&receipt)
                        .unwrap()
                        .display()
                        .to_string(),
                    fs::read(entry.path()).unwrap(),
                )
            })
            .collect();
        files.sort();
        (files, fs::read(installation.database()).unwrap())
    };
    let (one, other) = (build(), build());
    assert!(!one.0.is_empty(), "there is a receipt");
    assert_eq!(one, other);
}

#[test]
fn two_runs_at_once_do_no_harm() {
    let installation = Installation::real(Layout::OfficialImage, GHOST_6);
    let reports: Vec<common::Report> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| installation.patch()))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let mut states: Vec<&str> = reports.iter().map(common::Report::state).collect();
    states.sort_unstable();
    assert_eq!(
        states,
        [
            "already-applied",
            "already-applied",
            "already-applied",
            "applied"
        ]
    );
    assert_eq!(
        (installation.verify().code(), installation.revert().code()),
        (0, 0)
    );
    let original = packages::published("knex-migrator", "6.2.1", DATABASE);
    assert_eq!(fs::read(installation.database()).unwrap(), original);
}

#[test]
fn everything_that_a_profile_selects_is_patched_in_a_real_ghost() {
    let installation = Installation::real(Layout::OfficialImage, GHOST_6);
    let before = Tree::of(&installation.root);
    let report = common::run("patch", &installation.root, &[]);
    assert_eq!(report.code(), 0, "{}", report.answer);
    assert!(report.entries().iter().any(|entry| entry["id"] == PATCH));
    assert!(
        report
            .states()
            .iter()
            .all(|state| ["applied", "not-needed"].contains(state)),
        "{}",
        report.answer
    );
    assert_eq!(common::run("verify", &installation.root, &[]).code(), 0);
    assert_eq!(common::run("revert", &installation.root, &[]).code(), 0);
    let left: Vec<String> = before
        .changes(&Tree::of(&installation.root))
        .into_iter()
        .filter(|change| !change.contains(".ghostfix"))
        .collect();
    assert_eq!(
        left, [""; 0],
        "revert gives back the identical installation"
    );
}
