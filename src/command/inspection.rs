//! What `patch`, `verify` and `revert` have in common: every selected patch judged on every copy of its file.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use super::judging::{Opened, Package, absent};
use crate::catalogue::Patch;
use crate::error::{Error, Result};
use crate::image::copies::{
    self, Absent, Copies, Depth, PackageCopy, Target, reached, target, with_further,
};
use crate::image::draft::Draft;
use crate::image::installation::Installation;
use crate::image::receipt::Receipt;
use crate::image::transaction::Interrupted;
use crate::javascript::sandbox::Sandbox;
use crate::report::{Coverage, PatchEntry, State};

/// All that was found, and what would come of it.
pub(super) struct Inspection {
    /// In the order of the catalogue, then of the copies.
    pub(super) entries: Vec<PatchEntry>,
    /// One for each file that could be read as text.
    pub(super) drafts: Vec<Draft>,
    /// Packages of selected patches that this Ghost needs and does not have: of these there are no entries.
    pub(super) absent: Vec<Absent>,
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
        let absent = copies::absent(self.installation, &all)?;
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
            absent,
            coverage,
            notes,
        })
    }
}

impl Inspection {
    /// An error where a package is not there that the patches are about: without it, what is proved of the other files
    /// says nothing about whether this Ghost starts.
    pub(super) fn complete(self) -> Result<Self> {
        match self.absent.first() {
            Some(absent) => Err(Error::NothingToWorkOn {
                problem: absent.problem.clone(),
                next_step: absent.next_step.clone(),
            }),
            None => Ok(self),
        }
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
        Ok(absent(patch, package(copy), missing))
    }

    fn judge_file(
        &mut self,
        patch: &'static Patch,
        copy: &PackageCopy,
        path: &Path,
        relative: PathBuf,
    ) -> Result<PatchEntry> {
        let package = package(copy);
        let opened = match self.open.entry(relative.clone()) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(vacant) => {
                let receipt = self.inspector.receipt;
                vacant.insert(Opened::installed(package, path, &relative, receipt)?)
            }
        };
        opened.judge(patch, package, relative, self.inspector.sandbox)
    }
}

fn package(copy: &PackageCopy) -> Package<'_> {
    Package {
        name: &copy.name,
        version: &copy.version,
    }
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
