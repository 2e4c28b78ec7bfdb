//! Releases by way of cache and registry: what is asked for, what is remembered, and what a fault leaves behind.

use std::path::Path;
use std::time::Duration;

use ghostfix::ghost::http::Patience;
use ghostfix::ghost::npm_config::Surroundings;
use ghostfix::ghost::release::{Release, ResolvedVia};
use ghostfix::ghost::upstream::{Settings, Upstream};
use ghostfix::ghost::wanted::Wanted;
use serde_json::json;

use crate::ghost::fake_registry::{FakeRegistry, Package};
use crate::ghost::server::Reply;

const DATABASE: &str = "lib/database.js";
const SCHEMA: &str = "core/server/data/schema/schema.js";

fn settings(registry: &str, cache: &Path) -> Settings {
    let home = [("HOME".to_owned(), "/nonexistent".to_owned())];
    Settings {
        registry: Some(registry.to_owned()),
        cache_directory: Some(cache.to_owned()),
        patience: Patience {
            connect: Duration::from_secs(2),
            stall: Duration::from_millis(300),
            retries: 0,
            pause: Duration::from_millis(1),
        },
        ..Settings::new(Surroundings::new(home, "/nonexistent"))
    }
}

fn ghost(version: &str, knex_migrator: &str) -> Package {
    Package::new("ghost", version)
        .field(
            "dependencies",
            json!({"knex-migrator": knex_migrator, "mysql2": "^3.0.0"}),
        )
        .field("engines", json!({"node": "^22.0.0"}))
        .file(SCHEMA, format!("schema of {version}"))
        .file("core/frontend/large.css", vec![b' '; 200_000])
}

fn knex_migrator(version: &str) -> Package {
    Package::new("knex-migrator", version).file(DATABASE, format!("database of {version}"))
}

fn packages() -> Vec<Package> {
    vec![
        ghost("6.0.0", "5.4.1"),
        ghost("6.65.0", "6.2.1"),
        ghost("6.66.0", "^6.0.0"),
        ghost("6.67.0", "^6.0.0").file(
            "pnpm-lock.yaml",
            "importers:\n  .:\n    dependencies:\n      knex-migrator:\n        version: 6.1.0(knex@2.4.2)\n",
        ),
        ghost("6.68.0", "6.2.1").field("overrides", json!({"knex-migrator": "6.1.0"})),
        Package::new("ghost", "0.11.14").field("dependencies", json!({"mysql": "2.1.1"})),
        knex_migrator("5.4.1"),
        knex_migrator("6.1.0"),
        knex_migrator("6.2.1"),
        Package::new("mysql2", "3.24.4"),
        Package::new("mysql2", "3.0.0"),
    ]
}

fn release(upstream: &Upstream, wanted: &str) -> ghostfix::error::Result<Release> {
    upstream.release(&Wanted::parse(wanted).unwrap())
}

fn summary(release: &Release) -> String {
    let migrator = release.knex_migrator.as_ref().map(|migrator| {
        let text = migrator.files.read_text(DATABASE).unwrap().unwrap();
        format!(
            "{} by {}: {text}",
            migrator.dependency.version, migrator.dependency.settled_by
        )
    });
    let version = |dependency: &Option<ghostfix::ghost::release::Dependency>| {
        dependency.as_ref().map_or_else(
            || "-".to_owned(),
            |dependency| dependency.version.to_string(),
        )
    };
    format!(
        "{} node {} mysql2 {} mysql {} migrator {} files {}",
        release.ghost,
        release.node.as_deref().unwrap_or("-"),
        version(&release.mysql2),
        version(&release.mysql),
        migrator.unwrap_or_else(|| "-".to_owned()),
        release.files.paths_below("").unwrap().join(" "),
    )
}

const LATEST: &str = "6.65.0 node ^22.0.0 mysql2 3.24.4 mysql - migrator 6.2.1 by package.json: database of 6.2.1 \
                      files core/server/data/schema/schema.js package.json";

