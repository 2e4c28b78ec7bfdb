//! The steps of a run in their order, and the way back from wherever they stop.

use std::collections::BTreeSet;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::appearance::Appearance;
use super::change::Change;
use super::installation::Installation;
use super::journal::{Journal, JournalFile};
use super::receipt::{self, Receipt};
use super::replace::{self, Original, Staged, changed_meanwhile, stage_new, sync_directory};
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
    receipt: ReceiptStep,
    /// The journal is on disk.
    journal: bool,
}

/// What becomes of the receipt.
enum ReceiptStep {
    /// It stays as it is, or is as it should be already.
    Keep,
    Write(Box<Staged>),
    Remove(Option<Box<Original>>),
    Removed(Box<Original>),
}

impl<'a> Run<'a> {
    pub(super) fn new(installation: &'a Installation) -> Self {
        Self {
            installation,
            directory: installation.version_directory.join(receipt::DIRECTORY),
            made_directory: false,
            files: Vec::new(),
            receipt: ReceiptStep::Keep,
            journal: false,
        }
    }

    /// Everything that needs space on the disk or can be refused, up to and with the journal.
    pub(super) fn prepare(
        &mut self,
        receipt: Option<&Receipt>,
        changes: &[&Change],
        files: Vec<JournalFile>,
    ) -> Result<()> {
        for change in changes {
            let path = self.installation.version_directory.join(&change.path);
            let real = path
                .canonicalize()
                .map_err(|error| Error::file_system("read", &path, error))?;
            if real != path {
                return Err(changed_meanwhile(&path));
            }
            replace::sweep(&path)?;
            match Original::read(&path, source::LIMIT)? {
                Some(original) if original.bytes == change.before => {
                    self.stage(original, &change.after)?
                }
                _ => return Err(changed_meanwhile(&path)),
            }
        }
        self.make_directory()?;
        self.stage_receipt(receipt, &files)?;
        let mut journal =
            self.stage_own("journal.json", &Journal::new(GHOSTFIX, files).to_bytes())?;
        journal.put()?;
        self.journal = true;
        sync_directory(&self.directory)
    }

    /// The renames. When the journal is removed, the run has happened.
    pub(super) fn write(&mut self) -> Result<()> {
        for file in &mut self.files {
            file.put()?;
        }
        self.sync_files()?;
        match std::mem::replace(&mut self.receipt, ReceiptStep::Keep) {
            ReceiptStep::Write(mut staged) => {
                let put = staged.put();
                self.receipt = ReceiptStep::Write(staged);
                put?;
            }
            ReceiptStep::Remove(original) => {
                if let Some(original) = original {
                    remove(&original.path)?;
                    self.receipt = ReceiptStep::Removed(original);
                }
            }
            step @ (ReceiptStep::Keep | ReceiptStep::Removed(_)) => self.receipt = step,
        }
        sync_directory(&self.directory)?;
        remove(&Journal::path(self.installation))?;
        self.journal = false;
        Ok(())
    }

    /// Clears away what was kept for the way back. Nothing here can make the run not have happened.
    pub(super) fn close(mut self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut note =
            |done: Result<()>| problems.extend(done.err().map(|error| error.to_string()));
        note(sync_directory(&self.directory));
        for file in self.files.drain(..) {
            note(file.clear());
        }
        if let ReceiptStep::Write(staged) = std::mem::replace(&mut self.receipt, ReceiptStep::Keep)
        {
            note(staged.clear());
        }
        note(self.remove_empty_directory());
        problems
    }

    /// Takes everything back, and answers with why, and with what could not be taken back.
    pub(super) fn undo(mut self, error: Error) -> Error {
        let mut problems = Vec::new();
        let mut note =
            |done: Result<()>| problems.extend(done.err().map(|error| error.to_string()));
        match std::mem::replace(&mut self.receipt, ReceiptStep::Keep) {
            ReceiptStep::Keep | ReceiptStep::Remove(_) => {}
            ReceiptStep::Write(mut staged) => {
                note(staged.take_back());
                note(staged.clear());
            }
            ReceiptStep::Removed(original) => note(original.restore()),
        }
        let mut complete = true;
        for file in self.files.iter_mut().rev() {
            let done = file.take_back();
            complete &= done.is_ok();
            note(done);
        }
        note(self.sync_files());
        for file in self.files.drain(..) {
            note(file.clear());
        }
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

    pub(super) fn stage(&mut self, original: Original, content: &[u8]) -> Result<()> {
        self.files.push(original.stage(content)?);
        Ok(())
    }

    pub(super) fn stage_receipt(
        &mut self,
        receipt: Option<&Receipt>,
        files: &[JournalFile],
    ) -> Result<()> {
        let entries: Vec<_> = files
            .iter()
            .map(|file| (file.path.clone(), file.receipt.clone()))
            .collect();
        let exists = |path: &str| {
            self.installation
                .version_directory
                .join(path)
                .symlink_metadata()
                .is_ok()
        };
        self.receipt = match Receipt::with(receipt, &entries, GHOSTFIX, exists) {
            Some(next) => {
                ReceiptStep::Write(Box::new(self.stage_own("receipt.json", &next.to_bytes())?))
            }
            None => ReceiptStep::Remove(
                Original::read(&self.directory.join("receipt.json"), receipt::LIMIT)?.map(Box::new),
            ),
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
        let failed = |error| Error::file_system("remove", &self.directory, error);
        match self.directory.read_dir() {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
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
        let directories: BTreeSet<&Path> = self
            .files
            .iter()
            .filter_map(|file| file.target().parent())
            .collect();
        directories.into_iter().try_for_each(sync_directory)
    }
}

fn remove(path: &Path) -> Result<()> {
    std::fs::remove_file(path).map_err(|error| Error::file_system("remove", path, error))
}
