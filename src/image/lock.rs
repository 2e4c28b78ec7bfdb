//! One ghostfix at a time for each installation.
//!
//! The lock is on the version directory itself, so taking it writes nothing, and the kernel gives it back whatever
//! happens to the process.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fd::OwnedFd;
use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::installation::Installation;
use super::listing;
use crate::error::{Error, Result};

/// Held as long as this value lives. Everything that writes wants to see it.
#[derive(Debug)]
pub struct Lock {
    directory: PathBuf,
    _held: OwnedFd,
}

impl Lock {
    /// Takes the lock, waiting at most `wait` for another ghostfix to finish.
    pub fn acquire(installation: &Installation, wait: Duration) -> Result<Self> {
        let directory = &installation.version_directory;
        let deadline = Instant::now() + wait;
        let descriptor = open(directory)?;
        loop {
            match rustix::fs::flock(&descriptor, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {
                    return Ok(Self {
                        directory: directory.clone(),
                        _held: descriptor,
                    });
                }
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(Error::Unusable {
                            path: directory.clone(),
                            problem: format!(
                                "another ghostfix is at work here, and was not done within {} s",
                                wait.as_secs()
                            ),
                            next_step:
                                "wait until it has finished, then run the same command again"
                                    .to_owned(),
                        });
                    }
                    std::thread::sleep(left.min(Duration::from_millis(20)));
                }
                Err(error) => return Err(failed(directory, error)),
            }
        }
    }

    /// Whether this is the lock of that installation.
    pub(crate) fn is_of(&self, installation: &Installation) -> bool {
        self.directory == installation.version_directory
    }
}

/// Keeps writers away while something is read.
#[derive(Debug)]
pub(crate) struct ReadLock {
    _held: OwnedFd,
}

impl ReadLock {
    /// `None` while a ghostfix that writes is at work: nobody waits for it. Taking this lock writes nothing either.
    pub(crate) fn try_acquire(installation: &Installation) -> Result<Option<Self>> {
        let descriptor = open(&installation.version_directory)?;
        match rustix::fs::flock(&descriptor, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(Some(Self { _held: descriptor })),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(failed(&installation.version_directory, error)),
        }
    }
}

fn open(directory: &Path) -> Result<OwnedFd> {
    listing::open(directory).map_err(|error| failed(directory, error))
}

fn failed(directory: &Path, error: Errno) -> Error {
    Error::file_system("lock", directory, error.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::GhostFound;

    fn installation(directory: &Path) -> Installation {
        let ghost = GhostFound {
            version: "6.0.0".into(),
            directory: directory.to_owned(),
        };
        Installation {
            root: directory.to_owned(),
            real_root: directory.to_owned(),
            version_directory: directory.to_owned(),
            ghost,
        }
    }

    #[test]
    fn the_second_waits_no_longer_than_told_and_says_who_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let here = installation(dir.path());
        assert!(ReadLock::try_acquire(&here).unwrap().is_some());
        let first = Lock::acquire(&here, Duration::ZERO).unwrap();
        assert!(ReadLock::try_acquire(&here).unwrap().is_none());
        let begun = Instant::now();
        let error = Lock::acquire(&here, Duration::from_millis(100)).unwrap_err();
        assert!(
            begun.elapsed() >= Duration::from_millis(100)
                && begun.elapsed() < Duration::from_secs(5)
        );
        assert!(
            error
                .to_string()
                .ends_with("another ghostfix is at work here, and was not done within 0 s")
        );
        assert_eq!(error.exit_code(), 5);
        drop(first);
        assert!(ReadLock::try_acquire(&here).unwrap().is_some());
        Lock::acquire(&here, Duration::ZERO).unwrap();
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            0,
            "taking the lock writes nothing"
        );
    }

    #[test]
    fn the_second_goes_on_when_the_first_is_done() {
        let dir = tempfile::tempdir().unwrap();
        let here = installation(dir.path());
        let first = Lock::acquire(&here, Duration::ZERO).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| Lock::acquire(&here, Duration::from_secs(30)).map(|_| ()));
            std::thread::sleep(Duration::from_millis(60));
            drop(first);
            second.join().unwrap().unwrap();
        });
    }
}
