//! Packages and releases: from the cache where it has them, else from the registry, and then into the cache.
//!
//! Nothing enters the cache before it is verified, and a cache that cannot be used only costs time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use nodejs_semver::{Range, Version};
use serde::{Deserialize, Serialize};
use url::Url;

use super::cache::{Cache, DEFAULT_LIMIT, Shelf};
use super::files::{Entry, Files};
use super::http::Patience;
use super::integrity::Algorithm;
use super::npm_config::{NpmConfig, Surroundings, registry_address};
use super::prefetch::Prefetch;
use super::registry::{Manifest, Packument, Registry};
use super::release::{Dependency, Facts, Migrator, Release, ResolvedVia, Selection};
use super::tarball::{self, Kept, Limits};
use super::wanted::Wanted;
use crate::error::{Error, Result};

/// A registry that says nothing about how long its answer holds is asked every time; one that does, is believed for no
/// longer than npm would.
const LONGEST_FRESHNESS: u64 = 300;

/// What decides where packages come from.
#[derive(Clone)]
pub struct Settings {
    /// `--registry`
    pub registry: Option<String>,
    /// `--cache-dir`; without it the user's cache directory.
    pub cache_directory: Option<PathBuf>,
    /// `--offline`: the cache alone.
    pub offline: bool,
    /// Where npm's configuration is read.
    pub surroundings: Surroundings,
    /// Time limits and retries.
    pub patience: Patience,
    /// Bytes that the cache may hold.
    pub cache_limit: u64,
}

impl Settings {
    /// The defaults in these surroundings.
    #[must_use]
    pub fn new(surroundings: Surroundings) -> Self {
        Self {
            registry: None,
            cache_directory: None,
            offline: false,
            surroundings,
            patience: Patience::default(),
            cache_limit: DEFAULT_LIMIT,
        }
    }
}

/// The way to packages. Cheap to clone; may be used from several threads.
#[derive(Clone)]
pub struct Upstream {
    shared: Arc<Shared>,
}

