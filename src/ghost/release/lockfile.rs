//! Ghost's own lock file, as far as it settles which packages are installed: pnpm's, yarn's or npm's.
//!
//! Only a few names are asked for, and the files are large (pnpm's has 340 kB, in two documents): what is not asked
//! for is skipped, and nothing is expanded.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ghost::tarball::Kept;

/// The lock files, in the order in which package managers prefer them where there is more than one.
pub(super) const FILES: [&str; 4] = [
    "pnpm-lock.yaml",
    "yarn.lock",
    "npm-shrinkwrap.json",
    "package-lock.json",
];

/// What a lock file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Locked {
    /// Its name.
    pub(super) file: String,
    /// What it settles, by the name in package.json.
    pub(super) packages: BTreeMap<String, LockedPackage>,
}

/// One package of a lock file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LockedPackage {
    /// The version, or where else the package comes from (`file:…`).
    pub(super) version: String,
    /// The digest that the installation will insist on.
    pub(super) integrity: Option<String>,
    /// Whether the package manager changes the package after unpacking it.
    pub(super) patched: bool,
}

impl Locked {
    /// Reads the lock file among the files of a package; `wanted` are names and the ranges that are locked for them.
    pub(super) fn read(kept: &Kept, wanted: &BTreeMap<String, String>) -> Option<Self> {
        let file = FILES.into_iter().find(|file| kept.contains_key(*file))?;
        let text = String::from_utf8_lossy(&kept[file]);
        let packages = match file {
            "pnpm-lock.yaml" => pnpm(&text, wanted),
            "yarn.lock" => yarn(&text, wanted),
            _ => npm(&text, wanted),
        };
        Some(Self {
            file: file.to_owned(),
            packages,
        })
    }
}

/// Calls `visit` with the path and text of every scalar value; a list's items all have its path. An alias is passed
/// over: lock files have none, and expanding them is how YAML bombs work.
fn scalars(text: &str, mut visit: impl FnMut(&[String], &str)) {
    struct Level {
        is_mapping: bool,
        /// In a mapping: the next scalar is a key.
        expects_key: bool,
        /// It is itself a key: odd, but YAML.
        is_key: bool,
    }
    let mut levels: Vec<Level> = Vec::new();
    let mut path: Vec<String> = Vec::new();
    // True where what comes is a key; the key's name then goes on the path.
    let takes_key = |levels: &mut Vec<Level>| match levels.last_mut() {
        Some(level) if level.is_mapping => std::mem::take(&mut level.expects_key),
        _ => false,
    };
    // After a value, the key that it belongs to is done with.
    let value_done = |levels: &mut Vec<Level>, path: &mut Vec<String>| {
        if let Some(level) = levels.last_mut().filter(|level| level.is_mapping) {
            path.pop();
            level.expects_key = true;
        }
    };
    for event in Parser::new_from_str(text) {
        // What cannot be parsed settles nothing; what came before stays said.
        let Ok((event, _)) = event else { return };
        match event {
            Event::Scalar(scalar, ..) => {
                if takes_key(&mut levels) {
                    path.push(scalar.into_owned());
                } else {
                    visit(&path, &scalar);
                    value_done(&mut levels, &mut path);
                }
            }
            Event::Alias(_) => {
                if takes_key(&mut levels) {
                    path.push(String::new());
                } else {
                    value_done(&mut levels, &mut path);
                }
            }
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                let is_key = takes_key(&mut levels);
                if is_key {
                    path.push(String::new());
                }
                let is_mapping = matches!(event, Event::MappingStart(..));
                levels.push(Level {
                    is_mapping,
                    expects_key: is_mapping,
                    is_key,
                });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                if levels.pop().is_some_and(|level| !level.is_key) {
                    value_done(&mut levels, &mut path);
                }
            }
            Event::DocumentStart(_) => {
                levels.clear();
                path.clear();
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }
}

/// The text without the entries for other packages in the two sections that have one for each. They are nearly all of
/// the file, and telling them by their indentation, as pnpm writes it, takes a tenth of the time of parsing them. In any
/// other form nothing is left out.
fn without_others(text: &str, names: &[&str]) -> String {
    let mut kept = String::with_capacity(text.len() / 4);
    let (mut is_large, mut keeps) = (false, true);
    for line in text.split_inclusive('\n') {
        match line.as_bytes() {
            // What stands below a key that is too long for one line belongs to it.
            [b' ', b' ', b' ' | b':', ..] | [b'\r' | b'\n', ..] => {}
            [b' ', b' ', ..] if is_large => keeps = names.iter().any(|name| line.contains(name)),
            [b' ', ..] => {}
            _ => {
                is_large = matches!(line.trim_end(), "packages:" | "snapshots:");
                keeps = true;
            }
        }
        if keeps {
            kept.push_str(line);
        }
    }
    kept
}

fn pnpm(text: &str, wanted: &BTreeMap<String, String>) -> BTreeMap<String, LockedPackage> {
    let mut versions: BTreeMap<String, String> = BTreeMap::new();
    let mut integrities: BTreeMap<String, String> = BTreeMap::new();
    let mut patched: Vec<String> = Vec::new();
    let names: Vec<&str> = wanted.keys().map(String::as_str).collect();
    scalars(&without_others(text, &names), |path, value| {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            // Since version 6 with the specifier beside the version, before that without; a lone package may do
            // without the importers.
            ["importers", ".", kind, name, "version"]
            | ["importers", ".", kind, name]
            | [kind, name, "version"]
            | [kind, name]
                if matches!(*kind, "dependencies" | "optionalDependencies")
                    && wanted.contains_key(*name) =>
            {
                versions.insert((*name).to_owned(), value.to_owned());
            }
            ["packages", package, "resolution", "integrity"] => {
                let package = package.trim_start_matches('/');
                if wanted.keys().any(|name| package.starts_with(name.as_str())) {
                    integrities.insert(package.to_owned(), value.to_owned());
                }
            }
            ["patchedDependencies", package, ..] => patched.push((*package).to_owned()),
            _ => {}
        }
    });
    versions
        .into_iter()
        .map(|(name, found)| {
            // `6.2.1(knex@2.4.2(…))`, formerly `6.2.1_knex@2.4.2`: what follows are the peers.
            let version = found
                .split(['(', '_'])
                .next()
                .unwrap_or_default()
                .to_owned();
            let keys = [format!("{name}@{version}"), format!("{name}/{version}")];
            let package = LockedPackage {
                integrity: keys.iter().find_map(|key| integrities.get(key).cloned()),
                patched: patched
                    .iter()
                    .any(|patched| *patched == name || *patched == keys[0]),
                version,
            };
            (name, package)
        })
        .collect()
}

