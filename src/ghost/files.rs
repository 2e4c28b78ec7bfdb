//! The kept files of a package or image: known by path at once, read when they are asked for.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

mod places;

use places::Opened;
pub(super) use places::Places;

use super::cache::Cache;
use super::integrity::{Algorithm, Integrity};
use super::tarball::Kept;
use crate::error::{Error, Result};
use crate::image::source::{Links, Regular, read_regular};

/// Ghost's lock file has some megabytes; nothing else comes near it.
const LARGEST: u64 = 64 << 20;

/// Fetches everything anew, for the case that the cache turns out to be damaged.
type Restore = dyn Fn() -> Result<Arc<Kept>> + Send + Sync;

/// Files by path, relative to the package's own directory and with `/`.
#[derive(Clone)]
pub struct Files {
    source: Arc<Source>,
}

enum Source {
    Memory(Arc<Kept>),
    Cached {
        places: Places,
        cache: Arc<Cache>,
        restore: Box<Restore>,
        found: Mutex<Found>,
    },
    Directory(PathBuf),
}

/// Where the bytes of a cached package were found.
#[derive(Default)]
struct Found {
    opened: Opened,
    /// All files, fetched anew.
    restored: Option<Arc<Kept>>,
}

impl Files {
    /// Files that are in memory.
    #[must_use]
    pub fn in_memory(kept: impl Into<Arc<Kept>>) -> Self {
        Self {
            source: Arc::new(Source::Memory(kept.into())),
        }
    }

    /// The files of an unpacked package.
    #[must_use]
    pub fn in_directory(directory: impl Into<PathBuf>) -> Self {
        Self {
            source: Arc::new(Source::Directory(directory.into())),
        }
    }

    pub(super) fn cached(
        places: Places,
        cache: Arc<Cache>,
        restore: impl Fn() -> Result<Arc<Kept>> + Send + Sync + 'static,
    ) -> Self {
        let restore = Box::new(restore);
        Self {
            source: Arc::new(Source::Cached {
                places,
                cache,
                restore,
                found: Mutex::default(),
            }),
        }
    }

    /// The bytes of one file; `None` where there is no such file (or it is none of those that are kept).
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        match &*self.source {
            Source::Memory(kept) => Ok(kept.get(path).cloned()),
            Source::Directory(directory) => read_below(directory, path),
            Source::Cached {
                places,
                cache,
                restore,
                found,
            } => {
                let Some(place) = places.files.get(path) else {
                    return Ok(None);
                };
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                if found.restored.is_none() {
                    if let Some(bytes) = places.read(place, &mut found.opened, cache) {
                        return Ok(Some(bytes));
                    }
                    found.restored = Some(restore()?);
                }
                Ok(found
                    .restored
                    .as_ref()
                    .and_then(|kept| kept.get(path))
                    .cloned())
            }
        }
    }

    /// The SHA-256 of one file, in hexadecimal; `None` where there is no such file. What is cached is known by its digest,
    /// and is not read for it.
    pub fn digest(&self, path: &str) -> Result<Option<String>> {
        if let Source::Cached { places, .. } = &*self.source {
            return Ok(places.files.get(path).map(|place| place.digest.clone()));
        }
        let of = |bytes: Vec<u8>| Integrity::of_bytes(Algorithm::Sha256, &bytes).hex();
        Ok(self.read(path)?.map(of))
    }

    /// The text of one file.
    pub fn read_text(&self, path: &str) -> Result<Option<String>> {
        let Some(bytes) = self.read(path)? else {
            return Ok(None);
        };
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|error| Error::Unusable {
                path: path.into(),
                problem: format!(
                    "it is no UTF-8 from byte {} on",
                    error.utf8_error().valid_up_to()
                ),
                next_step: "it is not what Ghost publishes: check where it comes from".to_owned(),
            })
    }

    /// The paths of all files below a directory (`""` for all), in byte order.
    pub fn paths_below(&self, directory: &str) -> Result<Vec<String>> {
        let prefix = if directory.is_empty() {
            String::new()
        } else {
            format!("{directory}/")
        };
        match &*self.source {
            Source::Memory(kept) => Ok(below(kept, &prefix)),
            Source::Cached { places, .. } => Ok(below(&places.files, &prefix)),
            Source::Directory(root) => {
                let mut found = Vec::new();
                for entry in walkdir::WalkDir::new(root.join(directory)).sort_by_file_name() {
                    let entry = match entry {
                        Ok(entry) => entry,
                        Err(error)
                            if error.io_error().is_some_and(|error| {
                                error.kind() == std::io::ErrorKind::NotFound
                            }) =>
                        {
                            continue;
                        }
                        Err(error) => {
                            let path = error.path().unwrap_or(root).to_owned();
                            return Err(Error::file_system("read", path, error.into()));
                        }
                    };
                    if entry.file_type().is_file()
                        && let Some(path) =
                            entry.path().strip_prefix(root).ok().and_then(Path::to_str)
                    {
                        found.push(path.to_owned());
                    }
                }
                found.sort();
                Ok(found)
            }
        }
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.source {
            Source::Memory(kept) => write!(formatter, "{} files in memory", kept.len()),
            Source::Cached { places, .. } => {
                write!(formatter, "{} cached files", places.files.len())
            }
            Source::Directory(directory) => {
                write!(formatter, "the files in {}", directory.display())
            }
        }
    }
}

fn below<T>(entries: &BTreeMap<String, T>, prefix: &str) -> Vec<String> {
    entries
        .keys()
        .filter(|path| path.starts_with(prefix))
        .cloned()
        .collect()
}

fn read_below(directory: &Path, path: &str) -> Result<Option<Vec<u8>>> {
    let path = directory.join(path);
    let unusable = |problem: String| Error::Unusable {
        path: path.clone(),
        problem,
        next_step: "it is not what Ghost publishes: check where it comes from".to_owned(),
    };
    match read_regular(&path, LARGEST, Links::Follow) {
        Ok(Regular::Whole { bytes, .. }) => Ok(Some(bytes)),
        Ok(Regular::TooLarge { length }) => {
            Err(unusable(format!("it is too large ({length} bytes)")))
        }
        Ok(Regular::Other("a directory")) => Ok(None),
        Ok(Regular::Other(kind)) => Err(unusable(format!("this is {kind}, not a file"))),
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(Error::file_system("read", path, error)),
    }
}
