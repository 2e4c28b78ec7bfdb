//! The pins themselves: complete, well formed, and refreshed on purpose only, by `GHOSTFIX_PINS=refresh`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::packages::{self, Pins};
use crate::process;

const HEADER: &str = "\
# Packages that the tests run on, by version and by the digest that npm gave when the pin was made.
# Facts only: the packages are fetched when a test needs them, and are checked against these lines.
# Made by `make pins`, which adds what is new on npm and refuses a digest that has changed.
";

/// The packages of which every published version is pinned. Of the others, the ones that are named stay.
const WHOLE: &[&str] = &["knex-migrator"];

#[test]
fn every_pin_is_a_sha512() {
    if std::env::var_os("GHOSTFIX_PINS").is_some_and(|word| word == "refresh") {
        refresh();
    }
    let pins = packages::pins();
    for (name, versions) in pins {
        for (version, integrity) in versions {
            let shape = integrity
                .strip_prefix("sha512-")
                .is_some_and(|digest| digest.len() == 88);
            assert!(
                shape,
                "{name}@{version}: {integrity} is no sha512 in npm's spelling"
            );
        }
    }
    assert!(
        pins["knex-migrator"].len() >= 71,
        "knex-migrator has at least 71 published versions"
    );
    for ghost in ["5.75.1", "6.65.0"] {
        assert!(
            pins["ghost"].contains_key(ghost),
            "the issue's own Ghost {ghost} is not pinned"
        );
    }
}

#[test]
fn the_pins_file_is_as_make_pins_writes_it() {
    let written = fs::read_to_string(packages::PINS_FILE).unwrap();
    assert_eq!(written, render(&toml::from_str(&written).unwrap()));
}

/// Asks npm, says what is new, and writes the file anew. A digest that changed under a version is never accepted.
fn refresh() {
    let before: Pins =
        toml::from_str(&fs::read_to_string(packages::PINS_FILE).unwrap_or_default()).unwrap();
    let mut after = before.clone();
    for name in WHOLE {
        after.entry((*name).to_owned()).or_default();
    }
    for (name, versions) in &mut after {
        let range = if WHOLE.contains(&name.as_str()) {
            ">=0".to_owned()
        } else {
            versions.keys().cloned().collect::<Vec<_>>().join(" || ")
        };
        for (version, integrity) in ask_npm(name, &range) {
            match versions.get(&version) {
                Some(pinned) => assert_eq!(
                    *pinned, integrity,
                    "{name}@{version} has another digest on npm than when it was pinned: do not trust either"
                ),
                None => {
                    announce(&format!("new: {name}@{version}"));
                    versions.insert(version, integrity);
                }
            }
        }
        let newest = newest(name);
        if !versions.contains_key(&newest) {
            announce(&format!("not pinned: {name}@{newest} is npm's latest"));
        }
    }
    fs::write(packages::PINS_FILE, render(&after)).unwrap();
}

fn ask_npm(name: &str, range: &str) -> BTreeMap<String, String> {
    #[derive(serde::Deserialize)]
    struct Published {
        version: String,
        #[serde(rename = "dist.integrity")]
        integrity: String,
    }
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        Many(Vec<Published>),
        One(Published),
    }
    let text = npm(&[
        "view",
        &format!("{name}@{range}"),
        "version",
        "dist.integrity",
        "--json",
    ]);
    let published =
        match serde_json::from_str(&text).unwrap_or_else(|problem| panic!("{problem}: {text}")) {
            OneOrMany::Many(all) => all,
            OneOrMany::One(one) => vec![one],
        };
    published
        .into_iter()
        .map(|one| (one.version, one.integrity))
        .collect()
}

fn newest(name: &str) -> String {
    serde_json::from_str(&npm(&["view", name, "version", "--json"])).unwrap()
}

fn npm(arguments: &[&str]) -> String {
    let mut npm = Command::new("npm");
    npm.args(arguments).current_dir(std::env::temp_dir());
    let answer = process::bounded(npm, Duration::from_secs(120));
    assert!(answer.success(), "{answer}");
    answer.stdout
}

fn render(pins: &Pins) -> String {
    let mut text = HEADER.to_owned();
    for (name, versions) in pins {
        let mut sorted: Vec<_> = versions.iter().collect();
        sorted.sort_by_key(|(version, _)| packages::numbers(version));
        write!(text, "\n[{name}]\n").unwrap();
        for (version, integrity) in sorted {
            writeln!(text, "\"{version}\" = \"{integrity}\"").unwrap();
        }
    }
    text
}

#[expect(
    clippy::print_stdout,
    reason = "what is new on npm is the point of a refresh"
)]
fn announce(line: &str) {
    println!("{line}");
}

#[test]
fn no_pinned_version_is_a_prerelease() {
    let names: BTreeSet<&str> = packages::pins().keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(["ghost", "knex-migrator"]));
    for versions in packages::pins().values() {
        for version in versions.keys() {
            assert_eq!(packages::numbers(version).len(), 3, "{version}");
        }
    }
}
