//! A new file beside an old one, put in its place in one step, and back again as long as the run is not finished.
//!
//! The old file is never written to, so whatever else is hard-linked to it (pnpm's store) stays as it is.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use tempfile::TempPath;

use super::appearance::Appearance;
use super::listing::{self, list};
use super::source::{Identity, Links, Regular, read_regular};
use crate::error::{Error, Result};

/// The random part at the end of a temporary name.
const RANDOM: usize = 6;

/// A file as it is before it is replaced.
pub(crate) struct Original {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    identity: Identity,
    appearance: Appearance,
}

/// A new file, complete and on disk, but not yet in its place. Dropped, it is gone.
pub(crate) struct Staged {
    target: PathBuf,
    temporary: TempPath,
    place: Place,
    replaces: Option<Original>,
}

/// Where the new file is, and what is under its temporary name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It has the temporary name.
    Beside,
    /// It is in its place, and the old file has the temporary name.
    Exchanged,
    /// It is in its place, and the old file is gone or there was none.
    Moved,
    /// It was in its place and has been taken back.
    Back,
}

impl Original {
    /// Reads a file that is to be replaced; `None` where there is none.
    pub(crate) fn read(path: &Path, limit: u64) -> Result<Option<Self>> {
        let unusable = |problem| Error::Unusable {
            path: path.to_owned(),
            problem,
            next_step: "put the file back as it was installed, and run the same command again"
                .to_owned(),
        };
        match read_regular(path, limit, Links::Refuse) {
            Ok(Regular::Whole { bytes, stat, file }) => Ok(Some(Self {
                path: path.to_owned(),
                bytes,
                identity: Identity::of(&stat),
                appearance: Appearance::of(&file, &stat, path)?,
            })),
            Ok(Regular::TooLarge { length }) => Err(unusable(format!(
                "{length} bytes are too many (limit {limit})"
            ))),
            Ok(Regular::Other(kind)) => Err(unusable(format!("this is {kind}, not a file"))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file_system("read", path, error)),
        }
    }

    /// Refuses when the file at the path is not the one that was read, or was written since.
    fn check_unchanged(&self) -> Result<()> {
        let now = rustix::fs::lstat(&self.path)
            .map_err(|error| Error::file_system("read", &self.path, error.into()))?;
        if Identity::of(&now) == self.identity {
            return Ok(());
        }
        // Another name of the same file, replaced a moment ago by this very run, changes the inode of this one too:
        // pnpm links two entries of its virtual store to one file. Then the content has the say.
        match Self::read(&self.path, self.identity.length)? {
            Some(now)
                if now.identity.is_of_one_file(&self.identity)
                    && now.bytes == self.bytes
                    && now.appearance == self.appearance =>
            {
                Ok(())
            }
            _ => Err(changed_meanwhile(&self.path)),
        }
    }

    /// Writes the file that is to take this one's place, with everything but the content as it is.
    pub(crate) fn stage(self, content: &[u8]) -> Result<Staged> {
        let mut staged = stage_new(&self.path, &self.appearance, content)?;
        staged.replaces = Some(self);
        Ok(staged)
    }
}

/// The error for a file that somebody else wrote between the reading and the writing.
pub(crate) fn changed_meanwhile(path: &Path) -> Error {
    Error::Refused {
        problem: format!(
            "{} was changed by another program while ghostfix was at work; nothing was written",
            path.display()
        ),
        next_step: "let that program finish, then run the same command again".to_owned(),
    }
}

/// Writes a file that is to stand at `target`.
pub(crate) fn stage_new(target: &Path, appearance: &Appearance, content: &[u8]) -> Result<Staged> {
    let failed = |error| Error::file_system("write beside", target, error);
    let directory = target.parent().unwrap_or(Path::new("."));
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = tempfile::Builder::new()
        .prefix(&prefix(target))
        .rand_bytes(RANDOM)
        .make_in(directory, |path| {
            Ok(File::from(rustix::fs::open(
                path,
                flags,
                Mode::RUSR | Mode::WUSR,
            )?))
        })
        .map_err(failed)?;
    file.as_file_mut().write_all(content).map_err(failed)?;
    appearance.apply(file.as_file(), target)?;
    file.as_file().sync_all().map_err(failed)?;
    let temporary = file.into_temp_path();
    Ok(Staged {
        target: target.to_owned(),
        temporary,
        place: Place::Beside,
        replaces: None,
    })
}

