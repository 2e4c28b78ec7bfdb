//! Runs a file in the embedded engine: each case in a context of its own, with limits on memory, time and jobs.
//!
//! QuickJS is not a security boundary: [`super::sandbox`] runs this in a child process with limits of its own.

use std::cell::Cell;
use std::rc::Rc;

use rquickjs::promise::PromiseState;
use rquickjs::{CatchResultExt as _, Context, Function, Promise, Runtime};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

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

/// What a CommonJS file may touch before it is called, and the road from harness to observation.
const PRELUDE: &str = include_str!("prelude.js");

/// Runs a job in this process.
#[must_use]
pub fn run(job: &Job) -> Answers {
    job.subjects
        .iter()
        .map(|subject| Subject::new().run(job, subject))
        .collect()
}

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

    fn run(self, job: &Job, source: &str) -> Vec<Seen> {
        let source = loadable(source);
        job.given
            .iter()
            .map(|given| {
                if self.late.get() {
                    return Seen::Stopped("not run: the time for this file was used up".to_owned());
                }
                self.case(&job.harness, &source, given)
                    .unwrap_or_else(|error| Seen::Stopped(error.to_string()))
            })
            .collect()
    }

    fn case(
        &self,
        harness: &str,
        source: &str,
        given: &serde_json::Value,
    ) -> rquickjs::Result<Seen> {
        let runtime = Runtime::new()?;
        runtime.set_memory_limit(MEMORY);
        runtime.set_max_stack_size(STACK);
        let (deadline, late) = (self.deadline, Rc::clone(&self.late));
        runtime.set_interrupt_handler(Some(Box::new(move || {
            let stop = cpu_time() > deadline;
            late.set(late.get() || stop);
            stop
        })));
        let context = Context::full(&runtime)?;
        let too_late = || {
            Seen::Stopped("it ran for longer than the proof allows (an endless loop?)".to_owned())
        };

        let promise = context.with(|ctx| {
            let mut options = rquickjs::context::EvalOptions::default();
            options.strict = false;
            let drive: Function<'_> = ctx.eval_with_options(PRELUDE, options)?;
            let called = drive
                .call::<_, Promise<'_>>((harness, source, given.to_string()))
                .catch(&ctx);
            Ok::<_, rquickjs::Error>(match called {
                Ok(promise) => Ok(rquickjs::Persistent::save(&ctx, promise)),
                Err(error) => Err(Seen::Stopped(error.to_string())),
            })
        });
        let promise = match promise {
            Ok(Ok(promise)) => promise,
            Ok(Err(_)) | Err(_) if self.late.get() => return Ok(too_late()),
            Ok(Err(seen)) => return Ok(seen),
            Err(error) => return Err(error),
        };
        let mut jobs = 0;
        while !self.late.get() {
            match runtime.execute_pending_job() {
                Ok(false) => break,
                Ok(true) | Err(_) => jobs += 1,
            }
            if jobs > JOBS {
                return Ok(Seen::Stopped(format!(
                    "it did not come to rest within {JOBS} promise jobs"
                )));
            }
            if cpu_time() > self.deadline {
                self.late.set(true);
            }
        }
        if self.late.get() {
            return Ok(too_late());
        }
        context.with(|ctx| {
            let promise = promise.restore(&ctx)?;
            Ok(match promise.state() {
                PromiseState::Pending => Seen::Stopped("it never settles".to_owned()),
                PromiseState::Resolved | PromiseState::Rejected => {
                    match promise.result::<String>().map(|result| result.catch(&ctx)) {
                        Some(Ok(text)) => match serde_json::from_str(&text) {
                            Ok(observation) => Seen::Observed(observation),
                            Err(error) => Seen::Stopped(format!(
                                "the harness's observation is no JSON: {error}"
                            )),
                        },
                        Some(Err(error)) => Seen::Stopped(error.to_string().trim().to_owned()),
                        None => Seen::Stopped("it never settles".to_owned()),
                    }
                }
            })
        })
    }
}

/// The text as the engine loads it inside of CommonJS's function: no byte order mark, a hashbang as a comment.
fn loadable(source: &str) -> String {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    match source.strip_prefix("#!") {
        Some(rest) => format!("//{rest}"),
        None => source.to_owned(),
    }
}

/// CPU time of this process so far, in nanoseconds. Not the clock on the wall: builds run on busy machines.
fn cpu_time() -> i128 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec)
}
