//! All changes of a run or none of them, whatever moment the process or the machine dies at.
//!
//! A journal says what is about to happen; the new files are written beside the old ones and synced; the files and then
//! the receipt are put in their places by renames, and with the receipt the run has happened; the journal goes last. An
//! error on the way takes everything back. After a death the journal is still there, and [`finish`] acts on it.

use std::path::{Path, PathBuf};

use super::change::Change;
use super::installation::Installation;
use super::journal::{Journal, JournalFile};
use super::lock::{Lock, ReadLock};
use super::receipt::{FileEntry, Receipt};
use super::replace::{self, Original};
use super::run::Run;
use super::source;
use crate::error::{Error, Result};

pub use super::journal::Side;

/// A run that has happened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Committed {
    /// What did not work after that moment, and is no reason to take the run back.
    pub notes: Vec<String>,
}

/// A run that was interrupted, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupted {
    /// Every file of that run.
    pub files: Vec<InterruptedFile>,
    /// Another ghostfix is in the middle of it at this moment: nothing is wrong yet.
    pub at_work: bool,
}

/// One file of an interrupted run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterruptedFile {
    /// Relative to the version directory.
    pub path: PathBuf,
    /// The npm package that it belongs to.
    pub package: String,
    /// That package's version.
    pub version: String,
    /// Which content it has.
    pub side: Side,
}

/// An interrupted run that is over now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub how: How,
    /// Its files, relative to the version directory, without the untouched ones.
    pub files: Vec<PathBuf>,
    /// Files that somebody else has written or removed since: they stay as they are.
    pub untouched: Vec<PathBuf>,
    /// As in [`Committed::notes`].
    pub notes: Vec<String>,
}

/// How an interrupted run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Every file has its new content.
    Completed,
    /// Every file has its old content, save the untouched ones.
    Undone,
}

/// Makes all changes, or none of them and answers with the reason.
///
/// [`finish`] must have been called under the same lock.
pub fn commit(installation: &Installation, lock: &Lock, changes: &[Change]) -> Result<Committed> {
    check_lock(installation, lock)?;
    let changes: Vec<&Change> = changes
        .iter()
        .filter(|change| change.before != change.after)
        .collect();
    if changes.is_empty() {
        return Ok(Committed::default());
    }
    if Journal::read(installation)?.is_some() {
        return Err(Error::Bug {
            problem: "a run was begun before an interrupted one was finished".to_owned(),
        });
    }
    let receipt = Receipt::read(installation)?;
    let mut files: Vec<JournalFile> = Vec::new();
    for change in &changes {
        let file = JournalFile::new(change, FileEntry::after(receipt.as_ref(), change)?)?;
        if files.iter().any(|other| other.path == file.path) {
            return Err(Error::Bug {
                problem: format!("{} is changed twice in one run", file.path),
            });
        }
        files.push(file);
    }

    let mut run = Run::new(installation);
    match run.begin_and_write(receipt.as_ref(), &changes, files) {
        Ok(()) => Ok(Committed { notes: run.close() }),
        Err(error) => Err(run.undo(error)),
    }
}

/// What an interrupted run has left, without touching it. `None` where there is nothing.
pub fn interrupted(installation: &Installation) -> Result<Option<Interrupted>> {
    if Journal::read(installation)?.is_none() {
        return Ok(None);
    }
    let read_lock = ReadLock::try_acquire(installation)?;
    let at_work = read_lock.is_none();
    // Read again under the lock: a run that ended in the meantime was not interrupted.
    let Some(journal) = Journal::read(installation)? else {
        return Ok(None);
    };
    let mut files = Vec::new();
    for file in &journal.files {
        let (side, _) = look(installation, file)?;
        files.push(InterruptedFile {
            path: file.path.clone().into(),
            package: file.package.clone(),
            version: file.version.clone(),
            side,
        });
    }
    let receipt = Receipt::read(installation)?;
    let sides = files.iter().map(|file| file.side);
    Ok(
        (!has_happened(&journal, receipt.as_ref(), sides))
            .then_some(Interrupted { files, at_work }),
    )
}

