//! One published Ghost: its files, the Node that it wants, and the exact knex-migrator and mysql2 that it would install.
//!
//! Where the bytes come from is the [`upstream`](super::upstream)'s; what they mean for a patch is judged elsewhere.

mod lockfile;
mod settle;

pub use settle::SettledBy;

use std::collections::BTreeMap;
use std::fmt;

use nodejs_semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::files::Files;
use super::tarball::Kept;
use crate::error::{Error, Result};
use lockfile::Locked;
use settle::Declarations;
pub(super) use settle::Settled;

/// The dependencies that are asked for.
const DEPENDENCIES: [&str; 3] = ["knex-migrator", "mysql", "mysql2"];

/// A Ghost, and what it brings along.
#[derive(Debug, Clone)]
pub struct Release {
    /// Ghost's version.
    pub ghost: Version,
    /// `engines.node`
    pub node: Option<String>,
    /// The migration library; the oldest Ghosts have none.
    pub knex_migrator: Option<Migrator>,
    /// The driver of Ghost 4.40 and later.
    pub mysql2: Option<Dependency>,
    /// The driver before.
    pub mysql: Option<Dependency>,
    /// Where Ghost's version and files come from.
    pub resolved_via: ResolvedVia,
    /// Ghost's own files, as far as they concern the database.
    pub files: Files,
    /// What is worth a line and changes no verdict.
    pub notes: Vec<String>,
}

/// A dependency whose version is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The package: another than the name in package.json where that is an alias.
    pub package: String,
    /// Its version.
    pub version: Version,
    /// Who settled it.
    pub settled_by: SettledBy,
}

/// knex-migrator, with its files.
#[derive(Debug, Clone)]
pub struct Migrator {
    /// Which it is.
    pub dependency: Dependency,
    /// Its files, as far as they can be patched; none where it is unavailable.
    pub files: Files,
    /// The registry does not have this version, though Ghost insists on it: nothing can be installed from there.
    pub unavailable: bool,
}

/// Where a release was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResolvedVia {
    /// npm's registry: for the tag of an image, that image may differ.
    Npm,
    /// A `.tgz` that was named.
    Tarball,
    /// An installed Ghost.
    Directory,
    /// An image or an archive of one.
    Image,
}

impl fmt::Display for ResolvedVia {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Npm => "npm",
            Self::Tarball => "tarball",
            Self::Directory => "directory",
            Self::Image => "image",
        })
    }
}

/// Which files of a package are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Ghost's migrations, schema, session model and package.json, and the lock file until it has been read.
    Ghost,
    /// knex-migrator's own code.
    KnexMigrator,
}

impl Selection {
    /// Changes whenever other files are kept, or more is read out of them: what was cached before is of no use then.
    pub(super) fn generation(self) -> &'static str {
        match self {
            Self::Ghost => "ghost files 2",
            Self::KnexMigrator => "knex-migrator files 2",
        }
    }

    /// Whether a file of the package, by its path in it, is kept.
    #[must_use]
    pub fn wants(self, path: &str) -> bool {
        let is_code = path.ends_with(".js")
            || path.ends_with(".cjs")
            || path.ends_with(".mjs")
            || path.ends_with(".json");
        match self {
            Self::Ghost => {
                matches!(
                    path,
                    "package.json"
                        | "MigratorConfig.js"
                        | "pnpm-workspace.yaml"
                        | "core/server/models/session.js"
                ) || lockfile::FILES.contains(&path)
                    || (is_code
                        && [
                            "core/server/data/migrations/",
                            "core/server/data/schema/",
                            "core/server/data/migration/",
                        ]
                        .iter()
                        .any(|directory| path.starts_with(directory)))
            }
            Self::KnexMigrator => {
                is_code && !path.starts_with("test/") && !path.contains("node_modules/")
            }
        }
    }
}

/// What Ghost's own package says about its dependencies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    pub(super) version: Version,
    pub(super) node: Option<String>,
    package_json: Value,
    locked: Option<Locked>,
    workspace: BTreeMap<String, String>,
}

impl Facts {
    /// Reads package.json and the lock file; `subject` is what the files are of. The lock files are taken out: they are large, and
    /// all that counts is read.
    pub(super) fn take(kept: &mut Kept, subject: &str) -> Result<Self> {
        let not_ghost = |problem: String| Error::Upstream {
            problem: format!("{subject} is not Ghost: {problem}"),
            next_step: "name a Ghost: a version, a tag, its .tgz, its directory or its image"
                .to_owned(),
        };
        let Some(bytes) = kept.get("package.json") else {
            return Err(not_ghost("it has no package.json".to_owned()));
        };
        let package_json: Value = serde_json::from_slice(bytes)
            .map_err(|error| not_ghost(format!("its package.json is no JSON ({error})")))?;
        match package_json["name"].as_str() {
            Some("ghost") => {}
            Some(other) => return Err(not_ghost(format!("its package.json is that of `{other}`"))),
            None => return Err(not_ghost("its package.json has no name".to_owned())),
        }
        let version = package_json["version"]
            .as_str()
            .and_then(|version| Version::parse(version).ok())
            .ok_or_else(|| not_ghost("its package.json has no version".to_owned()))?;
        let workspace = kept
            .get("pnpm-workspace.yaml")
            .map(|text| lockfile::workspace_overrides(&String::from_utf8_lossy(text)))
            .unwrap_or_default();
        let declarations = Declarations {
            package_json: &package_json,
            locked: None,
            workspace: &workspace,
        };
        let ranges = DEPENDENCIES
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), declarations.locked_range(name)?)))
            .collect();
        let locked = Locked::read(kept, &ranges);
        kept.retain(|path, _| {
            !lockfile::FILES.contains(&path.as_str()) && path != "pnpm-workspace.yaml"
        });
        let node = package_json["engines"]["node"].as_str().map(str::to_owned);
        let workspace = workspace
            .into_iter()
            .filter(|(name, _)| concerns_database(name))
            .collect();
        Ok(Self {
            version,
            node,
            package_json: reduced(&package_json),
            locked,
            workspace,
        })
    }

    /// The same for an unpacked package.
    pub(super) fn of(files: &Files, subject: &str) -> Result<Self> {
        let mut kept = Kept::new();
        for path in ["package.json", "pnpm-workspace.yaml"]
            .iter()
            .chain(&lockfile::FILES)
        {
            if let Some(bytes) = files.read(path)? {
                kept.insert((*path).to_owned(), bytes);
            }
        }
        Self::take(&mut kept, subject)
    }

    /// How far Ghost's package settles a dependency; `Err` says where else it comes from.
    pub(super) fn settle(&self, name: &str) -> Option<std::result::Result<Settled, String>> {
        let declarations = Declarations {
            package_json: &self.package_json,
            locked: self.locked.as_ref(),
            workspace: &self.workspace,
        };
        declarations.settle(name)
    }
}

