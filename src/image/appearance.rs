//! What a file has besides its content: mode, owner, group and extended attributes, carried over to its replacement.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{Gid, Mode, Stat, Uid, XattrFlags};
use rustix::io::Errno;

use super::source::mode;
use crate::error::{Error, Result};

/// An access control list, which also stands in the way of the mode where a directory hands one down.
const ACCESS_LIST: &CStr = c"system.posix_acl_access";

/// Everything that must be the same before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Appearance {
    mode: u32,
    /// `None`: whoever writes it.
    owner: Option<(u32, u32)>,
    attributes: Vec<(CString, Vec<u8>)>,
}

impl Appearance {
    /// Of an open file.
    pub(crate) fn of(file: &File, stat: &Stat, path: &Path) -> Result<Self> {
        Ok(Self {
            mode: mode(stat),
            owner: Some((stat.st_uid, stat.st_gid)),
            attributes: attributes(file)
                .map_err(|error| Error::file_system("read", path, error.into()))?,
        })
    }

    /// For a file of ours in a directory: readable by all, and owned as the directory is, where we may give it away.
    pub(crate) fn ours(directory: &Stat) -> Self {
        let owner = rustix::process::geteuid()
            .is_root()
            .then_some((directory.st_uid, directory.st_gid));
        Self {
            mode: 0o644,
            owner,
            attributes: Vec::new(),
        }
    }

    /// Gives all of it to a new file whose content is written already (writing takes capabilities away).
    pub(crate) fn apply(&self, file: &File, path: &Path) -> Result<()> {
        let failed =
            |error: Errno| Error::file_system("keep owner and mode of", path, error.into());
        let stat = rustix::fs::fstat(file).map_err(failed)?;
        if let Some((user, group)) = self.owner
            && (user, group) != (stat.st_uid, stat.st_gid)
        {
            // Before the mode: giving a file away takes its set-user-id bit.
            rustix::fs::fchown(file, Some(Uid::from_raw(user)), Some(Gid::from_raw(group)))
                .map_err(failed)?;
        }
        let present = attributes(file).map_err(failed)?;
        if present
            .iter()
            .any(|(name, _)| name.as_c_str() == ACCESS_LIST)
            && self.attribute(ACCESS_LIST).is_none()
        {
            // Handed down by the directory's default list; the file that is replaced has none.
            rustix::fs::fremovexattr(file, ACCESS_LIST).map_err(failed)?;
        }
        rustix::fs::fchmod(file, Mode::from_raw_mode(self.mode)).map_err(failed)?;
        for (name, value) in &self.attributes {
            if present
                .iter()
                .any(|other| (&other.0, &other.1) == (name, value))
            {
                continue;
            }
            match rustix::fs::fsetxattr(file, name.as_c_str(), value, XattrFlags::empty()) {
                Ok(()) => {}
                // Labels come from a policy, which has given the new file one already and may not allow another.
                Err(_) if is_label(name) => {}
                Err(error) => return Err(lost(name, path, error)),
            }
        }
        // Some file systems and groups drop bits without an error.
        let stat = rustix::fs::fstat(file).map_err(failed)?;
        if mode(&stat) != self.mode {
            return Err(Error::Unusable {
                path: path.to_owned(),
                problem: format!(
                    "its replacement would have mode {:o} in place of {:o}",
                    mode(&stat),
                    self.mode
                ),
                next_step: "run ghostfix as root or as a member of the file's group".to_owned(),
            });
        }
        Ok(())
    }

    /// `None`: whoever writes it.
    pub(crate) fn owner(&self) -> Option<(u32, u32)> {
        self.owner
    }

    fn attribute(&self, name: &CStr) -> Option<&[u8]> {
        self.attributes
            .iter()
            .find(|other| other.0.as_c_str() == name)
            .map(|(_, value)| value.as_slice())
    }
}

fn is_label(name: &CStr) -> bool {
    let name = name.to_bytes();
    name == b"security.selinux"
        || name == b"security.apparmor"
        || name.starts_with(b"security.SMACK64")
}

fn lost(name: &CStr, path: &Path, error: Errno) -> Error {
    Error::FileSystem {
        action: "keep an extended attribute of",
        path: path.to_owned(),
        next_step: format!(
            "run ghostfix with the rights to set {}, or remove it first if it is not wanted (setfattr -x, setfacl -b, setcap -r)",
            name.to_string_lossy()
        ),
        source: error.into(),
    }
}

/// All extended attributes that belong to a file and not to one state of its content.
fn attributes(file: &File) -> Result<Vec<(CString, Vec<u8>)>, Errno> {
    let mut names = vec![0; 64 * 1024];
    let length = match rustix::fs::flistxattr(file.as_fd(), &mut names) {
        Ok(length) => length,
        // A file system without them.
        Err(Errno::NOTSUP | Errno::NOSYS) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for name in names[..length].split_inclusive(|byte| *byte == 0) {
        let Ok(name) = CStr::from_bytes_with_nul(name) else {
            continue;
        };
        // The kernel's digests of content and inode: copied, they would make the new file unreadable.
        if name == c"security.ima" || name == c"security.evm" {
            continue;
        }
        let mut value = vec![0; 64 * 1024];
        match rustix::fs::fgetxattr(file.as_fd(), name, &mut value) {
            Ok(length) => {
                value.truncate(length);
                found.push((name.to_owned(), value));
            }
            // Gone in the meantime.
            Err(Errno::NODATA) => {}
            Err(error) => return Err(error),
        }
    }
    found.sort();
    Ok(found)
}
