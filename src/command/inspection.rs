//! What `patch`, `verify` and `revert` have in common: every selected patch judged on every copy of its file.
//!
//! Patches in one file are judged one on top of the other, in the catalogue's order, on a draft of the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nodejs_semver::{Range, Version};
use similar::TextDiff;

use crate::catalogue::{self, Patch};
use crate::error::{Error, Result};
use crate::image::change::{Edit, Splice};
use crate::image::copies::{Copies, Depth, PackageCopy, Target, reached, target, with_further};
use crate::image::draft::Draft;
use crate::image::installation::Installation;
use crate::image::receipt::Receipt;
use crate::image::source::{Reading, Source};
use crate::image::transaction::Interrupted;
use crate::javascript::assess::{Assessment, Guards, Origin, assess};
use crate::javascript::edit;
use crate::javascript::sandbox::Sandbox;
use crate::report::{Coverage, PatchEntry, Proof, State};

/// All that was found, and what would come of it.
pub(super) struct Inspection {
    /// In the order of the catalogue, then of the copies.
    pub(super) entries: Vec<PatchEntry>,
    /// One for each file that could be read as text.
    pub(super) drafts: Vec<Draft>,
    pub(super) coverage: Coverage,
    pub(super) notes: Vec<String>,
}

/// What is judged, and with what.
pub(super) struct Inspector<'a> {
    pub(super) installation: &'a Installation,
    pub(super) depth: Depth,
    pub(super) sandbox: &'a Sandbox,
    pub(super) receipt: Option<&'a Receipt>,
}

impl Inspector<'_> {
    /// Judges each patch on each copy of its file.
    pub(super) fn inspect(&self, selected: &[&'static Patch]) -> Result<Inspection> {
        let mut packages = Vec::<&str>::new();
        for patch in selected {
            let package = patch.definition.target.package.as_str();
            if !packages.contains(&package) {
                packages.push(package);
            }
        }
        let reached = reached(self.installation, &packages)?;
        let mut files = Files {
            inspector: self,
            open: BTreeMap::new(),
        };
        // What Ghost itself loads is judged while the search for further copies is still going on.
        let (all, mut judged) = std::thread::scope(|scope| {
            let search = std::thread::Builder::new().spawn_scoped(scope, {
                let reached = reached.clone();
                || with_further(self.installation, reached, self.depth)
            });
            let judged = judge_reached(selected, &reached, &mut files);
            let all = match search {
                Ok(search) => search
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                // No thread to spare: one after the other.
                Err(_) => with_further(self.installation, reached, self.depth),
            };
            Ok::<_, Error>((all?, judged?))
        })?;

        let mut entries = Vec::new();
        for (patch, judged) in selected.iter().zip(&mut judged) {
            for copy in copies_of(patch, &all) {
                entries.push(match judged.take() {
                    Some(entry) if copy.reached_by_node => entry,
                    _ => files.judge(patch, copy)?,
                });
            }
        }
        let mut coverage = Coverage::default();
        let mut notes = Vec::new();
        for copies in &all {
            join(&mut coverage, &copies.coverage);
            notes.extend(copies.notes.iter().cloned());
        }
        notes.sort();
        notes.dedup();
        let drafts = files.open.into_values().filter_map(Opened::draft).collect();
        Ok(Inspection {
            entries,
            drafts,
            coverage,
            notes,
        })
    }
}

/// Judges each patch on the copy that Ghost itself loads, where there is one.
fn judge_reached(
    selected: &[&'static Patch],
    reached: &[Copies],
    files: &mut Files<'_>,
) -> Result<Vec<Option<PatchEntry>>> {
    let one = |patch: &&'static Patch| {
        let copy = copies_of(patch, reached).next();
        copy.map(|copy| files.judge(patch, copy)).transpose()
    };
    selected.iter().map(one).collect()
}

/// The copies of a patch's package.
fn copies_of<'c>(patch: &Patch, all: &'c [Copies]) -> impl Iterator<Item = &'c PackageCopy> {
    let package = &patch.definition.target.package;
    all.iter()
        .filter(move |copies| copies.package == *package)
        .flat_map(|copies| &copies.found)
}

/// The files that were read, by path relative to the version directory.
struct Files<'a> {
    inspector: &'a Inspector<'a>,
    open: BTreeMap<PathBuf, Opened>,
}

enum Opened {
    /// Text, with the digest of the file as it was before any edit of ours.
    Text { draft: Draft, original: String },
    /// Bytes that are no text, for the assessment to say so.
    Bytes(Vec<u8>),
    /// Not read at all.
    TooLarge(u64),
}

impl Opened {
    fn draft(self) -> Option<Draft> {
        match self {
            Self::Text { draft, .. } => Some(draft),
            Self::Bytes(_) | Self::TooLarge(_) => None,
        }
    }
}

