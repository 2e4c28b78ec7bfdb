//! What is remembered between runs: small documents, and the few files of packages and images that matter, each once
//! and under its own digest.
//!
//! Any number of processes may share the directory: everything is written beside and renamed, everything is verified
//! when it is read, and what is damaged is dropped and counts as absent. Nothing here decides what is worth keeping.

mod trim;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use trim::Trimmed;

use super::integrity::{Algorithm, Integrity};
use super::npm_config::Surroundings;
use crate::error::{Error, Result};

/// Room for every published Ghost several times over.
pub const DEFAULT_LIMIT: u64 = 256 << 20;
/// The layout's name: another layout begins beside it, with nothing.
const LAYOUT: &str = "v2";
/// How exactly "last used" is known: a document that is read more often is not touched each time.
const USE_GRAIN: Duration = Duration::from_secs(3600);
/// No document comes near this.
const DOCUMENT_LIMIT: u64 = 64 << 20;
const HEADER: &str = "ghostfix cache ";

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// What registries say: manifests, packuments, the registry's own address.
    Metadata,
    /// Which files a package or image has, and the digests that they are kept under.
    Contents,
    /// What came of judging a file.
    Judgements,
}

impl Shelf {
    fn directory(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Contents => "contents",
            Self::Judgements => "judgements",
        }
    }
}

/// A directory of remembered things.
pub struct Cache {
    directory: PathBuf,
    limit: u64,
    /// Held shared while the cache is open, so that nobody trims what is about to be read. `None`: read-only.
    lock: Option<File>,
    written: AtomicBool,
    dropped: AtomicUsize,
}

impl Cache {
    /// `$XDG_CACHE_HOME/ghostfix`, else `~/.cache/ghostfix`.
    #[must_use]
    pub fn default_directory(surroundings: &Surroundings) -> Option<PathBuf> {
        let named = surroundings
            .variable("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute());
        let base = named.or_else(|| surroundings.home().map(|home| home.join(".cache")))?;
        Some(base.join("ghostfix"))
    }

    /// Opens the directory, making it where it is not there. One that cannot be written is read.
    pub fn open(directory: &Path, limit: u64) -> Result<Self> {
        let root = directory.join(LAYOUT);
        let lock = match prepare(directory, &root) {
            Ok(lock) => Some(lock),
            Err(_) if root.is_dir() => None,
            Err(error) => {
                return Err(Error::FileSystem {
                    action: "create the cache in",
                    path: directory.to_owned(),
                    next_step: "name another directory with --cache-dir".to_owned(),
                    source: error,
                });
            }
        };
        if let Some(lock) = &lock {
            // Waits only while somebody trims. Where a file system knows no locks, trimming goes without as well.
            let _ = flock(lock, FlockOperation::LockShared);
        }
        Ok(Self {
            directory: root,
            limit,
            lock,
            written: AtomicBool::new(false),
            dropped: AtomicUsize::new(0),
        })
    }

    /// How many damaged entries were found and dropped since it was opened.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.dropped.load(Ordering::Relaxed)
    }

    /// The document kept for `key`, where there is one and it is whole.
    #[must_use]
    pub fn document<T: DeserializeOwned>(&self, shelf: Shelf, key: &str) -> Option<T> {
        let path = self.document_path(shelf, key);
        let found = read_document(&path, key)?;
        let Some(document) = found else {
            self.drop_damaged(&path);
            return None;
        };
        if self.lock.is_some() {
            mark_used(&path);
        }
        // A document of another version of ghostfix: not damaged, but of no use.
        serde_json::from_slice(&document).ok()
    }

    /// Keeps a document for `key`, in place of the one before.
    pub fn keep_document<T: Serialize>(&self, shelf: Shelf, key: &str, document: &T) -> Result<()> {
        if self.lock.is_none() {
            return Ok(());
        }
        let bug = |error: serde_json::Error| Error::Bug {
            problem: format!("a cache entry cannot be JSON: {error}"),
        };
        let mut body = serde_json::to_vec(key).map_err(bug)?;
        body.push(b'\n');
        body.extend(serde_json::to_vec(document).map_err(bug)?);
        let digest = Integrity::of_bytes(Algorithm::Sha256, &body).hex();
        let whole = [format!("{HEADER}{digest}\n").into_bytes(), body].concat();
        self.write(&self.document_path(shelf, key), &whole)
    }

    /// The file with this SHA-256, where it is kept and whole.
    #[must_use]
    pub fn object(&self, digest: &str) -> Option<Vec<u8>> {
        let path = self.object_path(digest)?;
        let bytes = std::fs::read(&path).ok()?;
        if Integrity::of_bytes(Algorithm::Sha256, &bytes).hex() == digest {
            return Some(bytes);
        }
        self.drop_damaged(&path);
        None
    }

