//! Which version of a dependency an installation gets: what package.json declares, what overrides make of it, and
//! what Ghost's own lock file has settled. What is still a range then is the registry's to pick.

use std::fmt;

use nodejs_semver::{Range, Version};
use serde_json::Value;

use super::lockfile::Locked;
use crate::ghost::wanted::Wanted;

/// Who settled the version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettledBy {
    /// package.json names one version.
    Declaration,
    /// Ghost's own lock file, of this name.
    LockFile(String),
    /// This field of package.json (or pnpm-workspace.yaml).
    Override(&'static str),
    /// The registry has picked from this range.
    Registry(String),
    /// It lies there, installed.
    Installation,
}

impl fmt::Display for SettledBy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declaration => formatter.write_str("package.json"),
            Self::LockFile(file) => formatter.write_str(file),
            Self::Override(field) => write!(formatter, "`{field}`"),
            Self::Registry(range) => write!(formatter, "the registry, from the range {range}"),
            Self::Installation => formatter.write_str("the installation"),
        }
    }
}

/// A dependency as far as Ghost's own package settles it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ghost) struct Settled {
    /// The package that it really is: another one for `npm:other@1`.
    pub(in crate::ghost) package: String,
    pub(in crate::ghost) wanted: Wanted,
    pub(in crate::ghost) by: SettledBy,
    /// The digest that the lock file insists on.
    pub(in crate::ghost) integrity: Option<String>,
    /// The package manager changes it after unpacking.
    pub(in crate::ghost) patched: bool,
}

/// What package managers go by.
pub(super) struct Declarations<'a> {
    pub(super) package_json: &'a Value,
    pub(super) locked: Option<&'a Locked>,
    /// `overrides` of pnpm-workspace.yaml.
    pub(super) workspace: &'a std::collections::BTreeMap<String, String>,
}

impl Declarations<'_> {
    /// Settles one dependency. `None`: Ghost does not have it. `Err`: it comes from elsewhere, from where is said.
    pub(super) fn settle(&self, name: &str) -> Option<Result<Settled, String>> {
        let declared = self.package_json["optionalDependencies"][name]
            .as_str()
            .or(self.package_json["dependencies"][name].as_str())?;
        if let Some(locked) = self.locked
            && let Some(package) = locked.packages.get(name)
        {
            return Some(match Version::parse(&package.version) {
                Ok(version) => Ok(Settled {
                    package: aliased(declared)
                        .map_or(name, |(other, _)| other)
                        .to_owned(),
                    wanted: Wanted::Version(version),
                    by: SettledBy::LockFile(locked.file.clone()),
                    integrity: package.integrity.clone(),
                    patched: package.patched,
                }),
                Err(_) => Err(package.version.clone()),
            });
        }
        let (specifier, by) = match self.overridden(name, declared) {
            Some((specifier, field)) => (specifier, SettledBy::Override(field)),
            None => (declared.to_owned(), SettledBy::Declaration),
        };
        let (package, range) = aliased(&specifier).unwrap_or((name, &specifier));
        let Some(wanted) = Wanted::parse(range) else {
            return Some(Err(specifier));
        };
        let by = match &wanted {
            Wanted::Version(_) => by,
            Wanted::Range { .. } | Wanted::Tag(_) => SettledBy::Registry(wanted.to_string()),
        };
        Some(Ok(Settled {
            package: package.to_owned(),
            wanted,
            by,
            integrity: None,
            patched: false,
        }))
    }

    /// The range that is written into a lock file for `name`: yarn locks what `resolutions` says.
    pub(super) fn locked_range(&self, name: &str) -> Option<String> {
        let declared = self.package_json["optionalDependencies"][name]
            .as_str()
            .or(self.package_json["dependencies"][name].as_str())?;
        Some(
            resolution(&self.package_json["resolutions"], name)
                .unwrap_or(declared)
                .to_owned(),
        )
    }

    /// Each package manager has fields of its own and passes over the others'.
    fn overridden(&self, name: &str, declared: &str) -> Option<(String, &'static str)> {
        let manager = self.package_json["packageManager"]
            .as_str()
            .unwrap_or_default();
        let resolutions = || {
            let found = resolution(&self.package_json["resolutions"], name)?;
            Some((found.to_owned(), "resolutions"))
        };
        if manager.starts_with("pnpm@") {
            let of_package =
                self.package_json["pnpm"]["overrides"]
                    .as_object()
                    .and_then(|overrides| {
                        overrides
                            .iter()
                            .find(|(key, _)| applies(key, name, declared))
                            .and_then(|(_, value)| value.as_str())
                    });
            if let Some(found) = of_package {
                return Some((found.to_owned(), "pnpm.overrides"));
            }
            if let Some((_, found)) = self
                .workspace
                .iter()
                .find(|(key, _)| applies(key, name, declared))
            {
                return Some((found.clone(), "overrides in pnpm-workspace.yaml"));
            }
            return resolutions();
        }
        if manager.starts_with("yarn@") {
            return resolutions();
        }
        let overrides = self.package_json["overrides"].as_object()?;
        let (_, value) = overrides
            .iter()
            .find(|(key, _)| applies(key, name, declared))?;
        // `{"name": {".": "1.0.0", "its-dependency": …}}`
        let found = value.as_str().or(value["."].as_str())?;
        // `$name` is what Ghost itself declares for it: no change.
        (!found.starts_with('$')).then(|| (found.to_owned(), "overrides"))
    }
}