/// Ends an interrupted run: forwards where every file is as it was before or after it, else backwards as far as that
/// goes. `None` where there was none; then nothing is written.
pub fn finish(installation: &Installation, lock: &Lock) -> Result<Option<Finished>> {
    check_lock(installation, lock)?;
    let Some(journal) = Journal::read(installation)? else {
        let run = Run::new(installation);
        run.sweep_own()?;
        run.remove_empty_directory()?;
        return Ok(None);
    };
    let receipt = Receipt::read(installation)?;
    let mut known = Vec::new();
    let mut untouched = Vec::new();
    for file in &journal.files {
        match look(installation, file)? {
            (side @ (Side::Before | Side::After), Some(original)) => {
                known.push((file, side, original))
            }
            _ => untouched.push(PathBuf::from(&file.path)),
        }
    }
    let mut finished = Finished {
        how: if untouched.is_empty() {
            How::Completed
        } else {
            How::Undone
        },
        files: known
            .iter()
            .map(|(file, ..)| file.path.clone().into())
            .collect(),
        untouched,
        notes: Vec::new(),
    };

    let mut run = Run::new(installation);
    run.sweep_own()?;
    for file in &journal.files {
        replace::sweep(&installation.version_directory.join(&file.path))?;
    }
    for (_, _, original) in known.iter().filter(|(_, side, _)| *side == Side::After) {
        run.is_written(&original.path);
    }
    let contradiction = || Error::Unusable {
        path: Journal::path(installation),
        problem: "the journal contradicts itself: its edit does not give the content that it names"
            .to_owned(),
        next_step:
            "reinstall Ghost, or move the journal away after looking at the files that it names"
                .to_owned(),
    };
    if has_happened(
        &journal,
        receipt.as_ref(),
        known.iter().map(|(_, side, _)| *side),
    ) {
        // What was written since then is somebody's later wish.
        finished.how = How::Completed;
    } else {
        for (file, side, original) in known {
            let content = match (finished.how, side) {
                (How::Completed, Side::Before) => file.forward(&original.bytes),
                (How::Undone, Side::After) => file.back(&original.bytes),
                _ => continue,
            };
            run.stage(original, &content.ok_or_else(contradiction)?)?;
        }
        if finished.how == How::Completed {
            let entries: Vec<_> = journal
                .files
                .into_iter()
                .map(|file| (file.path, file.receipt))
                .collect();
            run.stage_receipt(receipt.as_ref(), &entries)?;
        }
    }
    // No way back from here: until the journal is gone, the next run does the same again.
    run.write()?;
    finished.notes = run.close();
    Ok(Some(finished))
}

/// Whether a run got as far as its receipt, so that only clearing away was left.
fn has_happened(
    journal: &Journal,
    receipt: Option<&Receipt>,
    sides: impl IntoIterator<Item = Side>,
) -> bool {
    let recorded = |path: &str| receipt.and_then(|receipt| receipt.file(Path::new(path)));
    // A receipt of an earlier run may say the same, when the package was installed anew since then.
    journal
        .files
        .iter()
        .all(|file| recorded(&file.path) == file.receipt.as_ref())
        && sides.into_iter().all(|side| side != Side::Before)
}

fn check_lock(installation: &Installation, lock: &Lock) -> Result<()> {
    if lock.is_of(installation) {
        return Ok(());
    }
    Err(Error::Bug {
        problem: "the lock is that of another installation".to_owned(),
    })
}

/// Which content a file of a journal has, and the file itself where it is one.
fn look(installation: &Installation, file: &JournalFile) -> Result<(Side, Option<Original>)> {
    let path = installation.version_directory.join(&file.path);
    match path.canonicalize() {
        Ok(real) if real == path && real.is_file() => {}
        Ok(_) => return Ok((Side::Neither, None)),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return Err(Error::file_system("read", path, error));
        }
        Err(_) => return Ok((Side::Gone, None)),
    }
    match Original::read(&path, source::LIMIT) {
        Ok(original) => Ok((
            file.side(original.as_ref().map(|file| file.bytes.as_slice())),
            original,
        )),
        Err(Error::Unusable { .. }) => Ok((Side::Neither, None)),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[path = "transaction_tests.rs"]
mod tests;
