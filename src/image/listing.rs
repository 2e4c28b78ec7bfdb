//! What is in a directory.
//!
//! Not by the standard library, which panics where closing a directory fails.

use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir};
use rustix::io::Errno;

/// Opens a directory, or a link to one.
pub(super) fn open(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, path, flags, Mode::empty())
}

/// The names in a directory, each with what it is. A link is a link, whatever it leads to.
pub(super) fn entries(directory: &OwnedFd) -> Result<Vec<(OsString, FileType)>, Errno> {
    let mut found = Vec::new();
    let mut buffer = [MaybeUninit::<u8>::uninit(); 16 * 1024];
    let mut listing = RawDir::new(directory, &mut buffer);
    while let Some(entry) = listing.next() {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name == "." || name == ".." {
            continue;
        }
        let kind = match entry.file_type() {
            // Some file systems do not tell while listing.
            FileType::Unknown => {
                match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                    Err(Errno::NOENT) => continue,
                    Err(error) => return Err(error),
                }
            }
            kind => kind,
        };
        found.push((name.to_owned(), kind));
    }
    Ok(found)
}

/// The same for a path.
pub(super) fn list(path: &Path) -> Result<Vec<(OsString, FileType)>, Errno> {
    entries(&open(path)?)
}