fn yarn(text: &str, wanted: &BTreeMap<String, String>) -> BTreeMap<String, LockedPackage> {
    let mut found: BTreeMap<String, LockedPackage> = BTreeMap::new();
    let mut current: Option<&str> = None;
    for line in text.lines() {
        if !line.starts_with([' ', '#']) {
            // `"a@^1", a@~1.2:` locks both ranges.
            current = line.strip_suffix(':').and_then(|entry| {
                entry.split(", ").find_map(|pattern| {
                    let pattern = pattern.trim_matches('"');
                    let at = pattern[1.min(pattern.len())..].find('@')? + 1;
                    let (name, range) = (&pattern[..at], &pattern[at + 1..]);
                    wanted
                        .get_key_value(name)
                        .filter(|(_, locked)| *locked == range)
                        .map(|(name, _)| name.as_str())
                })
            });
            continue;
        }
        let (Some(name), Some((key, value))) = (current, line.trim_start().split_once(' ')) else {
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let value = value.trim().trim_matches('"');
        let entry = || LockedPackage {
            version: String::new(),
            integrity: None,
            patched: false,
        };
        match (indent, key) {
            (2, "version") => {
                found.entry(name.to_owned()).or_insert_with(entry).version = value.to_owned()
            }
            (2, "integrity") => {
                found.entry(name.to_owned()).or_insert_with(entry).integrity =
                    Some(value.to_owned());
            }
            _ => {}
        }
    }
    found.retain(|_, package| !package.version.is_empty());
    found
}

fn npm(text: &str, wanted: &BTreeMap<String, String>) -> BTreeMap<String, LockedPackage> {
    let Ok(document) = serde_json::from_str::<Value>(text) else {
        return BTreeMap::new();
    };
    wanted
        .keys()
        .filter_map(|name| {
            let entry = [
                &document["packages"][format!("node_modules/{name}")],
                &document["dependencies"][name],
            ]
            .into_iter()
            .find(|entry| entry.is_object())?;
            let package = LockedPackage {
                version: entry["version"].as_str()?.to_owned(),
                integrity: entry["integrity"].as_str().map(str::to_owned),
                patched: false,
            };
            Some((name.clone(), package))
        })
        .collect()
}

/// The `overrides` of a pnpm-workspace.yaml, with what its catalogs stand for put in.
pub(super) fn workspace_overrides(text: &str) -> BTreeMap<String, String> {
    let mut overrides = BTreeMap::new();
    let mut catalogs: BTreeMap<(String, String), String> = BTreeMap::new();
    scalars(text, |path, value| {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["overrides", name] => {
                overrides.insert((*name).to_owned(), value.to_owned());
            }
            ["catalog", name] => {
                catalogs.insert(("default".to_owned(), (*name).to_owned()), value.to_owned());
            }
            ["catalogs", catalog, name] => {
                catalogs.insert(
                    ((*catalog).to_owned(), (*name).to_owned()),
                    value.to_owned(),
                );
            }
            _ => {}
        }
    });
    for (name, value) in &mut overrides {
        if let Some(catalog) = value.strip_prefix("catalog:") {
            let catalog = if catalog.is_empty() {
                "default"
            } else {
                catalog
            };
            if let Some(found) = catalogs.get(&(catalog.to_owned(), name.clone())) {
                *value = found.clone();
            }
        }
    }
    overrides
}

