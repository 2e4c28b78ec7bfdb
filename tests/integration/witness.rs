//! Real Node as a witness: what a lib/database.js does in each case, asked of `tests/corpus/witness.cjs`. It shares no
//! code, no stand-ins and no engine with the proof that it is a second opinion on.

use std::collections::{BTreeMap, HashMap};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use serde::Deserialize;

use crate::process;

/// What was seen, by case; or why there was nothing to see.
#[derive(Debug, PartialEq)]
pub(crate) enum Seen {
    Cases(BTreeMap<String, Case>),
    /// Node refused to load it, or it never came to an end.
    Nothing(String),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) settles: String,
    #[serde(default)]
    value: serde_json::Value,
    #[serde(default)]
    error: serde_json::Value,
    pub(crate) opened: u32,
    pub(crate) destroyed: u32,
    statements: Vec<String>,
    unhandled: u32,
}

/// The cases that the patch is there for: as if the server had said 1007.
const WANTED: [&str; 3] = [
    "exists-1105-vt06001",
    "exists-1105-older",
    "exists-1105-in-message-only",
];

/// Of these, the one that a hand edit may leave as it was: no server says so, knex alone could.
const WANTED_OF_OURS_ONLY: &str = "exists-1105-in-message-only";

const EXISTS: &str = "exists-1007";

/// Asks Node, or remembers what it said of the same text before.
pub(crate) fn watch(source: &str) -> Arc<Seen> {
    static SEEN: LazyLock<Mutex<HashMap<String, Arc<Seen>>>> = LazyLock::new(Mutex::default);
    let known = SEEN.lock().unwrap().get(source).cloned();
    known.unwrap_or_else(|| {
        let seen = Arc::new(ask(source));
        SEEN.lock()
            .unwrap()
            .insert(source.to_owned(), Arc::clone(&seen));
        seen
    })
}

fn ask(source: &str) -> Seen {
    #[derive(Deserialize)]
    struct Answer {
        loads: bool,
        problem: Option<String>,
        cases: Option<BTreeMap<String, Case>>,
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("database.js");
    std::fs::write(&file, source).unwrap();
    let mut node = Command::new("node");
    node.args([
        "--experimental-vm-modules",
        "--no-warnings",
        "--max-old-space-size=256",
    ])
    .arg(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/corpus/witness.cjs"
    ))
    .arg(&file)
    .current_dir(directory.path());
    let answer = process::bounded(node, Duration::from_secs(6));
    if answer.timed_out {
        return Seen::Nothing("it never comes to an end".to_owned());
    }
    assert!(answer.success(), "the witness must survive: {answer}");
    let said: Answer = serde_json::from_str(&answer.stdout)
        .unwrap_or_else(|problem| panic!("{problem}: {answer}"));
    match said {
        Answer {
            loads: true,
            cases: Some(cases),
            ..
        } => Seen::Cases(cases),
        Answer { problem, .. } => Seen::Nothing(problem.unwrap_or_default()),
    }
}

/// What is wrong with a patched file, next to the same file before: it must do as it did, but forgive what is wanted.
pub(crate) fn flaws(before: &Seen, after: &Seen) -> Vec<String> {
    let (before, after) = match (before, after) {
        (Seen::Cases(before), Seen::Cases(after)) => (before, after),
        (Seen::Nothing(problem), _) => {
            return vec![format!(
                "the file does not load before the patch: {problem}"
            )];
        }
        (_, Seen::Nothing(problem)) => {
            return vec![format!("the file does not load after the patch: {problem}")];
        }
    };
    let mut flaws: Vec<String> = before
        .iter()
        .filter_map(|(name, was)| {
            let wanted = if WANTED.contains(&name.as_str()) {
                &before[EXISTS]
            } else {
                was
            };
            let is = &after[name];
            (is != wanted).then(|| format!("{name}: wanted {wanted:?}, is {is:?}"))
        })
        .collect();
    if before[EXISTS].settles != "resolved" {
        flaws.push(format!("{EXISTS} is not forgiven in the first place"));
    }
    flaws
}

/// What keeps somebody's own edit from being as good as the patch, next to the file as published.
pub(crate) fn shortcomings(published: &Seen, edited: &Seen) -> Vec<String> {
    let (published, edited) = match (published, edited) {
        (Seen::Cases(published), Seen::Cases(edited)) => (published, edited),
        (Seen::Nothing(problem), _) | (_, Seen::Nothing(problem)) => return vec![problem.clone()],
    };
    published
        .iter()
        .filter(|(name, _)| *name != WANTED_OF_OURS_ONLY)
        .filter_map(|(name, was)| {
            let wanted = if WANTED.contains(&name.as_str()) {
                &published[EXISTS]
            } else {
                was
            };
            let is = &edited[name];
            let same = (&is.settles, is.opened, is.destroyed, is.unhandled)
                == (
                    &wanted.settles,
                    wanted.opened,
                    wanted.destroyed,
                    wanted.unhandled,
                );
            (!same).then(|| format!("{name}: wanted {wanted:?}, is {is:?}"))
        })
        .collect()
}
