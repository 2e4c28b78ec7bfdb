//! `ghostfix revert`: takes edits out again, by the receipt, to the identical bytes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::LOCK_WAIT;
use super::inspection::{Inspection, Inspector, below_root};
use super::judging::unified;
use super::patch::told;
use crate::catalogue::{self, Patch};
use crate::error::Result;
use crate::image::change::Change;
use crate::image::copies::Depth;
use crate::image::installation::{Installation, locate};
use crate::image::lock::Lock;
use crate::image::receipt::{NotRevertible, Receipt, Which, plan_revert};
use crate::image::source::{Reading, Source};
use crate::image::transaction;
use crate::javascript::assess::{Guards, Origin, assess};
use crate::javascript::sandbox::Sandbox;
use crate::report::{PatchCommand, PatchEntry, PatchReport, Proof, ProofResult, State};
use crate::settings;

const REINSTALL: &str = "Install the package again to get it as published.";

/// Runs the command.
///
/// # Errors
///
/// Where Ghost cannot be found, a file cannot be read, or a change cannot be written; then no file was changed.
pub fn run(settings: &settings::Revert, sandbox: &Sandbox) -> Result<PatchReport> {
    let (root, installation) = settings.root.locate(locate)?;
    let lock = Lock::acquire(&installation, LOCK_WAIT)?;
    let mut notes = Vec::new();
    notes.extend(
        transaction::finish(&installation, &lock)?
            .as_ref()
            .map(told),
    );
    let receipt = Receipt::read(&installation)?;
    let selected = catalogue::selected(&settings.patches);
    let inspector = Inspector {
        installation: &installation,
        depth: Depth::PackageDirectories,
        sandbox,
        receipt: receipt.as_ref(),
    };
    let Inspection {
        mut entries,
        drafts: _,
        // What is not there has nothing to take out.
        absent: _,
        coverage,
        notes: found,
    } = inspector.inspect(&selected)?;
    notes.extend(found);

    let plans = plans(&installation, receipt.as_ref(), &selected, sandbox)?;
    for entry in &mut entries {
        judge(entry, plans.get(&entry.path));
    }
    for (path, plan) in &plans {
        if !entries.iter().any(|entry| entry.path == *path)
            && let Err(refusal) = &plan.change
        {
            notes.push(format!("{}: {refusal}", path.display()));
        }
    }
    if !entries.iter().any(|entry| entry.state.is_refusal()) {
        let changes = plans
            .into_values()
            .filter_map(|plan| plan.change.ok())
            .collect::<Vec<_>>();
        notes.extend(transaction::commit(&installation, &lock, &changes)?.notes);
    } else {
        for entry in entries
            .iter_mut()
            .filter(|entry| entry.state == State::Reverted)
        {
            entry.state = State::AlreadyApplied;
            entry.reason =
                "It could be taken out, but a run reverts all selected files or none.".to_owned();
        }
    }
    Ok(PatchReport {
        command: PatchCommand::Revert,
        root,
        patches: below_root(entries, &installation),
        ghost: installation.ghost,
        coverage,
        notes,
    })
}

/// What would become of a file that the receipt names.
struct Plan {
    /// The selected patches that the receipt has for it.
    ids: Vec<String>,
    /// What taking out all of them does.
    change: Result<Change, NotRevertible>,
    /// What taking out one of them alone does, for its diff.
    alone: BTreeMap<String, Change>,
    /// Patches that stay in the file and would not be proved without the others.
    broken: Option<String>,
    /// The file holds the original bytes already.
    original: bool,
}

fn plans(
    installation: &Installation,
    receipt: Option<&Receipt>,
    selected: &[&'static Patch],
    sandbox: &Sandbox,
) -> Result<BTreeMap<PathBuf, Plan>> {
    let mut plans = BTreeMap::new();
    for file in receipt.map_or(&[][..], |receipt| &receipt.files) {
        let (ids, staying) = file
            .edits
            .iter()
            .map(|edit| edit.patch.clone())
            .partition::<Vec<_>, _>(|id| selected.iter().any(|patch| patch.definition.id == *id));
        if ids.is_empty() {
            continue;
        }
        let path = PathBuf::from(&file.path);
        let bytes = match Source::read(&installation.version_directory.join(&path)) {
            Ok(Reading::Whole(source)) => source.bytes,
            Ok(Reading::TooLarge { .. }) => Vec::new(),
            // Gone, with its package: nothing of ours is left to take out.
            Err(crate::error::Error::FileSystem { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                continue;
            }
            Err(error) => return Err(error),
        };
        let which = ids.iter().map(String::as_str).collect::<Vec<_>>();
        let change = plan_revert(receipt, &path, &bytes, Which::Only(&which));
        let alone = ids
            .iter()
            .filter_map(|id| {
                let change = plan_revert(receipt, &path, &bytes, Which::Only(&[id]));
                Some((id.clone(), change.ok()?))
            })
            .collect();
        let broken = change.as_ref().ok().and_then(|change| {
            staying.into_iter().find(|id| {
                catalogue::patch(id).is_some_and(|patch| {
                    let left = assess(
                        patch,
                        &change.after,
                        Origin::Unknown,
                        sandbox,
                        Guards::default(),
                    );
                    left.state != State::AlreadyApplied
                })
            })
        });
        let original = crate::image::source::sha256(&bytes) == file.original;
        plans.insert(
            path,
            Plan {
                ids,
                change,
                alone,
                broken,
                original,
            },
        );
    }
    Ok(plans)
}

/// The entry's state, from how the file was found to what becomes of it.
fn judge(entry: &mut PatchEntry, plan: Option<&Plan>) {
    let there = matches!(entry.state, State::AlreadyApplied | State::Outdated);
    entry.diff = String::new();
    entry.evidence = None;
    let recorded = plan.filter(|plan| plan.ids.contains(&entry.id));
    let (state, reason, next_step) = match recorded {
        Some(Plan {
            broken: Some(other),
            ..
        }) => (
            State::ProofFailed,
            format!("Without it {other}, which stays in the same file, would not be proved."),
            Some(format!("Revert {other} with it.")),
        ),
        Some(Plan {
            change: Ok(change),
            alone,
            ..
        }) => {
            let change = alone.get(&entry.id).unwrap_or(change);
            let before = String::from_utf8_lossy(&change.before);
            entry.diff = unified(
                &entry.path,
                &before,
                &String::from_utf8_lossy(&change.after),
            );
            entry.proof = Proof {
                syntax: ProofResult::Passed,
                ..Proof::default()
            };
            (
                State::Reverted,
                "The edit is taken out; the bytes are the ones from before it.".to_owned(),
                None,
            )
        }
        Some(Plan { original: true, .. }) => (
            State::NotApplied,
            "The file is as it was before ghostfix wrote it.".to_owned(),
            None,
        ),
        Some(Plan {
            change: Err(refusal),
            ..
        }) => (
            State::Drifted,
            sentence(&refusal.to_string()),
            Some(REINSTALL.to_owned()),
        ),
        None if there => (
            State::Drifted,
            "The edit is there, but there is no receipt that tells what it replaced.".to_owned(),
            Some(REINSTALL.to_owned()),
        ),
        None => (
            State::NotApplied,
            "There is nothing of ghostfix's to take out.".to_owned(),
            None,
        ),
    };
    if state != State::Reverted {
        entry.proof = Proof::default();
    }
    entry.state = state;
    entry.reason = reason;
    entry.next_step = next_step;
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    let mut out = first.chain(letters).collect::<String>();
    if !out.ends_with('.') {
        out.push('.');
    }
    out
}
