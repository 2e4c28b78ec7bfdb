//! A registry that fails or lies: the exit code says so, nothing of it is kept, and the next run is right.

use std::fs;
use std::path::Path;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::check::{at, check, ghost, knex_migrator, run, said, verdicts};
use crate::ghost::fake_registry::{FakeRegistry, Package};
use crate::ghost::server::Reply;
use crate::process::bounded;

const TARBALL: &str = "/ghost/-/6.65.0.tgz";

fn registry() -> FakeRegistry {
    FakeRegistry::start(vec![ghost("6.65.0", "6.2.1"), knex_migrator("6.2.1")])
}

fn cached(home: &Path) -> usize {
    let files = walkdir::WalkDir::new(home.join("cache/ghostfix/v1"))
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file());
    files
        .filter(|entry| !entry.path().to_string_lossy().contains("/metadata/"))
        .count()
}

/// A gzip of nothing but zeros, or of a tar that leads out of the package.
fn packed(write: impl FnOnce(&mut GzEncoder<Vec<u8>>)) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    write(&mut encoder);
    encoder.finish().unwrap()
}

#[test]
fn what_is_not_as_published_is_refused_and_leaves_nothing_behind() {
    let other = ghost("6.65.0", "6.2.1")
        .file("core/server/models/session.js", "evil()")
        .tarball();
    let half = other[..other.len() / 2].to_vec();
    for (name, reply, words) in [
        (
            "other bytes",
            Reply::bytes("application/octet-stream", other.clone()),
            "its sha512 digest is",
        ),
        (
            "half of it",
            Reply::bytes("application/octet-stream", half.clone()),
            "ghost@6.65.0: ",
        ),
        (
            "a length that is a lie",
            Reply::Claim {
                length: other.len() + 7,
                body: other.clone(),
            },
            "ghost@6.65.0: ",
        ),
        (
            "no archive",
            Reply::bytes("text/html", b"<html>Sign in</html>".to_vec()),
            "ghost@6.65.0: ",
        ),
        ("gone", Reply::status(410), "its tarball is not at"),
        ("down", Reply::status(503), "503"),
    ] {
        let (registry, home) = (registry(), tempfile::tempdir().unwrap());
        fs::write(home.path().join(".npmrc"), "fetch-retries=0\n").unwrap();
        // The tarball in question is Ghost's alone; knex-migrator's may be fetched beside it, and is fine.
        registry.fault(TARBALL, [reply]);
        let answer = run(
            home.path(),
            &["check", "6.65.0", "--registry", &registry.url()],
        );
        assert_eq!(answer.code(), 6, "{name}: {answer}");
        assert!(said(&answer).contains(words), "{name}: {answer}");
        assert_eq!(answer.stdout, "", "{name}");
        let before = cached(home.path());
        registry.fault(TARBALL, []);
        let (code, report) = check(home.path(), &registry.url(), &["6.65.0"]);
        assert_eq!(
            (code, verdicts(&report)[0].2),
            (0, "ok"),
            "{name}: {report}"
        );
        assert!(cached(home.path()) > before);
    }
}

#[test]
fn a_bomb_and_a_path_that_escapes_do_nothing() {
    // 2 GiB of nothing, in members of 32 MiB that gzip puts behind one another.
    let mut bomb = packed(|encoder| {
        let mut header = tar::Header::new_gnu();
        header.set_path("package/README.md").unwrap();
        header.set_size(2 << 30);
        header.set_cksum();
        std::io::Write::write_all(encoder, header.as_bytes()).unwrap();
    });
    let member = packed(|encoder| {
        for _ in 0..32 {
            std::io::Write::write_all(encoder, &[0; 1 << 20]).unwrap();
        }
    });
    for _ in 0..64 {
        bomb.extend(&member);
    }
    let escape = packed(|encoder| {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..18].copy_from_slice(b"package/../../evil");
        header.set_size(4);
        header.set_cksum();
        std::io::Write::write_all(encoder, header.as_bytes()).unwrap();
        let mut block = [0; 1536];
        block[..4].copy_from_slice(b"evil");
        std::io::Write::write_all(encoder, &block).unwrap();
    });
    for (name, bytes) in [("bomb", bomb), ("escape", escape)] {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("ghost.tgz");
        fs::write(&file, &bytes).unwrap();
        let answer = run(home.path(), &["check", "ghost.tgz"]);
        assert_eq!(answer.code(), 6, "{name}: {answer}");
        assert!(
            said(&answer).contains("nothing of it was kept"),
            "{name}: {answer}"
        );
        assert!(answer.worked < Duration::from_secs(30), "{name}: {answer}");
        assert!(!home.path().join("evil").exists() && !home.path().join("../evil").exists());
        assert_eq!(cached(home.path()), 0, "{name}");
    }
}

#[test]
fn a_registry_that_cannot_be_asked_is_named_with_the_way_round() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join(".npmrc"), "fetch-retries=0\n").unwrap();
    // Nothing listens there.
    let answer = run(
        home.path(),
        &["check", "6.65.0", "--registry", "http://127.0.0.1:9/"],
    );
    assert_eq!(answer.code(), 6, "{answer}");
    assert!(said(&answer).contains("--registry"), "{answer}");
    // npm is not configured, and not there.
    let mut command = at(home.path(), &["check", "6.65.0"]);
    command.env("PATH", "/nonexistent");
    let answer = bounded(command, Duration::from_secs(30));
    assert_eq!(answer.code(), 6, "{answer}");
    assert!(said(&answer).contains("--registry"), "{answer}");
    // A program gets an object.
    let answer = run(
        home.path(),
        &[
            "check",
            "6.65.0",
            "--registry",
            "http://127.0.0.1:9/",
            "--format",
            "json",
        ],
    );
    let error: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(
        (&error["schema"], &error["exit_code"]),
        (&json!("ghostfix.error.v1"), &json!(6))
    );
}

#[test]
fn one_target_that_fails_does_not_cost_the_others() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    fs::write(home.path().join(".npmrc"), "fetch-retries=0\n").unwrap();
    registry.fault("/ghost/6.99.0", [Reply::HangUp]);
    let (code, report) = check(home.path(), &registry.url(), &["6.99.0", "6.65.0"]);
    assert_eq!(code, 6);
    assert_eq!(
        verdicts(&report),
        [("6.99.0", "-", "unknown"), ("6.65.0", "6.65.0", "ok")]
    );
}

#[test]
fn what_is_called_ghost_and_is_not_is_said_so() {
    let other = Package::new("ghost", "1.0.0").field("name", json!("not-ghost"));
    let (registry, home) = (
        FakeRegistry::start(vec![other]),
        tempfile::tempdir().unwrap(),
    );
    let answer = run(
        home.path(),
        &["check", "1.0.0", "--registry", &registry.url()],
    );
    assert_eq!(answer.code(), 6, "{answer}");
}
