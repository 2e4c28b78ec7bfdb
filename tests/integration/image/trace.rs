//! The system calls of a program, by strace: seen one by one, or made to fail or to kill at one of them.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::program;
use crate::process::{Answer, bounded};

/// One system call of a program that works on files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) name: String,
    /// Which call of that name it is, as strace counts them: from 1, for each thread.
    pub(super) nth: usize,
    /// The whole line of the trace.
    pub(super) line: String,
}

/// What happens at a system call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// The process is killed in place of it.
    Kill,
    /// It fails, this once.
    Once(&'static str),
    /// It fails, and so does every later one of that name.
    FromThenOn(&'static str),
}

/// Every system call on files and descriptors from the first that names the root, to the end.
pub(super) fn calls(root: &Path, verb: &str) -> Vec<Call> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let options = ["-e", "trace=%file,%desc,fsync,flock", "-s", "4096", "-y"];
    let answer = strace(root, verb, log.path(), &options.map(str::to_owned));
    assert!(answer.success(), "{answer}");
    let text = std::fs::read_to_string(log.path()).unwrap();
    let mut counts = HashMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        let Some((name, _)) = rest.split_once('(') else {
            continue;
        };
        if !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            continue;
        }
        let count = counts
            .entry((thread.to_owned(), name.to_owned()))
            .or_insert(0);
        *count += 1;
        calls.push(Call {
            name: name.to_owned(),
            nth: *count,
            line: rest.to_owned(),
        });
    }
    let named = format!("\"{}", root.display());
    let first = calls
        .iter()
        .position(|call| call.name != "execve" && call.line.contains(&named));
    let calls = calls.split_off(first.unwrap_or_else(|| panic!("no call names {named}:\n{text}")));
    assert!(
        calls.len() > 40,
        "strace does not see what the program does:\n{text}"
    );
    calls
}

impl Call {
    /// Whether it can change a file system. Opening is told by its flags; writing to the terminal is not meant.
    pub(super) fn writes(&self) -> bool {
        let flags = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_TMPFILE"];
        match self.name.as_str() {
            "open" | "openat" | "openat2" => flags.iter().any(|flag| self.line.contains(flag)),
            "write" | "pwrite64" | "writev" => !["(1<", "(2<"]
                .iter()
                .any(|terminal| self.line.contains(terminal)),
            "readlink" | "readlinkat" => false,
            name => {
                let words = [
                    "rename",
                    "unlink",
                    "rmdir",
                    "mkdir",
                    "link",
                    "mknod",
                    "chmod",
                    "chown",
                    "setxattr",
                    "removexattr",
                    "truncate",
                    "utime",
                    "fallocate",
                    "fsync",
                    "creat",
                ];
                words.iter().any(|word| name.contains(word))
            }
        }
    }
}

/// Runs the program with a fault at a call. `also` makes all calls of a name fail with an error.
pub(super) fn with_fault(
    root: &Path,
    verb: &str,
    call: &Call,
    fault: Fault,
    also: Option<(&str, &str)>,
) -> Answer {
    let (what, when) = match fault {
        Fault::Kill => ("signal=KILL".to_owned(), call.nth.to_string()),
        Fault::Once(error) => (format!("error={error}"), call.nth.to_string()),
        Fault::FromThenOn(error) => (format!("error={error}"), format!("{}+", call.nth)),
    };
    let mut traced = call.name.clone();
    let mut injected = vec![format!("inject={}:{what}:when={when}", call.name)];
    // The fault at the call itself has the last word, where both are about the same name.
    if let Some((name, error)) = also.filter(|(name, _)| *name != call.name) {
        traced = format!("{traced},{name}");
        injected.push(format!("inject={name}:error={error}"));
    }
    let mut options = vec!["-e".to_owned(), format!("trace={traced}")];
    // The kernel stops the program only at these calls, which makes it faster; but then no signal arrives.
    if !matches!(fault, Fault::Kill) {
        options.push("--seccomp-bpf".to_owned());
    }
    for injected in injected {
        options.extend(["-e".to_owned(), injected]);
    }
    strace(root, verb, Path::new("/dev/null"), &options)
}

fn strace(root: &Path, verb: &str, log: &Path, options: &[String]) -> Answer {
    let program = program(root, verb);
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "-o"])
        .arg(log)
        .args(options)
        .arg("--");
    command.arg(program.get_program()).args(program.get_args());
    bounded(command, Duration::from_secs(60))
}
