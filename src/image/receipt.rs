//! What ghostfix has written into an installation, and the way back from it.
//!
//! `.ghostfix/receipt.json` in the version directory. It holds no time and no machine, so that two builds of one image
//! write the same bytes. Only `revert` relies on it, and only as far as its digests agree with the files.

use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use super::change::{self, Change, EditError, PlacedEdit};
use super::installation::Installation;
use super::source::{Links, Regular, read_regular, sha256};
use crate::error::{Error, Result};

/// The directory in the version directory that holds everything of ours.
pub const DIRECTORY: &str = ".ghostfix";

const SCHEMA: &str = "ghostfix.receipt.v1";

/// Far above what all patches together write; what is larger is not ours.
pub(crate) const LIMIT: u64 = 16 * 1024 * 1024;

/// The whole receipt of one installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    schema: String,
    /// The version of ghostfix that wrote it last.
    pub ghostfix: String,
    /// One entry for each file that holds an edit of ours, by path.
    pub files: Vec<FileEntry>,
}

/// One file that holds edits of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Relative to the version directory.
    pub path: String,
    /// The npm package that it belongs to.
    pub package: String,
    /// That package's version.
    pub version: String,
    /// SHA-256 of the file before the first edit.
    pub original: String,
    /// SHA-256 of the file as it was written last.
    pub written: String,
    /// In the order in which they were made.
    pub edits: Vec<PlacedEdit>,
}

/// Which edits are to be taken out of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// All of them.
    All,
    /// Those of these patches.
    Only(&'a [&'a str]),
}

/// Why a file cannot be given back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRevertible {
    /// ghostfix has not written this file, or its receipt is gone.
    #[error(
        "there is no receipt for this file, so ghostfix did not write it or the receipt was removed"
    )]
    NoReceipt,
    /// Somebody has written the file since.
    #[error(
        "the file is not the one that ghostfix wrote: it has SHA-256 {found}, and the receipt says {written}"
    )]
    NotAsWritten {
        /// The digest in the receipt.
        written: String,
        /// The digest of the file.
        found: String,
    },
    /// The receipt has edits for this file, but not of this patch.
    #[error("the receipt has no edit of `{patch}` in this file")]
    NotRecorded {
        /// The patch that was asked for.
        patch: String,
    },
    /// The edits of the receipt do not lead back to the digest that it has for the original.
    #[error("the receipt contradicts itself: its edits do not lead back to the original file")]
    Contradictory,
    /// Other edits stand so close that this one cannot be taken out alone.
    #[error("it cannot be taken out alone: {0}")]
    Entangled(EditError),
}

impl Receipt {
    /// Reads the receipt of an installation; `None` where there is none.
    pub fn read(installation: &Installation) -> Result<Option<Self>> {
        read_json(installation, "receipt.json", SCHEMA)
    }

    /// The entry of a file, by its path relative to the version directory.
    #[must_use]
    pub fn file(&self, path: &Path) -> Option<&FileEntry> {
        self.files
            .iter()
            .find(|entry| Path::new(&entry.path) == path)
    }

    /// This receipt with other entries for some files; `None` where no entry is left.
    ///
    /// Entries of files that `stays` denies (they are gone, with the package) are dropped on the way.
    pub(crate) fn with(
        receipt: Option<&Self>,
        entries: &[(String, Option<FileEntry>)],
        ghostfix: &str,
        stays: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let old = receipt.map_or(&[][..], |receipt| &receipt.files);
        let kept = old.iter().filter(|entry| {
            entries.iter().all(|(path, _)| *path != entry.path) && stays(&entry.path)
        });
        let mut files: Vec<FileEntry> = kept
            .cloned()
            .chain(entries.iter().filter_map(|(_, entry)| entry.clone()))
            .collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        (!files.is_empty()).then(|| Self {
            schema: SCHEMA.to_owned(),
            ghostfix: ghostfix.to_owned(),
            files,
        })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        to_json(self)
    }
}

/// The change that takes edits out of a file; `current` is what the file holds now.
pub fn plan_revert(
    receipt: Option<&Receipt>,
    path: &Path,
    current: &[u8],
    which: Which<'_>,
) -> Result<Change, NotRevertible> {
    let entry = receipt
        .and_then(|receipt| receipt.file(path))
        .ok_or(NotRevertible::NoReceipt)?;
    let text = entry.proved(current)?;
    let mut edits = entry.edits.clone();
    let after = match which {
        Which::All => change::take_all_out(text, &mut edits),
        Which::Only(ids) => change::take_out(text, &mut edits, ids),
    }
    .map_err(|error| match error {
        EditError::NotThere { patch } => NotRevertible::NotRecorded { patch },
        error => NotRevertible::Entangled(error),
    })?;
    Ok(Change {
        path: path.to_owned(),
        package: entry.package.clone(),
        version: entry.version.clone(),
        before: current.to_vec(),
        after: after.into_bytes(),
        edits,
    })
}

