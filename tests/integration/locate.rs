//! Where there is no Ghost, or more than one, or no way in: each its own clear message, and nothing written.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::common::{PATCH, Report, ghostfix, run};
use crate::installation::{GHOST_5, GHOST_6, Installation, Layout, write};
use crate::process;
use crate::tree::Tree;

/// `patch` answers with this code, and every command that could write leaves everything as it is.
fn answer(code: i32, installation: &Installation, root: &Path) -> String {
    let before = Tree::of(&installation.beside(""));
    let mut said = String::new();
    for command in ["patch", "verify", "revert"] {
        let report = run(command, root, &["--only", PATCH]);
        assert_eq!(report.code(), code, "{command}: {}", report.answer);
        assert_eq!(report.json["schema"], "ghostfix.error.v1");
        assert!(
            report.json["next_step"]
                .as_str()
                .is_some_and(|next| !next.is_empty())
        );
        said = report.json["error"].as_str().unwrap().to_owned();
    }
    assert_eq!(before.changes(&Tree::of(&installation.beside(""))), [""; 0]);
    said
}

#[test]
fn no_such_directory() {
    let installation = Installation::empty();
    let said = answer(3, &installation, &installation.root.join("absent"));
    assert!(
        said.contains("absent") && said.contains("there is no such directory"),
        "{said}"
    );
}

#[test]
fn a_file_in_place_of_a_directory() {
    let installation = Installation::empty();
    let file = installation.root.join("ghost");
    write(&file, "");
    let said = answer(3, &installation, &file);
    assert!(said.contains("not a directory"), "{said}");
}

#[test]
fn an_empty_directory() {
    let installation = Installation::empty();
    let said = answer(3, &installation, &installation.root);
    assert!(said.contains("no Ghost in"), "{said}");
}

#[test]
fn another_package_than_ghost() {
    let installation = Installation::small("6.2.1");
    write(
        &installation.root.join("package.json"),
        r#"{"name": "strapi", "version": "5.0.0"}"#,
    );
    let said = answer(3, &installation, &installation.root);
    assert!(said.contains("strapi"), "{said}");
}

#[test]
fn ghost_without_the_package() {
    let installation = Installation::small("6.2.1");
    fs::remove_dir_all(installation.package()).unwrap();
    let report = installation.patch();
    assert_eq!(report.code(), 3, "{}", report.answer);
    assert_eq!(installation.verify().code(), 3);
}

#[test]
fn more_than_one_ghost() {
    let installation = Installation::real(Layout::GhostCli, GHOST_6);
    let other = installation.root.join("versions").join(GHOST_5);
    write(
        &other.join("package.json"),
        &format!(r#"{{"name": "ghost", "version": "{GHOST_5}"}}"#),
    );
    // With `current` there is one that is meant.
    assert_eq!(installation.dry_run().code(), 0);
    fs::remove_file(installation.root.join("current")).unwrap();
    let said = answer(3, &installation, &installation.root);
    assert!(said.contains(GHOST_5) && said.contains(GHOST_6), "{said}");
}

#[test]
fn a_link_that_dangles() {
    let installation = Installation::empty();
    symlink("versions/6.65.0", installation.root.join("current")).unwrap();
    let said = answer(3, &installation, &installation.root);
    assert!(said.contains("versions/6.65.0"), "{said}");
}

#[test]
fn a_link_that_leaves_the_root() {
    let elsewhere = Installation::small("6.2.1");
    let installation = Installation::empty();
    symlink(&elsewhere.root, installation.root.join("current")).unwrap();
    let before = Tree::of(&elsewhere.root);
    let said = answer(3, &installation, &installation.root);
    assert!(
        said.contains(&elsewhere.root.display().to_string()),
        "{said}"
    );
    assert_eq!(before.touched(&Tree::of(&elsewhere.root)), [""; 0]);
}

#[test]
fn a_package_or_file_that_lies_elsewhere() {
    for of_package in [true, false] {
        let elsewhere = Installation::small("6.2.1");
        let installation = Installation::small("6.2.1");
        if of_package {
            fs::remove_dir_all(installation.package()).unwrap();
            symlink(
                elsewhere.package(),
                installation.root.join("node_modules/knex-migrator"),
            )
            .unwrap();
        } else {
            fs::remove_file(installation.database()).unwrap();
            symlink(elsewhere.database(), installation.database()).unwrap();
        }
        let before = Tree::of(&elsewhere.root);
        let said = answer(4, &installation, &installation.root);
        assert!(
            said.contains(&elsewhere.root.display().to_string()),
            "{said}"
        );
        assert_eq!(before.touched(&Tree::of(&elsewhere.root)), [""; 0]);
    }
}

#[test]
fn no_file_where_it_should_be() {
    let installation = Installation::small("6.2.1");
    fs::remove_file(installation.database()).unwrap();
    let report = installation.patch();
    assert_eq!(
        (report.code(), report.state()),
        (4, "missing"),
        "{}",
        report.answer
    );
    assert!(report.entry()["next_step"].is_string());
}

#[test]
fn the_root_is_taken_from_the_environment_and_from_where_one_is() {
    let installation = Installation::real(Layout::GhostCli, GHOST_5);
    for (install, directory) in [
        (true, "/".as_ref()),
        (false, installation.root.as_path()),
        (false, &installation.ghost),
    ] {
        let mut command = crate::common::command(["verify", "--only", PATCH, "--format", "json"]);
        if install {
            command.env("GHOST_INSTALL", &installation.root);
        }
        command.current_dir(directory);
        let answer = process::bounded(command, Duration::from_secs(60));
        assert_eq!(answer.code(), 1, "{answer}");
        assert!(answer.stdout.contains("not-applied"), "{answer}");
    }
}

/// Runs as a user who owns nothing here; root sees no permissions.
fn as_plain_user(installation: &Installation, command: &str) -> Report {
    let elsewhere = tempfile::tempdir().unwrap();
    process::open_to_all(elsewhere.path());
    let program = elsewhere.path().join("ghostfix");
    fs::copy(&*crate::common::PROGRAM, &program).unwrap();
    let mut plain = if rustix::process::geteuid().is_root() {
        let mut setpriv = Command::new("setpriv");
        setpriv
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&program);
        setpriv
    } else {
        Command::new(&program)
    };
    plain
        .args([command, "--only", PATCH, "--format", "json", "--root"])
        .arg(&installation.root)
        .current_dir("/");
    let answer = process::bounded(plain, Duration::from_secs(60));
    let json = serde_json::from_str(&answer.stdout)
        .unwrap_or_else(|problem| panic!("{problem}: {answer}"));
    Report { answer, json }
}

