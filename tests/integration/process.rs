//! Runs other programs with a time limit, and keeps all they said.

use std::fmt;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions};

/// How a program ended, and what it printed.
#[derive(Debug)]
pub(crate) struct Answer {
    /// What was run, for messages.
    pub(crate) command: String,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Time on the wall: on a busy machine it says little.
    pub(crate) took: Duration,
    /// Time of the processor, for it and its children.
    pub(crate) worked: Duration,
    /// It was still running at the time limit, and was killed.
    pub(crate) timed_out: bool,
}

impl Answer {
    pub(crate) fn success(&self) -> bool {
        self.status.success() && !self.timed_out
    }

    /// The exit code; a program that a signal ended has none, and that is never what a test wants.
    pub(crate) fn code(&self) -> i32 {
        self.status
            .code()
            .unwrap_or_else(|| panic!("no exit code: {self}"))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ", self.command)?;
        match (self.timed_out, self.status.code(), self.status.signal()) {
            (true, ..) => write!(f, "was still running after {:?}", self.took)?,
            (_, Some(code), _) => write!(
                f,
                "ended with {code} after {:?} ({:?} of work)",
                self.took, self.worked
            )?,
            (_, None, signal) => write!(f, "was ended by signal {signal:?} after {:?}", self.took)?,
        }
        write!(
            f,
            "\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout, self.stderr
        )
    }
}

/// Runs `command` to its end, or to the end of `limit`.
pub(crate) fn bounded(mut command: Command, limit: Duration) -> Answer {
    let described = format!("{command:?}");
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|problem| panic!("`{described}` cannot be started: {problem}"));
    let stdout = collect(child.stdout.take().unwrap());
    let stderr = collect(child.stderr.take().unwrap());
    let mut timed_out = false;
    let pid = Pid::from_child(&child);
    // Left in the process table, so that it can still be asked what it used.
    let over = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    while rustix::process::waitid(WaitId::Pid(pid), over)
        .unwrap()
        .is_none()
    {
        if started.elapsed() > limit && !timed_out {
            timed_out = true;
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let took = started.elapsed();
    let worked = processor_time(child.id());
    let status = child.wait().unwrap();
    let text = |collected: std::thread::JoinHandle<Vec<u8>>| {
        String::from_utf8_lossy(&collected.join().unwrap()).into_owned()
    };
    Answer {
        command: described,
        status,
        stdout: text(stdout),
        stderr: text(stderr),
        took,
        worked,
        timed_out,
    }
}

/// What a process and the children that it waited for used of the processor, as the kernel counts it.
fn processor_time(pid: u32) -> Duration {
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name in parentheses may hold anything; `utime`, `stime`, `cutime` and `cstime` are the 14th to 17th field.
    let fields = stat.rsplit_once(") ").unwrap().1.split_whitespace();
    let ticks: u32 = fields
        .skip(11)
        .take(4)
        .map(|field| field.parse::<u32>().unwrap())
        .sum();
    TICK * ticks
}

fn collect(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Lets every user in: temporary directories are made for their owner only.
pub(crate) fn open_to_all(directory: &Path) {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
}