    /// Whether a file with this SHA-256 and length is kept. Whether it is whole is found out when it is read.
    #[must_use]
    pub fn has_object(&self, digest: &str, length: u64) -> bool {
        self.object_path(digest)
            .and_then(|path| std::fs::metadata(path).ok())
            .is_some_and(|metadata| metadata.is_file() && metadata.len() == length)
    }

    /// Keeps a file; the SHA-256 is what it is asked for with.
    pub fn keep_object(&self, bytes: &[u8]) -> Result<String> {
        let digest = Integrity::of_bytes(Algorithm::Sha256, bytes).hex();
        if self.lock.is_some() && !self.has_object(&digest, bytes.len() as u64) {
            let path = self.object_path(&digest).expect("the digest was just made");
            self.write(&path, bytes)?;
        }
        Ok(digest)
    }

    fn document_path(&self, shelf: Shelf, key: &str) -> PathBuf {
        let name = Integrity::of_bytes(Algorithm::Sha256, key.as_bytes()).hex();
        self.directory.join(shelf.directory()).join(name)
    }

    /// `None` for what is no SHA-256: digests come out of documents, and none of them may lead elsewhere.
    fn object_path(&self, digest: &str) -> Option<PathBuf> {
        let is_digest = digest.len() == 64 && digest.bytes().all(|digit| digit.is_ascii_hexdigit());
        // All in one directory: there are hundreds, and a disk takes longer to make a directory than to write a file.
        is_digest.then(|| self.directory.join("objects").join(digest))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let failed = |error| Error::FileSystem {
            action: "write the cache entry",
            path: path.to_owned(),
            next_step: "make room, or name another directory with --cache-dir".to_owned(),
            source: error,
        };
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(self.directory.join("tmp"))?;
            file.write_all(bytes)?;
            // No sync: what a crash leaves half-written is found out when it is read.
            file.persist(path).map_err(|error| error.error)
        };
        let result = match write() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let parent = path
                    .parent()
                    .expect("every entry is in a directory of the cache");
                std::fs::create_dir_all(parent).map_err(failed)?;
                std::fs::create_dir_all(self.directory.join("tmp")).map_err(failed)?;
                write()
            }
            result => result,
        };
        result.map_err(failed)?;
        self.written.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn drop_damaged(&self, path: &Path) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        // In a cache that cannot be written it stays, and counts as absent each time.
        let _ = std::fs::remove_file(path);
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        if self.written.load(Ordering::Relaxed) {
            // A cache that stays too large is trimmed by the next run.
            let _ = self.trim();
        }
    }
}

fn prepare(directory: &Path, root: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::DirBuilderExt;
    // Packages of private registries may be among the files: nobody else's business.
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    for name in ["objects", "metadata", "contents", "judgements", "tmp"] {
        std::fs::create_dir_all(root.join(name))?;
    }
    let tag = directory.join("CACHEDIR.TAG");
    if !tag.exists() {
        std::fs::write(
            tag,
            "Signature: 8a477f597d28d172789f06886806bc55\n# Made by ghostfix; may be deleted.\n",
        )?;
    }
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(directory.join("lock"))
}

/// A document's JSON. Outer `None`: not there; inner: damaged.
fn read_document(path: &Path, key: &str) -> Option<Option<Vec<u8>>> {
    if std::fs::metadata(path).ok()?.len() > DOCUMENT_LIMIT {
        return Some(None);
    }
    let bytes = std::fs::read(path).ok()?;
    let whole = || {
        let rest = bytes.strip_prefix(HEADER.as_bytes())?;
        let (digest, rest) = rest.split_at_checked(64)?;
        let body = rest.strip_prefix(b"\n")?;
        if Integrity::of_bytes(Algorithm::Sha256, body)
            .hex()
            .as_bytes()
            != digest
        {
            return None;
        }
        let end = body.iter().position(|byte| *byte == b'\n')?;
        let kept_key: String = serde_json::from_slice(&body[..end]).ok()?;
        (kept_key == key).then(|| body[end + 1..].to_vec())
    };
    Some(whole())
}

fn mark_used(path: &Path) {
    let is_old = std::fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .is_ok_and(|used| used.elapsed().is_ok_and(|age| age > USE_GRAIN));
    if is_old && let Ok(file) = OpenOptions::new().append(true).open(path) {
        // Only the order of trimming depends on it.
        let _ = file.set_modified(SystemTime::now());
    }
}

#[cfg(test)]
mod tests {
    use super::{Cache, DEFAULT_LIMIT, Shelf};
    use std::path::{Path, PathBuf};

