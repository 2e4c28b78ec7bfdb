//! The one error of the program: what was not possible, which exit code that is, and what to do next.
//!
//! "The answer is no" is not an error but an [`Outcome`](crate::report::Outcome) of a report.

use std::path::{Path, PathBuf};

/// A short result type for everything that can end a command.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line contradicts itself or names something that does not exist. Exit code 2.
    #[error("{problem}")]
    Usage {
        /// What is wrong with what was typed.
        problem: String,
        /// What to type instead.
        next_step: String,
    },

    /// No Ghost here, more than one, or a Ghost without the package. Exit code 3.
    #[error("{problem}")]
    NothingToWorkOn {
        /// What was looked for, where, and what was found instead.
        problem: String,
        /// How to point ghostfix at the right place.
        next_step: String,
    },

    /// A file or directory could not be read or written. Exit code 5.
    #[error("{action} {}: {source}", path.display())]
    FileSystem {
        /// What was being done, as a verb: `read`, `replace`, `create`.
        action: &'static str,
        /// The file or directory that it was done to.
        path: PathBuf,
        /// What to do about it.
        next_step: String,
        /// The operating system's answer.
        #[source]
        source: std::io::Error,
    },

    /// A file of ours or of the installation is there but does not say what it must. Exit code 5.
    #[error("{}: {problem}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What to do about it.
        next_step: String,
    },

    /// Files are not what an operation needs them to be, and stay untouched. Exit code 4.
    #[error("{problem}")]
    Refused {
        /// What was found.
        problem: String,
        /// What to do about it.
        next_step: String,
    },

    /// A registry or an image could not be had. Exit code 6.
    #[error("{problem}")]
    Upstream {
        /// Which registry or image, and what it answered.
        problem: String,
        /// What to do about it.
        next_step: String,
    },

    /// A database cannot be asked. Exit code 7.
    #[error("{problem}")]
    Database {
        /// How far it was reached, and what it answered. No secret is in it.
        problem: String,
        /// What to do about it.
        next_step: String,
    },

    /// A state that ghostfix believes to be impossible. Exit code 70.
    #[error("this is a bug in ghostfix: {problem}")]
    Bug {
        /// What happened, for the bug report.
        problem: String,
    },
}

impl Error {
    /// The process exit code, as the contract's table has it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. } => 2,
            Self::NothingToWorkOn { .. } => 3,
            Self::Refused { .. } => 4,
            Self::FileSystem { .. } | Self::Unusable { .. } => 5,
            Self::Upstream { .. } => 6,
            Self::Database { .. } => 7,
            Self::Bug { .. } => 70,
        }
    }

    /// One sentence that says what the user can do now.
    #[must_use]
    pub fn next_step(&self) -> &str {
        match self {
            Self::Usage { next_step, .. }
            | Self::NothingToWorkOn { next_step, .. }
            | Self::FileSystem { next_step, .. }
            | Self::Unusable { next_step, .. }
            | Self::Refused { next_step, .. }
            | Self::Upstream { next_step, .. }
            | Self::Database { next_step, .. } => next_step,
            Self::Bug { .. } => {
                "please report it with the command you typed and the output of `ghostfix --version`"
            }
        }
    }

    /// The same error about a place that was named itself, as a target is: `--root` says nothing of it.
    #[must_use]
    pub fn without_root(mut self) -> Self {
        if let [_, Some(next_step)] = self.words_mut() {
            *next_step = next_step.replace(" with --root", "").replace("--root ", "");
        }
        self
    }

    /// The same error about the same thing under another name: what `words` makes of its sentences, `place` of its path.
    #[must_use]
    pub fn renamed(
        mut self,
        words: impl Fn(&str) -> String,
        place: impl Fn(&Path) -> PathBuf,
    ) -> Self {
        for text in self.words_mut().into_iter().flatten() {
            *text = words(text);
        }
        if let Self::FileSystem { path, .. } | Self::Unusable { path, .. } = &mut self {
            *path = place(path);
        }
        self
    }

    /// The problem and the next step, as far as they are this error's own words.
    fn words_mut(&mut self) -> [Option<&mut String>; 2] {
        match self {
            Self::Usage { problem, next_step }
            | Self::NothingToWorkOn { problem, next_step }
            | Self::Unusable {
                problem, next_step, ..
            }
            | Self::Refused { problem, next_step }
            | Self::Upstream { problem, next_step }
            | Self::Database { problem, next_step } => [Some(problem), Some(next_step)],
            Self::FileSystem { next_step, .. } => [None, Some(next_step)],
            Self::Bug { problem } => [Some(problem), None],
        }
    }

    /// A [`Error::FileSystem`] whose next step follows from the kind of the operating system's error.
    #[must_use]
    pub fn file_system(
        action: &'static str,
        path: impl Into<PathBuf>,
        source: std::io::Error,
    ) -> Self {
        let next_step = match source.kind() {
            std::io::ErrorKind::PermissionDenied => {
                "run ghostfix as the user who owns the files (in the official image: root, before USER)"
            }
            std::io::ErrorKind::ReadOnlyFilesystem => {
                "run ghostfix where the installation can be written: in a RUN step of the Dockerfile, not in a read-only container"
            }
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                "free some space and run the same command again; no file was changed half-way"
            }
            std::io::ErrorKind::NotFound => "check the path",
            _ => "put this right and run the same command again; no file was changed half-way",
        };
        Self::FileSystem {
            action,
            path: path.into(),
            next_step: next_step.to_owned(),
            source,
        }
    }
}
