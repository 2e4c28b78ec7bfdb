//! Versions, ranges, tags, tarballs and unpacked packages: what is asked for, what is answered, what is remembered.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest as _, Sha512};

use crate::check::{
    all_made, ancient, at, check, drifted, ghost, ghost_files, knex_migrator, run, said, states,
    verdicts,
};
use crate::ghost::fake_registry::{FakeRegistry, Package};
use crate::ghost::server::Reply;
use crate::process::bounded;

fn registry() -> FakeRegistry {
    FakeRegistry::start(vec![
        ancient(),
        ghost("5.75.1", "5.1.5"),
        ghost("6.65.0", "6.2.1"),
        ghost("6.66.0", "^6.0.0"),
        drifted("6.64.0"),
        ghost("6.63.0", "6.9.9"),
        knex_migrator("5.1.5"),
        knex_migrator("6.2.1"),
    ])
}

#[test]
fn one_version_is_told_with_its_patches_and_their_proofs() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let (code, report) = check(home.path(), &registry.url(), &["6.65.0"]);
    assert_eq!(code, 0, "{report}");
    let target = &report["targets"][0];
    assert_eq!(states(target), all_made());
    for entry in target["patches"].as_array().unwrap() {
        assert_eq!(entry["proof"]["syntax"], "passed", "{entry}");
        assert_eq!(entry["proof"]["behaviour"], "passed", "{entry}");
        assert!(!entry["proof"]["cases"].as_array().unwrap().is_empty());
        assert!(entry["diff"].as_str().unwrap().contains("\n+"), "{entry}");
    }
    for (pointer, expected) in [
        ("/target", "6.65.0"),
        ("/resolved_via", "npm"),
        ("/ghost", "6.65.0"),
        ("/node", "^22.13.1"),
        ("/knex_migrator/version", "6.2.1"),
        ("/knex_migrator/settled_by", "package.json"),
        ("/mysql2/version", "3.24.4"),
        ("/verdict", "ok"),
        ("/patches/0/package", "knex-migrator"),
        ("/patches/0/version", "6.2.1"),
        (
            "/patches/0/path",
            "node_modules/knex-migrator/lib/database.js",
        ),
        ("/patches/2/package", "ghost"),
        ("/patches/2/version", "6.65.0"),
        (
            "/patches/2/path",
            "core/server/data/migrations/init/2-create-fixtures.js",
        ),
    ] {
        assert_eq!(target.pointer(pointer).unwrap(), expected, "{pointer}");
    }
}

#[test]
fn every_kind_of_target_has_its_verdict() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let url = registry.url();
    for (target, expected, code) in [
        ("6.65.0", ("6.65.0", "ok"), 0),
        ("latest", ("6.66.0", "ok"), 0),
        ("^5", ("5.75.1", "ok"), 0),
        ("ghost@6.65.0", ("6.65.0", "ok"), 0),
        ("6.64.0", ("6.64.0", "refused"), 1),
        ("0.11.14", ("0.11.14", "not-applicable"), 3),
    ] {
        let (found, report) = check(home.path(), &url, &[target]);
        let (ghost, verdict) = expected;
        assert_eq!(verdicts(&report), [(target, ghost, verdict)]);
        assert_eq!(found, code, "{target}");
        assert_eq!(report["exit_code"], code);
    }
    // `dry-run` is another name of it, and without a target the newest Ghost is meant.
    let mut alias = at(home.path(), &["dry-run", "--registry", &url, "-q"]);
    alias.env("LANG", "C");
    let answer = bounded(alias, std::time::Duration::from_secs(60));
    assert_eq!(
        answer.stdout,
        format!(
            "Ghost 6.66.0 (latest) can be patched: {} would-apply.\n",
            all_made().len()
        )
    );
}

#[test]
fn an_images_tag_is_looked_up_on_npm_and_says_so() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let (code, report) = check(home.path(), &registry.url(), &["ghost:5-alpine"]);
    assert_eq!(code, 0);
    let target = &report["targets"][0];
    assert_eq!(target["resolved_via"], "npm");
    assert_eq!(target["ghost"], "5.75.1");
    assert_eq!(
        target["notes"],
        serde_json::json!([
            "looked up on npm: the image ghost:5-alpine may hold another version; docker://docker.io/library/ghost:5-alpine asks the image itself"
        ])
    );
}

#[test]
fn of_several_targets_the_worst_counts() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let url = registry.url();
    let code = |targets: &[&str]| check(home.path(), &url, targets).0;
    assert_eq!(code(&["6.65.0", "5.75.1", "0.11.14"]), 0);
    assert_eq!(code(&["6.65.0", "6.64.0"]), 1);
    let (code, report) = check(home.path(), &url, &["6.64.0", "6.65.1", "6.65.0", "6.65.0"]);
    assert_eq!(code, 6);
    assert_eq!(
        verdicts(&report),
        [
            ("6.64.0", "6.64.0", "refused"),
            ("6.65.1", "-", "unknown"),
            ("6.65.0", "6.65.0", "ok"),
        ]
    );
    assert_eq!(
        report["targets"][1]["next_step"],
        "did you mean 6.65.0? Near it are 6.66.0"
    );
}

