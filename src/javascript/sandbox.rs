//! Child processes for the engine: this same program, started again with an empty environment, that limits itself
//! before it reads a job and is killed when it takes too long.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::engine::{self, Answers, Job, Seen};

/// The first argument that makes this program the child. Not a command: it reads jobs on standard input, a line each, and
/// prints the answers.
pub const CHILD_ARGUMENT: &str = "__prove";

/// Address space of the child, in bytes.
const ADDRESS_SPACE: u64 = 512 * 1024 * 1024;

/// CPU time of the child, in seconds. The engine's own limits are below, but some of its built-ins ask for none.
const CPU_SECONDS: u64 = 1;

/// A child that has used more CPU time than this, in milliseconds, takes no further job: each begins with nearly all that
/// the limit leaves.
const WORN_OUT: i64 = 100;

/// After this long on the wall the child is killed: enough for a machine that is emulated or very busy.
const WALL_TIME: Duration = Duration::from_secs(20);

/// The largest job or answer, in bytes.
const LARGEST_MESSAGE: u64 = 16 * 1024 * 1024;

/// For the C library of the child, where it is glibc: one heap, taken 4 MB at a time in large pages where the system lends
/// them for the asking. The engine's many small objects else take a fault and a system call for each 4 kB, which is a
/// quarter of the time of a large file's proof.
const LARGE_PAGES: &str =
    "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1:glibc.malloc.top_pad=4194304";

/// Where the engine runs.
#[derive(Debug)]
pub enum Sandbox {
    /// In child processes of this program.
    Children(Children),
    /// In this process: for fuzzing and unit tests, whose program has no [`CHILD_ARGUMENT`].
    ThisProcess,
}

impl Sandbox {
    /// Children of the program that is running now.
    #[must_use]
    pub fn of_this_program() -> Self {
        Self::Children(Children::of(this_program()))
    }

    /// Runs a job.
    ///
    /// # Errors
    ///
    /// In words, where the child could not be started, was killed, or gave no answer.
    pub fn run(&self, job: &Job) -> Result<Answers, String> {
        match self {
            Self::ThisProcess => Ok(engine::run(job)),
            Self::Children(children) => children.run(job),
        }
    }
}

/// Child processes, each used for job after job as long as nothing is amiss: to start one takes as long as most jobs, and
/// the first job of each twice as long as the same one later.
///
/// A job runs its subjects beside one another, so there are half as many children as processors. Where more jobs wait than
/// that, the longest is next: it would be the last to end anyway.
pub struct Children {
    program: PathBuf,
    at_most: usize,
    pool: Mutex<Pool>,
    done: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Process>,
    /// Jobs that have, or are about to start, a child.
    under_way: usize,
    /// The lengths of those that wait for one, in bytes.
    waiting: Vec<usize>,
}

impl fmt::Debug for Children {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Children")
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

impl Children {
    fn of(program: PathBuf) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            program,
            at_most: processors.div_ceil(2),
            pool: Mutex::default(),
            done: Condvar::new(),
        }
    }

    fn run(&self, job: &Job) -> Result<Answers, String> {
        let mut line = serde_json::to_vec(job)
            .map_err(|error| format!("the proof's job cannot be written: {error}"))?;
        line.push(b'\n');
        let mut turn = self.turn(line.len());
        let outcome = turn
            .process
            .take()
            .map(|mut process| (process.ask(line.clone()), process));
        let (answer, process) = match outcome {
            // It was worn out, or whatever ended it has nothing to do with this job.
            None | Some((Err(Gone::Ended(_)), _)) => {
                let mut process = Process::start(&self.program)
                    .map_err(|error| format!("the proof's process cannot be started: {error}"))?;
                (process.ask(line), process)
            }
            Some(outcome) => outcome,
        };
        let answers: Answers = serde_json::from_slice(&answer.map_err(|gone| gone.to_string())?)
            .map_err(|error| format!("the proof's process gave no answer: {error}"))?;
        // What was stopped may have left anything behind.
        let stopped = |seen: &Seen| matches!(seen, Seen::Stopped(_));
        if !answers.iter().flatten().any(stopped) {
            turn.process = Some(process);
        }
        Ok(answers)
    }

    /// Waits until there is a child, or room for one, for a job of that length.
    fn turn(&self, length: usize) -> Turn<'_> {
        let mut pool = self.pool();
        pool.waiting.push(length);
        loop {
            let is_next = pool.waiting.iter().all(|other| *other <= length);
            if is_next && pool.under_way < self.at_most {
                break;
            }
            pool = self.done.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(own) = pool.waiting.iter().position(|other| *other == length) {
            pool.waiting.swap_remove(own);
        }
        pool.under_way += 1;
        // There may be room for another, which saw this one wait.
        self.done.notify_all();
        Turn {
            children: self,
            process: pool.idle.pop(),
        }
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        // All of them first: each takes a moment to end.
        for process in &mut self.pool().idle {
            let _ = process.child.kill();
        }
    }
}