struct Shared {
    cache: Option<Arc<Cache>>,
    registry: Registry,
    offline: bool,
    limits: Limits,
    notes: Mutex<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
struct KnownPackument {
    packument: Packument,
    etag: Option<String>,
    /// Seconds since 1970 until which it is not asked for again.
    fresh_until: u64,
}

#[derive(Serialize, Deserialize)]
struct Contents {
    files: BTreeMap<String, Entry>,
    facts: Option<Facts>,
}

/// A package's kept files, and for Ghost what they say about its dependencies.
struct Package {
    files: Files,
    facts: Option<Facts>,
}

impl Upstream {
    /// Reads the configuration and opens the cache. No connection is made yet.
    pub fn open(settings: &Settings) -> Result<Self> {
        let mut notes = Vec::new();
        let cache = open_cache(settings, &mut notes)?;
        let mut config = NpmConfig::read(&settings.surroundings, settings.registry.as_deref())?;
        if config.registry_source().is_none()
            && let Some(address) = ask_npm(settings, cache.as_deref())?
        {
            config = config.or_registry(address);
        }
        let registry = Registry::new(config, settings.patience.clone());
        let shared = Shared {
            cache,
            registry,
            offline: settings.offline,
            limits: Limits::default(),
            notes: Mutex::new(notes),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// What happened on the way that changes no answer: a cache that cannot be written, an entry that was damaged.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self
            .shared
            .notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match self
            .shared
            .cache
            .as_ref()
            .map_or(0, |cache| cache.dropped())
        {
            0 => {}
            1 => notes.push("one damaged entry of the cache was dropped".to_owned()),
            count => notes.push(format!("{count} damaged entries of the cache were dropped")),
        }
        notes
    }

    /// All published versions of a package.
    pub fn packument(&self, package: &str) -> Result<Packument> {
        let shared = &self.shared;
        let key = format!("packument {} {package}", shared.registry.address(package)?);
        let known: Option<KnownPackument> = shared.recall(Shelf::Metadata, &key);
        if shared.offline {
            return known
                .map(|known| known.packument)
                .ok_or_else(|| not_cached(&format!("the list of versions of {package}")));
        }
        if let Some(known) = &known
            && now() < known.fresh_until
        {
            return Ok(known.packument.clone());
        }
        let etag = known.as_ref().and_then(|known| known.etag.as_deref());
        match (shared.registry.packument(package, etag)?, known) {
            (Some(fresh), _) => {
                let known = KnownPackument {
                    packument: fresh.packument,
                    etag: fresh.etag,
                    fresh_until: now() + fresh.max_age.unwrap_or(0).min(LONGEST_FRESHNESS),
                };
                shared.remember(Shelf::Metadata, &key, &known);
                Ok(known.packument)
            }
            (None, Some(known)) => Ok(known.packument),
            (None, None) => Err(Error::Bug {
                problem: "an answer without a question's etag".to_owned(),
            }),
        }
    }

    /// The version that npm would install for `wanted`; `node` is the range of Node versions that it is for.
    pub fn manifest(
        &self,
        package: &str,
        wanted: &Wanted,
        node: Option<&Range>,
    ) -> Result<Manifest> {
        let shared = &self.shared;
        match wanted {
            Wanted::Version(version) => {
                // What is published under a version never changes: npm does not allow it.
                let key = self.manifest_key(package, version)?;
                if let Some(known) = shared.recall(Shelf::Metadata, &key) {
                    return Ok(known);
                }
                if !shared.offline
                    && let Some(manifest) =
                        shared.registry.manifest(package, &version.to_string())?
                {
                    shared.remember(Shelf::Metadata, &key, &manifest);
                    return Ok(manifest);
                }
                if shared.offline {
                    let packument = self
                        .packument(package)
                        .map_err(|_| not_cached(&format!("{package}@{version}")))?;
                    return packument.pick(wanted, node).cloned();
                }
            }
            Wanted::Tag(tag) if !shared.offline => {
                if let Some(manifest) = shared.registry.manifest(package, tag)? {
                    shared.remember(
                        Shelf::Metadata,
                        &self.manifest_key(package, &manifest.version)?,
                        &manifest,
                    );
                    return Ok(manifest);
                }
            }
            Wanted::Tag(_) | Wanted::Range { .. } => {}
        }
        self.packument(package)?.pick(wanted, node).cloned()
    }

    fn manifest_key(&self, package: &str, version: &Version) -> Result<String> {
        Ok(format!(
            "manifest {} {package}@{version}",
            self.shared.registry.address(package)?
        ))
    }

    /// The Ghost that `wanted` means on npm, with everything that it would install.
    pub fn release(&self, wanted: &Wanted) -> Result<Release> {
        let manifest = self.manifest("ghost", wanted, None)?;
        self.release_of(&manifest)
    }

    /// A Ghost whose metadata is there already: of many, from one packument.
    pub fn release_of(&self, manifest: &Manifest) -> Result<Release> {
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
                    let package = self.package(&manifest, Selection::KnexMigrator)?;
                    Ok::<_, Error>((manifest, package))
                })
            });
            let ghost = self.package(manifest, Selection::Ghost);
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
        let (mut kept, _) = tarball::read(source, limits, |path| Selection::Ghost.wants(path))
            .map_err(|failure| failure.about(&subject))?;
        let facts = Facts::take(&mut kept, &subject)?;
        self.complete(facts, Files::in_memory(kept), ResolvedVia::Tarball, None)
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
                let (manifest, package) = match fetched {
                    Some((manifest, package))
                        if settled.package == manifest.name
                            && settled.wanted == Wanted::Version(manifest.version.clone()) =>
                    {
                        (manifest, package)
                    }
                    _ => {
                        let manifest =
                            self.manifest(&settled.package, &settled.wanted, node.as_ref())?;
                        let package = self.package(&manifest, Selection::KnexMigrator)?;
                        (manifest, package)
                    }
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
                let dependency = Dependency {
                    package: manifest.name,
                    version: manifest.version,
                    settled_by: settled.by,
                };
                Some(Migrator {
                    dependency,
                    files: package.files,
                })
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

    fn package(&self, manifest: &Manifest, selection: Selection) -> Result<Package> {
        let shared = &self.shared;
        let subject = manifest.id();
        let digest = manifest
            .digests()
            .map_err(|failure| failure.about(&subject))?
            .remove(0);
        let key = format!("{} {digest}", selection.generation());
        let known: Option<Contents> = shared.recall(Shelf::Contents, &key);
        if let (Some(contents), Some(cache)) = (known, &shared.cache)
            && contents
                .files
                .values()
                .all(|entry| cache.has_object(&entry.digest, entry.length))
        {
            let (again, manifest, key) = (self.clone(), manifest.clone(), key.clone());
            let restore = move || Ok(again.fetch(&manifest, selection, &key)?.0);
            let files = Files::cached(contents.files, Arc::clone(cache), restore);
            return Ok(Package {
                files,
                facts: contents.facts,
            });
        }
        let (kept, facts) = self.fetch(manifest, selection, &key)?;
        Ok(Package {
            files: Files::in_memory(kept),
            facts,
        })
    }

    /// From the registry, verified, and then into the cache.
    fn fetch(
        &self,
        manifest: &Manifest,
        selection: Selection,
        key: &str,
    ) -> Result<(Kept, Option<Facts>)> {
        let shared = &self.shared;
        if shared.offline {
            return Err(not_cached(&manifest.id()));
        }
        let mut kept = shared
            .registry
            .tarball(manifest, &shared.limits, &|path| selection.wants(path))?;
        let facts = match selection {
            Selection::Ghost => Some(Facts::take(&mut kept, &manifest.id())?),
            Selection::KnexMigrator => None,
        };
        if let Some(cache) = &shared.cache {
            let store = || -> Result<()> {
                let mut files = BTreeMap::new();
                for (path, bytes) in &kept {
                    let entry = Entry {
                        digest: cache.keep_object(bytes)?,
                        length: bytes.len() as u64,
                    };
                    files.insert(path.clone(), entry);
                }
                cache.keep_document(
                    Shelf::Contents,
                    key,
                    &Contents {
                        files,
                        facts: facts.clone(),
                    },
                )
            };
            shared.note_error(store());
        }
        Ok((kept, facts))
    }
}

