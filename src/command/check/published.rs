//! Every selected patch judged on the packages that a Ghost would install, as they are published.
//!
//! Paths are those of an installation by npm: knex-migrator's files lie in Ghost's `node_modules`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::memory::{Memory, Verified};
use crate::catalogue::Patch;
use crate::command::judging::{Opened, Package, absent, origin, would_apply};
use crate::error::Result;
use crate::ghost::priority::{Behind, make_way};
use crate::ghost::tarball::Kept;
use crate::ghost::{Files, Release};
use crate::javascript::sandbox::Sandbox;
use crate::report::{PatchEntry, State};

/// Judges files of published packages.
pub(super) struct Judge<'a> {
    pub(super) selected: &'a [&'static Patch],
    pub(super) sandbox: &'a Sandbox,
    pub(super) memory: Memory<'a>,
}

/// A package of a release.
struct Part<'a> {
    package: Package<'a>,
    directory: &'static str,
    files: &'a Files,
    is_unavailable: bool,
}

/// Where npm installs it, seen from Ghost.
const KNEX_MIGRATOR: &str = "node_modules/knex-migrator/";

/// From this length on judging a file takes so long, in bytes, that in the end everything waits for it.
const LARGE: usize = 64 * 1024;

/// What is no more on the registry may still be where it was installed.
pub(super) const IN_AN_IMAGE: &str = "An image that was built while it was there may hold it: check docker://REGISTRY/REPOSITORY:TAG.";

impl Judge<'_> {
    /// The entries of a release, in the catalogue's order. A package that this Ghost does not have has none.
    pub(super) fn entries(&self, release: &Release) -> Result<Vec<PatchEntry>> {
        let ghost = release.ghost.to_string();
        let migrator = release
            .knex_migrator
            .as_ref()
            .map(|migrator| (migrator.dependency.version.to_string(), migrator));
        let part_of = |name: &'static str| match (name, &migrator) {
            ("ghost", _) => Some(Part {
                package: Package {
                    name,
                    version: &ghost,
                },
                directory: "",
                files: &release.files,
                is_unavailable: false,
            }),
            ("knex-migrator", Some((version, migrator))) => Some(Part {
                package: Package { name, version },
                directory: KNEX_MIGRATOR,
                files: &migrator.files,
                is_unavailable: migrator.unavailable,
            }),
            _ => None,
        };
        // Patches in one file are judged together, one on top of the other.
        let mut numbered = Vec::new();
        let mut files: BTreeMap<(&str, &str), Vec<(usize, &'static Patch)>> = BTreeMap::new();
        for (number, patch) in self.selected.iter().copied().enumerate() {
            let target = &patch.definition.target;
            let Some(part) = part_of(&target.package) else {
                continue;
            };
            let mut present = None;
            for file in target.files.iter().rev() {
                if part.files.digest(file)?.is_some() {
                    present = Some(file.as_str());
                    break;
                }
            }
            match present {
                Some(file) => files
                    .entry((target.package.as_str(), file))
                    .or_default()
                    .push((number, patch)),
                None => {
                    let file = target.files.first().map_or("", String::as_str);
                    let path = PathBuf::from(format!("{}{file}", part.directory));
                    let mut entry = absent(patch, part.package, path);
                    if part.is_unavailable {
                        entry.state = State::Missing;
                        entry.reason = format!(
                            "The registry does not have {} {}.",
                            part.package.name, part.package.version
                        );
                        entry.next_step = Some(IN_AN_IMAGE.to_owned());
                    }
                    numbered.push((number, entry));
                }
            }
        }
        // Each file waits for a proof's process most of the time.
        let judged = std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for ((package, file), patches) in files {
                let Some(part) = part_of(package) else {
                    continue;
                };
                threads.push(scope.spawn(move || {
                    let entries = self.file(&part, file, &patches, Verified::Yes)?;
                    Ok(patches.into_iter().map(|(number, _)| number).zip(entries))
                }));
            }
            let joined = threads.into_iter().map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            joined.collect::<Result<Vec<_>>>()
        })?;
        numbered.extend(judged.into_iter().flatten());
        numbered.sort_by_key(|(number, _)| *number);
        Ok(numbered.into_iter().map(|(_, entry)| entry).collect())
    }

    /// Whether a file is one of those that are judged.
    pub(super) fn is_about(&self, package: &str, path: &str) -> bool {
        self.about(package, path).next().is_some()
    }

    fn about(&self, package: &str, path: &str) -> impl Iterator<Item = (usize, &'static Patch)> {
        let is_about = move |(_, patch): &(usize, &'static Patch)| {
            let target = &patch.definition.target;
            target.package == package && target.files.iter().any(|file| file == path)
        };
        self.selected.iter().copied().enumerate().filter(is_about)
    }

    /// Judges a file whose package is still on its way, so that the answer is there once that is verified to its end.
    ///
    /// The answer is nothing but what the same question would find out later: where the package turns out to be another
    /// than was published, or to have more files, nobody asks for it.
    pub(super) fn ahead(&self, package: &str, version: &str, path: &str, bytes: Vec<u8>) {
        if bytes.len() < LARGE {
            make_way(Behind::Reading);
        }
        let part = Part {
            package: Package {
                name: package,
                version,
            },
            directory: if package == "ghost" {
                ""
            } else {
                KNEX_MIGRATOR
            },
            files: &Files::in_memory(Kept::from([(path.to_owned(), bytes)])),
            is_unavailable: false,
        };
        let patches: Vec<_> = self.about(package, path).collect();
        // What fails now fails again for whoever asks, and is told then.
        let _ = self.file(&part, path, &patches, Verified::NotYet);
    }

    fn file(
        &self,
        part: &Part<'_>,
        file: &str,
        patches: &[(usize, &'static Patch)],
        verified: Verified,
    ) -> Result<Vec<PatchEntry>> {
        let path = PathBuf::from(format!("{}{file}", part.directory));
        let digest = part.files.digest(file)?.unwrap_or_default();
        let asked: Vec<String> = patches
            .iter()
            .map(|(_, patch)| {
                let origin = origin(patch, part.package, &digest);
                format!("{} {origin:?}", patch.definition.id)
            })
            .collect();
        let key = format!("{} {digest} {}", path.display(), asked.join(", "));
        let mut entries = self.memory.entries(&key, verified, || {
            let bytes = part.files.read(file)?.unwrap_or_default();
            let mut opened = Opened::published(part.package, &path, bytes);
            let judge = |(_, patch): &(usize, &'static Patch)| {
                opened.judge(patch, part.package, path.clone(), self.sandbox)
            };
            let mut entries = patches.iter().map(judge).collect::<Result<Vec<_>>>()?;
            would_apply(&mut entries);
            Ok(entries)
        })?;
        // Another version with the very same file.
        for entry in &mut entries {
            part.package.version.clone_into(&mut entry.version);
        }
        Ok(entries)
    }
}