#[test]
fn the_exact_knex_migrator_is_found_the_way_an_installation_finds_it() {
    let fake = FakeRegistry::start(packages());
    let cache = tempfile::tempdir().unwrap();
    let upstream = Upstream::open(&settings(&fake.url(), cache.path())).unwrap();
    let files = "files core/server/data/schema/schema.js package.json";
    for (wanted, expected) in [
        ("6.65.0", LATEST.to_owned()),
        (
            "6.66.0",
            format!(
                "6.66.0 node ^22.0.0 mysql2 3.24.4 mysql - migrator 6.2.1 by the registry, from the range ^6.0.0: database of 6.2.1 {files}"
            ),
        ),
        (
            "6.67.0",
            format!(
                "6.67.0 node ^22.0.0 mysql2 3.24.4 mysql - migrator 6.1.0 by pnpm-lock.yaml: database of 6.1.0 {files}"
            ),
        ),
        (
            "6.68.0",
            format!(
                "6.68.0 node ^22.0.0 mysql2 3.24.4 mysql - migrator 6.1.0 by `overrides`: database of 6.1.0 {files}"
            ),
        ),
        (
            "latest",
            format!(
                "6.68.0 node ^22.0.0 mysql2 3.24.4 mysql - migrator 6.1.0 by `overrides`: database of 6.1.0 {files}"
            ),
        ),
        (
            "0.11.14",
            "0.11.14 node - mysql2 - mysql 2.1.1 migrator - files package.json".to_owned(),
        ),
        (
            "<6.65",
            format!(
                "6.0.0 node ^22.0.0 mysql2 3.24.4 mysql - migrator 5.4.1 by package.json: database of 5.4.1 {files}"
            ),
        ),
    ] {
        let release = release(&upstream, wanted).unwrap();
        assert_eq!(summary(&release), expected);
        assert_eq!(release.resolved_via, ResolvedVia::Npm);
    }
    assert_eq!(upstream.notes(), Vec::<String>::new());
}

#[test]
fn an_exact_version_is_asked_for_once() {
    let fake = FakeRegistry::start(vec![
        ghost("6.65.0", "6.2.1").field(
            "dependencies",
            json!({"knex-migrator": "6.2.1", "mysql2": "3.24.4"}),
        ),
        knex_migrator("6.2.1"),
    ]);
    let cache = tempfile::tempdir().unwrap();
    let settings = settings(&fake.url(), cache.path());
    let cold = summary(&release(&Upstream::open(&settings).unwrap(), "6.65.0").unwrap());
    assert_eq!(cold, LATEST);
    let asked = fake.server.seen().len();
    assert_eq!(
        asked,
        4,
        "two manifests and two tarballs: {:?}",
        fake.server.seen()
    );
    let warm = release(&Upstream::open(&settings).unwrap(), "6.65.0").unwrap();
    assert_eq!(summary(&warm), cold);
    assert_eq!(fake.server.seen().len(), asked);
    let offline = Upstream::open(&Settings {
        offline: true,
        ..settings
    })
    .unwrap();
    assert_eq!(summary(&release(&offline, "6.65.0").unwrap()), cold);
    assert_eq!(fake.server.seen().len(), asked);
}

#[test]
fn ranges_and_tags_are_asked_for_again_but_not_fetched_again() {
    let fake = FakeRegistry::start(packages());
    let cache = tempfile::tempdir().unwrap();
    let settings = settings(&fake.url(), cache.path());
    for _ in 0..2 {
        release(&Upstream::open(&settings).unwrap(), "^6").unwrap();
    }
    assert_eq!(fake.asked("/ghost"), 2);
    assert_eq!(fake.asked("/ghost/-/6.68.0.tgz"), 1);
    let offline = Upstream::open(&Settings {
        offline: true,
        ..settings
    })
    .unwrap();
    assert_eq!(
        release(&offline, "latest").unwrap().ghost.to_string(),
        "6.68.0"
    );
    assert_eq!(fake.asked("/ghost"), 2);
}