#[test]
fn one_that_is_not_there_does_not_keep_the_others_from_their_verdicts() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let url = registry.url();
    fs::create_dir(home.path().join("empty")).unwrap();
    fs::write(home.path().join("text.tar"), "no archive").unwrap();
    let targets = ["6.65.0", "./nodir", "./empty", "./text.tar", "6.64.0"];
    let (code, report) = check(home.path(), &url, &targets);
    assert_eq!(code, 6);
    assert_eq!(
        verdicts(&report),
        [
            ("6.65.0", "6.65.0", "ok"),
            ("./nodir", "-", "unknown"),
            ("./empty", "-", "unknown"),
            ("./text.tar", "-", "unknown"),
            ("6.64.0", "6.64.0", "refused"),
        ]
    );
    let reason = report["targets"][1]["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("there is no file or directory "),
        "{reason}"
    );
    // What to do is said of a target, for which there is no --root.
    let alone = run(home.path(), &["check", "./empty", "--registry", &url]);
    let from = run(
        home.path(),
        &["check", "6.65.0", "--from", "./empty", "--registry", &url],
    );
    for answer in [alone, from] {
        assert_eq!(answer.code(), 3, "{answer}");
        let step = "next: give the directory of the Ghost installation, such as /var/lib/ghost";
        assert!(said(&answer).ends_with(step), "{answer}");
    }
    // Alone each is an error of its own kind, and what cannot be meant is one in any company.
    for (targets, expected) in [
        (&["./nodir"][..], 3),
        (&["./nodir", "./nodir"], 3),
        (&["./text.tar"], 6),
        (&["6.65.0", "a b"], 2),
    ] {
        assert_eq!(check(home.path(), &url, targets).0, expected, "{targets:?}");
    }
}

#[test]
fn the_selection_is_that_of_patch() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let url = registry.url();
    let (_, report) = check(home.path(), &url, &["6.65.0", "--profile", "mysql"]);
    assert_eq!(states(&report["targets"][0]), all_made()[..2]);
    // Without the patch that cannot be made, this Ghost is fine.
    let (code, report) = check(
        home.path(),
        &url,
        &["6.64.0", "--without", "comments-parent"],
    );
    assert_eq!((code, verdicts(&report)[0].2), (0, "ok"));
    assert_eq!(
        run(home.path(), &["check", "--only", "no-such-patch"]).code(),
        2
    );
}

#[test]
fn a_warm_cache_asks_for_nothing_and_works_offline() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let url = registry.url();
    let (_, cold) = check(home.path(), &url, &["6.65.0"]);
    let asked = registry.server.seen().len();
    let (_, warm) = check(home.path(), &url, &["6.65.0"]);
    let (_, offline) = check(home.path(), &url, &["6.65.0", "--offline"]);
    assert_eq!(cold, warm);
    assert_eq!(cold, offline);
    assert_eq!(registry.server.seen().len(), asked);
    // Proofs are kept, refusals are not: they might be the machine's fault.
    let files = 2 + ghost_files().len();
    let kept = || {
        fs::read_dir(home.path().join("cache/ghostfix/v2/judgements"))
            .unwrap()
            .count()
    };
    assert_eq!(kept(), files);
    check(home.path(), &url, &["6.64.0"]);
    assert_eq!(kept(), files);
    let answer = run(
        home.path(),
        &["check", "5.75.1", "--offline", "--registry", &url],
    );
    assert_eq!(answer.code(), 6);
    assert_eq!(
        answer.stderr,
        "error: ghost@5.75.1 is not in the cache\n next: run the same command once without --offline\n"
    );
}

