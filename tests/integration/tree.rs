//! A directory as it is, to be compared with what it is later.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Everything below a directory.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Tree(BTreeMap<PathBuf, Entry>);

/// Seconds and nanoseconds.
type Moment = (i64, i64);

#[derive(Clone, PartialEq, Eq)]
struct Entry {
    mode: u32,
    owner: (u32, u32),
    content: Content,
    /// Device, inode, the last write and, for a file with one name, the last change of the inode, both in nanoseconds:
    /// no write leaves these as they were.
    written: (u64, u64, Moment, Option<Moment>),
}

#[derive(Clone, PartialEq, Eq)]
enum Content {
    Directory,
    Link(PathBuf),
    Bytes(Vec<u8>),
    Other,
}

impl Tree {
    pub(crate) fn of(directory: &Path) -> Self {
        let entries = walkdir::WalkDir::new(directory).into_iter().map(|entry| {
            let entry = entry.unwrap();
            let metadata = entry.path().symlink_metadata().unwrap();
            let content = if metadata.is_dir() {
                Content::Directory
            } else if metadata.is_symlink() {
                Content::Link(fs::read_link(entry.path()).unwrap())
            } else if metadata.is_file() {
                Content::Bytes(fs::read(entry.path()).unwrap())
            } else {
                Content::Other
            };
            // A test beside this one that makes or removes a link to the same file changes its inode, too.
            let alone = metadata.is_dir() || metadata.nlink() == 1;
            let written = (
                metadata.dev(),
                metadata.ino(),
                (metadata.mtime(), metadata.mtime_nsec()),
                alone.then(|| (metadata.ctime(), metadata.ctime_nsec())),
            );
            let entry_of = Entry {
                mode: metadata.mode(),
                owner: (metadata.uid(), metadata.gid()),
                content,
                written,
            };
            (
                entry.path().strip_prefix(directory).unwrap().to_owned(),
                entry_of,
            )
        });
        Self(entries.collect())
    }

    /// What is not the same any more: added, gone, or with other bytes, mode, owner or link.
    pub(crate) fn changes(&self, later: &Self) -> Vec<String> {
        self.compare(later, |one, other| {
            (&one.content, one.mode, one.owner) == (&other.content, other.mode, other.owner)
        })
    }

    /// What was touched at all, were it with the same bytes.
    pub(crate) fn touched(&self, later: &Self) -> Vec<String> {
        self.compare(later, |one, other| one == other)
    }

    fn compare(&self, later: &Self, same: impl Fn(&Entry, &Entry) -> bool) -> Vec<String> {
        let mut changes = Vec::new();
        for (path, entry) in &self.0 {
            match later.0.get(path) {
                None => changes.push(format!("- {}", path.display())),
                Some(after) if !same(entry, after) => changes.push(format!("~ {}", path.display())),
                Some(_) => {}
            }
        }
        changes.extend(
            later
                .0
                .keys()
                .filter(|path| !self.0.contains_key(*path))
                .map(|path| format!("+ {}", path.display())),
        );
        changes
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a tree of {} entries", self.0.len())
    }
}