impl Shared {
    fn recall<T: serde::de::DeserializeOwned>(&self, shelf: Shelf, key: &str) -> Option<T> {
        self.cache.as_ref()?.document(shelf, key)
    }

    fn remember<T: Serialize>(&self, shelf: Shelf, key: &str, document: &T) {
        if let Some(cache) = &self.cache {
            self.note_error(cache.keep_document(shelf, key, document));
        }
    }

    /// A full disk must not cost the answer that is already there.
    fn note_error(&self, result: Result<()>) {
        if let Err(error) = result {
            let note = format!("the cache could not be written: {error}");
            let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
            if !notes
                .iter()
                .any(|known| known.starts_with("the cache could not be written"))
            {
                notes.push(note);
            }
        }
    }
}

/// A directory that was named must do; the default one is worth a note.
fn open_cache(settings: &Settings, notes: &mut Vec<String>) -> Result<Option<Arc<Cache>>> {
    let opened = match &settings.cache_directory {
        Some(directory) => Cache::open(directory, settings.cache_limit)?,
        None => {
            let Some(directory) = Cache::default_directory(&settings.surroundings) else {
                return Ok(None);
            };
            match Cache::open(&directory, settings.cache_limit) {
                Ok(cache) => cache,
                Err(error) if settings.offline => return Err(error),
                Err(error) => {
                    notes.push(format!("nothing is cached: {error}"));
                    return Ok(None);
                }
            }
        }
    };
    Ok(Some(Arc::new(opened)))
}

/// npm's own answer, asked for once for each npm that is installed.
fn ask_npm(settings: &Settings, cache: Option<&Cache>) -> Result<Option<Url>> {
    let Some(npm) = settings.surroundings.program("npm") else {
        return Ok(None);
    };
    let changed = std::fs::metadata(&npm)
        .and_then(|metadata| metadata.modified())
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |age| age.as_secs());
    let key = format!("registry of {} of {changed}", npm.display());
    let remembered: Option<String> = cache.and_then(|cache| cache.document(Shelf::Metadata, &key));
    if let Some(address) = remembered.and_then(|address| registry_address(&address).ok()) {
        return Ok(Some(address));
    }
    let answer = settings.surroundings.ask_npm_for_registry()?;
    if let (Some(address), Some(cache)) = (&answer, cache) {
        // Asked again next time, if it cannot be kept.
        let _ = cache.keep_document(Shelf::Metadata, &key, &address.as_str());
    }
    Ok(answer)
}

fn not_cached(what: &str) -> Error {
    Error::Upstream {
        problem: format!("{what} is not in the cache"),
        next_step: "run the same command once without --offline".to_owned(),
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_secs())
}
