//! A child process for the engine: this same program, started again with an empty environment, that limits itself
//! before it reads the job and is killed when it takes too long.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};

use super::engine::{self, Answers, Job};

/// The first argument that makes this program the child. Not a command: it reads a job on standard input and prints
/// the answers.
pub const CHILD_ARGUMENT: &str = "__prove";

/// Address space of the child, in bytes.
const ADDRESS_SPACE: u64 = 512 * 1024 * 1024;

/// CPU time of the child, in seconds. The engine's own limits are below, but some of its built-ins ask for none.
const CPU_SECONDS: u64 = 1;

/// After this long on the wall the child is killed: enough for a machine that is emulated or very busy.
const WALL_TIME: Duration = Duration::from_secs(20);

/// The largest job or answer, in bytes.
const LARGEST_MESSAGE: u64 = 16 * 1024 * 1024;

/// Where the engine runs.
#[derive(Debug, Clone)]
pub enum Sandbox {
    /// In a child process of this program file.
    Child(PathBuf),
    /// In this process: for fuzzing and unit tests, whose program has no [`CHILD_ARGUMENT`].
    ThisProcess,
}

impl Sandbox {
    /// A child of the program that is running now.
    #[must_use]
    pub fn of_this_program() -> Self {
        Self::Child(this_program())
    }

    /// Runs a job.
    ///
    /// # Errors
    ///
    /// In words, where the child could not be started, was killed, or gave no answer.
    pub fn run(&self, job: &Job) -> Result<Answers, String> {
        match self {
            Self::ThisProcess => Ok(engine::run(job)),
            Self::Child(program) => in_child(program, job),
        }
    }
}

/// The file of the program that is running now, for a child of it.
pub(crate) fn this_program() -> PathBuf {
    // Linux: the very same file, even where it was replaced or deleted meanwhile.
    let own = PathBuf::from("/proc/self/exe");
    if own.exists() {
        own
    } else {
        std::env::current_exe().unwrap_or(own)
    }
}

fn in_child(program: &PathBuf, job: &Job) -> Result<Answers, String> {
    let job = serde_json::to_vec(job)
        .map_err(|error| format!("the proof's job cannot be written: {error}"))?;
    let mut child = Command::new(program)
        .arg(CHILD_ARGUMENT)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("the proof's process cannot be started: {error}"))?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("the proof's process has no pipes".to_owned());
    };
    // A child that dies early closes its end: the write fails, the missing answer tells.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&job)));
    let (answer, answers) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = stdout.take(LARGEST_MESSAGE).read_to_end(&mut text);
        drop(answer.send(read.map(|_| text)));
    });
    let text = answers.recv_timeout(WALL_TIME);
    if text.is_err() {
        drop(child.kill());
    }
    let status = child
        .wait()
        .map_err(|error| format!("the proof's process is lost: {error}"))?;
    drop(writer.join());
    drop(reader.join());
    let text = text.map_err(|_| {
        format!(
            "the proof's process was stopped after {} s",
            WALL_TIME.as_secs()
        )
    })?;
    let text = text.map_err(|error| format!("the proof's process gave no answer: {error}"))?;
    if !status.success() {
        return Err(format!(
            "the proof's process ended with {status} (out of memory or time?)"
        ));
    }
    serde_json::from_slice(&text)
        .map_err(|error| format!("the proof's process gave no answer: {error}"))
}

/// The child's side: limits itself, then reads the job and writes the answers.
///
/// # Errors
///
/// The operating system's, where a limit cannot be set or a pipe is closed.
pub fn child(input: impl std::io::Read, mut output: impl std::io::Write) -> std::io::Result<()> {
    let limit = |value| Rlimit {
        current: Some(value),
        maximum: Some(value),
    };
    for (resource, value) in [
        (Resource::Core, 0),
        (Resource::As, ADDRESS_SPACE),
        (Resource::Cpu, CPU_SECONDS),
        (Resource::Fsize, 0),
        (Resource::Nofile, 8),
    ] {
        setrlimit(resource, limit(value))?;
    }
    let mut job = Vec::new();
    input.take(LARGEST_MESSAGE).read_to_end(&mut job)?;
    let job = serde_json::from_slice(&job).map_err(std::io::Error::other)?;
    let answers = serde_json::to_vec(&engine::run(&job)).map_err(std::io::Error::other)?;
    output.write_all(&answers)?;
    output.flush()
}