#[test]
fn no_permission() {
    // In a place that a plain user gets to at all.
    let installation = Installation::small("6.2.1").moved_to(tempfile::tempdir().unwrap());
    let close = |path: &Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap()
    };
    let before = Tree::of(&installation.root);
    let directory = installation.database().parent().unwrap().to_owned();

    // To read is enough to verify, and not to patch.
    close(&directory, 0o555);
    close(installation.database(), 0o444);
    let report = as_plain_user(&installation, "verify");
    assert_eq!(report.code(), 1, "{}", report.answer);
    let report = as_plain_user(&installation, "patch");
    assert_eq!(report.code(), 5, "{}", report.answer);
    assert!(
        report.json["next_step"]
            .as_str()
            .unwrap()
            .contains("owns the files"),
        "{}",
        report.answer
    );

    // Not even to read, each part of the way.
    for path in [
        installation.database(),
        &directory,
        installation.package(),
        &installation.root,
    ] {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        close(path, 0o000);
        let report = as_plain_user(&installation, "verify");
        close(path, mode);
        assert_eq!(report.code(), 5, "{}: {}", path.display(), report.answer);
        assert!(
            report.json["error"]
                .as_str()
                .unwrap()
                .contains(&installation.root.display().to_string())
        );
    }
    close(&directory, 0o755);
    close(installation.database(), 0o644);
    assert_eq!(before.changes(&Tree::of(&installation.root)), [""; 0]);
}

#[test]
fn deep_finds_what_no_package_directory_holds() {
    let mut installation = Installation::real(Layout::GhostCli, GHOST_6);
    installation.add_copy(
        &installation.root.join("current/vendor/old/knex-migrator"),
        "3.1.3",
    );
    let shallow = run("patch", &installation.root, &["--only", PATCH, "--dry-run"]);
    assert_eq!(shallow.states(), ["would-apply"], "{}", shallow.answer);
    assert_eq!(shallow.json["coverage"]["everything"], false);
    let deep = run(
        "patch",
        &installation.root,
        &["--only", PATCH, "--dry-run", "--deep"],
    );
    assert_eq!(
        deep.states(),
        ["would-apply", "would-apply"],
        "{}",
        deep.answer
    );
    assert_eq!(deep.json["coverage"]["everything"], true);
}

#[test]
fn the_human_message_names_the_place_and_the_way_on() {
    let installation = Installation::empty();
    let answer = ghostfix([
        "patch".as_ref(),
        "--root".as_ref(),
        installation.root.as_os_str(),
    ]);
    assert_eq!(answer.code(), 3, "{answer}");
    assert_eq!(answer.stdout, "");
    assert!(
        answer.stderr.contains(installation.root.to_str().unwrap()),
        "{answer}"
    );
    assert!(answer.stderr.contains("next:"), "{answer}");
}
