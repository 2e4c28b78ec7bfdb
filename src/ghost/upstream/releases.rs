//! A Ghost and everything that it would install, put together from its package and its dependencies'.

use std::path::Path;

use nodejs_semver::Range;

use super::packages::Package;
use super::{Upstream, Watch};
use crate::error::{Error, Result};
use crate::ghost::cache::Shelf;
use crate::ghost::files::Files;
use crate::ghost::integrity::Algorithm;
use crate::ghost::prefetch::Prefetch;
use crate::ghost::registry::Manifest;
use crate::ghost::release::{
    Dependency, Facts, Migrator, Release, ResolvedVia, Selection, Settled,
};
use crate::ghost::tarball::{self, Kept};
use crate::ghost::wanted::Wanted;

impl Upstream {
    /// The Ghost that `wanted` means on npm, with everything that it would install.
    pub fn release(&self, wanted: &Wanted) -> Result<Release> {
        self.release_watched(wanted, &|_| {})
    }

    /// The same, where `watch` sees the files that have to be fetched as they come.
    pub fn release_watched(&self, wanted: &Wanted, watch: &Watch<'_>) -> Result<Release> {
        let manifest = self.manifest("ghost", wanted, None)?;
        self.put_together(&manifest, watch)
    }

    /// A Ghost whose metadata is there already: of many, from one packument.
    pub fn release_of(&self, manifest: &Manifest) -> Result<Release> {
        self.put_together(manifest, &|_| {})
    }

    fn put_together(&self, manifest: &Manifest, watch: &Watch<'_>) -> Result<Release> {
        // The metadata mostly names the exact knex-migrator: it is fetched beside Ghost, and taken if that was right.
        let guess =
            manifest
                .dependencies
                .get("knex-migrator")
                .and_then(|range| match Wanted::parse(range)? {
                    wanted @ Wanted::Version(_) => Some(wanted),
                    Wanted::Range { .. } | Wanted::Tag(_) => None,
                });
        let (ghost, migrator) = std::thread::scope(|scope| {
            let migrator = guess.map(|wanted| {
                scope.spawn(move || {
                    let manifest = self.manifest("knex-migrator", &wanted, None)?;
                    let package = self.package(&manifest, Selection::KnexMigrator, watch)?;
                    Ok::<_, Error>((manifest, package))
                })
            });
            let ghost = self.package(manifest, Selection::Ghost, watch);
            // Whatever became of the guess: what is really needed is asked for again, and fails with its own words.
            (ghost, migrator.and_then(|thread| thread.join().ok()?.ok()))
        });
        let ghost = ghost?;
        let facts = ghost.facts.ok_or_else(|| Error::Bug {
            problem: "Ghost's files came without facts".to_owned(),
        })?;
        if facts.version != manifest.version {
            return Err(Error::Upstream {
                problem: format!(
                    "{} holds the package.json of {}",
                    manifest.id(),
                    facts.version
                ),
                next_step: "take another version, or another registry with --registry".to_owned(),
            });
        }
        self.complete(facts, ghost.files, ResolvedVia::Npm, migrator)
    }

    /// The Ghost in a `.tgz` of its own, as npm publishes it.
    pub fn release_in_tarball(&self, path: &Path) -> Result<Release> {
        let file =
            std::fs::File::open(path).map_err(|error| Error::file_system("read", path, error))?;
        let limits = &self.shared.limits;
        let source = Prefetch::start(
            file,
            Algorithm::Sha512,
            Vec::new(),
            limits.packed,
            "the file",
        );
        let subject = path.display().to_string();
        let wanted = |path: &str| Selection::Ghost.wants(path);
        let (mut kept, _) = tarball::read(source, limits, wanted, |_, _| {})
            .map_err(|failure| failure.about(&subject))?;
        let facts = Facts::take(&mut kept, &subject)?;
        self.complete(facts, Files::in_memory(kept), ResolvedVia::Tarball, None)
    }

    /// The Ghost whose package is unpacked in a directory, and nothing of what it would install.
    pub fn release_in_directory(&self, directory: &Path) -> Result<Release> {
        let files = Files::in_directory(directory);
        let facts = Facts::of(&files, &directory.display().to_string())?;
        self.complete(facts, files, ResolvedVia::Directory, None)
    }

