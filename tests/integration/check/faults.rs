//! A registry that fails or lies: the exit code says so, nothing of it is kept, and the next run is right.

use std::fs;
use std::path::Path;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use ghostfix::ghost::integrity::{Algorithm, Integrity};
use serde_json::json;

use crate::check::{
    SCHEMA, at, check, drifted, ghost, ghost_files, knex_migrator, run, said, verdicts,
};
use crate::ghost::fake_registry::{FakeRegistry, Package};
use crate::ghost::server::Reply;
use crate::process::bounded;

const TARBALL: &str = "/ghost/-/6.65.0.tgz";

fn registry() -> FakeRegistry {
    FakeRegistry::start(vec![ghost("6.65.0", "6.2.1"), knex_migrator("6.2.1")])
}

fn names(directory: impl AsRef<Path>) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// All that the cache holds, by path.
fn cached(home: &Path) -> Vec<(String, String)> {
    let cache = home.join("cache/ghostfix/v1");
    let files = walkdir::WalkDir::new(&cache)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            let path = entry.path().strip_prefix(&cache).unwrap();
            let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned();
            (path.display().to_string(), text)
        })
        .collect()
}

/// Of a Ghost that could not be had nothing stays: not a file, not a judgement, and nothing half-written anywhere.
fn assert_nothing_of_ghost(home: &Path, described: &str) {
    assert_eq!(names(home), [".npmrc", "cache"], "{described}");
    for (path, text) in cached(home) {
        // knex-migrator may have come beside it, and is as it should be.
        let is_ghosts = ghost_files()
            .iter()
            .any(|(path, code)| text == *code || text.contains(path));
        let is_metadata = path.starts_with("metadata/");
        assert!(
            is_metadata || !(is_ghosts || text.contains("evil") || path.starts_with("tmp/")),
            "{described}: {path}: {text}"
        );
    }
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
            "a length that leaves out its end",
            Reply::Claim {
                length: other.len() - 7,
                body: other.clone(),
            },
            "its sha512 digest is",
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
        assert_nothing_of_ghost(home.path(), name);
        registry.fault(TARBALL, []);
        let (code, report) = check(home.path(), &registry.url(), &["6.65.0"]);
        assert_eq!(
            (code, verdicts(&report)[0].2),
            (0, "ok"),
            "{name}: {report}"
        );
        // And what that one kept is right.
        let (code, offline) = check(home.path(), &registry.url(), &["6.65.0", "--offline"]);
        assert_eq!((code, &offline["targets"]), (0, &report["targets"]));
    }
}

#[test]
fn a_registry_that_stalls_is_waited_for_as_long_as_npm_would_and_no_longer() {
    let whole = ghost("6.65.0", "6.2.1").tarball();
    let stalled = |body: &[u8]| Reply::Stall {
        length: whole.len(),
        body: body.to_vec(),
    };
    for (name, fault) in [
        ("before it answers", Reply::Silence),
        ("before the first byte", stalled(&[])),
        ("in the middle", stalled(&whole[..whole.len() / 2])),
        ("before the last byte", stalled(&whole[..whole.len() - 1])),
    ] {
        let (registry, home) = (registry(), tempfile::tempdir().unwrap());
        fs::write(
            home.path().join(".npmrc"),
            "fetch-retries=1\nfetch-timeout=500\n",
        )
        .unwrap();
        registry.fault(TARBALL, [fault]);
        let answer = run(
            home.path(),
            &["check", "6.65.0", "--registry", &registry.url()],
        );
        assert_eq!(answer.code(), 6, "{name}: {answer}");
        assert_eq!(answer.stdout, "", "{name}");
        assert_eq!(
            said(&answer),
            format!(
                "error: the tarball of ghost@6.65.0: {} sent nothing for 0.5 s next: try again, name another registry with --registry, or use what is cached with --offline",
                registry.server.address
            ),
            "{name}"
        );
        assert_eq!(registry.asked(TARBALL), 2, "{name}");
        assert!(answer.took < Duration::from_secs(30), "{name}: {answer}");
        assert_nothing_of_ghost(home.path(), name);
        // Another registry has it.
        let (code, report) = check(home.path(), &self::registry().url(), &["6.65.0"]);
        assert_eq!(
            (code, verdicts(&report)[0].2),
            (0, "ok"),
            "{name}: {report}"
        );
    }
}

#[test]
fn a_registry_that_drips_is_given_up_on_like_one_that_stalls() {
    for (name, path, subject, asked) in [
        ("a tarball", TARBALL, "the tarball of ghost@6.65.0", 2),
        ("metadata", "/ghost/6.65.0", "ghost@6.65.0", 1),
    ] {
        let (registry, home) = (registry(), tempfile::tempdir().unwrap());
        fs::write(
            home.path().join(".npmrc"),
            "fetch-retries=1\nfetch-timeout=500\n",
        )
        .unwrap();
        // Never half a second without a byte, and two minutes for all of them.
        registry.fault(
            path,
            [Reply::Trickle {
                body: vec![b'x'; 2400],
                piece: 1,
                pause: Duration::from_millis(50),
            }],
        );
        let answer = run(
            home.path(),
            &["check", "6.65.0", "--registry", &registry.url()],
        );
        assert_eq!(answer.code(), 6, "{name}: {answer}");
        assert_eq!(answer.stdout, "", "{name}");
        let said = said(&answer);
        let start = format!(
            "error: {subject}: {} is too slow: ",
            registry.server.address
        );
        let end = " s, and less than 1024 B a second is not waited for next: try again, name another registry with --registry, or use what is cached with --offline";
        assert!(
            said.starts_with(&start) && said.ends_with(end),
            "{name}: {answer}"
        );
        assert_eq!(registry.asked(path), asked, "{name}");
        assert!(answer.took < Duration::from_secs(30), "{name}: {answer}");
        assert_nothing_of_ghost(home.path(), name);
        // Another registry has it.
        let (code, report) = check(home.path(), &self::registry().url(), &["6.65.0"]);
        assert_eq!(
            (code, verdicts(&report)[0].2),
            (0, "ok"),
            "{name}: {report}"
        );
    }
}

