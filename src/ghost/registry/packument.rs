//! What a registry says about a package: tags, versions, and of each version what is needed to judge and fetch it.
//!
//! Registries differ and old entries are odd: what is not understood is passed over, and what is needed and missing
//! is found out when it is used.

use std::collections::BTreeMap;

use nodejs_semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ghost::failure::{Failure, quoted_line};
use crate::ghost::integrity::Integrity;

/// The dependencies that say something about Ghost's database; of the others nothing is kept.
const DEPENDENCIES: [&str; 4] = ["knex", "knex-migrator", "mysql", "mysql2"];

/// A package's published versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packument {
    /// The package's name.
    pub name: String,
    /// Tags and the versions that they name.
    pub tags: BTreeMap<String, String>,
    /// Every version whose number is one.
    pub manifests: Vec<Manifest>,
}

/// One published version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The package's name.
    pub name: String,
    /// The version.
    pub version: Version,
    /// What it depends on, as far as it matters here: the declared ranges.
    pub dependencies: BTreeMap<String, String>,
    /// `engines.node`
    pub node: Option<String>,
    /// Whether its publisher advises against it.
    pub deprecated: bool,
    /// Where its tarball is.
    pub tarball: String,
    /// `dist.integrity`, in npm's form.
    pub integrity: Option<String>,
    /// `dist.shasum`: all that old entries have.
    pub shasum: Option<String>,
}

impl Packument {
    /// Reads a registry's answer about `name`.
    pub fn parse(name: &str, json: &[u8]) -> Result<Self, Failure> {
        let damaged = |why: String| Failure::Damaged { why };
        let document: Value = serde_json::from_slice(json)
            .map_err(|error| damaged(format!("its metadata is no JSON ({error})")))?;
        let versions = document["versions"]
            .as_object()
            .ok_or_else(|| damaged("its metadata lists no versions".to_owned()))?;
        if let Some(other) = document["name"].as_str().filter(|other| *other != name) {
            return Err(damaged(format!(
                "the registry answered with the metadata of {other}"
            )));
        }
        let mut manifests: Vec<Manifest> = versions
            .iter()
            .filter_map(|(version, entry)| {
                Manifest::of_json(name, Version::parse(version).ok()?, entry)
            })
            .collect();
        manifests.sort_by(|one, other| one.version.cmp(&other.version));
        let tags = document["dist-tags"].as_object().map(|tags| {
            tags.iter()
                .filter_map(|(tag, version)| Some((tag.clone(), version.as_str()?.to_owned())))
                .collect()
        });
        Ok(Self {
            name: name.to_owned(),
            tags: tags.unwrap_or_default(),
            manifests,
        })
    }

    /// The manifest of one version.
    #[must_use]
    pub fn manifest(&self, version: &Version) -> Option<&Manifest> {
        self.manifests
            .iter()
            .find(|manifest| manifest.version == *version)
    }
}

impl Manifest {
    /// Reads a registry's answer about one version of `name`; `version` where exactly that one was asked for.
    pub fn parse(name: &str, version: Option<&Version>, json: &[u8]) -> Result<Self, Failure> {
        let document: Value = serde_json::from_slice(json).map_err(|error| Failure::Damaged {
            why: format!("its metadata is no JSON ({error})"),
        })?;
        let found = document["version"]
            .as_str()
            .and_then(|found| Version::parse(found).ok());
        match found {
            Some(found)
                if document["name"].as_str() == Some(name)
                    && version.is_none_or(|wanted| *wanted == found) =>
            {
                Self::of_json(name, found, &document).ok_or_else(|| Failure::Damaged {
                    why: "its metadata names no tarball".to_owned(),
                })
            }
            _ => Err(Failure::Damaged {
                why: format!(
                    "the registry answered with the metadata of {}@{}",
                    document["name"].as_str().unwrap_or("nothing"),
                    document["version"].as_str().unwrap_or("no version")
                ),
            }),
        }
    }

    fn of_json(name: &str, version: Version, entry: &Value) -> Option<Self> {
        let dist = &entry["dist"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Self {
            name: name.to_owned(),
            version,
            dependencies: declared(entry, &DEPENDENCIES),
            node: text(&entry["engines"]["node"]),
            deprecated: match &entry["deprecated"] {
                Value::String(message) => !message.is_empty(),
                Value::Bool(deprecated) => *deprecated,
                _ => false,
            },
            tarball: text(&dist["tarball"])?,
            integrity: text(&dist["integrity"]),
            shasum: text(&dist["shasum"]),
        })
    }