/// Whether an override's key, `name` or `name@range`, is about this dependency of Ghost itself.
fn applies(key: &str, name: &str, declared: &str) -> bool {
    let Some(rest) = key.strip_prefix(name) else {
        return false;
    };
    match rest.strip_prefix('@') {
        None => rest.is_empty(),
        Some(range) => match (Range::parse(range), Range::parse(declared)) {
            (Ok(range), Ok(declared)) => range.allows_any(&declared),
            _ => false,
        },
    }
}

/// yarn's `resolutions` for a dependency of Ghost itself.
fn resolution<'a>(resolutions: &'a Value, name: &str) -> Option<&'a str> {
    [
        name.to_owned(),
        format!("**/{name}"),
        format!("ghost/{name}"),
        format!("ghost/**/{name}"),
    ]
    .iter()
    .find_map(|key| resolutions[key].as_str())
}

/// The package and range behind `npm:package@range`.
fn aliased(specifier: &str) -> Option<(&str, &str)> {
    let alias = specifier.strip_prefix("npm:")?;
    let at = alias
        .char_indices()
        .skip(1)
        .find(|(_, character)| *character == '@')
        .map(|(at, _)| at);
    Some(at.map_or((alias, "*"), |at| (&alias[..at], &alias[at + 1..])))
}

#[cfg(test)]
mod tests {
    use super::{Declarations, Settled};
    use crate::ghost::release::lockfile::{Locked, LockedPackage};
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    fn settle(package_json: &Value, locked: Option<&Locked>, workspace: &[(&str, &str)]) -> String {
        let workspace: BTreeMap<String, String> = workspace
            .iter()
            .map(|(name, range)| ((*name).to_owned(), (*range).to_owned()))
            .collect();
        let declarations = Declarations {
            package_json,
            locked,
            workspace: &workspace,
        };
        match declarations.settle("knex-migrator") {
            None => "absent".to_owned(),
            Some(Err(elsewhere)) => format!("from {elsewhere}"),
            Some(Ok(Settled {
                package,
                wanted,
                by,
                ..
            })) => format!("{package}@{wanted} by {by}"),
        }
    }

    fn with(declared: &str, extra: Value) -> Value {
        let mut package = json!({"dependencies": {"knex-migrator": declared}});
        for (key, value) in extra.as_object().expect("an object") {
            package[key] = value.clone();
        }
        package
    }