impl FileEntry {
    /// The text of the file, once the receipt has been shown to be true of it: all edits taken out give the original.
    pub(crate) fn proved<'a>(&self, current: &'a [u8]) -> Result<&'a str, NotRevertible> {
        let found = sha256(current);
        if found != self.written {
            return Err(NotRevertible::NotAsWritten {
                written: self.written.clone(),
                found,
            });
        }
        let text = std::str::from_utf8(current).map_err(|_| NotRevertible::Contradictory)?;
        let original = change::take_all_out(text, &mut self.edits.clone())
            .map_err(|_| NotRevertible::Contradictory)?;
        if sha256(original.as_bytes()) == self.original {
            Ok(text)
        } else {
            Err(NotRevertible::Contradictory)
        }
    }

    /// The entry after a change, `None` where no edit is left in the file. The way back is tried before it is promised.
    pub(crate) fn after(receipt: Option<&Receipt>, change: &Change) -> Result<Option<Self>> {
        // An entry that is not true of the file is about one that is gone: somebody has installed another.
        let entry = receipt
            .and_then(|receipt| receipt.file(&change.path))
            .filter(|entry| entry.proved(&change.before).is_ok());
        let entry = Self {
            path: portable(&change.path)?,
            package: change.package.clone(),
            version: change.version.clone(),
            original: entry.map_or_else(|| sha256(&change.before), |entry| entry.original.clone()),
            written: sha256(&change.after),
            edits: change.edits.clone(),
        };
        if let Err(error) = entry.proved(&change.after) {
            return Err(Error::Bug {
                problem: format!("{}: revert would fail: {error}", entry.path),
            });
        }
        Ok((!entry.edits.is_empty()).then_some(entry))
    }
}

/// A relative path as receipts and journals spell it.
pub(crate) fn portable(path: &Path) -> Result<String> {
    let text = path.to_str().ok_or_else(|| Error::Unusable {
        path: path.to_owned(),
        problem: "a path that is not UTF-8 cannot stand in a receipt".to_owned(),
        next_step: "install Ghost in a directory with a plain name".to_owned(),
    })?;
    if is_inside(text) {
        Ok(text.to_owned())
    } else {
        Err(Error::Bug {
            problem: format!("{text} is not a path inside of the version directory"),
        })
    }
}

/// Whether a path of a receipt or a journal stays in the version directory.
fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

/// A file of ours, or `None` where it is absent. Whatever else is wrong with it is an error that says what to do.
pub(crate) fn read_json<T>(
    installation: &Installation,
    name: &str,
    schema: &str,
) -> Result<Option<T>>
where
    T: for<'de> Deserialize<'de> + Paths,
{
    let directory = installation.version_directory.join(DIRECTORY);
    let path = directory.join(name);
    let unusable = |path: &Path, problem: String| Error::Unusable {
        path: path.to_owned(),
        problem,
        next_step: format!(
            "reinstall Ghost, or move {} away: the files stay as they are, and revert cannot give them back",
            directory.display()
        ),
    };
    match rustix::fs::lstat(&directory) {
        Ok(stat)
            if rustix::fs::FileType::from_raw_mode(stat.st_mode)
                == rustix::fs::FileType::Directory => {}
        Ok(_) => {
            return Err(unusable(
                &directory,
                "this is not a directory, so it is not ours".to_owned(),
            ));
        }
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(error) => return Err(Error::file_system("read", directory, error.into())),
    }
    let bytes = match read_regular(&path, LIMIT, Links::Refuse) {
        Ok(Regular::Whole { bytes, .. }) => bytes,
        Ok(Regular::TooLarge { length }) => {
            return Err(unusable(&path, format!("{length} bytes are too many")));
        }
        Ok(Regular::Other(kind)) => {
            return Err(unusable(&path, format!("this is {kind}, not a file")));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::file_system("read", path, error)),
    };
    let value: serde_json::Value = serde_json::from_slice(&bytes)
        .map_err(|error| unusable(&path, format!("this is not JSON: {error}")))?;
    match value.get("schema").and_then(serde_json::Value::as_str) {
        Some(found) if found == schema => {}
        found => {
            return Err(unusable(
                &path,
                format!(
                    "its schema is {:?}, and this ghostfix knows {schema:?}",
                    found.unwrap_or("missing")
                ),
            ));
        }
    }
    let read: T =
        serde_json::from_value(value).map_err(|error| unusable(&path, error.to_string()))?;
    if let Some(outside) = read.paths().into_iter().find(|path| !is_inside(path)) {
        return Err(unusable(
            &path,
            format!("{outside:?} is not a path inside of the installation"),
        ));
    }
    Ok(Some(read))
}

/// The paths that a file of ours names: they are checked before anything follows them.
pub(crate) trait Paths {
    fn paths(&self) -> Vec<&str>;
}

impl Paths for Receipt {
    fn paths(&self) -> Vec<&str> {
        self.files.iter().map(|entry| entry.path.as_str()).collect()
    }
}

pub(crate) fn to_json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes =
        serde_json::to_vec_pretty(value).expect("strings and numbers always have a JSON form");
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
