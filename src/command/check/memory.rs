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

type Place = Arc<Mutex<Option<Known>>>;

struct Known {
    entries: Vec<PatchEntry>,
    /// Whether all is done for the next run.
    is_settled: bool,
}

/// Whether the file is known to be what was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verified {
    Yes,
    /// What is found out holds for these very bytes, but is nothing to be kept.
    NotYet,
}

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
        verified: Verified,
        find_out: impl FnOnce() -> Result<Vec<PatchEntry>>,
    ) -> Result<Vec<PatchEntry>> {
        let key = format!("{EDITION} {key}");
        let place = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(key.clone()).or_default())
        };
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        let known = match place.take() {
            Some(known) => place.insert(known),
            None => {
                let kept = self.upstream.judgement(&key);
                let is_settled = kept.is_some();
                let entries = kept.map_or_else(find_out, Ok)?;
                place.insert(Known {
                    entries,
                    is_settled,
                })
            }
        };
        if verified == Verified::Yes && !known.is_settled {
            // A refusal may be the machine's fault: a proof that ran out of time. It is found out anew each run.
            if !known.entries.iter().any(|entry| entry.state.is_refusal()) {
                self.upstream.keep_judgement(&key, &known.entries);
            }
            known.is_settled = true;
        }
        Ok(known.entries.clone())
    }
}
