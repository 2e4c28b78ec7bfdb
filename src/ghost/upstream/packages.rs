//! Metadata and files of one package: out of the cache, or out of the registry and then into the cache.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use nodejs_semver::{Range, Version};
use serde::{Deserialize, Serialize};

use super::{Upstream, not_cached};
use crate::error::{Error, Result};
use crate::ghost::cache::{Cache, Shelf};
use crate::ghost::files::{Files, Places};
use crate::ghost::registry::{Manifest, Packument};
use crate::ghost::release::{Facts, Selection};
use crate::ghost::tarball::Kept;
use crate::ghost::wanted::Wanted;

/// A registry that says nothing about how long its answer holds is asked every time; one that does, is believed for no
/// longer than npm would.
const LONGEST_FRESHNESS: u64 = 300;

#[derive(Serialize, Deserialize)]
struct KnownPackument {
    packument: Packument,
    etag: Option<String>,
    /// Seconds since 1970 until which it is not asked for again.
    fresh_until: u64,
    /// Seconds since 1970 when it came.
    #[serde(default)]
    asked: u64,
}

/// Of a [`KnownPackument`] only when it came: reading all versions for that would take longer than all else.
#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    asked: u64,
}

/// What a tag meant when the registry was last asked for it alone, which spares the list of all versions.
#[derive(Serialize, Deserialize)]
struct KnownTag {
    version: Version,
    /// Seconds since 1970.
    asked: u64,
}

#[derive(Serialize, Deserialize)]
struct Contents {
    places: Places,
    facts: Option<Facts>,
}

/// A file of a package that has just come, and is not verified: the rest of the package is still on its way.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The package.
    pub manifest: &'a Manifest,
    /// The file's path in it.
    pub path: &'a str,
    /// What may be its bytes.
    pub bytes: &'a [u8],
}

/// Sees files as they come, to begin what may turn out to be for nothing.
pub type Watch<'a> = dyn Fn(&Arrival<'_>) + Sync + 'a;

/// A package's kept files, and for Ghost what they say about its dependencies.
pub(super) struct Package {
    pub(super) files: Files,
    pub(super) facts: Option<Facts>,
}

