//! Writing into the cache beside what the files are needed for: nobody waits for it but the end.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::error::{Error, Result};

/// Packages that are written at the same time: until then their files stay in memory.
const AT_ONCE: usize = 2;

/// Work in threads of its own.
#[derive(Default)]
pub(super) struct Beside {
    threads: Mutex<VecDeque<JoinHandle<Result<()>>>>,
}

impl Beside {
    /// Begins `work`. Where enough is under way already, the oldest of it is waited for first, and what came of that is
    /// the answer.
    pub(super) fn begin(&self, work: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = (threads.len() >= AT_ONCE).then(|| threads.pop_front());
        let done = oldest.flatten().map_or(Ok(()), joined);
        threads.push_back(std::thread::spawn(work));
        done
    }

    /// Waits for all of it. The first failure is the answer.
    pub(super) fn finish(&self) -> Result<()> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let results: Vec<Result<()>> = threads.drain(..).map(joined).collect();
        results.into_iter().collect()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Whoever wants to know has asked before.
        let _ = self.finish();
    }
}

fn joined(thread: JoinHandle<Result<()>>) -> Result<()> {
    thread.join().unwrap_or_else(|_| {
        Err(Error::Bug {
            problem: "writing into the cache ended early".to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{AT_ONCE, Beside};
    use crate::error::Error;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn all_of_it_is_done_at_the_end_and_never_too_much_at_once() {
        let (running, most, done) =
            <(Arc<AtomicUsize>, Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let beside = Beside::default();
        for _ in 0..AT_ONCE * 4 {
            let (running, most, done) = (running.clone(), most.clone(), done.clone());
            let work = move || {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(5));
                running.fetch_sub(1, Ordering::SeqCst);
                done.fetch_add(1, Ordering::SeqCst);
                Ok(())
            };
            beside.begin(work).expect("nothing fails");
        }
        drop(beside);
        assert_eq!(done.load(Ordering::SeqCst), AT_ONCE * 4);
        assert_eq!(most.load(Ordering::SeqCst), AT_ONCE);
    }

    #[test]
    fn a_failure_is_told_once() {
        let beside = Beside::default();
        let failing = || {
            Err(Error::Bug {
                problem: "no room".to_owned(),
            })
        };
        beside.begin(failing).expect("not yet known");
        assert_eq!(beside.finish().expect_err("it failed").to_string(), {
            let problem = "no room".to_owned();
            Error::Bug { problem }.to_string()
        });
        beside.finish().expect("nothing more is under way");
    }
}