    fn files(directory: &Path) -> Vec<PathBuf> {
        super::trim::entries(&directory.join("v2"))
            .expect("readable")
            .into_iter()
            .map(|entry| entry.path)
            .collect()
    }

    fn open(directory: &Path) -> Cache {
        Cache::open(directory, DEFAULT_LIMIT).expect("a cache")
    }

    #[test]
    fn what_is_kept_is_there_in_the_next_run() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().join("made/on/the/way");
        let digest = {
            let cache = open(&place);
            assert_eq!(cache.document::<u32>(Shelf::Metadata, "key"), None);
            cache
                .keep_document(Shelf::Metadata, "key", &7_u32)
                .expect("kept");
            cache
                .keep_document(Shelf::Metadata, "key", &8_u32)
                .expect("kept");
            cache.keep_object(b"content").expect("kept")
        };
        let cache = open(&place);
        assert_eq!(cache.document(Shelf::Metadata, "key"), Some(8_u32));
        assert_eq!(cache.document::<u32>(Shelf::Contents, "key"), None);
        assert_eq!(cache.object(&digest), Some(b"content".to_vec()));
        assert!(cache.has_object(&digest, 7) && !cache.has_object(&digest, 8));
        assert_eq!(files(&place).len(), 2);
        assert_eq!(cache.dropped(), 0);
    }

    #[test]
    fn any_damage_is_found_and_dropped() {
        let directory = tempfile::tempdir().expect("a directory");
        let damages: [fn(Vec<u8>) -> Vec<u8>; 5] = [
            |_| Vec::new(),
            |bytes| bytes[..bytes.len() - 1].to_vec(),
            |mut bytes| {
                *bytes.last_mut().expect("some") ^= 1;
                bytes
            },
            |mut bytes| {
                bytes.insert(0, b'x');
                bytes
            },
            |bytes| [bytes, vec![0]].concat(),
        ];
        for damage in damages {
            let cache = open(directory.path());
            cache
                .keep_document(Shelf::Contents, "key", &"value")
                .expect("kept");
            let digest = cache.keep_object(b"content").expect("kept");
            for path in files(directory.path()) {
                let bytes = std::fs::read(&path).expect("readable");
                std::fs::write(&path, damage(bytes)).expect("writable");
            }
            assert_eq!(cache.document::<String>(Shelf::Contents, "key"), None);
            assert_eq!(cache.object(&digest), None);
            assert_eq!(cache.dropped(), 2);
            assert_eq!(files(directory.path()), Vec::<PathBuf>::new());
        }
    }

    #[test]
    fn a_document_answers_to_its_own_key_only() {
        let directory = tempfile::tempdir().expect("a directory");
        let cache = open(directory.path());
        cache
            .keep_document(Shelf::Metadata, "one", &1_u32)
            .expect("kept");
        let one = files(directory.path()).pop().expect("one file");
        std::fs::rename(one, cache.document_path(Shelf::Metadata, "two")).expect("renamed");
        assert_eq!(cache.document::<u32>(Shelf::Metadata, "two"), None);
    }

    #[test]
    fn a_digest_never_leads_out_of_the_cache() {
        let directory = tempfile::tempdir().expect("a directory");
        let cache = open(directory.path());
        for digest in [
            "../../etc/passwd",
            "",
            "ab",
            &"g".repeat(64),
            &format!("../{}", "a".repeat(61)),
        ] {
            assert_eq!(cache.object(digest), None);
            assert!(!cache.has_object(digest, 0));
        }
    }

    #[test]
    fn processes_write_the_same_things_at_the_same_time() {
        let directory = tempfile::tempdir().expect("a directory");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for round in 0..50_u32 {
                        let cache = Cache::open(directory.path(), 20_000).expect("a cache");
                        let digest = cache.keep_object(&[round as u8; 1000]).expect("kept");
                        cache
                            .keep_document(Shelf::Contents, &format!("{}", round % 5), &digest)
                            .expect("kept");
                        let found: Option<String> =
                            cache.document(Shelf::Contents, &format!("{}", round % 5));
                        if let Some(bytes) = found.and_then(|digest| cache.object(&digest)) {
                            assert_eq!(bytes.len(), 1000);
                        }
                        assert_eq!(cache.dropped(), 0);
                    }
                });
            }
        });
    }

    #[test]
    fn a_place_that_is_no_directory_is_an_error_that_names_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("file");
        std::fs::write(&file, "").expect("written");
        let error = Cache::open(&file.join("cache"), DEFAULT_LIMIT)
            .map(|_| ())
            .expect_err("a file is in the way");
        assert_eq!(error.exit_code(), 5);
        assert!(error.to_string().contains("create the cache in"), "{error}");
        assert!(error.next_step().contains("--cache-dir"));
    }
}
