//! `ghostfix patch`: every selected patch is made, or none is.

use super::inspection::{Inspection, Inspector, below_root, mark_interrupted};
use super::judging::would_apply;
use super::{LOCK_WAIT, depth};
use crate::catalogue;
use crate::error::Result;
use crate::image::draft::Draft;
use crate::image::installation::locate;
use crate::image::lock::Lock;
use crate::image::receipt::Receipt;
use crate::image::transaction::{self, Finished, How};
use crate::javascript::sandbox::Sandbox;
use crate::report::{PatchCommand, PatchReport, State};
use crate::settings;

/// Runs the command.
///
/// # Errors
///
/// Where Ghost cannot be found, a file cannot be read, or a change cannot be written; then no file was changed.
pub fn run(settings: &settings::Patch, sandbox: &Sandbox) -> Result<PatchReport> {
    let (root, installation) = settings.root.locate(locate)?;
    let mut notes = Vec::new();
    let lock = if settings.dry_run {
        None
    } else {
        let lock = Lock::acquire(&installation, LOCK_WAIT)?;
        notes.extend(
            transaction::finish(&installation, &lock)?
                .as_ref()
                .map(told),
        );
        Some(lock)
    };
    let receipt = Receipt::read(&installation)?;
    let inspector = Inspector {
        installation: &installation,
        depth: depth(settings.reach),
        sandbox,
        receipt: receipt.as_ref(),
    };
    let selected = catalogue::selected(&settings.patches);
    let Inspection {
        mut entries,
        drafts,
        absent: _,
        coverage,
        notes: found,
    } = inspector.inspect(&selected)?.complete()?;
    notes.extend(found);

    let refused = entries.iter().any(|entry| entry.state.is_refusal());
    let made = |state: State| matches!(state, State::NotApplied | State::Outdated);
    match lock {
        None => {
            would_apply(&mut entries);
            mark_interrupted(
                &mut entries,
                &mut notes,
                transaction::interrupted(&installation)?.as_ref(),
            );
        }
        Some(_) if refused => {
            for entry in entries.iter_mut().filter(|entry| made(entry.state)) {
                entry.reason =
                    "It could be made, but a run patches all selected files or none.".to_owned();
                entry.next_step =
                    Some("Settle what was refused, or leave it out with --without.".to_owned());
            }
        }
        Some(lock) => {
            let changes = drafts.into_iter().map(Draft::finish).collect::<Vec<_>>();
            notes.extend(transaction::commit(&installation, &lock, &changes)?.notes);
            for entry in entries.iter_mut().filter(|entry| made(entry.state)) {
                entry.reason = match entry.state {
                    State::Outdated => {
                        "An earlier edition of the edit was brought up to date; proved.".to_owned()
                    }
                    _ => "The edit is made and proved.".to_owned(),
                };
                entry.state = State::Applied;
                entry.next_step = None;
            }
        }
    }
    let command = if settings.dry_run {
        PatchCommand::PatchDryRun
    } else {
        PatchCommand::Patch
    };
    Ok(PatchReport {
        command,
        root,
        patches: below_root(entries, &installation),
        ghost: installation.ghost,
        coverage,
        notes,
    })
}

/// What became of an interrupted run, in a line.
pub(super) fn told(finished: &Finished) -> String {
    let how = match finished.how {
        How::Completed => "An interrupted run of ghostfix was completed first",
        How::Undone => "An interrupted run of ghostfix was undone first",
    };
    match finished.untouched.as_slice() {
        [] => format!("{how}."),
        untouched => {
            let files = untouched
                .iter()
                .map(|path| path.display().to_string())
                .collect::<Vec<_>>()
                .join(", ");
            format!("{how}; somebody else has written {files} since, so it stays as it is.")
        }
    }
}
