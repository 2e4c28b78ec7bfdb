//! Runs the real program, and reads what it says.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;

use crate::installation::Installation;
use crate::process::{self, Answer};

/// Far above what any run takes, so that a test that hangs fails.
const LIMIT: Duration = Duration::from_secs(60);

/// The patch that most tests are about. Other patches' files are not in every installation here.
pub(crate) const PATCH: &str = "database-exists";

/// The program under test: what Cargo built with the tests, or the one that `GHOSTFIX_UNDER_TEST` names, such as the
/// static binary of `make image`.
pub(crate) static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    std::env::var_os("GHOSTFIX_UNDER_TEST")
        .map_or_else(|| env!("CARGO_BIN_EXE_ghostfix").into(), PathBuf::from)
});

/// ghostfix with these arguments, in an environment that holds nothing of the machine's.
pub(crate) fn ghostfix<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(arguments: I) -> Answer {
    process::bounded(command(arguments), LIMIT)
}

/// The same, not yet started.
pub(crate) fn command<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(arguments: I) -> Command {
    let mut command = Command::new(&*PROGRAM);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir("/");
    command
}

/// The parsed answer of a command on an installation.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) answer: Answer,
    pub(crate) json: Value,
}

impl Report {
    pub(crate) fn code(&self) -> i32 {
        self.answer.code()
    }

    pub(crate) fn entries(&self) -> &[Value] {
        self.json["patches"]
            .as_array()
            .unwrap_or_else(|| panic!("no patches: {}", self.answer))
    }

    /// The state of every entry, in order.
    pub(crate) fn states(&self) -> Vec<&str> {
        self.entries()
            .iter()
            .map(|entry| entry["state"].as_str().unwrap())
            .collect()
    }

    /// The only entry there is.
    pub(crate) fn entry(&self) -> &Value {
        let [entry] = self.entries() else {
            panic!("not exactly one entry: {}", self.answer)
        };
        entry
    }

    pub(crate) fn state(&self) -> &str {
        self.entry()["state"].as_str().unwrap()
    }
}

impl Installation {
    /// `ghostfix patch` with the one patch.
    pub(crate) fn patch(&self) -> Report {
        run("patch", &self.root, &["--only", PATCH])
    }

    pub(crate) fn verify(&self) -> Report {
        run("verify", &self.root, &["--only", PATCH])
    }

    pub(crate) fn revert(&self) -> Report {
        run("revert", &self.root, &["--only", PATCH])
    }

    pub(crate) fn dry_run(&self) -> Report {
        run("patch", &self.root, &["--only", PATCH, "--dry-run"])
    }
}

/// A command on a root, with its JSON.
pub(crate) fn run(name: &str, root: &Path, more: &[&str]) -> Report {
    let mut arguments: Vec<&OsStr> = vec![
        name.as_ref(),
        "--root".as_ref(),
        root.as_ref(),
        "--format".as_ref(),
        "json".as_ref(),
    ];
    arguments.extend(more.iter().map(OsStr::new));
    let answer = ghostfix(arguments);
    let json = serde_json::from_str(&answer.stdout)
        .unwrap_or_else(|problem| panic!("{problem}: {answer}"));
    Report { answer, json }
}