    /// The digests that were published, the strongest kind of them.
    pub fn digests(&self) -> Result<Vec<Integrity>, Failure> {
        // A digest that cannot be one is not a digest that is not given: what it was to keep out may be what comes.
        let malformed = self
            .integrity
            .as_deref()
            .filter(|text| Integrity::is_malformed(text));
        if let Some(text) = malformed {
            return Err(Failure::Damaged {
                why: format!(
                    "the registry gives `{}` as the digest of its tarball, which is none",
                    quoted_line(text)
                ),
            });
        }
        let mut digests = self
            .integrity
            .as_deref()
            .map(Integrity::of_subresource)
            .unwrap_or_default();
        if digests.is_empty() {
            digests.extend(self.shasum.as_deref().and_then(Integrity::of_shasum));
        }
        if digests.is_empty() {
            return Err(Failure::Damaged {
                why: "the registry gives no digest for its tarball".to_owned(),
            });
        }
        Ok(digests)
    }

    /// `name@version`
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// The declared ranges of `names`; an optional dependency replaces an ordinary one, as npm has it.
pub fn declared(package: &Value, names: &[&str]) -> BTreeMap<String, String> {
    names
        .iter()
        .filter_map(|name| {
            let range = package["optionalDependencies"][*name]
                .as_str()
                .or(package["dependencies"][*name].as_str())?;
            Some(((*name).to_owned(), range.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Manifest, Packument};
    use crate::ghost::Failure;
    use nodejs_semver::Version;

    #[test]
    fn oddities_are_passed_over() {
        let json = br#"{"name": "ghost", "dist-tags": {"latest": "2.0.0", "odd": 3}, "versions": {
            "10.0.0": {"dist": {"tarball": "t10", "shasum": "a9993e364706816aba3e25717850c26c9cd0d89d"}, "engines": ["node >= 0.8"]},
            "2.0.0": {"dist": {"tarball": "t2"}, "deprecated": "", "dependencies": {"mysql": "2.1.1", "express": "4"},
                      "optionalDependencies": {"mysql": "2.2.0"}},
            "one": {"dist": {"tarball": "t"}},
            "3.0.0": {"dist": {}},
            "11.0.0": {"dist": {"tarball": "t11", "integrity": "sha512-zzz",
                                "shasum": "a9993e364706816aba3e25717850c26c9cd0d89d"}}
        }}"#;
        let packument = Packument::parse("ghost", json).expect("a packument");
        let found: Vec<String> = packument.manifests.iter().map(Manifest::id).collect();
        assert_eq!(found, ["ghost@2.0.0", "ghost@10.0.0", "ghost@11.0.0"]);
        assert_eq!(packument.tags.len(), 1);
        let second = packument
            .manifest(&Version::from((2, 0, 0)))
            .expect("there");
        assert_eq!(
            second.dependencies.get("mysql").map(String::as_str),
            Some("2.2.0")
        );
        assert_eq!(second.dependencies.len(), 1);
        assert!(!second.deprecated);
        assert!(matches!(second.digests(), Err(Failure::Damaged { .. })));
        assert_eq!(packument.manifests[1].digests().expect("a digest").len(), 1);
        assert_eq!(
            packument.manifests[2].digests(),
            Err(Failure::Damaged {
                why: "the registry gives `sha512-zzz` as the digest of its tarball, which is none"
                    .to_owned()
            })
        );
    }

    #[test]
    fn another_package_is_no_answer() {
        let damaged = |why: &str| Failure::Damaged {
            why: why.to_owned(),
        };
        let other =
            br#"{"name": "ghostly", "version": "1.0.0", "versions": {}, "dist": {"tarball": "t"}}"#;
        assert_eq!(
            Packument::parse("ghost", other),
            Err(damaged(
                "the registry answered with the metadata of ghostly"
            ))
        );
        let version = Version::from((1, 0, 0));
        assert_eq!(
            Manifest::parse("ghost", Some(&version), other),
            Err(damaged(
                "the registry answered with the metadata of ghostly@1.0.0"
            ))
        );
        assert_eq!(
            Manifest::parse("ghostly", Some(&Version::from((1, 0, 1))), other),
            Err(damaged(
                "the registry answered with the metadata of ghostly@1.0.0"
            ))
        );
        assert_eq!(
            Packument::parse("ghost", b"{\"error\": \"down\"}"),
            Err(damaged("its metadata lists no versions"))
        );
    }
}
