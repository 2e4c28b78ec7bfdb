//! Runs a file in the embedded engine, loaded anew for each case, with limits on memory, time and jobs.
//!
//! QuickJS is not a security boundary: [`super::sandbox`] runs this in a child process with limits of its own.

use std::cell::Cell;
use std::rc::Rc;

use rquickjs::{CatchResultExt as _, Context, Ctx, Function, Promise, Runtime};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What is to be run: every subject with every case.
#[derive(Debug, Serialize, Deserialize)]
pub struct Job {
    /// An expression that gives `async (load, given) => observation`.
    pub harness: String,
    /// What the harness is given, case by case.
    pub given: Vec<serde_json::Value>,
    /// The texts of the files to run.
    pub subjects: Vec<String>,
}

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// The harness's observation, an object.
    Observed(serde_json::Value),
    /// The engine stopped, or the harness failed, in words.
    Stopped(String),
}

/// The answers to a [`Job`]: for each subject, for each case.
pub type Answers = Vec<Vec<Seen>>;

/// CPU time that all cases of one subject get together, in nanoseconds: a hundred times what a published file takes.
const CPU_TIME: i128 = 400_000_000;

/// Heap for one subject, in bytes: five hundred times what a published file takes.
const MEMORY: usize = 64 * 1024 * 1024;

/// The engine's own stack limit, in bytes.
const STACK: usize = 512 * 1024;

/// Promise jobs for one case.
const JOBS: usize = 20_000;

/// After how many of them the clock is looked at.
const JOBS_BETWEEN_LOOKS: usize = 50;

/// What a CommonJS file may touch before it is called, and the road from harness to observation.
const PRELUDE: &str = include_str!("prelude.js");

/// Runs a job in this process, the subjects beside one another: whoever asks waits for all of them.
#[must_use]
pub fn run(job: &Job) -> Answers {
    std::thread::scope(|scope| {
        let running: Vec<_> = job
            .subjects
            .iter()
            .map(|text| scope.spawn(|| Subject::new().run(job, text)))
            .collect();
        running
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}

/// One text in one context: what its cases share is the compiled code and nothing of a case's own.
struct Subject {
    deadline: i128,
    late: Rc<Cell<bool>>,
}

impl Subject {
    fn new() -> Self {
        Self {
            deadline: cpu_time() + CPU_TIME,
            late: Rc::new(Cell::new(false)),
        }
    }

    fn run(&self, job: &Job, source: &str) -> Vec<Seen> {
        self.cases(job, &loadable(source)).unwrap_or_else(|error| {
            let stopped = Seen::Stopped(error.to_string());
            vec![stopped; job.given.len()]
        })
    }

    fn cases(&self, job: &Job, source: &str) -> rquickjs::Result<Vec<Seen>> {
        let runtime = Runtime::new()?;
        runtime.set_memory_limit(MEMORY);
        runtime.set_max_stack_size(STACK);
        let (deadline, late) = (self.deadline, Rc::clone(&self.late));
        runtime.set_interrupt_handler(Some(Box::new(move || {
            let stop = cpu_time() > deadline;
            late.set(late.get() || stop);
            stop
        })));
        Context::full(&runtime)?.with(|ctx| {
            let mut options = rquickjs::context::EvalOptions::default();
            options.strict = false;
            let prepare = ctx
                .eval_with_options::<Function<'_>, _>(PRELUDE, options)?
                .call::<_, Function<'_>>(())?;
            let prepared = prepare
                .call::<_, Function<'_>>((
                    job.harness.as_str(),
                    source,
                    Function::new(ctx.clone(), digest)?,
                ))
                .catch(&ctx);
            let drive = match prepared {
                Ok(drive) => drive,
                Err(error) => {
                    let stopped = self.stopped(error.to_string());
                    return Ok(vec![stopped; job.given.len()]);
                }
            };
            let mut unloadable = None;
            let cases = job.given.iter().map(|given| {
                if self.late.get() {
                    return Seen::Stopped("not run: the time for this file was used up".to_owned());
                }
                // Each case loads the file anew: what could not be loaded once need not be tried again.
                if let Some(seen) = &unloadable {
                    return Seen::clone(seen);
                }
                let seen = self.case(&ctx, &drive, given);
                if matches!(&seen, Seen::Observed(told) if told["settles"] == "cannot be loaded") {
                    unloadable = Some(seen.clone());
                }
                seen
            });
            Ok(cases.collect())
        })
    }

    fn case<'js>(&self, ctx: &Ctx<'js>, drive: &Function<'js>, given: &serde_json::Value) -> Seen {
        let promise = match drive
            .call::<_, Promise<'js>>((given.to_string(),))
            .catch(ctx)
        {
            Ok(promise) => promise,
            Err(error) => return self.stopped(error.to_string()),
        };
        let mut jobs = 0;
        while !self.late.get() && ctx.execute_pending_job() {
            jobs += 1;
            if jobs > JOBS {
                // What is still waiting would run in the next case.
                self.late.set(true);
                return Seen::Stopped(format!(
                    "it did not come to rest within {JOBS} promise jobs"
                ));
            }
            // A job that takes long is interrupted by itself; to ask after each would take longer than most of them.
            if jobs % JOBS_BETWEEN_LOOKS == 0 && cpu_time() > self.deadline {
                self.late.set(true);
            }
        }
        if self.late.get() {
            return self.stopped(String::new());
        }
        match promise.result::<String>().map(|result| result.catch(ctx)) {
            Some(Ok(text)) => match serde_json::from_str(&text) {
                Ok(observation) => Seen::Observed(observation),
                Err(error) => {
                    Seen::Stopped(format!("the harness's observation is no JSON: {error}"))
                }
            },
            Some(Err(error)) => self.stopped(error.to_string()),
            None => Seen::Stopped("it never settles".to_owned()),
        }
    }

    /// Why the engine stopped; that time ran out explains every error that comes of it.
    fn stopped(&self, error: String) -> Seen {
        if self.late.get() {
            let why = "it ran for longer than the proof allows (an endless loop?)";
            return Seen::Stopped(why.to_owned());
        }
        Seen::Stopped(error.trim().to_owned())
    }
}

/// What stands for a long text in an observation.
#[allow(clippy::needless_pass_by_value)] // The engine hands over what is its own.
fn digest(text: String) -> String {
    Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The text as the engine loads it inside of CommonJS's function: no byte order mark, a hashbang as a comment.
fn loadable(source: &str) -> String {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    match source.strip_prefix("#!") {
        Some(rest) => format!("//{rest}"),
        None => source.to_owned(),
    }
}

/// CPU time of this thread so far, in nanoseconds. Not the clock on the wall: builds run on busy machines.
fn cpu_time() -> i128 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec)
}
