//! Packages, releases and images: from the cache where it has them, else from their registry, and then into the cache.
//!
//! Nothing enters the cache before it is verified, and a cache that cannot be used only costs time.

mod beside;
mod images;
mod packages;
mod releases;

pub use packages::{Arrival, Watch};

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::cache::{Cache, DEFAULT_LIMIT, Shelf};
use super::http::Patience;
use super::integrity::{Algorithm, Integrity};
use super::npm_config::{NpmConfig, Surroundings, registry_address};
use super::registry::Registry;
use super::tarball::Limits;
use crate::error::{Error, Result};
use beside::Beside;

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
    settings: Settings,
    cache: Option<Arc<Cache>>,
    /// Found out when it is first needed: images have nothing to do with npm.
    registry: Mutex<Option<Arc<Registry>>>,
    limits: Limits,
    notes: Mutex<Vec<String>>,
    /// Entries of the cache that are being written.
    writing: Beside,
}

impl Upstream {
    /// Opens the cache. Configuration is read and connections are made when they are needed.
    pub fn open(settings: &Settings) -> Result<Self> {
        let mut notes = Vec::new();
        let cache = open_cache(settings, &mut notes)?;
        let shared = Shared {
            settings: settings.clone(),
            cache,
            registry: Mutex::default(),
            limits: Limits::default(),
            notes: Mutex::new(notes),
            writing: Beside::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// What came of judging a file, where an earlier run of this very edition has kept it.
    #[must_use]
    pub fn judgement<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        self.shared.recall(Shelf::Judgements, &judgement_key(key))
    }

    /// Keeps what came of judging a file.
    pub fn keep_judgement<T: Serialize>(&self, key: &str, judgement: &T) {
        self.shared
            .remember(Shelf::Judgements, &judgement_key(key), judgement);
    }

    /// What happened on the way that changes no answer: a cache that cannot be written, an entry that was damaged.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.shared.note_error(self.shared.writing.finish());
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
}

impl Shared {
    fn registry(&self) -> Result<Arc<Registry>> {
        let mut known = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(registry) = &*known {
            return Ok(Arc::clone(registry));
        }
        let settings = &self.settings;
        let mut config = NpmConfig::read(&settings.surroundings, settings.registry.as_deref())?;
        if config.registry_source().is_none()
            && let Some(address) = ask_npm(settings, self.cache.as_deref())?
        {
            config = config.or_registry(address);
        }
        let registry = Arc::new(Registry::new(config, settings.patience.clone()));
        *known = Some(Arc::clone(&registry));
        Ok(registry)
    }

    fn recall<T: DeserializeOwned>(&self, shelf: Shelf, key: &str) -> Option<T> {
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

/// A digest, so that no document names a file which is kept and would then stay for its sake.
fn judgement_key(key: &str) -> String {
    Integrity::of_bytes(Algorithm::Sha256, key.as_bytes()).hex()
}

fn not_cached(what: &str) -> Error {
    Error::Upstream {
        problem: format!("{what} is not in the cache"),
        next_step: "run the same command once without --offline".to_owned(),
    }
}