impl Files<'_> {
    fn judge(&mut self, patch: &'static Patch, copy: &PackageCopy) -> Result<PatchEntry> {
        let mut missing = PathBuf::new();
        for file in patch.definition.target.files.iter().rev() {
            match target(self.inspector.installation, copy, file)? {
                Target::Present { path, relative } => {
                    return self.judge_file(patch, copy, &path, relative);
                }
                Target::Missing { relative } => missing = relative,
            }
        }
        Ok(absent(patch, copy, missing))
    }

    fn judge_file(
        &mut self,
        patch: &'static Patch,
        copy: &PackageCopy,
        path: &Path,
        relative: PathBuf,
    ) -> Result<PatchEntry> {
        if !self.open.contains_key(&relative) {
            let opened = self.read(copy, path, &relative)?;
            self.open.insert(relative.clone(), opened);
        }
        let Some(opened) = self.open.get_mut(&relative) else {
            return Err(Error::Bug {
                problem: format!("{} was read and is lost", relative.display()),
            });
        };
        let (assessment, diff) = match opened {
            Opened::TooLarge(length) => {
                (crate::javascript::assess::too_large(*length), String::new())
            }
            Opened::Bytes(bytes) => (
                assess(
                    patch,
                    bytes,
                    Origin::Unknown,
                    self.inspector.sandbox,
                    Guards::default(),
                ),
                String::new(),
            ),
            Opened::Text { draft, original } => {
                let origin = origin(patch, copy, original);
                let before = draft.text().to_owned();
                let assessment = assess(
                    patch,
                    before.as_bytes(),
                    origin,
                    self.inspector.sandbox,
                    Guards::default(),
                );
                make(draft, patch, &assessment)?;
                (assessment, unified(&relative, &before, draft.text()))
            }
        };
        Ok(entry(patch, copy, relative, assessment, diff))
    }

    fn read(&self, copy: &PackageCopy, path: &Path, relative: &Path) -> Result<Opened> {
        let source = match Source::read(path)? {
            Reading::Whole(source) => source,
            Reading::TooLarge { length } => return Ok(Opened::TooLarge(length)),
        };
        let digest = source.digest();
        let receipt = self.inspector.receipt;
        let original = receipt
            .and_then(|receipt| receipt.file(relative))
            .filter(|entry| entry.written == digest)
            .map_or(digest, |entry| entry.original.clone());
        Ok(match String::from_utf8(source.bytes) {
            Ok(text) => Opened::Text {
                draft: Draft::new(receipt, relative, &copy.name, &copy.version, text),
                original,
            },
            Err(error) => Opened::Bytes(error.into_bytes()),
        })
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

fn origin(patch: &Patch, copy: &PackageCopy, digest: &str) -> Origin {
    catalogue::published::origin(
        &copy.name,
        &patch.definition.target.files,
        &copy.version,
        digest,
    )
}

/// The entry of a patch whose file is not there.
fn absent(patch: &Patch, copy: &PackageCopy, relative: PathBuf) -> PatchEntry {
    let expected = match (
        &patch.definition.target.since,
        Version::parse(&copy.version),
    ) {
        (Some(range), Ok(version)) => {
            Range::parse(range).is_ok_and(|range| range.satisfies(&version))
        }
        (Some(_), Err(_)) | (None, _) => true,
    };
    let (state, reason, next_step) = if expected {
        let reason = format!(
            "{} {} has this file, but here it is not.",
            copy.name, copy.version
        );
        (
            State::Missing,
            reason,
            Some("Install the package again, and run ghostfix again.".to_owned()),
        )
    } else {
        (
            State::NotNeeded,
            format!("{} {} has no such file.", copy.name, copy.version),
            None,
        )
    };
    PatchEntry {
        id: patch.definition.id.clone(),
        package: copy.name.clone(),
        version: copy.version.clone(),
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
    copy: &PackageCopy,
    path: PathBuf,
    assessment: Assessment,
    diff: String,
) -> PatchEntry {
    PatchEntry {
        id: patch.definition.id.clone(),
        package: copy.name.clone(),
        version: copy.version.clone(),
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

/// Marks the files of a run that was interrupted.
pub(super) fn mark_interrupted(
    entries: &mut [PatchEntry],
    notes: &mut Vec<String>,
    interrupted: Option<&Interrupted>,
) {
    let Some(interrupted) = interrupted else {
        return;
    };
    if interrupted.at_work {
        notes.push(
            "Another ghostfix is at work on this installation; this is how it was in between."
                .to_owned(),
        );
        return;
    }
    for entry in entries {
        if interrupted.files.iter().any(|file| file.path == entry.path) {
            entry.state = State::Interrupted;
            entry.reason =
                "A run of ghostfix was interrupted here: some files are written, others are not."
                    .to_owned();
            entry.next_step = Some(
                "Run `ghostfix patch` to finish it, or `ghostfix revert` to undo it.".to_owned(),
            );
        }
    }
}

/// The entries as reports have them, their paths relative to the root.
pub(super) fn below_root(
    mut entries: Vec<PatchEntry>,
    installation: &Installation,
) -> Vec<PatchEntry> {
    for entry in &mut entries {
        entry.path = installation.below_root(&entry.path);
    }
    entries
}

fn join(all: &mut Coverage, one: &Coverage) {
    all.node_resolution |= one.node_resolution;
    all.package_directories |= one.package_directories;
    all.everything |= one.everything;
    for directory in &one.unreadable {
        if !all.unreadable.contains(directory) {
            all.unreadable.push(directory.clone());
        }
    }
}