    #[test]
    fn declarations_and_overrides() {
        let pnpm = "pnpm@11.0.0";
        for (declared, extra, expected) in [
            ("6.2.1", json!({}), "knex-migrator@6.2.1 by package.json"),
            (
                "^6.0.0",
                json!({}),
                "knex-migrator@^6.0.0 by the registry, from the range ^6.0.0",
            ),
            (
                "next",
                json!({}),
                "knex-migrator@next by the registry, from the range next",
            ),
            (
                "npm:@own/migrator@1.0.0",
                json!({}),
                "@own/migrator@1.0.0 by package.json",
            ),
            (
                "file:components/x.tgz",
                json!({}),
                "from file:components/x.tgz",
            ),
            (
                "6.2.1",
                json!({"overrides": {"knex-migrator": "6.1.0"}}),
                "knex-migrator@6.1.0 by `overrides`",
            ),
            (
                "6.2.1",
                json!({"overrides": {"knex-migrator@^6": "6.1.0"}}),
                "knex-migrator@6.1.0 by `overrides`",
            ),
            (
                "6.2.1",
                json!({"overrides": {"knex-migrator@^5": "6.1.0"}}),
                "knex-migrator@6.2.1 by package.json",
            ),
            (
                "6.2.1",
                json!({"overrides": {"knex-migrator-util": "6.1.0"}}),
                "knex-migrator@6.2.1 by package.json",
            ),
            (
                "6.2.1",
                json!({"overrides": {"knex-migrator": {".": "6.1.0"}}}),
                "knex-migrator@6.1.0 by `overrides`",
            ),
            (
                "6.2.1",
                json!({"overrides": {"knex-migrator": {"knex": "1"}}}),
                "knex-migrator@6.2.1 by package.json",
            ),
            (
                "6.2.1",
                json!({"overrides": {"knex-migrator": "$knex-migrator"}}),
                "knex-migrator@6.2.1 by package.json",
            ),
            (
                "6.2.1",
                json!({"resolutions": {"knex-migrator": "6.1.0"}}),
                "knex-migrator@6.2.1 by package.json",
            ),
            (
                "6.2.1",
                json!({"resolutions": {"**/knex-migrator": "6.1.0"}, "packageManager": "yarn@1.22.0"}),
                "knex-migrator@6.1.0 by `resolutions`",
            ),
            (
                "6.2.1",
                json!({"overrides": {"knex-migrator": "6.1.0"}, "packageManager": pnpm}),
                "knex-migrator@6.2.1 by package.json",
            ),
            (
                "6.2.1",
                json!({"pnpm": {"overrides": {"knex-migrator": "6.1.0"}}, "packageManager": pnpm}),
                "knex-migrator@6.1.0 by `pnpm.overrides`",
            ),
        ] {
            assert_eq!(
                settle(&with(declared, extra.clone()), None, &[]),
                expected,
                "{declared} {extra}"
            );
        }
        assert_eq!(
            settle(&json!({"dependencies": {"mysql": "2.1.1"}}), None, &[]),
            "absent"
        );
        assert_eq!(
            settle(
                &with("6.2.1", json!({"packageManager": pnpm})),
                None,
                &[("knex-migrator", "6.0.9")]
            ),
            "knex-migrator@6.0.9 by `overrides in pnpm-workspace.yaml`"
        );
        let optional = json!({"dependencies": {"knex-migrator": "1.0.0"}, "optionalDependencies": {"knex-migrator": "2.0.0"}});
        assert_eq!(
            settle(&optional, None, &[]),
            "knex-migrator@2.0.0 by package.json"
        );
    }

    #[test]
    fn the_lock_file_has_the_last_word() {
        let locked = |version: &str| Locked {
            file: "yarn.lock".to_owned(),
            packages: [(
                "knex-migrator".to_owned(),
                LockedPackage {
                    version: version.to_owned(),
                    integrity: None,
                    patched: false,
                },
            )]
            .into(),
        };
        let package = with("^6.0.0", json!({"overrides": {"knex-migrator": "6.1.0"}}));
        assert_eq!(
            settle(&package, Some(&locked("6.2.1")), &[]),
            "knex-migrator@6.2.1 by yarn.lock"
        );
        assert_eq!(
            settle(&package, Some(&locked("file:x.tgz")), &[]),
            "from file:x.tgz"
        );
        let silent = Locked {
            packages: BTreeMap::new(),
            ..locked("")
        };
        assert_eq!(
            settle(&package, Some(&silent), &[]),
            "knex-migrator@6.1.0 by `overrides`"
        );
    }
}
