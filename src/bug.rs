//! A panic is a bug in ghostfix: it ends as an error like any other, that says where it happened and nothing of what
//! was in memory (a panic's message may hold parts of files).

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};

/// Runs the work; a panic in it becomes [`Error::Bug`]. Replaces the process's panic hook, so that nothing is printed.
pub fn guard<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let place = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&place);
    panic::set_hook(Box::new(move |panic| {
        let location = panic
            .location()
            .map(|place| format!("{}:{}", place.file(), place.line()));
        *seen.lock().unwrap_or_else(PoisonError::into_inner) = location;
    }));
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let place = place.lock().unwrap_or_else(PoisonError::into_inner).take();
        Err(Error::Bug {
            problem: format!(
                "it panicked at {}",
                place.as_deref().unwrap_or("an unknown place")
            ),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_says_where_and_not_what() {
        let line = line!() + 1;
        let error = guard(|| -> Result<()> { panic!("secret {}", 1) }).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "this is a bug in ghostfix: it panicked at {}:{line}",
                file!()
            )
        );
        assert_eq!(error.exit_code(), 70);
        let _ = panic::take_hook();
    }

    #[test]
    fn what_does_not_panic_goes_through() {
        assert_eq!(guard(|| Ok(1)).unwrap(), 1);
        let _ = panic::take_hook();
    }
}
