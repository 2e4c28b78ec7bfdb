//! What is to be different in one file, as splices that can be taken out again in any order.
//!
//! Text in, text out: nothing here reads or writes a file, and nothing knows why an edit is made.

use std::ops::Range;
use std::path::PathBuf;

/// One place of an edit: `removed` stood at `offset`, `inserted` takes its place.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Splice {
    /// Byte offset. In an [`Edit`] it counts in the text before that edit, in a receipt in the file as written.
    pub offset: usize,
    /// What stands there before; may be empty.
    pub removed: String,
    /// What stands there afterwards; may be empty.
    pub inserted: String,
}

/// What one patch does to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The id of the patch in the catalogue.
    pub patch: String,
    /// Which edition of the patch's edit this is, so that a later one can tell that it is outdated.
    pub revision: String,
    /// Every offset counts in the text before this edit. They may stand in any order, but must not overlap.
    pub splices: Vec<Splice>,
}

/// An edit that is in a file now: the offsets count in that file as it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacedEdit {
    /// The id of the patch in the catalogue.
    #[serde(rename = "id")]
    pub patch: String,
    /// See [`Edit::revision`].
    #[serde(rename = "edit")]
    pub revision: String,
    /// Sorted by offset.
    pub splices: Vec<Splice>,
}

/// Everything that one run does to one file, as a [`Draft`](super::draft::Draft) makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file, relative to the real version directory.
    pub path: PathBuf,
    /// The npm package that it belongs to.
    pub package: String,
    /// That package's version.
    pub version: String,
    /// The bytes that were read and judged. The file is refused if it holds others when it is to be written.
    pub before: Vec<u8>,
    /// The bytes to write.
    pub after: Vec<u8>,
    /// All edits of ours in `after`, those of earlier runs included; without them it is the original.
    pub edits: Vec<PlacedEdit>,
}

/// Why an edit cannot be made in, or taken out of, a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The text is shorter, or the offset is in the middle of a character, or other words stand there.
    #[error("at byte {offset} the text is not what the edit `{patch}` expects")]
    OtherText {
        /// The patch whose edit it is.
        patch: String,
        /// Where it expects something else.
        offset: usize,
    },
    /// Two splices claim the same bytes, or the same point between two bytes.
    #[error(
        "the edits `{first}` and `{second}` meet at byte {offset}: neither could be taken out without the other"
    )]
    Overlap {
        /// The patch whose splice comes first in the text.
        first: String,
        /// The patch whose splice begins before the first one's ends.
        second: String,
        /// Where the second begins.
        offset: usize,
    },
    /// An edit of this patch is in the file already.
    #[error("an edit of `{patch}` is in the file already")]
    Twice {
        /// The patch.
        patch: String,
    },
    /// No edit of this patch is in the file.
    #[error("no edit of `{patch}` is in the file")]
    NotThere {
        /// The patch.
        patch: String,
    },
}

impl Edit {
    /// An edit of `text` that puts each of these strings in the place of a range of bytes.
    pub fn new(
        patch: &str,
        revision: &str,
        text: &str,
        places: impl IntoIterator<Item = (Range<usize>, String)>,
    ) -> Result<Self, EditError> {
        let mut edit = Self {
            patch: patch.to_owned(),
            revision: revision.to_owned(),
            splices: Vec::new(),
        };
        for (range, inserted) in places {
            let offset = range.start;
            let removed = text.get(range).ok_or_else(|| EditError::OtherText {
                patch: patch.to_owned(),
                offset,
            })?;
            edit.splices.push(Splice {
                offset,
                removed: removed.to_owned(),
                inserted,
            });
        }
        Ok(edit)
    }
}

/// The one splice that leads from one text to another: everything between what they share at both ends.
#[must_use]
pub fn difference(before: &str, after: &str) -> Splice {
    let shared = |pairs: &mut dyn Iterator<Item = (char, char)>| -> usize {
        pairs
            .take_while(|(one, other)| one == other)
            .map(|(one, _)| one.len_utf8())
            .sum()
    };
    let start = shared(&mut before.chars().zip(after.chars()));
    let (before, after) = (&before[start..], &after[start..]);
    let end = shared(&mut before.chars().rev().zip(after.chars().rev()));
    Splice {
        offset: start,
        removed: before[..before.len() - end].to_owned(),
        inserted: after[..after.len() - end].to_owned(),
    }
}

/// The text after the edit.
pub fn apply(text: &str, edit: &Edit) -> Result<String, EditError> {
    let mut placed = Vec::new();
    add(text, &mut placed, edit)
}

/// The edit that leads from the text after `edit` to the text before it, for any edit that [`apply`] accepts.
#[must_use]
pub fn invert(edit: &Edit) -> Edit {
    let mut splices = in_order(&edit.splices);
    let (mut gained, mut lost) = (0, 0);
    for splice in &mut splices {
        splice.offset = (splice.offset + gained).saturating_sub(lost);
        gained += splice.inserted.len();
        lost += splice.removed.len();
        std::mem::swap(&mut splice.removed, &mut splice.inserted);
    }
    Edit {
        patch: edit.patch.clone(),
        revision: edit.revision.clone(),
        splices,
    }
}

/// The splices of an edit that is still to be made, in the order of the text.
fn in_order(splices: &[Splice]) -> Vec<Splice> {
    let mut splices = splices.to_vec();
    splices.sort_by_key(|splice| (splice.offset, splice.removed.len()));
    splices
}