#[cfg(test)]
mod tests {
    use super::{Locked, LockedPackage, scalars, without_others, workspace_overrides};
    use std::collections::BTreeMap;

    fn locked(file: &str, text: &str) -> Vec<(String, LockedPackage)> {
        let wanted = [("knex-migrator", "^6.0.0"), ("mysql2", "3.6.5")]
            .map(|(name, range)| (name.to_owned(), range.to_owned()))
            .into();
        let kept = [(file.to_owned(), text.as_bytes().to_vec())].into();
        let found = Locked::read(&kept, &wanted).expect("a lock file");
        assert_eq!(found.file, file);
        found.packages.into_iter().collect()
    }

    fn package(
        name: &str,
        version: &str,
        integrity: Option<&str>,
        patched: bool,
    ) -> (String, LockedPackage) {
        let integrity = integrity.map(str::to_owned);
        (
            name.to_owned(),
            LockedPackage {
                version: version.to_owned(),
                integrity,
                patched,
            },
        )
    }

    #[test]
    fn pnpm_of_today_in_two_documents() {
        let text = "---\nlockfileVersion: '9.0'\nimporters:\n  .:\n    packageManagerDependencies:\n      pnpm:\n        version: 12.4.2\n\
            ---\nlockfileVersion: '9.0'\npatchedDependencies:\n  knex-migrator@6.2.1: abc\nimporters:\n  .:\n    dependencies:\n      \
            knex-migrator:\n        specifier: ^6.0.0\n        version: 6.2.1(@types/node@26.0.0)(knex@2.4.2(mysql2@3.24.4))\n      \
            other:\n        version: 1.0.0\n    optionalDependencies:\n      mysql2:\n        specifier: 3.6.5\n        version: 3.6.5\n\
            packages:\n  knex-migrator@6.2.1:\n    resolution: {integrity: sha512-one}\n    cpu: [x, y]\n  mysql2@3.6.5:\n    resolution: {integrity: sha512-two}\n";
        assert_eq!(
            locked("pnpm-lock.yaml", text),
            [
                package("knex-migrator", "6.2.1", Some("sha512-one"), true),
                package("mysql2", "3.6.5", Some("sha512-two"), false)
            ]
        );
    }

    #[test]
    fn pnpm_of_former_days() {
        let sixth = "lockfileVersion: '6.0'\ndependencies:\n  knex-migrator:\n    specifier: ^6\n    version: 6.1.0(knex@2.4.2)\n\
            packages:\n  /knex-migrator@6.1.0:\n    resolution: {integrity: sha512-one}\n";
        assert_eq!(
            locked("pnpm-lock.yaml", sixth),
            [package("knex-migrator", "6.1.0", Some("sha512-one"), false)]
        );
        let fifth = "lockfileVersion: 5.4\nspecifiers:\n  knex-migrator: ^6\ndependencies:\n  knex-migrator: 6.1.0_knex@2.4.2\n\
            packages:\n  /knex-migrator/6.1.0:\n    resolution: {integrity: sha512-one}\n";
        assert_eq!(
            locked("pnpm-lock.yaml", fifth),
            [package("knex-migrator", "6.1.0", Some("sha512-one"), false)]
        );
    }

