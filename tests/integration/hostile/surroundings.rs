//! Manifests, links and special files around the file that is meant.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::refused;
use crate::common::{PATCH, ghostfix, run};
use crate::installation::{Installation, write};
use crate::variants::DATABASE;

#[test]
fn a_package_json_that_is_none_is_told_by_name() {
    for (what, text) in [
        ("nothing", ""),
        ("no JSON", "{"),
        ("a list", "[]"),
        ("a word", "\"ghost\""),
        ("null", "null"),
        ("binary", "\0\u{1}\u{2}"),
        ("an HTML page", "<html>"),
        ("no version", r#"{"name": "ghost"}"#),
        (
            "a version that is no text",
            r#"{"name": "ghost", "version": 6}"#,
        ),
        (
            "deep nesting",
            &format!(
                "{{\"name\": \"ghost\", \"version\": \"6.65.0\", \"x\": {}{}}}",
                "[".repeat(100_000),
                "]".repeat(100_000)
            ),
        ),
    ] {
        for of_ghost in [true, false] {
            let installation = Installation::small("6.2.1");
            let manifest = if of_ghost {
                installation.ghost.join("package.json")
            } else {
                installation.package().join("package.json")
            };
            let text = if of_ghost {
                text.to_owned()
            } else {
                text.replace("\"ghost\"", "\"knex-migrator\"")
            };
            fs::write(&manifest, text).unwrap();
            let report = refused(what, &installation);
            let said = report.json["error"]
                .as_str()
                .unwrap_or_else(|| panic!("{what}: {}", report.answer));
            assert!(said.contains("package.json"), "{what}: {said}");
            assert!(report.json["next_step"].is_string(), "{what}");
        }
    }
}

#[test]
fn a_lying_version_changes_no_verdict() {
    let lying = |version: &str| {
        let installation = Installation::small("6.2.1");
        write(
            &installation.package().join("package.json"),
            &format!(r#"{{"name": "knex-migrator", "version": "{version}"}}"#),
        );
        installation
    };
    for version in ["0.0.0", "999.0.0", "5.1.5", "6.2.1-rc.1"] {
        let report = lying(version).patch();
        assert_eq!(
            (report.code(), report.state()),
            (0, "applied"),
            "{version}: {}",
            report.answer
        );
    }
    for version in ["latest", "../../etc/passwd", "\\u001b[2J\\u0007"] {
        let report = refused(version, &lying(version));
        assert_eq!(report.code(), 5, "{}", report.answer);
        assert!(
            report.json["error"]
                .as_str()
                .unwrap()
                .contains("which is no version"),
            "{}",
            report.answer
        );
        assert!(
            !report.answer.stderr.contains(['\u{1b}', '\u{7}']),
            "control characters reach no terminal"
        );
    }
    // A range reader's idea of a version may be generous; a terminal is not to pay for it.
    let installation = lying("6.2.1\\u001b[2J\\u0007");
    let root = installation.root.as_os_str();
    let answer = ghostfix([
        "patch".as_ref(),
        "--only".as_ref(),
        PATCH.as_ref(),
        "--root".as_ref(),
        root,
    ]);
    assert!(!answer.stdout.contains(['\u{1b}', '\u{7}']), "{answer}");
    assert!(!answer.stderr.contains(['\u{1b}', '\u{7}']), "{answer}");
}

#[test]
fn links_in_circles_come_to_an_end() {
    let circle = |at: &Path| {
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        symlink("b", at).unwrap();
        symlink(at.file_name().unwrap(), at.with_file_name("b")).unwrap();
    };
    let installation = Installation::empty();
    circle(&installation.root.join("current"));
    refused("current", &installation);

    let installation = Installation::small("6.2.1");
    fs::remove_dir_all(installation.package()).unwrap();
    circle(&installation.root.join("node_modules/knex-migrator"));
    refused("the package", &installation);

    let installation = Installation::small("6.2.1");
    fs::remove_file(installation.database()).unwrap();
    circle(installation.database());
    refused("the file", &installation);

    let installation = Installation::small("6.2.1");
    fs::remove_dir_all(installation.root.join("node_modules")).unwrap();
    circle(&installation.root.join("node_modules"));
    refused("node_modules", &installation);

    // Circles that nothing depends on are passed by.
    let installation = Installation::small("6.2.1");
    symlink(".", installation.root.join("node_modules/self")).unwrap();
    symlink("../..", installation.root.join("node_modules/@up")).unwrap();
    symlink(
        &installation.root,
        installation.package().join("node_modules"),
    )
    .unwrap();
    let report = run("patch", &installation.root, &["--only", PATCH, "--deep"]);
    assert_eq!(
        (report.code(), report.states()),
        (0, vec!["applied"]),
        "{}",
        report.answer
    );
}

#[test]
fn what_is_no_file_is_not_opened() {
    for (what, path) in [("the file", DATABASE), ("its manifest", "package.json")] {
        let installation = Installation::small("6.2.1");
        let path = installation.package().join(path);
        fs::remove_file(&path).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        refused(&format!("{what} is a pipe"), &installation);

        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        refused(&format!("{what} is a directory"), &installation);

        fs::remove_dir(&path).unwrap();
        symlink("/dev/zero", &path).unwrap();
        refused(&format!("{what} is a device"), &installation);

        fs::remove_file(&path).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(&path);
        refused(&format!("{what} is a socket"), &installation);
    }
}