    fn complete(
        &self,
        facts: Facts,
        files: Files,
        resolved_via: ResolvedVia,
        fetched: Option<(Manifest, Package)>,
    ) -> Result<Release> {
        let node = facts
            .node
            .as_deref()
            .and_then(|range| Range::parse(range).ok());
        let mut notes = Vec::new();
        let knex_migrator = match facts.settle("knex-migrator") {
            None => None,
            Some(Err(elsewhere)) => {
                return Err(Error::Upstream {
                    problem: format!(
                        "ghost@{} takes knex-migrator from `{elsewhere}`, which is not on the registry",
                        facts.version
                    ),
                    next_step: "check the installed directory or the image instead".to_owned(),
                });
            }
            Some(Ok(settled)) => {
                if settled.patched {
                    notes.push(format!(
                        "Ghost {} patches knex-migrator itself when it is installed: what was checked is the published one",
                        facts.version
                    ));
                }
                Some(self.migrator(settled, node.as_ref(), fetched)?)
            }
        };
        let mut driver = |name: &str| self.driver(&facts, name, node.as_ref(), &mut notes);
        let (mysql, mysql2) = (driver("mysql"), driver("mysql2"));
        Ok(Release {
            ghost: facts.version.clone(),
            node: facts.node.clone(),
            knex_migrator,
            mysql2,
            mysql,
            resolved_via,
            files,
            notes,
        })
    }

    /// The knex-migrator that was settled, out of what is fetched already where that was the right one.
    fn migrator(
        &self,
        settled: Settled,
        node: Option<&Range>,
        fetched: Option<(Manifest, Package)>,
    ) -> Result<Migrator> {
        let fetched = fetched.filter(|(manifest, _)| {
            settled.package == manifest.name
                && settled.wanted == Wanted::Version(manifest.version.clone())
        });
        let (manifest, package) = match fetched {
            Some(fetched) => fetched,
            None => match self.manifest(&settled.package, &settled.wanted, node) {
                Ok(manifest) => {
                    let package = self.package(&manifest, Selection::KnexMigrator, &|_| {})?;
                    (manifest, package)
                }
                Err(error) => return self.unavailable(settled).ok_or(error),
            },
        };
        if let (Some(locked), Some(published)) = (&settled.integrity, &manifest.integrity)
            && locked != published
        {
            return Err(Error::Upstream {
                problem: format!(
                    "{}: Ghost's {} insists on {locked}, but the registry has {published}",
                    manifest.id(),
                    settled.by
                ),
                next_step: "an installation would fail as well: try another registry with --registry, and tell whoever runs this one"
                    .to_owned(),
            });
        }
        Ok(Migrator {
            dependency: Dependency {
                package: manifest.name,
                version: manifest.version,
                settled_by: settled.by,
            },
            files: package.files,
            unavailable: false,
        })
    }

    /// A version that the registry does not have: it knows the package, and lists others. Some Ghosts insist on such a one.
    fn unavailable(&self, settled: Settled) -> Option<Migrator> {
        let Wanted::Version(version) = settled.wanted else {
            return None;
        };
        let manifest = self.manifest_key(&settled.package, &version).ok()?;
        let key = format!("not published: {manifest}");
        if self.shared.settings.offline {
            // A list of versions that is cached may be older than the version: only what was found out counts.
            self.shared.recall::<bool>(Shelf::Metadata, &key)?;
        } else {
            let packument = self.packument(&settled.package).ok()?;
            if packument.manifests.is_empty() || packument.manifest(&version).is_some() {
                return None;
            }
            self.shared.remember(Shelf::Metadata, &key, &true);
        }
        Some(Migrator {
            dependency: Dependency {
                package: settled.package,
                version,
                settled_by: settled.by,
            },
            files: Files::in_memory(Kept::new()),
            unavailable: true,
        })
    }

    /// The driver's version matters for a warning only: where it cannot be settled, that is a note.
    fn driver(
        &self,
        facts: &Facts,
        name: &str,
        node: Option<&Range>,
        notes: &mut Vec<String>,
    ) -> Option<Dependency> {
        let settled = match facts.settle(name)? {
            Ok(settled) => settled,
            Err(elsewhere) => {
                notes.push(format!(
                    "{name} comes from `{elsewhere}`: its version is unknown"
                ));
                return None;
            }
        };
        let version = match settled.wanted {
            Wanted::Version(version) => version,
            wanted => match self.manifest(&settled.package, &wanted, node) {
                Ok(manifest) => manifest.version,
                Err(error) => {
                    notes.push(format!(
                        "which {name} would be installed is unknown: {error}"
                    ));
                    return None;
                }
            },
        };
        Some(Dependency {
            package: settled.package,
            version,
            settled_by: settled.by,
        })
    }
}
