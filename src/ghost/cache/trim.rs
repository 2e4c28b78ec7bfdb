//! The cache's size limit: what was used longest ago goes, and nothing that a running process may be about to read.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};

use super::{Cache, Shelf};
use crate::error::{Error, Result};

/// A temporary file as old as this belongs to nobody any more.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);
/// What trimming did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trimmed {
    /// There was room enough.
    Enough,
    /// Another process uses the cache; its turn.
    InUse,
    /// Bytes before and after.
    From(u64, u64),
}

impl Cache {
    /// Brings the cache under its limit: the contents used longest ago go first, and with them the files that no other
    /// contents name.
    pub fn trim(&self) -> Result<Trimmed> {
        let Some(lock) = &self.lock else {
            return Ok(Trimmed::InUse);
        };
        let failed = |error| Error::file_system("trim the cache in", &self.directory, error);
        let before = entries(&self.directory)
            .map_err(failed)?
            .iter()
            .map(|entry| entry.length)
            .sum();
        if before <= self.limit {
            return Ok(Trimmed::Enough);
        }
        if flock(lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            // Asking for the exclusive lock has cost the shared one.
            let _ = flock(lock, FlockOperation::LockShared);
            return Ok(Trimmed::InUse);
        }
        let after = self.remove_oldest(before);
        let _ = flock(lock, FlockOperation::LockShared);
        Ok(Trimmed::From(before, after.map_err(failed)?))
    }

    fn remove_oldest(&self, before: u64) -> std::io::Result<u64> {
        // Some room is made, lest every run trim anew.
        let wanted = self.limit / 4 * 3;
        let mut documents: Vec<Entry> = Vec::new();
        for shelf in [Shelf::Metadata, Shelf::Contents, Shelf::Judgements] {
            documents.extend(entries(&self.directory.join(shelf.directory()))?);
        }
        documents.sort_by_key(|document| document.used);
        let objects = entries(&self.directory.join("objects"))?;
        let mut size = before;
        // Documents go in steps until those that stay, with their objects, fit.
        let mut keep = documents.as_slice();
        loop {
            let named: HashSet<String> = keep
                .iter()
                .flat_map(|document| digests_in(&document.path))
                .collect();
            let stays =
                |object: &&Entry| object.digest().is_some_and(|digest| named.contains(digest));
            let kept_size: u64 = keep.iter().map(|document| document.length).sum::<u64>()
                + objects
                    .iter()
                    .filter(stays)
                    .map(|object| object.length)
                    .sum::<u64>();
            if kept_size <= wanted || keep.is_empty() {
                let gone = documents[..documents.len() - keep.len()].iter();
                for entry in gone.chain(objects.iter().filter(|object| !stays(object))) {
                    std::fs::remove_file(&entry.path)?;
                    size = size.saturating_sub(entry.length);
                }
                break;
            }
            keep = &keep[keep.len().div_ceil(8)..];
        }
        for entry in entries(&self.directory.join("tmp"))? {
            if entry.used.elapsed().is_ok_and(|age| age > ABANDONED) {
                std::fs::remove_file(&entry.path)?;
                size = size.saturating_sub(entry.length);
            }
        }
        Ok(size)
    }
}

pub(super) struct Entry {
    pub(super) path: PathBuf,
    length: u64,
    used: SystemTime,
}

impl Entry {
    fn digest(&self) -> Option<&str> {
        self.path.file_name()?.to_str()
    }
}

/// All files below a directory. What vanishes meanwhile was somebody else's to remove.
pub(super) fn entries(directory: &Path) -> std::io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(directory) {
        let Ok(entry) = entry else { continue };
        if let (true, Ok(metadata)) = (entry.file_type().is_file(), entry.metadata()) {
            let used = metadata.modified()?;
            found.push(Entry {
                path: entry.into_path(),
                length: metadata.len(),
                used,
            });
        }
    }
    Ok(found)
}

/// Every SHA-256 that a document mentions: which of them are objects shows when they are looked for.
fn digests_in(path: &Path) -> Vec<String> {
    let Ok(bytes) = std::fs::read(path) else {
        return Vec::new();
    };
    bytes
        .split(|byte| !byte.is_ascii_hexdigit())
        .filter(|run| run.len() == 64)
        .filter_map(|run| String::from_utf8(run.to_vec()).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Trimmed;
    use crate::ghost::cache::{Cache, Shelf};
    use std::time::{Duration, SystemTime};

    #[test]
    fn what_was_used_longest_ago_goes_first_and_its_files_with_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let keep = |cache: &Cache, name: &str, files: &[Vec<u8>]| {
            let digests: Vec<String> = files
                .iter()
                .map(|bytes| cache.keep_object(bytes).expect("kept"))
                .collect();
            cache
                .keep_document(Shelf::Contents, name, &digests)
                .expect("kept");
            digests
        };
        let content = |byte: u8| vec![byte; 100_000];
        let cache = Cache::open(directory.path(), 1_000_000).expect("a cache");
        let old = keep(&cache, "old", &[content(1), content(2)]);
        let new = keep(&cache, "new", &[content(2), content(3)]);
        let aged = std::fs::File::options()
            .append(true)
            .open(cache.document_path(Shelf::Contents, "old"))
            .expect("there");
        aged.set_modified(SystemTime::now() - Duration::from_secs(7200))
            .expect("aged");
        assert_eq!(cache.trim().expect("trimmed"), Trimmed::Enough);

        let small = Cache::open(directory.path(), 290_000).expect("a cache");
        assert_eq!(
            small.trim().expect("not trimmed"),
            Trimmed::InUse,
            "the first is still open"
        );
        drop(cache);
        let Trimmed::From(before, after) = small.trim().expect("trimmed") else {
            panic!("nothing was trimmed")
        };
        assert!(
            before > 300_000 && after < 290_000 * 3 / 4 + 1,
            "{before} {after}"
        );
        assert_eq!(small.document::<Vec<String>>(Shelf::Contents, "old"), None);
        assert_eq!(
            small.document::<Vec<String>>(Shelf::Contents, "new"),
            Some(new.clone())
        );
        assert_eq!(small.object(&old[0]), None);
        assert!(new.iter().all(|digest| small.object(digest).is_some()));
    }
}