#[test]
fn offline_says_what_is_missing() {
    let fake = FakeRegistry::start(packages());
    let cache = tempfile::tempdir().unwrap();
    let settings = Settings {
        offline: true,
        ..settings(&fake.url(), cache.path())
    };
    let upstream = Upstream::open(&settings).unwrap();
    for (wanted, problem) in [
        ("6.65.0", "ghost@6.65.0 is not in the cache"),
        (
            "latest",
            "the list of versions of ghost is not in the cache",
        ),
    ] {
        let error = release(&upstream, wanted).unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.exit_code()),
            (problem, 6)
        );
        assert_eq!(
            error.next_step(),
            "run the same command once without --offline"
        );
    }
    assert_eq!(fake.server.seen().len(), 0);
}

fn cached_files(cache: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![cache.join("v2")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path)
            } else {
                found.push(path)
            }
        }
    }
    found
}

#[test]
fn a_damaged_cache_is_fetched_anew() {
    let fake = FakeRegistry::start(packages());
    let cache = tempfile::tempdir().unwrap();
    let settings = settings(&fake.url(), cache.path());
    release(&Upstream::open(&settings).unwrap(), "6.65.0").unwrap();
    for path in cached_files(cache.path()) {
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
    let upstream = Upstream::open(&settings).unwrap();
    assert_eq!(summary(&release(&upstream, "6.65.0").unwrap()), LATEST);
    assert!(
        upstream.notes()[0].ends_with("damaged entries of the cache were dropped"),
        "{:?}",
        upstream.notes()
    );

    // A file that turns out to be damaged only when it is read: its release is there already.
    let upstream = Upstream::open(&settings).unwrap();
    let found = release(&upstream, "6.65.0").unwrap();
    for path in cached_files(cache.path()) {
        if path
            .parent()
            .unwrap()
            .parent()
            .unwrap()
            .ends_with("objects")
        {
            let length = std::fs::metadata(&path).unwrap().len();
            std::fs::write(&path, vec![0; length as usize]).unwrap();
        }
    }
    assert_eq!(summary(&found), LATEST);
    let offline = Upstream::open(&Settings {
        offline: true,
        ..settings
    })
    .unwrap();
    assert_eq!(summary(&release(&offline, "6.65.0").unwrap()), LATEST);
}

#[test]
fn a_fault_leaves_nothing_in_the_cache() {
    let honest = ghost("6.65.0", "6.2.1").tarball();
    let evil = ghost("6.65.0", "6.2.1").file(SCHEMA, "evil").tarball();
    let faults = [
        Reply::bytes("application/gzip", evil),
        Reply::bytes("application/gzip", honest[..honest.len() / 2].to_vec()),
        Reply::bytes("application/gzip", [honest.clone(), vec![0]].concat()),
        Reply::Stall {
            length: honest.len(),
            body: honest[..honest.len() - 1].to_vec(),
        },
        Reply::status(404),
        Reply::HangUp,
    ];
    for fault in faults {
        let fake = FakeRegistry::start(packages());
        let cache = tempfile::tempdir().unwrap();
        let settings = settings(&fake.url(), cache.path());
        fake.fault("/ghost/-/6.65.0.tgz", [fault.clone()]);
        let error = release(&Upstream::open(&settings).unwrap(), "6.65.0").unwrap_err();
        assert_eq!(error.exit_code(), 6, "{fault:?}: {error}");
        let kept: Vec<String> = cached_files(cache.path())
            .iter()
            .map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned())
            .collect();
        assert!(
            kept.iter()
                .all(|text| !text.contains("evil") && !text.contains("schema of")),
            "{fault:?}: {kept:?}"
        );
        let offline = Upstream::open(&Settings {
            offline: true,
            ..settings.clone()
        })
        .unwrap();
        assert!(release(&offline, "6.65.0").is_err());
        fake.fault("/ghost/-/6.65.0.tgz", []);
        assert_eq!(
            summary(&release(&Upstream::open(&settings).unwrap(), "6.65.0").unwrap()),
            LATEST
        );
    }
}

