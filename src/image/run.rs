//! The steps of a run in their order, and the way back from wherever they stop.

use std::collections::BTreeSet;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::appearance::Appearance;
use super::change::Change;
use super::installation::Installation;
use super::journal::{Journal, JournalFile};
use super::listing::list;
use super::receipt::{self, FileEntry, Receipt};
use super::replace::{
    self, Aside, Original, Staged, changed_meanwhile, set_aside, stage_new, sync_directory,
};
use super::source;
use crate::error::{Error, Result};

/// Receipts and journals record which ghostfix wrote them.
const GHOSTFIX: &str = env!("CARGO_PKG_VERSION");

/// What has been done so far, so that it can be taken back.
pub(super) struct Run<'a> {
    installation: &'a Installation,
    /// `.ghostfix`
    directory: PathBuf,
    made_directory: bool,
    files: Vec<Staged>,
    /// Those of the run's files, to be synced.
    directories: BTreeSet<PathBuf>,
    receipt: ReceiptStep,
    /// The journal is on disk.
    journal: bool,
}

/// What becomes of the receipt.
enum ReceiptStep {
    /// It stays as it is, or is as it should be already.
    Keep,
    Write(Box<Staged>),
    Remove,
    Removed(Aside),
}

impl<'a> Run<'a> {
    pub(super) fn new(installation: &'a Installation) -> Self {
        Self {
            installation,
            directory: installation.version_directory.join(receipt::DIRECTORY),
            made_directory: false,
            files: Vec::new(),
            directories: BTreeSet::new(),
            receipt: ReceiptStep::Keep,
            journal: false,
        }
    }

    /// Makes all changes, up to the moment from which the run has happened: when the receipt says so.
    ///
    /// The journal comes before anything else is written, so whatever a dying process leaves can be told from it.
    pub(super) fn begin_and_write(
        &mut self,
        receipt: Option<&Receipt>,
        changes: &[&Change],
        files: Vec<JournalFile>,
    ) -> Result<()> {
        let mut originals = Vec::new();
        for change in changes {
            let path = self.installation.version_directory.join(&change.path);
            let real = path
                .canonicalize()
                .map_err(|error| Error::file_system("read", &path, error))?;
            match Original::read(&path, source::LIMIT)? {
                Some(original) if real == path && original.bytes == change.before => {
                    originals.push(original);
                }
                _ => return Err(changed_meanwhile(&path)),
            }
        }
        for original in &originals {
            replace::sweep(&original.path)?;
        }
        self.make_directory()?;
        let entries = files
            .iter()
            .map(|file| (file.path.clone(), file.receipt.clone()))
            .collect::<Vec<_>>();
        let mut journal =
            self.stage_own("journal.json", &Journal::new(GHOSTFIX, files).to_bytes())?;
        journal.put()?;
        self.journal = true;
        sync_directory(&self.directory)?;
        for (original, change) in originals.into_iter().zip(changes) {
            self.stage(original, &change.after)?;
        }
        self.stage_receipt(receipt, &entries)?;
        self.write()
    }

    /// Puts everything that is staged in its place.
    pub(super) fn write(&mut self) -> Result<()> {
        for file in &mut self.files {
            file.put()?;
        }
        self.sync_files()?;
        match &mut self.receipt {
            ReceiptStep::Write(staged) => staged.put()?,
            ReceiptStep::Remove => {
                self.receipt =
                    ReceiptStep::Removed(set_aside(&self.directory.join("receipt.json"))?);
            }
            ReceiptStep::Keep | ReceiptStep::Removed(_) => {}
        }
        sync_directory(&self.directory)
    }

    /// Clears away what was kept for the way back, and then the journal. Whatever fails here is told, and left to the
    /// next run: it finds the journal, and that there is nothing else to do.
    pub(super) fn close(mut self) -> Vec<String> {
        let cleared = self
            .clear()
            .and_then(|()| self.sync_files())
            .and_then(|()| remove(&Journal::path(self.installation)))
            .and_then(|()| sync_directory(&self.directory))
            .and_then(|()| self.remove_empty_directory());
        let note =
            |error| format!("{error}; the files are written, and the next run clears this away");
        cleared.err().map(note).into_iter().collect()
    }

    /// Removes what is under temporary names.
    fn clear(&mut self) -> Result<()> {
        match &mut self.receipt {
            ReceiptStep::Write(staged) => staged.clear()?,
            ReceiptStep::Removed(aside) => aside.clear()?,
            ReceiptStep::Keep | ReceiptStep::Remove => {}
        }
        self.files.iter_mut().try_for_each(Staged::clear)
    }