#[test]
fn a_digest_in_the_metadata_that_no_tarball_has_is_refused() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    fs::write(home.path().join(".npmrc"), "").unwrap();
    let manifest = |digest: &str| {
        Reply::json(
            json!({
                "name": "ghost", "version": "6.65.0", "dependencies": {"knex-migrator": "6.2.1"},
                "dist": {"tarball": format!("{}ghost/-/6.65.0.tgz", registry.url()), "integrity": digest},
            })
            .to_string(),
        )
    };
    let zeros = format!("sha512-{}==", "A".repeat(86));
    registry.fault("/ghost/6.65.0", [manifest(&zeros)]);
    let arguments = ["check", "6.65.0", "--registry", &registry.url()];
    let answer = run(home.path(), &arguments);
    assert_eq!(answer.code(), 6, "{answer}");
    let said = said(&answer);
    assert!(
        said.starts_with("error: the tarball of ghost@6.65.0: its sha512 digest is ")
            && said.contains(&format!("but {} was published", "0".repeat(128)))
            && said.contains("nothing of it was kept"),
        "{answer}"
    );
    assert_nothing_of_ghost(home.path(), "a digest of zeros");
    // What a registry says is remembered for itself alone.
    let (code, report) = check(home.path(), &self::registry().url(), &["6.65.0"]);
    assert_eq!((code, verdicts(&report)[0].2), (0, "ok"), "{report}");
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
        assert_eq!(cached(home.path()), [], "{name}");
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
    // In its metadata.
    let other = Package::new("ghost", "1.0.0").field("name", json!("not-ghost"));
    // In its tarball alone: the digest is right.
    let disguised = ghost("6.65.0", "6.2.1").field("name", json!("casper"));
    // Another Ghost than the one that was asked for.
    let older = ghost("6.65.0", "6.2.1").field("version", json!("6.64.0"));
    for (package, target, problem) in [
        (
            other,
            "latest",
            "ghost@latest: it is damaged: the registry answered with the metadata of not-ghost@1.0.0",
        ),
        (
            disguised,
            "6.65.0",
            "ghost@6.65.0 is not Ghost: its package.json is that of `casper`",
        ),
        (
            older,
            "6.65.0",
            "ghost@6.65.0 holds the package.json of 6.64.0",
        ),
    ] {
        let tarball = package.tarball();
        let registry = FakeRegistry::start(vec![package, knex_migrator("6.2.1")]);
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(".npmrc"), "").unwrap();
        if target == "6.65.0" {
            let integrity = Integrity::of_bytes(Algorithm::Sha512, &tarball).to_string();
            let manifest = json!({
                "name": "ghost", "version": "6.65.0", "dependencies": {"knex-migrator": "6.2.1"},
                "dist": {"tarball": format!("{}ghost/-/6.65.0.tgz", registry.url()), "integrity": integrity},
            });
            registry.fault("/ghost/6.65.0", [Reply::json(manifest.to_string())]);
        }
        let arguments = ["check", target, "--registry", &registry.url()];
        let answer = run(home.path(), &arguments);
        assert_eq!(answer.code(), 6, "{target}: {answer}");
        assert!(
            said(&answer).starts_with(&format!("error: {problem} next: ")),
            "{answer}"
        );
        assert_eq!(answer.stdout, "");
    }
}

#[test]
fn a_file_that_comes_twice_is_judged_as_it_is_in_the_end() {
    let good = ghost_files()
        .into_iter()
        .find_map(|(path, text)| (path == SCHEMA).then_some(text))
        .unwrap();
    let bad = "module.exports = {comments: {parent_id: {refers: 'comments.id', oddly: true}}};\n";
    for (package, expected) in [
        (ghost("6.65.0", "6.2.1").file(SCHEMA, bad), (1, "refused")),
        (drifted("6.65.0").file(SCHEMA, good), (0, "ok")),
    ] {
        let registry = FakeRegistry::start(vec![package, knex_migrator("6.2.1")]);
        let home = tempfile::tempdir().unwrap();
        let (code, report) = check(home.path(), &registry.url(), &["6.65.0"]);
        assert_eq!((code, verdicts(&report)[0].2), expected, "{report}");
        let (code, offline) = check(home.path(), &registry.url(), &["6.65.0", "--offline"]);
        assert_eq!(
            (code, &offline["targets"]),
            (expected.0, &report["targets"])
        );
    }
}

#[test]
fn a_tag_that_ghost_does_not_have_is_answered_with_the_nearest() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    for (tag, words) in [
        (
            "latst",
            "error: ghost has no tag `latst` next: did you mean latest? Or give a version, as in 6.65.0",
        ),
        (
            "nightly",
            "error: ghost has no tag `nightly` next: its tags are latest; or give a version, as in 6.65.0",
        ),
    ] {
        let answer = run(home.path(), &["check", tag, "--registry", &registry.url()]);
        assert_eq!((answer.code(), said(&answer).as_str()), (6, words));
    }
}