#[test]
fn a_tarball_of_something_else_is_refused() {
    let fake = FakeRegistry::start(vec![
        Package::new("ghost", "6.65.0").field("name", json!("casper")),
        ghost("6.66.0", "9.9.9"),
        ghost("6.67.0", "file:components/knex-migrator.tgz"),
        ghost("6.68.0", "6.2.1").file(
            "yarn.lock",
            "knex-migrator@6.2.1:\n  version \"6.2.1\"\n  integrity sha512-other\n",
        ),
        knex_migrator("6.2.1"),
        Package::new("mysql2", "3.0.0"),
    ]);
    let cache = tempfile::tempdir().unwrap();
    let upstream = Upstream::open(&settings(&fake.url(), cache.path())).unwrap();
    let failed = |wanted: &str| {
        let error = release(&upstream, wanted).unwrap_err();
        assert_eq!(error.exit_code(), 6);
        error.to_string()
    };
    assert_eq!(
        failed("6.65.0"),
        "ghost@6.65.0: it is damaged: the registry answered with the metadata of casper@6.65.0"
    );
    // The registry was asked and does not have it: that is an answer.
    let migrator = release(&upstream, "6.66.0").unwrap().knex_migrator.unwrap();
    assert_eq!(
        (
            migrator.unavailable,
            migrator.dependency.version.to_string()
        ),
        (true, "9.9.9".to_owned())
    );
    assert!(migrator.files.paths_below("").unwrap().is_empty());
    assert_eq!(
        failed("6.67.0"),
        "ghost@6.67.0 takes knex-migrator from `file:components/knex-migrator.tgz`, which is not on the registry"
    );
    let pinned = failed("6.68.0");
    assert!(
        pinned.starts_with("knex-migrator@6.2.1: Ghost's yarn.lock insists on sha512-other, but the registry has sha512-"),
        "{pinned}"
    );
}

#[test]
fn ghosts_own_tarball_is_read_from_disk() {
    let fake = FakeRegistry::start(packages());
    let directory = tempfile::tempdir().unwrap();
    let upstream = Upstream::open(&settings(&fake.url(), directory.path())).unwrap();
    let file = directory.path().join("ghost.tgz");
    std::fs::write(&file, ghost("6.65.0", "6.2.1").tarball()).unwrap();
    let found = upstream.release_in_tarball(&file).unwrap();
    assert_eq!(summary(&found), LATEST);
    assert_eq!(found.resolved_via, ResolvedVia::Tarball);
    assert_eq!(fake.asked("/ghost/-/6.65.0.tgz"), 0);
    std::fs::write(&file, knex_migrator("6.2.1").tarball()).unwrap();
    let error = upstream.release_in_tarball(&file).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is not Ghost: its package.json is that of `knex-migrator`"),
        "{error}"
    );
}

#[test]
fn many_runs_share_a_cache() {
    let fake = FakeRegistry::start(packages());
    let cache = tempfile::tempdir().unwrap();
    let settings = settings(&fake.url(), cache.path());
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    summary(&release(&Upstream::open(&settings).unwrap(), "6.65.0").unwrap())
                })
            })
            .collect();
        for run in runs {
            assert_eq!(run.join().unwrap(), LATEST);
        }
    });
}

#[test]
fn a_cache_that_cannot_be_written_costs_no_answer() {
    let fake = FakeRegistry::start(packages());
    let directory = tempfile::tempdir().unwrap();
    let in_the_way = directory.path().join("file");
    std::fs::write(&in_the_way, "").unwrap();
    let home = [(
        "XDG_CACHE_HOME".to_owned(),
        in_the_way.to_str().unwrap().to_owned(),
    )];
    let settings = Settings {
        registry: Some(fake.url()),
        ..Settings::new(Surroundings::new(home, directory.path()))
    };
    let upstream = Upstream::open(&settings).unwrap();
    assert_eq!(summary(&release(&upstream, "6.65.0").unwrap()), LATEST);
    assert!(
        upstream.notes()[0].starts_with("nothing is cached: create the cache in "),
        "{:?}",
        upstream.notes()
    );
}
