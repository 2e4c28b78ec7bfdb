//! One file as it is on disk: its bytes, which file exactly they came from, and who owns it.
//!
//! Everything is read from one open file, never waits (named pipes, devices) and never reads more than a limit.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, Stat};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Larger files are not read: no target comes near it, and the parser should never see one that does.
pub const LIMIT: u64 = 1024 * 1024;

/// A target file, read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The real path that it was read from.
    pub path: PathBuf,
    /// The whole content.
    pub bytes: Vec<u8>,
    /// Which file it was, in which state.
    pub identity: Identity,
    /// Permission bits, with set-user-id, set-group-id and sticky.
    pub mode: u32,
    /// User and group id.
    pub owner: (u32, u32),
}

/// What tells one state of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Device number.
    pub device: u64,
    /// Inode number on that device.
    pub inode: u64,
    /// Size in bytes.
    pub length: u64,
    /// Seconds and nanoseconds of the last write.
    pub modified: (i64, u64),
    /// Seconds and nanoseconds of the last change of content, owner, mode or links.
    pub changed: (i64, u64),
}

/// The outcome of reading a target file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Read whole.
    Whole(Source),
    /// Over [`LIMIT`]; nothing of it was read.
    TooLarge {
        /// How large it is.
        length: u64,
    },
}

impl Source {
    /// Reads the file at a real path: a link there is refused, since whoever located the file has resolved all links.
    pub fn read(path: &Path) -> Result<Reading> {
        let next_step = || "reinstall the package that this file belongs to".to_owned();
        let unusable = |problem| Error::Unusable {
            path: path.to_owned(),
            problem,
            next_step: next_step(),
        };
        match read_regular(path, LIMIT, Links::Refuse)
            .map_err(|error| Error::file_system("read", path, error))?
        {
            Regular::Whole { bytes, stat, .. } => Ok(Reading::Whole(Self {
                path: path.to_owned(),
                bytes,
                identity: Identity::of(&stat),
                mode: mode(&stat),
                owner: (stat.st_uid, stat.st_gid),
            })),
            Regular::TooLarge { length } => Ok(Reading::TooLarge { length }),
            Regular::Other(kind) => Err(unusable(format!("this is {kind}, not a file"))),
        }
    }

    /// The SHA-256 of the content, as receipts spell it.
    #[must_use]
    pub fn digest(&self) -> String {
        sha256(&self.bytes)
    }
}

impl Identity {
    pub(crate) fn of(stat: &Stat) -> Self {
        // The types of these fields differ between targets; none of them loses anything here.
        #[allow(clippy::unnecessary_cast, clippy::cast_sign_loss)]
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            length: stat.st_size as u64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as u64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as u64),
        }
    }
}

impl Identity {
    /// Whether both are of one inode, whose content was not written in between as far as its dates tell.
    pub(crate) fn is_of_one_file(&self, other: &Self) -> bool {
        (self.device, self.inode, self.length, self.modified)
            == (other.device, other.inode, other.length, other.modified)
    }
}

/// Lower-case hexadecimal SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The permission bits of a file.
pub(crate) fn mode(stat: &Stat) -> u32 {
    stat.st_mode & 0o7777
}

/// Whether a link at the end of a path is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    Follow,
    Refuse,
}

/// What there is at a path that should be a file.
pub(crate) enum Regular {
    Whole {
        bytes: Vec<u8>,
        stat: Stat,
        file: File,
    },
    TooLarge {
        length: u64,
    },
    /// Something else, in words with an article.
    Other(&'static str),
}

/// Reads a regular file of at most `limit` bytes, without ever waiting for a writer or a device.
pub(crate) fn read_regular(path: &Path, limit: u64, links: Links) -> std::io::Result<Regular> {
    let mut flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    if links == Links::Refuse {
        flags |= OFlags::NOFOLLOW;
    }
    let descriptor = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => descriptor,
        Err(rustix::io::Errno::NXIO) => return Ok(Regular::Other("a socket or a device")),
        Err(rustix::io::Errno::LOOP) if links == Links::Refuse => {
            return Ok(Regular::Other("a symbolic link"));
        }
        Err(error) => return Err(error.into()),
    };
    let stat = rustix::fs::fstat(&descriptor)?;
    if let Some(kind) = not_a_file(&stat) {
        return Ok(Regular::Other(kind));
    }
    let length = Identity::of(&stat).length;
    if length > limit {
        return Ok(Regular::TooLarge { length });
    }
    let mut file = File::from(descriptor);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    // One byte more than allowed tells a file that grows while it is read.
    file.by_ref().take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Ok(Regular::TooLarge {
            length: bytes.len() as u64,
        });
    }
    Ok(Regular::Whole { bytes, stat, file })
}

/// `None` for a regular file, else what it is instead.
pub(crate) fn not_a_file(stat: &Stat) -> Option<&'static str> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => None,
        FileType::Directory => Some("a directory"),
        FileType::Symlink => Some("a symbolic link"),
        FileType::Fifo => Some("a named pipe"),
        FileType::Socket => Some("a socket"),
        FileType::CharacterDevice | FileType::BlockDevice => Some("a device"),
        _ => Some("something unknown"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    fn temporary() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn bytes_identity_mode_and_owner_are_of_one_file() {
        let dir = temporary();
        let path = dir.path().join("a.js");
        std::fs::write(&path, "x").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let Reading::Whole(source) = Source::read(&path).unwrap() else {
            panic!()
        };
        let meta = std::fs::metadata(&path).unwrap();
        assert_eq!(
            (source.bytes.as_slice(), source.mode),
            (b"x".as_slice(), 0o640)
        );
        assert_eq!(source.owner, (meta.uid(), meta.gid()));
        assert_eq!(
            (source.identity.device, source.identity.inode),
            (meta.dev(), meta.ino())
        );
        assert_eq!(source.identity.modified.0, meta.mtime());
        assert_eq!(
            source.digest(),
            "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
        );
    }

    #[test]
    fn the_limit_itself_is_read_and_one_byte_more_is_not() {
        let dir = temporary();
        let path = dir.path().join("a.js");
        std::fs::write(&path, vec![b' '; LIMIT as usize]).unwrap();
        assert!(matches!(Source::read(&path).unwrap(), Reading::Whole(_)));
        std::fs::write(&path, vec![b' '; LIMIT as usize + 1]).unwrap();
        assert_eq!(
            Source::read(&path).unwrap(),
            Reading::TooLarge { length: LIMIT + 1 }
        );
    }

    #[test]
    fn what_is_no_file_is_named_and_never_waited_for() {
        let dir = temporary();
        let path = |name: &str| dir.path().join(name);
        rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe"), Mode::RUSR | Mode::WUSR).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        std::fs::write(path("file"), "").unwrap();
        std::os::unix::fs::symlink("file", path("link")).unwrap();
        for (name, kind) in [
            ("", "a directory"),
            ("pipe", "a named pipe"),
            ("socket", "a socket or a device"),
            ("link", "a symbolic link"),
        ] {
            let error = Source::read(&path(name)).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("{}: this is {kind}, not a file", path(name).display())
            );
            assert_eq!(error.exit_code(), 5);
        }
        let error = Source::read(&path("absent")).unwrap_err();
        assert!(
            matches!(error, Error::FileSystem { action: "read", .. }),
            "{error}"
        );
    }
}
