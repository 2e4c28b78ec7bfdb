//! What a run is about to do, on disk before it does it: whoever comes next can finish it or undo it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::change::{Change, Edit, Splice, apply, difference, invert};
use super::installation::Installation;
use super::receipt::{FileEntry, Paths, portable, read_json, to_json};
use super::source::sha256;
use crate::error::{Error, Result};

const SCHEMA: &str = "ghostfix.journal.v1";

/// `.ghostfix/journal.json`: there only while a run is between its first and its last step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Journal {
    schema: String,
    pub(crate) ghostfix: String,
    pub(crate) files: Vec<JournalFile>,
}

/// One file of the run. From either content the other one follows, without a copy of either.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JournalFile {
    pub(crate) path: String,
    pub(crate) package: String,
    pub(crate) version: String,
    before: String,
    after: String,
    splice: Splice,
    /// What the receipt says of the file afterwards.
    pub(crate) receipt: Option<FileEntry>,
}

/// Which content a file has in the middle of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// That from before the run.
    Before,
    /// That from after it.
    After,
    /// Another one: somebody else has written it since.
    Neither,
    /// The file is gone.
    Gone,
}

impl Journal {
    pub(crate) fn read(installation: &Installation) -> Result<Option<Self>> {
        read_json(installation, "journal.json", SCHEMA)
    }

    pub(crate) fn path(installation: &Installation) -> PathBuf {
        installation
            .version_directory
            .join(super::receipt::DIRECTORY)
            .join("journal.json")
    }

    pub(crate) fn new(ghostfix: &str, files: Vec<JournalFile>) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            ghostfix: ghostfix.to_owned(),
            files,
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        to_json(self)
    }
}

impl Paths for Journal {
    fn paths(&self) -> Vec<&str> {
        let receipts = self
            .files
            .iter()
            .filter_map(|file| file.receipt.as_ref())
            .map(|entry| entry.path.as_str());
        self.files
            .iter()
            .map(|file| file.path.as_str())
            .chain(receipts)
            .collect()
    }
}

impl JournalFile {
    pub(crate) fn new(change: &Change, receipt: Option<FileEntry>) -> Result<Self> {
        let path = portable(&change.path)?;
        let text = |bytes| {
            std::str::from_utf8(bytes).map_err(|_| Error::Bug {
                problem: format!("{path}: a change of a file that is not text"),
            })
        };
        Ok(Self {
            splice: difference(text(&change.before)?, text(&change.after)?),
            package: change.package.clone(),
            version: change.version.clone(),
            before: sha256(&change.before),
            after: sha256(&change.after),
            receipt,
            path,
        })
    }

    /// Which side of the run these bytes are on.
    pub(crate) fn side(&self, bytes: Option<&[u8]>) -> Side {
        match bytes.map(sha256) {
            None => Side::Gone,
            Some(digest) if digest == self.after => Side::After,
            Some(digest) if digest == self.before => Side::Before,
            Some(_) => Side::Neither,
        }
    }

    /// The content after the run, from the one before it; `None` where the journal contradicts itself.
    pub(crate) fn forward(&self, before: &[u8]) -> Option<Vec<u8>> {
        let after = apply(std::str::from_utf8(before).ok()?, &self.edit())
            .ok()?
            .into_bytes();
        (sha256(&after) == self.after).then_some(after)
    }

    /// The content before the run, from the one after it; `None` where the journal contradicts itself.
    pub(crate) fn back(&self, after: &[u8]) -> Option<Vec<u8>> {
        let before = apply(std::str::from_utf8(after).ok()?, &invert(&self.edit()))
            .ok()?
            .into_bytes();
        (sha256(&before) == self.before).then_some(before)
    }

    fn edit(&self) -> Edit {
        Edit {
            patch: "journal".to_owned(),
            revision: String::new(),
            splices: vec![self.splice.clone()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn change(before: &str, after: &str) -> Change {
        Change {
            path: "a.js".into(),
            package: "p".into(),
            version: "1.0.0".into(),
            before: before.into(),
            after: after.into(),
            edits: Vec::new(),
        }
    }

    proptest! {
        #[test]
        fn either_content_gives_the_other(before in "[aé\\n]{0,12}", after in "[aé\\n]{0,12}") {
            let file = JournalFile::new(&change(&before, &after), None).unwrap();
            prop_assert_eq!(file.forward(before.as_bytes()), Some(after.clone().into_bytes()));
            prop_assert_eq!(file.back(after.as_bytes()), Some(before.into_bytes()));
        }
    }

    #[test]
    fn the_splice_is_as_small_as_it_can_be() {
        let file = JournalFile::new(&change("if (a) b;", "if (a || c) b;"), None).unwrap();
        assert_eq!(
            file.splice,
            Splice {
                offset: 5,
                removed: String::new(),
                inserted: " || c".into()
            }
        );
    }

    #[test]
    fn a_contradiction_is_noticed() {
        let mut file = JournalFile::new(&change("ab", "aXb"), None).unwrap();
        file.splice.inserted = "Y".into();
        assert_eq!(file.forward(b"ab"), None);
        assert_eq!(file.back(b"aXb"), None);
        assert_eq!(file.side(Some(b"aXb")), Side::After);
        assert_eq!(file.side(Some(b"ab")), Side::Before);
        assert_eq!(file.side(Some(b"else")), Side::Neither);
        assert_eq!(file.side(None), Side::Gone);
    }
}