/// One job's turn: given up, with the child that the next one may have, when it is dropped.
struct Turn<'c> {
    children: &'c Children,
    process: Option<Process>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut pool = self.children.pool();
        pool.under_way -= 1;
        pool.idle.extend(self.process.take());
        drop(pool);
        // Each looks whether it is the longest.
        self.children.done.notify_all();
    }
}

/// A child, and the threads that write and read beside whoever waits for an answer.
struct Process {
    child: Child,
    jobs: Sender<Vec<u8>>,
    answers: Receiver<io::Result<Vec<u8>>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Gone {
    #[error("the proof's process ended with {0} (out of memory or time?)")]
    Ended(String),
    #[error("the proof's process was stopped after {} s", WALL_TIME.as_secs())]
    Late,
    #[error("the proof's process gave no answer: {0}")]
    Unreadable(#[from] io::Error),
}

impl Process {
    fn start(program: &Path) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg(CHILD_ARGUMENT)
            .env_clear()
            .env("GLIBC_TUNABLES", LARGE_PAGES)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("it has no pipes"));
        };
        let (jobs, waiting) = mpsc::channel::<Vec<u8>>();
        // A child that dies early closes its end: the write fails, the missing answer tells.
        std::thread::spawn(move || waiting.into_iter().all(|job| stdin.write_all(&job).is_ok()));
        let (answered, answers) = mpsc::channel();
        std::thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            while let Some(line) = message(&mut stdout).transpose() {
                let is_last = line.is_err();
                if answered.send(line).is_err() || is_last {
                    break;
                }
            }
        });
        Ok(Self {
            child,
            jobs,
            answers,
        })
    }

    fn ask(&mut self, job: Vec<u8>) -> Result<Vec<u8>, Gone> {
        // Where nobody writes any more, nobody answers.
        let _ = self.jobs.send(job);
        match self.answers.recv_timeout(WALL_TIME) {
            Ok(answer) => Ok(answer?),
            Err(RecvTimeoutError::Timeout) => Err(Gone::Late),
            Err(RecvTimeoutError::Disconnected) => Err(Gone::Ended(self.child.wait()?.to_string())),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has nothing to finish, and may be in an endless loop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next line; `None` at the end.
fn message(input: &mut impl io::BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    input.take(LARGEST_MESSAGE).read_until(b'\n', &mut line)?;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) => Err(io::ErrorKind::UnexpectedEof.into()),
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

/// The child's side: limits itself, then reads jobs and writes their answers until there are none, or it is worn out.
///
/// # Errors
///
/// The operating system's, where a limit cannot be set or a pipe is closed.
pub fn child(input: impl Read, mut output: impl Write) -> io::Result<()> {
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
    let mut input = BufReader::new(input);
    while let Some(job) = message(&mut input)? {
        let job = serde_json::from_slice(&job).map_err(io::Error::other)?;
        let mut answers = serde_json::to_vec(&engine::run(&job)).map_err(io::Error::other)?;
        answers.push(b'\n');
        output.write_all(&answers)?;
        output.flush()?;
        let used = clock_gettime(ClockId::ProcessCPUTime);
        if used.tv_sec * 1000 + used.tv_nsec / 1_000_000 > WORN_OUT {
            break;
        }
    }
    Ok(())
}