    /// Takes everything back, and answers with why, and with what could not be taken back.
    pub(super) fn undo(mut self, error: Error) -> Error {
        let mut problems = Vec::new();
        let mut note =
            |done: Result<()>| problems.extend(done.err().map(|error| error.to_string()));
        let receipt = match &mut self.receipt {
            ReceiptStep::Write(staged) => staged.take_back(),
            ReceiptStep::Removed(aside) => aside.put_back(),
            ReceiptStep::Keep | ReceiptStep::Remove => Ok(()),
        };
        let mut complete = receipt.is_ok();
        note(receipt);
        for file in self.files.iter_mut().rev() {
            let done = file.take_back();
            complete &= done.is_ok();
            note(done);
        }
        note(self.clear());
        note(self.sync_files());
        if self.journal && complete {
            note(
                remove(&Journal::path(self.installation))
                    .and_then(|()| sync_directory(&self.directory)),
            );
        }
        if self.made_directory {
            note(self.remove_empty_directory());
        }
        if problems.is_empty() {
            return error;
        }
        Error::Unusable {
            path: self.installation.version_directory.clone(),
            problem: format!("{error}; and on the way back: {}", problems.join("; ")),
            next_step: "put this right and run the same command again: it finishes or undoes what was begun".to_owned(),
        }
    }

    /// Stages new content for a file.
    pub(super) fn stage(&mut self, original: Original, content: &[u8]) -> Result<()> {
        self.is_written(&original.path);
        self.files.push(original.stage(content)?);
        Ok(())
    }

    /// Counts a file in that an earlier run has put in its place, and perhaps not synced.
    pub(super) fn is_written(&mut self, path: &Path) {
        self.directories.extend(path.parent().map(Path::to_owned));
    }

    /// Stages the receipt with these entries for the files of the run.
    pub(super) fn stage_receipt(
        &mut self,
        receipt: Option<&Receipt>,
        entries: &[(String, Option<FileEntry>)],
    ) -> Result<()> {
        let root = &self.installation.version_directory;
        let exists = |path: &str| root.join(path).symlink_metadata().is_ok();
        self.receipt = match Receipt::with(receipt, entries, GHOSTFIX, exists) {
            Some(next) => {
                ReceiptStep::Write(Box::new(self.stage_own("receipt.json", &next.to_bytes())?))
            }
            None if receipt.is_some() => ReceiptStep::Remove,
            None => ReceiptStep::Keep,
        };
        Ok(())
    }

    /// A file of ours, to be put in its place later.
    fn stage_own(&self, name: &str, content: &[u8]) -> Result<Staged> {
        let path = self.directory.join(name);
        match Original::read(&path, receipt::LIMIT)? {
            Some(original) => original.stage(content),
            None => stage_new(&path, &self.appearance()?, content),
        }
    }

    fn appearance(&self) -> Result<Appearance> {
        let directory = &self.installation.version_directory;
        let stat = rustix::fs::stat(directory)
            .map_err(|error| Error::file_system("read", directory, error.into()))?;
        Ok(Appearance::ours(&stat))
    }

    fn make_directory(&mut self) -> Result<()> {
        let failed = |error| Error::file_system("create", &self.directory, error);
        match std::fs::DirBuilder::new()
            .mode(0o755)
            .create(&self.directory)
        {
            Ok(()) => self.made_directory = true,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
            Err(error) => return Err(failed(error)),
        }
        // Everybody who may read Ghost may read the receipt, whatever the umask of the build is.
        let metadata = std::fs::metadata(&self.directory).map_err(failed)?;
        if metadata.permissions().mode() & 0o777 != 0o755 {
            let mode = metadata.permissions().mode() & 0o7000 | 0o755;
            std::fs::set_permissions(&self.directory, std::fs::Permissions::from_mode(mode))
                .map_err(failed)?;
        }
        if let Some((user, group)) = self.appearance()?.owner() {
            std::os::unix::fs::lchown(&self.directory, Some(user), Some(group)).map_err(failed)?;
        }
        sync_directory(&self.installation.version_directory)
    }

    pub(super) fn remove_empty_directory(&self) -> Result<()> {
        let failed = |error: std::io::Error| Error::file_system("remove", &self.directory, error);
        match list(&self.directory) {
            Ok(entries) if entries.is_empty() => {}
            Ok(_) | Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(failed(error.into())),
        }
        std::fs::remove_dir(&self.directory).map_err(failed)?;
        sync_directory(&self.installation.version_directory)
    }

    /// Removes temporary files of ours in our own directory.
    pub(super) fn sweep_own(&self) -> Result<()> {
        for name in ["receipt.json", "journal.json"] {
            replace::sweep(&self.directory.join(name))?;
        }
        Ok(())
    }

    fn sync_files(&self) -> Result<()> {
        self.directories
            .iter()
            .try_for_each(|directory| sync_directory(directory))
    }
}

fn remove(path: &Path) -> Result<()> {
    std::fs::remove_file(path).map_err(|error| Error::file_system("remove", path, error))
}