    #[test]
    fn entries_for_others_are_not_parsed() {
        let text = "---\nimporters:\n  .:\n    dependencies:\n      other:\n        version: 1.0.0\n\npackages:\n\n  '@a/b@1.0.0':\n    \
            resolution: {integrity: x}\n\n  knex-migrator@6.2.1:\n    resolution: {integrity: y}\n    peer:\n      z: 1\n\n  zip@1.0.0:\n    a: b\n\
            snapshots:\n  ? mysql2@1(a)\n  : c: d\n  ? e\n  : f: g\nh:\n  i: j\n";
        let left = "---\nimporters:\n  .:\n    dependencies:\n      other:\n        version: 1.0.0\n\npackages:\n\n  knex-migrator@6.2.1:\n    \
            resolution: {integrity: y}\n    peer:\n      z: 1\n\nsnapshots:\n  ? mysql2@1(a)\n  : c: d\nh:\n  i: j\n";
        let names = ["knex-migrator", "mysql2"];
        assert_eq!(without_others(text, &names), left);
        let flow = "packages: {a@1: {resolution: {integrity: x}}}\n";
        assert_eq!(without_others(flow, &names), flow);
    }

    #[test]
    fn yarn_locks_ranges() {
        let text = "# yarn lockfile v1\n\n\n\"@scope/knex-migrator@^6.0.0\":\n  version \"9.9.9\"\n\nknex-migrator@^5, knex-migrator@^6.0.0:\n  \
            version \"6.2.1\"\n  resolved \"x\"\n  integrity sha512-one\n  dependencies:\n    version \"0.0.0\"\n\nmysql2@3.2.0:\n  version \"3.2.0\"\n\n\
            mysql2@3.6.5:\n  version \"3.6.5\"\n";
        assert_eq!(
            locked("yarn.lock", text),
            [
                package("knex-migrator", "6.2.1", Some("sha512-one"), false),
                package("mysql2", "3.6.5", None, false)
            ]
        );
    }

    #[test]
    fn npm_locks_in_two_layouts() {
        let first =
            r#"{"lockfileVersion": 1, "dependencies": {"knex-migrator": {"version": "6.2.1"}}}"#;
        assert_eq!(
            locked("npm-shrinkwrap.json", first),
            [package("knex-migrator", "6.2.1", None, false)]
        );
        let third = r#"{"packages": {"node_modules/mysql2": {"version": "3.6.5", "integrity": "sha512-two"},
                        "node_modules/knex-migrator/node_modules/mysql2": {"version": "1.0.0"}}}"#;
        assert_eq!(
            locked("package-lock.json", third),
            [package("mysql2", "3.6.5", Some("sha512-two"), false)]
        );
    }

    #[test]
    fn what_is_no_lock_file_settles_nothing() {
        for text in [
            "",
            "\t- : [",
            "importers: &a [*a, *a]",
            "{{{{",
            "knex-migrator",
            "\u{0}",
        ] {
            for file in super::FILES {
                assert_eq!(locked(file, text), [], "{file} {text:?}");
            }
        }
    }

    #[test]
    fn nested_yaml_keeps_its_paths() {
        let mut seen = Vec::new();
        scalars(
            "a: {b: [1, {c: 2}, 3], d: *x}\n? [k, k2]\n: v\ne: 4\n",
            |path, value| {
                seen.push(format!("{}={value}", path.join("/")));
            },
        );
        assert_eq!(
            seen,
            ["a/b=1", "a/b/c=2", "a/b=3"],
            "an unknown alias ends it"
        );
        let mut seen = Vec::new();
        scalars(
            "x: &x 1\na: {d: *x, e: 2}\n? {k: k2}\n: v\ne: 4\n",
            |path, value| {
                seen.push(format!("{}={value}", path.join("/")));
            },
        );
        assert_eq!(seen, ["x=1", "a/e=2", "/k=k2", "=v", "e=4"]);
    }

    #[test]
    fn workspace_overrides_know_catalogs() {
        let text = "catalog:\n  a: 1.0.0\ncatalogs:\n  old:\n    b: 2.0.0\noverrides:\n  a: 'catalog:'\n  b: catalog:old\n  c: ^3\n  d: 'catalog:'\n";
        let expected: BTreeMap<String, String> = [
            ("a", "1.0.0"),
            ("b", "2.0.0"),
            ("c", "^3"),
            ("d", "catalog:"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        assert_eq!(workspace_overrides(text), expected);
    }
}