fn concerns_database(name: &str) -> bool {
    DEPENDENCIES
        .iter()
        .any(|dependency| name.contains(dependency))
}

/// The fields of package.json that settle dependencies, and in them the entries about ours.
fn reduced(package_json: &Value) -> Value {
    let mut reduced = serde_json::json!({ "packageManager": package_json["packageManager"] });
    let ours = |map: &Value| -> Value {
        let entries = map.as_object().into_iter().flatten();
        Value::Object(
            entries
                .filter(|(name, _)| concerns_database(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
    };
    for field in [
        "dependencies",
        "optionalDependencies",
        "overrides",
        "resolutions",
    ] {
        reduced[field] = ours(&package_json[field]);
    }
    reduced["pnpm"]["overrides"] = ours(&package_json["pnpm"]["overrides"]);
    reduced
}

#[cfg(test)]
mod tests {
    use super::{Facts, Selection};
    use crate::ghost::tarball::Kept;

    #[test]
    fn only_a_ghost_is_ghost() {
        for (package_json, problem) in [
            (None, "x is not Ghost: it has no package.json"),
            (
                Some("{"),
                "x is not Ghost: its package.json is no JSON (EOF while parsing an object at line 1 column 1)",
            ),
            (Some("{}"), "x is not Ghost: its package.json has no name"),
            (
                Some(r#"{"name": "casper"}"#),
                "x is not Ghost: its package.json is that of `casper`",
            ),
            (
                Some(r#"{"name": "ghost", "version": "six"}"#),
                "x is not Ghost: its package.json has no version",
            ),
        ] {
            let mut kept: Kept = package_json
                .into_iter()
                .map(|text| ("package.json".to_owned(), text.as_bytes().to_vec()))
                .collect();
            let error = Facts::take(&mut kept, "x").expect_err(problem);
            assert_eq!(
                (error.to_string().as_str(), error.exit_code()),
                (problem, 6)
            );
        }
    }

    #[test]
    fn lock_files_are_read_and_not_kept() {
        let mut kept: Kept = [
            ("package.json", r#"{"name": "ghost", "version": "6.0.0", "engines": {"node": "^22"}, "dependencies": {"mysql2": "^3"}}"#),
            ("yarn.lock", "mysql2@^3:\n  version \"3.1.0\"\n"),
            ("core/server/data/schema/schema.js", "x"),
        ]
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .into();
        let facts = Facts::take(&mut kept, "x").expect("a Ghost");
        assert_eq!(
            kept.keys().collect::<Vec<_>>(),
            ["core/server/data/schema/schema.js", "package.json"]
        );
        assert_eq!(facts.node.as_deref(), Some("^22"));
        let settled = facts
            .settle("mysql2")
            .expect("declared")
            .expect("from the registry");
        assert_eq!(
            (settled.wanted.to_string(), settled.by.to_string()),
            ("3.1.0".to_owned(), "yarn.lock".to_owned())
        );
        assert_eq!(facts.settle("knex-migrator"), None);
        let again: Facts =
            serde_json::from_str(&serde_json::to_string(&facts).expect("JSON")).expect("the same");
        assert_eq!(again, facts);
    }

    #[test]
    fn selections_hold_what_the_patches_are_about() {
        for (selection, path, expected) in [
            (Selection::Ghost, "package.json", true),
            (Selection::Ghost, "pnpm-lock.yaml", true),
            (Selection::Ghost, "content/themes/casper/yarn.lock", false),
            (
                Selection::Ghost,
                "core/server/data/migrations/init/2-create-fixtures.js",
                true,
            ),
            (Selection::Ghost, "core/server/data/schema/schema.js", true),
            (Selection::Ghost, "core/server/data/schema/README.md", false),
            (Selection::Ghost, "core/server/models/session.js", true),
            (Selection::Ghost, "core/server/models/post.js", false),
            (Selection::KnexMigrator, "lib/database.js", true),
            (
                Selection::KnexMigrator,
                "migrations/add-primary-key-to-lock-table.js",
                true,
            ),
            (Selection::KnexMigrator, "README.md", false),
        ] {
            assert_eq!(selection.wants(path), expected, "{path}");
        }
    }
}
