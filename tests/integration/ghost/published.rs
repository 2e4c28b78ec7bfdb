//! Real Ghosts from the registry that npm is configured for, against what npm itself says about them.

use std::path::{Path, PathBuf};
use std::process::Command;

use ghostfix::ghost::npm_config::Surroundings;
use ghostfix::ghost::release::Dependency;
use ghostfix::ghost::upstream::{Settings, Upstream};
use ghostfix::ghost::wanted::Wanted;

/// Kept between runs like the other packages that the tests fetch: what is cached has a digest.
fn upstream() -> Upstream {
    let base = std::env::var_os("GHOSTFIX_TEST_CACHE").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned(),
        PathBuf::from,
    );
    let settings = Settings {
        cache_directory: Some(base.join("upstream")),
        ..Settings::new(Surroundings::of_this_process())
    };
    Upstream::open(&settings).unwrap()
}

fn npm_view(package: &str, field: &str) -> String {
    let output = Command::new("npm")
        .args(["view", package, field])
        .output()
        .expect("these tests need npm on PATH");
    assert!(
        output.status.success(),
        "npm view {package}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// One Ghost of each way that it was packed and locked: pnpm, yarn, before yarn 1's integrity, npm, without knex-migrator.
#[test]
fn releases_are_what_npm_says_they_are() {
    let upstream = upstream();
    for (ghost, lock_file, migrations) in [
        (
            "6.65.0",
            "pnpm-lock.yaml",
            "core/server/data/migrations/versions/6.0",
        ),
        (
            "5.75.1",
            "yarn.lock",
            "core/server/data/migrations/versions/5.0",
        ),
        (
            "1.26.2",
            "yarn.lock",
            "core/server/data/migrations/versions/1.13",
        ),
        ("0.11.14", "", ""),
    ] {
        let release = upstream.release(&Wanted::parse(ghost).unwrap()).unwrap();
        let package = format!("ghost@{ghost}");
        assert_eq!(release.ghost.to_string(), ghost);
        assert_eq!(
            release.node.clone().unwrap_or_default(),
            npm_view(&package, "engines.node")
        );
        let settled = |name: &str, found: Option<&Dependency>| {
            // Every published Ghost names exact versions: what is declared is what is installed.
            assert_eq!(
                found
                    .map(|dependency| dependency.version.to_string())
                    .unwrap_or_default(),
                match npm_view(&package, &format!("dependencies.{name}")) {
                    declared if declared.is_empty() =>
                        npm_view(&package, &format!("optionalDependencies.{name}")),
                    declared => declared,
                },
                "{package} {name}"
            );
            if let Some(dependency) = found.filter(|_| !lock_file.is_empty()) {
                assert_eq!(
                    dependency.settled_by.to_string(),
                    lock_file,
                    "{package} {name}"
                );
            }
        };
        settled(
            "knex-migrator",
            release
                .knex_migrator
                .as_ref()
                .map(|migrator| &migrator.dependency),
        );
        settled("mysql2", release.mysql2.as_ref());
        settled("mysql", release.mysql.as_ref());
        if let Some(migrator) = &release.knex_migrator {
            let database = migrator
                .files
                .read_text("lib/database.js")
                .unwrap()
                .expect("the file that is patched");
            assert!(database.contains("createDatabaseIfNotExist"));
        }
        if !migrations.is_empty() {
            assert!(!release.files.paths_below(migrations).unwrap().is_empty());
            assert!(
                release
                    .files
                    .read("core/server/data/migrations/init/2-create-fixtures.js")
                    .unwrap()
                    .is_some()
            );
        }
        assert_eq!(release.notes, Vec::<String>::new());
    }
}

#[test]
fn a_version_that_was_never_published_is_answered_with_its_neighbours() {
    let error = upstream()
        .release(&Wanted::parse("6.56.99").unwrap())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no ghost@6.56.99 on the registry"
    );
    assert!(
        error.next_step().starts_with("did you mean "),
        "{}",
        error.next_step()
    );
    assert_eq!(error.exit_code(), 6);
}

#[test]
fn what_npm_would_install_for_a_range_is_picked() {
    let upstream = upstream();
    let newest = npm_view("knex-migrator@^5", "version");
    let theirs = newest
        .lines()
        .last()
        .unwrap()
        .split('\'')
        .nth(1)
        .map_or(newest.clone(), str::to_owned);
    let ours = upstream
        .manifest("knex-migrator", &Wanted::parse("^5").unwrap(), None)
        .unwrap();
    assert_eq!(ours.version.to_string(), theirs);
    let latest = upstream
        .manifest("ghost", &Wanted::parse("latest").unwrap(), None)
        .unwrap();
    assert_eq!(latest.version.to_string(), npm_view("ghost", "version"));
}
