//! `ghostfix check` and `ghostfix verify --image`, as users and CI call them.

mod action;
mod baseline;
mod database;
mod faults;
mod images;
mod interrupted;
mod matrix;
mod npm;
mod real;
mod terminal;
mod upgrade;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ghostfix::catalogue;
use serde_json::{Value, json};

use crate::common::command;
use crate::ghost::fake_registry::Package;
use crate::packages;
use crate::process::{Answer, bounded};

const DATABASE: &str = "lib/database.js";
const LOCK_TABLE: &str = "migrations/add-primary-key-to-lock-table.js";
const SCHEMA: &str = "core/server/data/schema/schema.js";

/// The files of a Ghost that can be patched, no larger than they must be: each patch's first example.
fn ghost_files() -> Vec<(&'static str, &'static str)> {
    catalogue::patches()
        .iter()
        .filter(|patch| patch.definition.target.package == "ghost")
        .map(|patch| {
            (
                patch.definition.target.files[0].as_str(),
                patch.examples[0].1,
            )
        })
        .collect()
}

/// What is said of a Ghost in which every patch can be made.
fn all_made() -> Vec<(&'static str, &'static str)> {
    let ids = catalogue::patches().iter();
    ids.map(|patch| (patch.definition.id.as_str(), "would-apply"))
        .collect()
}

/// A Ghost of our own making that insists on a knex-migrator.
fn ghost(version: &str, knex_migrator: &str) -> Package {
    let package = Package::new("ghost", version)
        .field(
            "dependencies",
            json!({"knex-migrator": knex_migrator, "mysql2": "3.24.4"}),
        )
        .field("engines", json!({"node": "^22.13.1"}));
    ghost_files()
        .into_iter()
        .fold(package, |package, (path, text)| package.file(path, text))
}

/// The real knex-migrator, as far as it is patched.
fn knex_migrator(version: &str) -> Package {
    let file = |path: &str| packages::published("knex-migrator", version, path);
    Package::new("knex-migrator", version)
        .file(DATABASE, file(DATABASE))
        .file(LOCK_TABLE, file(LOCK_TABLE))
}

/// The oldest Ghosts have no migration library.
fn ancient() -> Package {
    Package::new("ghost", "0.11.14").field("dependencies", json!({"mysql": "2.1.1"}))
}

/// A Ghost whose schema nobody knows.
fn drifted(version: &str) -> Package {
    let package = Package::new("ghost", version)
        .field("dependencies", json!({"knex-migrator": "6.2.1"}))
        .file(
            SCHEMA,
            "module.exports = {comments: {parent_id: {refers: 'comments.id', oddly: true}}};\n",
        );
    ghost_files()
        .into_iter()
        .filter(|(path, _)| *path != SCHEMA)
        .fold(package, |package, (path, text)| package.file(path, text))
}

/// ghostfix in surroundings where npm is configured for nothing and the home directory is `home`.
fn at(home: &Path, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command
        .env("HOME", home)
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("TMPDIR", home)
        .current_dir(home);
    command
}

fn run(home: &Path, arguments: &[&str]) -> Answer {
    bounded(at(home, arguments), Duration::from_secs(120))
}

/// What was said on standard error, as one line: prose is broken where it fits.
fn said(answer: &Answer) -> String {
    answer
        .stderr
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// `ghostfix check` of these targets on a registry, as JSON.
fn check(home: &Path, registry: &str, arguments: &[&str]) -> (i32, Value) {
    let mut all = vec!["check", "--format", "json", "--registry", registry];
    all.extend(arguments);
    let answer = run(home, &all);
    let json = serde_json::from_str(&answer.stdout)
        .unwrap_or_else(|problem| panic!("{problem}: {answer}"));
    (answer.code(), json)
}

/// Target, Ghost and verdict of each target.
fn verdicts(report: &Value) -> Vec<(&str, &str, &str)> {
    report["targets"]
        .as_array()
        .unwrap_or_else(|| panic!("no targets: {report}"))
        .iter()
        .map(|target| {
            (
                target["target"].as_str().unwrap(),
                target["ghost"].as_str().unwrap_or("-"),
                target["verdict"].as_str().unwrap(),
            )
        })
        .collect()
}

fn states(target: &Value) -> Vec<(&str, &str)> {
    target["patches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["id"].as_str().unwrap(),
                entry["state"].as_str().unwrap(),
            )
        })
        .collect()
}
