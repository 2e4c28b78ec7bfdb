//! One patch judged on one file: the same road for what is installed and for what is published.
//!
//! Patches in one file are judged one on top of the other, in the catalogue's order, on a draft of the file.

use std::path::{Path, PathBuf};

use nodejs_semver::{Range, Version};
use similar::TextDiff;

use crate::catalogue::{self, Patch};
use crate::error::{Error, Result};
use crate::image::change::{Edit, Splice};
use crate::image::draft::Draft;
use crate::image::receipt::Receipt;
use crate::image::source::{self, Reading, Source};
use crate::javascript::assess::{Assessment, Guards, Origin, assess, too_large};
use crate::javascript::edit;
use crate::javascript::sandbox::Sandbox;
use crate::report::{PatchEntry, Proof, State};

/// The package that a file belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Package<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
}

/// A file that was read.
pub(super) enum Opened {
    /// Text, with the digest of the file as it was before any edit of ours.
    Text { draft: Draft, original: String },
    /// Bytes that are no text, for the assessment to say so.
    Bytes(Vec<u8>),
    /// Not read at all.
    TooLarge(u64),
}

impl Opened {
    /// A file of an installation; the receipt tells what it was before.
    pub(super) fn installed(
        package: Package<'_>,
        path: &Path,
        relative: &Path,
        receipt: Option<&Receipt>,
    ) -> Result<Self> {
        let source = match Source::read(path)? {
            Reading::Whole(source) => source,
            Reading::TooLarge { length } => return Ok(Self::TooLarge(length)),
        };
        let digest = source.digest();
        let original = receipt
            .and_then(|receipt| receipt.file(relative))
            .filter(|entry| entry.written == digest)
            .map_or(digest, |entry| entry.original.clone());
        Ok(Self::new(
            package,
            relative,
            source.bytes,
            original,
            receipt,
        ))
    }

    /// A file of a package as it is published.
    pub(super) fn published(package: Package<'_>, relative: &Path, bytes: Vec<u8>) -> Self {
        if bytes.len() as u64 > source::LIMIT {
            return Self::TooLarge(bytes.len() as u64);
        }
        let digest = source::sha256(&bytes);
        Self::new(package, relative, bytes, digest, None)
    }

    fn new(
        package: Package<'_>,
        relative: &Path,
        bytes: Vec<u8>,
        original: String,
        receipt: Option<&Receipt>,
    ) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text {
                draft: Draft::new(receipt, relative, package.name, package.version, text),
                original,
            },
            Err(error) => Self::Bytes(error.into_bytes()),
        }
    }

    /// The change that has come of it, where it is text.
    pub(super) fn draft(self) -> Option<Draft> {
        match self {
            Self::Text { draft, .. } => Some(draft),
            Self::Bytes(_) | Self::TooLarge(_) => None,
        }
    }

    /// Judges a patch, and makes its change in the draft where there is one to make.
    pub(super) fn judge(
        &mut self,
        patch: &'static Patch,
        package: Package<'_>,
        relative: PathBuf,
        sandbox: &Sandbox,
    ) -> Result<PatchEntry> {
        let assess_as =
            |bytes: &[u8], origin| assess(patch, bytes, origin, sandbox, Guards::default());
        let (assessment, diff) = match self {
            Self::TooLarge(length) => (too_large(*length), String::new()),
            Self::Bytes(bytes) => (assess_as(bytes, Origin::Unknown), String::new()),
            Self::Text { draft, original } => {
                let before = draft.text().to_owned();
                let assessment = assess_as(before.as_bytes(), origin(patch, package, original));
                make(draft, patch, &assessment)?;
                (assessment, unified(&relative, &before, draft.text()))
            }
        };
        Ok(entry(patch, package, relative, assessment, diff))
    }
}

/// Makes the assessment's change in the draft.
fn make(draft: &mut Draft, patch: &Patch, assessment: &Assessment) -> Result<()> {
    let Some(change) = &assessment.change else {
        return Ok(());
    };
    let before = change.base.as_deref().unwrap_or_else(|| draft.text());
    let edit = placed(
        &patch.definition.id,
        &change.revision,
        before,
        &change.splices,
    );
    let made = match &change.base {
        Some(base) => draft.renew(base, &edit),
        None => draft.make(&edit),
    };
    made.map_err(|error| Error::Bug {
        problem: format!(
            "the proved edit of {} cannot be made: {error}",
            patch.definition.id
        ),
    })
}

fn placed(id: &str, revision: &str, before: &str, splices: &[edit::Splice]) -> Edit {
    let splices = splices
        .iter()
        .map(|splice| Splice {
            offset: splice.at.start,
            removed: before[splice.at.clone()].to_owned(),
            inserted: splice.text.clone(),
        })
        .collect();
    Edit {
        patch: id.to_owned(),
        revision: revision.to_owned(),
        splices,
    }
}

/// What the registry's releases say about a file with this digest.
pub(super) fn origin(patch: &Patch, package: Package<'_>, digest: &str) -> Origin {
    catalogue::published::origin(
        package.name,
        &patch.definition.target.files,
        package.version,
        digest,
    )
}

/// What a dry run says of what could be made.
pub(super) fn would_apply(entries: &mut [PatchEntry]) {
    for entry in entries {
        if matches!(entry.state, State::NotApplied | State::Outdated) {
            entry.state = State::WouldApply;
            entry.next_step = None;
        }
    }
}

/// The entry of a patch whose file is not there.
pub(super) fn absent(patch: &Patch, package: Package<'_>, relative: PathBuf) -> PatchEntry {
    let expected = match (
        &patch.definition.target.since,
        Version::parse(package.version),
    ) {
        (Some(range), Ok(version)) => {
            Range::parse(range).is_ok_and(|range| range.satisfies(&version))
        }
        (Some(_), Err(_)) | (None, _) => true,
    };
    let (state, reason, next_step) = if expected {
        let reason = format!(
            "{} {} has this file, but here it is not.",
            package.name, package.version
        );
        (
            State::Missing,
            reason,
            Some("Install the package again, and run ghostfix again.".to_owned()),
        )
    } else {
        (
            State::NotNeeded,
            format!("{} {} has no such file.", package.name, package.version),
            None,
        )
    };
    PatchEntry {
        id: patch.definition.id.clone(),
        package: package.name.to_owned(),
        version: package.version.to_owned(),
        path: relative,
        state,
        shape: None,
        proof: Proof::default(),
        diff: String::new(),
        reason,
        next_step,
        evidence: None,
    }
}

fn entry(
    patch: &Patch,
    package: Package<'_>,
    path: PathBuf,
    assessment: Assessment,
    diff: String,
) -> PatchEntry {
    PatchEntry {
        id: patch.definition.id.clone(),
        package: package.name.to_owned(),
        version: package.version.to_owned(),
        path,
        state: assessment.state,
        shape: assessment.shape,
        proof: assessment.proof,
        diff,
        reason: assessment.reason,
        next_step: assessment.next_step,
        evidence: assessment.evidence,
    }
}

/// A unified diff with three lines of context, empty where nothing differs.
pub(super) fn unified(path: &Path, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let path = path.display();
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}
