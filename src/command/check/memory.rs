//! What came of a file before: many Ghosts share a knex-migrator, and the next run meets the same files.
//!
//! Between runs only what was proved is kept, and only for this very edition of the judging code and of the patches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Result;
use crate::ghost::Upstream;
use crate::report::PatchEntry;

/// Names the sources that this program was built from.
const EDITION: &str = env!("GHOSTFIX_EDITION");

type Place = Arc<Mutex<Option<Vec<PatchEntry>>>>;

/// Entries by file.
pub(super) struct Memory<'a> {
    upstream: &'a Upstream,
    known: Mutex<HashMap<String, Place>>,
}

impl<'a> Memory<'a> {
    pub(super) fn new(upstream: &'a Upstream) -> Self {
        Self {
            upstream,
            known: Mutex::default(),
        }
    }

    /// The entries for `key`: known, or found out now. Whoever asks meanwhile for the same waits for the answer.
    pub(super) fn entries(
        &self,
        key: &str,
        find_out: impl FnOnce() -> Result<Vec<PatchEntry>>,
    ) -> Result<Vec<PatchEntry>> {
        let key = format!("{EDITION} {key}");
        let place = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(key.clone()).or_default())
        };
        let mut entries = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entries) = &*entries {
            return Ok(entries.clone());
        }
        let found = match self.upstream.judgement(&key) {
            Some(found) => found,
            None => {
                let found = find_out()?;
                // A refusal may be the machine's fault: a proof that ran out of time. It is found out anew each run.
                if !found.iter().any(|entry| entry.state.is_refusal()) {
                    self.upstream.keep_judgement(&key, &found);
                }
                found
            }
        };
        *entries = Some(found.clone());
        Ok(found)
    }
}
