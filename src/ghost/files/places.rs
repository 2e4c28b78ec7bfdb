//! Where in the cache the files of a package are: those of a directory lie together in one object.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::ghost::cache::Cache;
use crate::ghost::integrity::{Algorithm, Integrity};
use crate::ghost::tarball::Kept;

/// A package's files in the cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ghost) struct Places {
    /// Where each file is, by its path.
    pub(in crate::ghost) files: BTreeMap<String, Place>,
    /// The cache's objects that hold them: to write and find each of hundreds of small files would take longer than
    /// all else that is done with them.
    pub(in crate::ghost) bundles: Vec<Bundle>,
}

/// Where in the cache a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ghost) struct Place {
    /// SHA-256 of the file, in hexadecimal.
    pub(in crate::ghost) digest: String,
    /// Bytes.
    pub(in crate::ghost) length: usize,
    /// The number of the bundle that it is in.
    pub(in crate::ghost) bundle: usize,
    /// Bytes before it in there.
    pub(in crate::ghost) offset: usize,
}

/// An object of the cache that holds files, one behind the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ghost) struct Bundle {
    /// SHA-256 of the whole, in hexadecimal.
    pub(in crate::ghost) digest: String,
    /// Bytes.
    pub(in crate::ghost) length: u64,
}

/// What was read of a package's bundles.
#[derive(Default)]
pub(in crate::ghost) struct Opened {
    /// The last bundle, by its number: whoever reads all of a directory reads its bundle once.
    bundle: Option<(usize, Vec<u8>)>,
}

impl Places {
    /// Keeps files in a cache, those of a directory in one object.
    pub(in crate::ghost) fn keep(kept: &Kept, cache: &Cache) -> Result<Self> {
        let mut directories: BTreeMap<&str, Vec<(&String, &Vec<u8>)>> = BTreeMap::new();
        for (path, bytes) in kept {
            directories
                .entry(bundled_with(path))
                .or_default()
                .push((path, bytes));
        }
        let (mut files, mut bundles) = (BTreeMap::new(), Vec::new());
        for together in directories.into_values() {
            let mut whole = Vec::new();
            for (path, bytes) in together {
                let place = Place {
                    digest: Integrity::of_bytes(Algorithm::Sha256, bytes).hex(),
                    length: bytes.len(),
                    bundle: bundles.len(),
                    offset: whole.len(),
                };
                files.insert(path.clone(), place);
                whole.extend_from_slice(bytes);
            }
            bundles.push(Bundle {
                digest: cache.keep_object(&whole)?,
                length: whole.len() as u64,
            });
        }
        Ok(Self { files, bundles })
    }

    /// A file's bytes; `None` where its bundle is gone or damaged.
    pub(in crate::ghost) fn read(
        &self,
        place: &Place,
        opened: &mut Opened,
        cache: &Cache,
    ) -> Option<Vec<u8>> {
        if opened
            .bundle
            .as_ref()
            .is_none_or(|(number, _)| *number != place.bundle)
        {
            let bytes = cache.object(&self.bundles.get(place.bundle)?.digest)?;
            opened.bundle = Some((place.bundle, bytes));
        }
        let (_, bytes) = opened.bundle.as_ref()?;
        let end = place.offset.checked_add(place.length)?;
        bytes.get(place.offset..end).map(<[u8]>::to_vec)
    }

    /// Whether all of it is still kept. Whether it is whole is found out when it is read.
    pub(in crate::ghost) fn are_in(&self, cache: &Cache) -> bool {
        self.bundles
            .iter()
            .all(|bundle| cache.has_object(&bundle.digest, bundle.length))
    }
}