/// Makes `edit` in a text that holds the `placed` edits; they move along, and the new one joins them.
///
/// On an error `placed` is as it was.
pub fn add(text: &str, placed: &mut Vec<PlacedEdit>, edit: &Edit) -> Result<String, EditError> {
    if placed.iter().any(|other| other.patch == edit.patch) {
        return Err(EditError::Twice {
            patch: edit.patch.clone(),
        });
    }
    let mut next = placed.clone();
    next.push(PlacedEdit {
        patch: edit.patch.clone(),
        revision: edit.revision.clone(),
        splices: in_order(&edit.splices),
    });
    let newest = next.len() - 1;
    let text = rebuild(text, &mut next, |index| {
        if index == newest {
            Step::Make
        } else {
            Step::Keep
        }
    })?;
    *placed = next;
    Ok(text)
}

/// Takes the edits of these patches out of a text that holds the `placed` edits; the others move along.
///
/// On an error `placed` is as it was.
pub fn take_out(
    text: &str,
    placed: &mut Vec<PlacedEdit>,
    patches: &[&str],
) -> Result<String, EditError> {
    if let Some(absent) = patches
        .iter()
        .find(|id| !placed.iter().any(|edit| edit.patch == **id))
    {
        return Err(EditError::NotThere {
            patch: (*absent).to_owned(),
        });
    }
    let leaves: Vec<bool> = placed
        .iter()
        .map(|edit| patches.contains(&edit.patch.as_str()))
        .collect();
    let mut next = placed.clone();
    let text = rebuild(text, &mut next, |index| {
        if leaves[index] {
            Step::TakeOut
        } else {
            Step::Keep
        }
    })?;
    next.retain(|edit| !patches.contains(&edit.patch.as_str()));
    *placed = next;
    Ok(text)
}

/// Takes every edit out: what is left is the text before the first of them.
pub fn take_all_out(text: &str, placed: &mut Vec<PlacedEdit>) -> Result<String, EditError> {
    let text = rebuild(text, &mut placed.clone(), |_| Step::TakeOut)?;
    placed.clear();
    Ok(text)
}

/// What happens to an edit while a text is built anew.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// It is in the text and stays.
    Keep,
    /// It is not yet in the text.
    Make,
    /// It is in the text and leaves it.
    TakeOut,
}

/// One walk over all splices in the order of the text, which gives both the new text and every splice's new offset.
fn rebuild(
    text: &str,
    edits: &mut [PlacedEdit],
    step: impl Fn(usize) -> Step,
) -> Result<String, EditError> {
    struct Stop {
        start: usize,
        end: usize,
        step: Step,
        edit: usize,
        splice: usize,
    }
    let mut stops = Vec::new();
    for (edit, placed) in edits.iter().enumerate() {
        let step = step(edit);
        for (index, splice) in placed.splices.iter().enumerate() {
            let now = if step == Step::Make {
                &splice.removed
            } else {
                &splice.inserted
            };
            let end = splice
                .offset
                .checked_add(now.len())
                .ok_or_else(|| EditError::OtherText {
                    patch: placed.patch.clone(),
                    offset: splice.offset,
                })?;
            stops.push(Stop {
                start: splice.offset,
                end,
                step,
                edit,
                splice: index,
            });
        }
    }
    // An empty place comes before one that begins there: whatever was deleted before a text stood before that text. A
    // place that is in the text comes before a new one at the same point, so the order of making decides.
    stops.sort_by_key(|stop| (stop.start, stop.end, stop.step == Step::Make));

    let mut result = String::with_capacity(text.len() + 256);
    let mut cursor = 0;
    let mut last = None;
    let mut last_empty = None;
    for stop in stops {
        let offset = stop.start;
        let other_text = |edits: &[PlacedEdit]| EditError::OtherText {
            patch: edits[stop.edit].patch.clone(),
            offset,
        };
        let overlap = |edits: &[PlacedEdit], first: usize| EditError::Overlap {
            first: edits[first].patch.clone(),
            second: edits[stop.edit].patch.clone(),
            offset,
        };
        let splice = &edits[stop.edit].splices[stop.splice];
        let (here, put) = match stop.step {
            Step::Keep => (&splice.inserted, &splice.inserted),
            Step::Make => (&splice.removed, &splice.inserted),
            Step::TakeOut => (&splice.inserted, &splice.removed),
        };
        if let Some(first) = last
            && offset < cursor
        {
            return Err(overlap(edits, first));
        }
        if text.get(offset..stop.end) != Some(here.as_str()) {
            return Err(other_text(edits));
        }
        result.push_str(text.get(cursor..offset).ok_or_else(|| other_text(edits))?);
        if put.is_empty() && stop.step != Step::TakeOut {
            // Two edits that both leave nothing at one point would lose their order, and with it the way back.
            if let Some((first, point)) = last_empty
                && point == result.len()
                && first != stop.edit
            {
                return Err(overlap(edits, first));
            }
            last_empty = Some((stop.edit, result.len()));
        }
        let new_offset = result.len();
        result.push_str(put);
        cursor = stop.end;
        last = Some(stop.edit);
        edits[stop.edit].splices[stop.splice].offset = new_offset;
    }
    result.push_str(text.get(cursor..).unwrap_or_default());
    Ok(result)
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