impl Staged {
    /// Puts the new file in its place: whoever opens the path has the old file whole or the new one whole.
    pub(crate) fn put(&mut self) -> Result<()> {
        if let Some(original) = &self.replaces {
            original.check_unchanged()?;
            // An exchange keeps the old file until the run is finished: the way back needs no space on the disk.
            match rustix::fs::renameat_with(
                CWD,
                &*self.temporary,
                CWD,
                &self.target,
                RenameFlags::EXCHANGE,
            ) {
                Ok(()) => {
                    self.place = Place::Exchanged;
                    return Ok(());
                }
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
                Err(error) => {
                    return Err(Error::file_system("replace", &self.target, error.into()));
                }
            }
        }
        rustix::fs::rename(&*self.temporary, &self.target)
            .map_err(|error| Error::file_system("replace", &self.target, error.into()))?;
        self.place = Place::Moved;
        Ok(())
    }

    /// Undoes [`Staged::put`]; nothing is to be done where it was not called or failed.
    pub(crate) fn take_back(&mut self) -> Result<()> {
        let failed = |error: Errno| Error::file_system("put back", &self.target, error.into());
        match (self.place, self.replaces.take()) {
            (Place::Beside | Place::Back, _) => return Ok(()),
            (Place::Exchanged, _) => {
                rustix::fs::rename(&*self.temporary, &self.target).map_err(failed)?
            }
            (Place::Moved, None) => rustix::fs::unlink(&self.target).map_err(failed)?,
            (Place::Moved, Some(original)) => {
                let mut old = stage_new(&self.target, &original.appearance, &original.bytes)?;
                old.put()?;
            }
        }
        self.place = Place::Back;
        Ok(())
    }

    /// Removes whatever is under the temporary name: the old file, or the new one where it was not put in its place.
    pub(crate) fn clear(&mut self) -> Result<()> {
        if matches!(self.place, Place::Moved | Place::Back) {
            return Ok(());
        }
        std::fs::remove_file(&self.temporary)
            .map_err(|error| Error::file_system("remove", &*self.temporary, error))?;
        self.place = Place::Moved;
        Ok(())
    }
}

/// A file that has been taken out of its place. Dropped, it is gone.
pub(crate) struct Aside {
    path: PathBuf,
    temporary: TempPath,
    there: bool,
}

/// Takes a file out of its place, under a temporary name.
pub(crate) fn set_aside(path: &Path) -> Result<Aside> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let moved = tempfile::Builder::new()
        .prefix(&prefix(path))
        .rand_bytes(RANDOM)
        .make_in(directory, |aside| Ok(rustix::fs::rename(path, aside)?))
        .map_err(|error| Error::file_system("remove", path, error))?;
    Ok(Aside {
        path: path.to_owned(),
        temporary: moved.into_temp_path(),
        there: true,
    })
}

impl Aside {
    /// Puts the file back in its place.
    pub(crate) fn put_back(&mut self) -> Result<()> {
        rustix::fs::rename(&*self.temporary, &self.path)
            .map_err(|error| Error::file_system("put back", &self.path, error.into()))?;
        self.there = false;
        Ok(())
    }

    /// Removes the file for good.
    pub(crate) fn clear(&mut self) -> Result<()> {
        if self.there {
            std::fs::remove_file(&self.temporary)
                .map_err(|error| Error::file_system("remove", &*self.temporary, error))?;
            self.there = false;
        }
        Ok(())
    }
}

/// Makes the names in a directory last: which file is at a path is the directory's content.
pub(crate) fn sync_directory(directory: &Path) -> Result<()> {
    let failed = |error: Errno| Error::file_system("sync", directory, error.into());
    let opened = listing::open(directory).map_err(failed)?;
    match rustix::fs::fsync(&opened) {
        // Network and shared file systems that cannot do this for directories say so.
        Ok(()) | Err(Errno::INVAL | Errno::NOTSUP | Errno::NOSYS) => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// Removes what a killed run has left beside `target`. The caller holds the lock, so nobody is writing there now.
pub(crate) fn sweep(target: &Path) -> Result<Vec<PathBuf>> {
    let directory = target.parent().unwrap_or(Path::new("."));
    let prefix = prefix(target);
    let entries = match list(directory) {
        Ok(entries) => entries,
        Err(Errno::NOENT) => Vec::new(),
        Err(error) => return Err(Error::file_system("list", directory, error.into())),
    };
    let mut removed = Vec::new();
    for (name, kind) in entries {
        let Some(random) = name.as_bytes().strip_prefix(prefix.as_bytes()) else {
            continue;
        };
        let ours = random.len() == RANDOM && random.iter().all(u8::is_ascii_alphanumeric);
        if ours && kind == FileType::RegularFile {
            let path = directory.join(name);
            std::fs::remove_file(&path)
                .map_err(|error| Error::file_system("remove", &path, error))?;
            removed.push(path);
        }
    }
    removed.sort();
    Ok(removed)
}

/// `.NAME.ghostfix-`
fn prefix(target: &Path) -> OsString {
    let name = target.file_name().unwrap_or(OsStr::new("file")).as_bytes();
    OsString::from_vec([b".", name, b".ghostfix-"].concat())
}

#[cfg(test)]
#[path = "replace_tests.rs"]
mod tests;