impl Upstream {
    /// All published versions of a package.
    pub fn packument(&self, package: &str) -> Result<Packument> {
        let shared = &self.shared;
        let key = self.packument_key(package)?;
        let known: Option<KnownPackument> = shared.recall(Shelf::Metadata, &key);
        if shared.settings.offline {
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
        match (shared.registry()?.packument(package, etag)?, known) {
            (Some(fresh), _) => {
                let known = KnownPackument {
                    packument: fresh.packument,
                    etag: fresh.etag,
                    fresh_until: now() + fresh.max_age.unwrap_or(0).min(LONGEST_FRESHNESS),
                    asked: now(),
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
                if !shared.settings.offline
                    && let Some(manifest) =
                        shared.registry()?.manifest(package, &version.to_string())?
                {
                    shared.remember(Shelf::Metadata, &key, &manifest);
                    return Ok(manifest);
                }
                if shared.settings.offline {
                    let packument = self
                        .packument(package)
                        .map_err(|_| not_cached(&format!("{package}@{version}")))?;
                    return packument.pick(wanted, node).cloned();
                }
            }
            Wanted::Tag(tag) if !shared.settings.offline => {
                if let Some(manifest) = shared.registry()?.manifest(package, tag)? {
                    shared.remember(
                        Shelf::Metadata,
                        &self.manifest_key(package, &manifest.version)?,
                        &manifest,
                    );
                    let known = KnownTag {
                        version: manifest.version.clone(),
                        asked: now(),
                    };
                    shared.remember(Shelf::Metadata, &self.tag_key(package, tag)?, &known);
                    return Ok(manifest);
                }
            }
            Wanted::Tag(tag) => {
                if let Some(version) = self.remembered(package, tag)? {
                    return self.manifest(package, &Wanted::Version(version), node);
                }
            }
            Wanted::Range { .. } => {}
        }
        self.packument(package)?.pick(wanted, node).cloned()
    }

    /// What a tag meant when it was asked for alone, unless the list of all versions is from a later time.
    fn remembered(&self, package: &str, tag: &str) -> Result<Option<Version>> {
        let shared = &self.shared;
        let known: Option<KnownTag> = shared.recall(Shelf::Metadata, &self.tag_key(package, tag)?);
        let listed: Option<Listed> = shared.recall(Shelf::Metadata, &self.packument_key(package)?);
        let listed = listed.map_or(0, |listed| listed.asked);
        Ok(known
            .filter(|known| known.asked >= listed)
            .map(|known| known.version))
    }

    fn tag_key(&self, package: &str, tag: &str) -> Result<String> {
        let address = self.shared.registry()?.address(package)?.clone();
        Ok(format!("tag {address} {package}@{tag}"))
    }

    fn packument_key(&self, package: &str) -> Result<String> {
        let address = self.shared.registry()?.address(package)?.clone();
        Ok(format!("packument {address} {package}"))
    }

    pub(super) fn manifest_key(&self, package: &str, version: &Version) -> Result<String> {
        Ok(format!(
            "manifest {} {package}@{version}",
            self.shared.registry()?.address(package)?
        ))
    }

    pub(super) fn package(
        &self,
        manifest: &Manifest,
        selection: Selection,
        watch: &Watch<'_>,
    ) -> Result<Package> {
        let shared = &self.shared;
        let subject = manifest.id();
        let digest = manifest
            .digests()
            .map_err(|failure| failure.about(&subject))?
            .remove(0);
        let key = format!("{} {digest}", selection.generation());
        let known: Option<Contents> = shared.recall(Shelf::Contents, &key);
        if let (Some(contents), Some(cache)) = (known, &shared.cache)
            && contents.places.are_in(cache)
        {
            let (again, manifest, key) = (self.clone(), manifest.clone(), key.clone());
            let restore = move || Ok(again.fetch(&manifest, selection, key.clone(), &|_| {})?.0);
            let files = Files::cached(contents.places, Arc::clone(cache), restore);
            return Ok(Package {
                files,
                facts: contents.facts,
            });
        }
        let (kept, facts) = self.fetch(manifest, selection, key, watch)?;
        Ok(Package {
            files: Files::in_memory(kept),
            facts,
        })
    }

    /// From the registry, verified; into the cache it goes while the files are already looked at.
    fn fetch(
        &self,
        manifest: &Manifest,
        selection: Selection,
        key: String,
        watch: &Watch<'_>,
    ) -> Result<(Arc<Kept>, Option<Facts>)> {
        let shared = &self.shared;
        if shared.settings.offline {
            return Err(not_cached(&manifest.id()));
        }
        let wanted = |path: &str| selection.wants(path);
        let arrived = |path: &str, bytes: &[u8]| {
            watch(&Arrival {
                manifest,
                path,
                bytes,
            });
        };
        let mut kept = shared
            .registry()?
            .tarball(manifest, &shared.limits, &wanted, &arrived)?;
        let facts = match selection {
            Selection::Ghost => Some(Facts::take(&mut kept, &manifest.id())?),
            Selection::KnexMigrator => None,
        };
        let kept = Arc::new(kept);
        if let Some(cache) = &shared.cache {
            let (cache, kept, facts) = (Arc::clone(cache), Arc::clone(&kept), facts.clone());
            let write = move || keep(&cache, &key, &kept, facts);
            shared.note_error(shared.writing.begin(write));
        }
        Ok((kept, facts))
    }
}

/// The files first, then what names them: whoever finds the contents finds the files.
fn keep(cache: &Cache, key: &str, kept: &Kept, facts: Option<Facts>) -> Result<()> {
    let places = Places::keep(kept, cache)?;
    cache.keep_document(Shelf::Contents, key, &Contents { places, facts })
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_secs())
}