/// What the files of a bundle have in common: the directory, and of `versions/5.75` only the major version. What Ghost
/// once published as the migrations of a major version is in every later Ghost: kept once, it serves them all.
fn bundled_with(path: &str) -> &str {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let name = directory.rfind('/').map_or(0, |at| at + 1);
    let major = directory[name..]
        .bytes()
        .take_while(u8::is_ascii_digit)
        .count();
    match directory.as_bytes().get(name + major) {
        Some(b'.') if major > 0 => &directory[..name + major],
        _ => directory,
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Places, bundled_with};
    use crate::error::Error;
    use crate::ghost::cache::{Cache, DEFAULT_LIMIT};
    use crate::ghost::files::Files;
    use crate::ghost::tarball::Kept;
    use std::path::Path;
    use std::sync::Arc;

    fn migrations() -> Kept {
        [
            ("versions/5.9/1.js", "one"),
            ("versions/5.75/2.js", ""),
            ("versions/5.75/3.js", "three"),
            ("versions/6.0/4.js", "four"),
            ("init/1.js", "five"),
            ("package.json", "{}"),
        ]
        .map(|(path, text)| (path.to_owned(), text.into()))
        .into()
    }

    fn objects(directory: &Path) -> Vec<std::path::PathBuf> {
        walkdir::WalkDir::new(directory.join("v2/objects"))
            .into_iter()
            .map(|entry| entry.expect("readable").into_path())
            .filter(|path| path.is_file())
            .collect()
    }

    #[test]
    fn a_major_version_s_migrations_are_kept_together() {
        for (path, expected) in [
            (
                "core/migrations/versions/5.75/2024-01-add.js",
                "core/migrations/versions/5",
            ),
            ("versions/6.0/x.js", "versions/6"),
            ("versions/6/x.js", "versions/6"),
            ("versions/x.5/y.js", "versions/x.5"),
            ("core/schema/schema.js", "core/schema"),
            ("package.json", ""),
        ] {
            assert_eq!(bundled_with(path), expected, "{path}");
        }
    }

    #[test]
    fn files_come_back_out_of_few_objects() {
        let directory = tempfile::tempdir().expect("a directory");
        let cache = Arc::new(Cache::open(directory.path(), DEFAULT_LIMIT).expect("a cache"));
        let places = Places::keep(&migrations(), &cache).expect("kept");
        assert_eq!(objects(directory.path()).len(), 4);
        assert!(places.are_in(&cache));
        let never = || {
            Err(Error::Bug {
                problem: "it is all there".to_owned(),
            })
        };
        let files = Files::cached(places, cache, never);
        for (path, bytes) in migrations() {
            assert_eq!(files.read(&path).expect("whole"), Some(bytes), "{path}");
        }
        assert_eq!(files.read("versions/5.75/4.js").expect("absent"), None);
        assert_eq!(
            files.digest("versions/5.9/1.js").expect("known"),
            Files::in_memory(migrations())
                .digest("versions/5.9/1.js")
                .expect("known")
        );
        assert_eq!(
            files.paths_below("versions/5.75").expect("known"),
            ["versions/5.75/2.js", "versions/5.75/3.js"]
        );
    }

    #[test]
    fn what_is_damaged_is_fetched_anew() {
        let directory = tempfile::tempdir().expect("a directory");
        let cache = Arc::new(Cache::open(directory.path(), DEFAULT_LIMIT).expect("a cache"));
        let places = Places::keep(&migrations(), &cache).expect("kept");
        for object in objects(directory.path()) {
            let mut bytes = std::fs::read(&object).expect("readable");
            bytes[0] ^= 1;
            std::fs::write(&object, bytes).expect("writable");
        }
        assert!(places.are_in(&cache), "that shows when it is read");
        let files = Files::cached(places.clone(), Arc::clone(&cache), || {
            Ok(Arc::new(migrations()))
        });
        assert_eq!(
            files.read("versions/6.0/4.js").expect("restored"),
            Some(b"four".to_vec())
        );
        assert_eq!(cache.dropped(), 1);
        assert!(!places.are_in(&cache));
    }

    #[test]
    fn a_place_outside_of_its_bundle_counts_as_damage() {
        let directory = tempfile::tempdir().expect("a directory");
        let cache = Arc::new(Cache::open(directory.path(), DEFAULT_LIMIT).expect("a cache"));
        for wrong in [
            |place: &mut Place| place.offset = usize::MAX,
            |place: &mut Place| place.length += 1,
            |place: &mut Place| place.bundle = 99,
        ] {
            let mut places = Places::keep(&migrations(), &cache).expect("kept");
            wrong(places.files.get_mut("init/1.js").expect("there"));
            let files = Files::cached(places, Arc::clone(&cache), || Ok(Arc::new(Kept::new())));
            assert_eq!(files.read("init/1.js").expect("restored"), None);
        }
    }
}