#[test]
fn a_tag_means_offline_what_it_meant_last() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let url = registry.url();
    let ghost_of = |arguments: &[&str]| {
        let (code, report) = check(home.path(), &url, arguments);
        let ghost = report["targets"][0]["ghost"].as_str().map(str::to_owned);
        (code, ghost)
    };
    let known = |version: &str| (0, Some(version.to_owned()));
    assert_eq!(ghost_of(&["5.75.1"]), known("5.75.1"));
    assert_eq!(ghost_of(&["latest", "--offline"]), (6, None));
    // Where no target is named `latest` is meant, and asked for alone.
    assert_eq!(ghost_of(&[]), known("6.66.0"));
    assert_eq!(registry.asked("/ghost"), 0);
    for target in [&[][..], &["latest"], &["ghost:latest"]] {
        let arguments = [target, &["--offline"]].concat();
        assert_eq!(ghost_of(&arguments), known("6.66.0"), "{target:?}");
    }
    // A list of all versions that came later knows better.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let tarball = ghost("5.75.1", "5.1.5").tarball();
    let digest = STANDARD.encode(Sha512::digest(&tarball));
    let list = json!({"name": "ghost", "dist-tags": {"latest": "5.75.1"}, "versions": {
        "5.75.1": {"dist": {"tarball": "ghost/-/5.75.1.tgz", "integrity": format!("sha512-{digest}")}}}});
    registry.fault("/ghost", [Reply::json(list.to_string())]);
    assert_eq!(ghost_of(&["^5"]), known("5.75.1"));
    assert_eq!(ghost_of(&["--offline"]), known("5.75.1"));
}

#[test]
fn a_damaged_judgement_is_made_again() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let (_, before) = check(home.path(), &registry.url(), &["6.65.0"]);
    for entry in fs::read_dir(home.path().join("cache/ghostfix/v2/judgements")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.replace("would-apply", "not-needed ")).unwrap();
    }
    let (_, after) = check(home.path(), &registry.url(), &["6.65.0"]);
    assert_eq!(before["targets"], after["targets"]);
    assert_eq!(
        after["notes"],
        serde_json::json!([format!(
            "{} damaged entries of the cache were dropped",
            2 + ghost_files().len()
        )])
    );
}

#[test]
fn a_knex_migrator_that_the_registry_does_not_have_is_a_refusal_that_says_so() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let (code, report) = check(home.path(), &registry.url(), &["6.63.0"]);
    assert_eq!(code, 1);
    let target = &report["targets"][0];
    assert_eq!(target["verdict"], "refused");
    assert_eq!(
        target["reason"],
        "Ghost 6.63.0 cannot be installed from this registry: it insists on knex-migrator 6.9.9, which is not there."
    );
    let missing: Vec<&str> = states(target)
        .into_iter()
        .filter(|(_, state)| *state == "missing")
        .map(|(id, _)| id)
        .collect();
    assert_eq!(
        missing,
        ["database-exists", "lock-primary-key", "schema-lag"]
    );
    // Found out once, it is known offline, too.
    let (code, offline) = check(home.path(), &registry.url(), &["6.63.0", "--offline"]);
    assert_eq!((code, offline), (1, report));
}

#[test]
fn a_tarball_and_an_unpacked_package_are_judged_with_what_they_would_install() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let url = registry.url();
    let tarball = home.path().join("ghost-6.65.0.tgz");
    fs::write(&tarball, ghost("6.65.0", "6.2.1").tarball()).unwrap();
    let unpacked = home.path().join("unpacked");
    for (path, text) in ghost_files() {
        let path = unpacked.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::write(
        unpacked.join("package.json"),
        r#"{"name": "ghost", "version": "6.65.0", "dependencies": {"knex-migrator": "6.2.1"}}"#,
    )
    .unwrap();
    for (target, via) in [("ghost-6.65.0.tgz", "tarball"), ("./unpacked", "directory")] {
        let (code, report) = check(home.path(), &url, &[target]);
        assert_eq!(code, 0, "{report}");
        assert_eq!(report["targets"][0]["resolved_via"], via);
        assert_eq!(states(&report["targets"][0]), all_made());
    }
    // Installed, it is judged as it is, and nobody is asked.
    let asked = registry.server.seen().len();
    let installed = crate::installation::Installation::small("6.2.1");
    let (code, report) = check(
        home.path(),
        &url,
        &[
            installed.root.to_str().unwrap(),
            "--only",
            "database-exists",
        ],
    );
    assert_eq!(code, 0, "{report}");
    assert_eq!(
        report["targets"][0]["knex_migrator"]["settled_by"],
        "the installation"
    );
    assert_eq!(
        states(&report["targets"][0]),
        [("database-exists", "would-apply")]
    );
    installed.patch();
    let (_, report) = check(
        home.path(),
        &url,
        &[
            installed.root.to_str().unwrap(),
            "--only",
            "database-exists",
        ],
    );
    assert_eq!(
        states(&report["targets"][0]),
        [("database-exists", "already-applied")]
    );
    assert_eq!(registry.server.seen().len(), asked);
    // What is no Ghost at all.
    fs::create_dir(home.path().join("empty")).unwrap();
    assert_eq!(run(home.path(), &["check", "./empty"]).code(), 3);
    fs::write(
        home.path().join("other.tgz"),
        Package::new("casper", "1.0.0").tarball(),
    )
    .unwrap();
    let answer = run(home.path(), &["check", "other.tgz"]);
    assert_eq!(answer.code(), 6);
    assert!(said(&answer).contains("is not Ghost: its package.json is that of `casper`"));
}
