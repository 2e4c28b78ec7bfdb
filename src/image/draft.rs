//! One file's change in the making: patch after patch, each on the text that the one before it leaves.
//!
//! It begins with what the receipt knows of the file, so that edits of earlier runs keep their way back.

use std::path::{Path, PathBuf};

use super::change::{self, Change, Edit, EditError, PlacedEdit, difference};
use super::receipt::Receipt;

/// A file, as it would be written if nothing more came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    path: PathBuf,
    package: String,
    version: String,
    before: String,
    text: String,
    edits: Vec<PlacedEdit>,
}

impl Draft {
    /// A draft that changes nothing yet. `path` is relative to the version directory.
    ///
    /// A receipt that is not true of this text is passed over: somebody has installed another file since.
    #[must_use]
    pub fn new(
        receipt: Option<&Receipt>,
        path: &Path,
        package: &str,
        version: &str,
        text: String,
    ) -> Self {
        let entry = receipt
            .and_then(|receipt| receipt.file(path))
            .filter(|entry| entry.proved(text.as_bytes()).is_ok());
        Self {
            path: path.to_owned(),
            package: package.to_owned(),
            version: version.to_owned(),
            edits: entry.map(|entry| entry.edits.clone()).unwrap_or_default(),
            before: text.clone(),
            text,
        }
    }

    /// The text as it is now.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Makes an edit whose offsets count in [`Draft::text`].
    ///
    /// # Errors
    ///
    /// The draft is as it was.
    pub fn make(&mut self, edit: &Edit) -> Result<(), EditError> {
        self.text = change::add(&self.text, &mut self.edits, edit)?;
        Ok(())
    }

    /// Puts an edit in the place of an earlier edition of it. `base` is the text without the earlier one, as whoever
    /// recognised it found; the offsets of `edit` count in it.
    ///
    /// # Errors
    ///
    /// The draft is as it was.
    pub fn renew(&mut self, base: &str, edit: &Edit) -> Result<(), EditError> {
        let mut next = self.clone();
        // Without a receipt nobody knows what the earlier edit replaced: then it is part of what revert gives back.
        if next.edits.iter().any(|earlier| earlier.patch == edit.patch) {
            next.text = change::take_out(&next.text, &mut next.edits, &[&edit.patch])?;
        }
        if next.text == base {
            next.make(edit)?;
        } else {
            let splices = vec![difference(&next.text, &change::apply(base, edit)?)];
            next.make(&Edit {
                splices,
                ..edit.clone()
            })?;
        }
        *self = next;
        Ok(())
    }

    /// The change that has come of it; [`commit`](super::transaction::commit) passes over one that changes nothing.
    #[must_use]
    pub fn finish(self) -> Change {
        Change {
            path: self.path,
            package: self.package,
            version: self.version,
            before: self.before.into_bytes(),
            after: self.text.into_bytes(),
            edits: self.edits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::receipt::{FileEntry, Which, plan_revert};

    const PATH: &str = "node_modules/p/a.js";

    fn edit(patch: &str, revision: &str, text: &str, at: &str, inserted: &str) -> Edit {
        let offset = text.find(at).unwrap();
        Edit::new(
            patch,
            revision,
            text,
            [(offset..offset, inserted.to_owned())],
        )
        .unwrap()
    }

    fn draft(receipt: Option<&Receipt>, text: &str) -> Draft {
        Draft::new(receipt, Path::new(PATH), "p", "1.0.0", text.to_owned())
    }

    fn receipt_of(receipt: Option<&Receipt>, change: &Change) -> Option<Receipt> {
        let entry = FileEntry::after(receipt, change).unwrap();
        Receipt::with(receipt, &[(PATH.to_owned(), entry)], "0.0.0", |_| true)
    }

    fn reverted(receipt: &Receipt, change: &Change, which: Which<'_>) -> String {
        let back = plan_revert(Some(receipt), Path::new(PATH), &change.after, which).unwrap();
        FileEntry::after(Some(receipt), &back).unwrap();
        String::from_utf8(back.after).unwrap()
    }

    #[test]
    fn a_later_run_adds_to_an_earlier_one() {
        let mut first = draft(None, "one two");
        first
            .make(&edit("late", "1", first.text(), "two", "("))
            .unwrap();
        let first = first.finish();
        let receipt = receipt_of(None, &first).unwrap();
        let mut second = draft(Some(&receipt), "one (two");
        second
            .make(&edit("early", "1", second.text(), "one", "["))
            .unwrap();
        let second = second.finish();
        assert_eq!(second.after, b"[one (two");
        let receipt = receipt_of(Some(&receipt), &second).unwrap();
        assert_eq!(reverted(&receipt, &second, Which::All), "one two");
        assert_eq!(
            reverted(&receipt, &second, Which::Only(&["late"])),
            "[one two"
        );
        assert_eq!(
            reverted(&receipt, &second, Which::Only(&["early"])),
            "one (two"
        );
    }

    #[test]
    fn an_outdated_edit_is_renewed_after_another_was_made() {
        let mut first = draft(None, "one two");
        first
            .make(&edit("p", "1", first.text(), "two", "old "))
            .unwrap();
        let receipt = receipt_of(None, &first.finish()).unwrap();
        let mut second = draft(Some(&receipt), "one old two");
        second
            .make(&edit("q", "1", second.text(), "one", "["))
            .unwrap();
        second
            .renew("[one two", &edit("p", "2", "[one two", "two", "new "))
            .unwrap();
        let second = second.finish();
        assert_eq!(String::from_utf8_lossy(&second.after), "[one new two");
        let receipt = receipt_of(Some(&receipt), &second).unwrap();
        assert_eq!(reverted(&receipt, &second, Which::All), "one two");
        assert_eq!(
            reverted(&receipt, &second, Which::Only(&["q"])),
            "one new two"
        );
    }

    #[test]
    fn an_outdated_edit_without_a_receipt_is_what_revert_gives_back() {
        let mut only = draft(None, "one old two");
        only.renew("one two", &edit("p", "2", "one two", "two", "new "))
            .unwrap();
        let only = only.finish();
        assert_eq!(String::from_utf8_lossy(&only.after), "one new two");
        let receipt = receipt_of(None, &only).unwrap();
        assert_eq!(reverted(&receipt, &only, Which::All), "one old two");
    }

    #[test]
    fn a_receipt_of_another_file_is_passed_over() {
        let mut first = draft(None, "one two");
        first
            .make(&edit("p", "1", first.text(), "two", "("))
            .unwrap();
        let receipt = receipt_of(None, &first.finish()).unwrap();
        let mut second = draft(Some(&receipt), "another two");
        second
            .make(&edit("p", "1", second.text(), "two", "("))
            .unwrap();
        let second = second.finish();
        let receipt = receipt_of(Some(&receipt), &second).unwrap();
        assert_eq!(reverted(&receipt, &second, Which::All), "another two");
    }

    #[test]
    fn a_refused_edit_leaves_the_draft_as_it_was() {
        let mut kept = draft(None, "one two");
        kept.make(&edit("p", "1", kept.text(), "two", "( "))
            .unwrap();
        let before = kept.clone();
        assert!(
            kept.make(&Edit::new("q", "1", "one ( two", [(5..7, "x".to_owned())]).unwrap())
                .is_err()
        );
        assert!(
            kept.renew("one", &edit("p", "2", "one two", "two", "x"))
                .is_err()
        );
        assert_eq!(kept, before);
    }
}
