//! `--from`: what an upgrade does to the database, with small Ghosts of our own making.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::check::{ancient, check, ghost, knex_migrator, run, said};
use crate::ghost::fake_registry::{FakeRegistry, Package};

const VERSIONS: &str = "core/server/data/migrations/versions";
const FIRST: &str = "module.exports.up = async () => {};\n";
const SECOND: &str = "
    module.exports = {
        config: {transaction: true, irreversible: true},
        async up({transacting: knex}) {
            await knex.schema.alterTable('members', (table) => { table.dropColumn('note'); });
            await knex('members').update({status: 'free'});
        }
    };
";

fn older() -> Package {
    ghost("5.75.1", "5.1.5").file(&format!("{VERSIONS}/5.75/01-first.js"), FIRST)
}

fn newer() -> Package {
    ghost("6.65.0", "6.2.1")
        .file(&format!("{VERSIONS}/5.75/01-first.js"), FIRST)
        .file(&format!("{VERSIONS}/6.0/01-second.js"), SECOND)
        // Of a version that is yet to come: knex-migrator leaves it alone.
        .file(&format!("{VERSIONS}/6.66/01-third.js"), SECOND)
}

fn registry() -> FakeRegistry {
    FakeRegistry::start(vec![
        ancient(),
        older(),
        newer(),
        knex_migrator("5.1.5"),
        knex_migrator("6.2.1"),
    ])
}

/// Of the patches only one, whose file these Ghosts have: it is the upgrade that is asked about.
fn upgrade(home: &Path, registry: &str, to: &str, from: &[&str]) -> (i32, Value) {
    let arguments = [&[to, "--only", "database-exists"], from].concat();
    check(home, registry, &arguments)
}

fn ids(hazards: &Value) -> Vec<&str> {
    let hazards = hazards.as_array().unwrap().iter();
    hazards
        .map(|hazard| hazard["id"].as_str().unwrap())
        .collect()
}

#[test]
fn what_runs_is_told_with_its_hazards() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let (code, report) = upgrade(home.path(), &registry.url(), "6.65.0", &["--from", "^5"]);
    assert_eq!(code, 0, "{report}");
    let target = &report["targets"][0];
    assert_eq!(target["upgrade"]["from"], "^5");
    assert_eq!(target["upgrade"]["ghost"], "5.75.1");
    assert_eq!(
        ids(&target["upgrade"]["hazards"]),
        ["safe-migrations", "knex-migrator-changed"]
    );
    let [migration] = target["migrations"].as_array().unwrap().as_slice() else {
        panic!("{target}")
    };
    assert_eq!(
        ids(&migration["hazards"]),
        ["drop-column", "backfill", "irreversible"]
    );
    let mut migration = migration.clone();
    migration.as_object_mut().unwrap().remove("hazards");
    assert_eq!(
        migration,
        json!({
            "version": "6.0", "name": "01-second.js", "transactional": true, "irreversible": true, "aborts": false,
            "tables": ["members"], "columns": ["members.note", "members.status"], "foreign_keys": [],
            "rewrites": ["members"],
            "changes": [
                {"kind": "drop-column", "table": "members", "columns": ["note"], "when": "always",
                 "repeated": false, "narrowed": false},
                {"kind": "update", "table": "members", "columns": ["status"], "when": "always",
                 "repeated": false, "narrowed": false},
            ],
            "unknown": [],
        })
    );
    let (_, without) = upgrade(home.path(), &registry.url(), "6.65.0", &[]);
    assert_eq!(without["targets"][0].get("migrations"), None);
    assert_eq!(without["targets"][0].get("upgrade"), None);
}

#[test]
fn an_upgrade_begins_wherever_a_ghost_is() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let url = registry.url();
    fs::write(home.path().join("old.tgz"), older().tarball()).unwrap();
    let folder = home.path().join("old").join(VERSIONS).join("5.75");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("01-first.js"), FIRST).unwrap();
    fs::write(
        home.path().join("old/package.json"),
        r#"{"name": "ghost", "version": "5.75.1", "dependencies": {"knex-migrator": "5.1.5"}}"#,
    )
    .unwrap();
    for from in ["5.75.1", "ghost:5", "old.tgz", "./old"] {
        let (code, report) = upgrade(home.path(), &url, "6.65.0", &["--from", from]);
        assert_eq!(code, 0, "{from}: {report}");
        let target = &report["targets"][0];
        assert_eq!(target["upgrade"]["knex_migrator"], "5.1.5", "{from}");
        assert_eq!(target["migrations"][0]["name"], "01-second.js", "{from}");
        let note = report["notes"][0].as_str();
        assert_eq!(
            note.is_some_and(|note| note.starts_with("--from ghost:5 was looked up on npm")),
            from == "ghost:5",
            "{report}"
        );
    }
}

#[test]
fn nothing_leads_back() {
    let home = tempfile::tempdir().unwrap();
    // The newer one has given up a folder of the older one, as Ghost does with past major versions.
    let newest = ghost("6.66.0", "6.2.1").file(&format!("{VERSIONS}/6.66/01-third.js"), FIRST);
    let registry = FakeRegistry::start(vec![
        older(),
        newest,
        knex_migrator("5.1.5"),
        knex_migrator("6.2.1"),
    ]);
    let url = registry.url();
    let (code, back) = upgrade(home.path(), &url, "5.75.1", &["--from", "6.66.0"]);
    // The exit code is about patching, hazards have none: this Ghost can be patched.
    assert_eq!(code, 0);
    let target = &back["targets"][0];
    assert_eq!(target["verdict"], "ok");
    assert_eq!(target["migrations"], json!([]));
    let hazard = &target["upgrade"]["hazards"][0];
    assert_eq!(
        (hazard["id"].as_str(), hazard["level"].as_str()),
        (Some("newer-database"), Some("error"))
    );
    let reason = hazard["reason"].as_str().unwrap();
    assert!(
        reason.ends_with("and would run 1 of them on the newer tables, from 5.75/01-first.js on"),
        "{reason}"
    );
    let arguments = ["check", "5.75.1", "--from", "6.66.0", "--registry", &url];
    let answer = run(home.path(), &arguments);
    let words = answer
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    for told in [
        "proved. But no upgrade leads there: Ghost 5.75.1 is older than 6.66.0, and so than its database.",
        "From Ghost 6.66.0 back to 5.75.1: no upgrade leads there",
    ] {
        assert!(words.contains(told), "{told}: {answer}");
    }
}

#[test]
fn what_cannot_be_the_beginning_is_refused() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let url = registry.url();
    for (from, code, words) in [
        ("0.11.14", 6, "has no migrations of knex-migrator"),
        ("5.75.2", 6, "5.75.2"),
        ("./nowhere", 3, "nowhere"),
    ] {
        let answer = run(
            home.path(),
            &["check", "6.65.0", "--registry", &url, "--from", from],
        );
        assert_eq!(answer.code(), code, "{from}: {answer}");
        assert!(said(&answer).contains(words), "{from}: {answer}");
    }
    let answer = run(home.path(), &["check", "--all", "--from", "5.75.1"]);
    assert_eq!(answer.code(), 2, "{answer}");
}
