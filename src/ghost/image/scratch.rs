//! A temporary directory that goes with this process, however that ends.
//!
//! Another process of this program makes it and takes it away: after a signal nobody else is there to do so. It waits
//! for the end of its standard input, which comes when the process that it serves closes it, or is no more.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::error::{Error, Result};
use crate::javascript::sandbox::this_program;

/// The first argument that makes this program the one that keeps a directory; the second is where. Not a command.
pub const CHILD_ARGUMENT: &str = "__keep-directory";

/// What the directory's name begins with.
const PREFIX: &str = "ghostfix-image-";

/// A directory that is there as long as the value is.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    keeper: Child,
}

impl Scratch {
    /// A new and empty directory among the temporary ones.
    pub fn new() -> Result<Self> {
        let parent = std::env::temp_dir();
        Self::below(&parent).map_err(|source| Error::FileSystem {
            action: "create a directory in",
            path: parent,
            next_step: "make room there, or name another directory with TMPDIR".to_owned(),
            source,
        })
    }

    fn below(parent: &Path) -> std::io::Result<Self> {
        let mut keeper = Command::new(this_program())
            .arg(CHILD_ARGUMENT)
            .arg(parent)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A signal from the keyboard goes to every process of a group.
            .process_group(0)
            .spawn()?;
        let mut answer = Vec::new();
        if let Some(stdout) = keeper.stdout.take() {
            BufReader::new(stdout).read_until(0, &mut answer)?;
        }
        if answer.pop_if(|last| *last == 0).is_some() {
            let path = OsString::from_vec(answer).into();
            return Ok(Self { path, keeper });
        }
        keeper.wait()?;
        Err(std::io::Error::other(match answer.as_slice() {
            [] => "the process that makes it ended early".into(),
            words => String::from_utf8_lossy(words),
        }))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // To wait is to close the pipe first.
        let ended = self.keeper.wait();
        if !ended.is_ok_and(|status| status.success()) {
            // Somebody ended the other process before its time. What stays now could not be removed there either.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// The other process's side: makes a directory in `parent`, says where, and removes it at the end of `input`.
///
/// # Errors
///
/// The operating system's, which is said as well where there is no directory.
pub fn child(parent: &Path, mut input: impl Read, mut output: impl Write) -> std::io::Result<()> {
    let made = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent);
    let directory = match made {
        Ok(directory) => directory,
        Err(error) => {
            write!(output, "{error}")?;
            output.flush()?;
            return Err(error);
        }
    };
    // Where nobody listens any more, the directory goes with its value.
    output.write_all(directory.path().as_os_str().as_bytes())?;
    output.write_all(&[0])?;
    output.flush()?;
    std::io::copy(&mut input, &mut std::io::sink())?;
    directory.close()
}

#[cfg(test)]
mod tests {
    use super::child;
    use std::io::Read;
    use std::path::PathBuf;

    /// Input that looks at the directory before it ends.
    struct WhileKept<'a> {
        parent: &'a std::path::Path,
        found: Vec<PathBuf>,
    }

    impl Read for WhileKept<'_> {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            for entry in std::fs::read_dir(self.parent)? {
                let path = entry?.path();
                std::fs::create_dir_all(path.join("deep/below"))?;
                self.found.push(path);
            }
            Ok(0)
        }
    }

    #[test]
    fn the_directory_is_there_until_the_input_ends() {
        let parent = tempfile::tempdir().expect("a directory");
        let mut input = WhileKept {
            parent: parent.path(),
            found: Vec::new(),
        };
        let mut said = Vec::new();
        child(parent.path(), &mut input, &mut said).expect("it can be made and removed");
        let [found] = input.found.as_slice() else {
            panic!("not one directory: {:?}", input.found)
        };
        assert_eq!(said, format!("{}\0", found.display()).as_bytes());
        assert!(!found.exists());
    }

    #[test]
    fn what_stands_in_the_way_is_said() {
        let parent = tempfile::tempdir().expect("a directory");
        let nowhere = parent.path().join("nowhere");
        let mut said = Vec::new();
        child(&nowhere, std::io::empty(), &mut said).expect_err("no directory to make it in");
        let said = String::from_utf8(said).expect("words");
        assert!(said.starts_with("No such file or directory"), "{said}");
    }

    #[test]
    fn a_directory_that_nobody_hears_of_is_removed() {
        struct Closed;
        impl std::io::Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let parent = tempfile::tempdir().expect("a directory");
        child(parent.path(), std::io::empty(), Closed).expect_err("nobody listens");
        let left = std::fs::read_dir(parent.path()).expect("there").count();
        assert_eq!(left, 0);
    }
}
