//! The behaviour proof: what the cases want, against what the engine saw before and after the edit.

use super::engine::{Job, Seen};
use super::sandbox::Sandbox;
use crate::catalogue::Patch;
use crate::catalogue::definition::Case;
use crate::report::{CaseResult, ProofResult};

/// What the engine saw of several texts, case by case.
#[derive(Debug, Clone)]
pub struct Observed {
    subjects: Vec<Vec<Seen>>,
}

/// Whose edit is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Ours: exactly what the case wants.
    Ours,
    /// Somebody else's: what the case accepts of them, too.
    Theirs,
}

/// Runs every case of a patch on every text.
///
/// # Errors
///
/// In words, where the engine could not be run at all.
pub fn observe(patch: &Patch, subjects: &[&str], sandbox: &Sandbox) -> Result<Observed, String> {
    let given = patch
        .cases
        .iter()
        .map(|case| {
            serde_json::to_value(&case.given)
                .map_err(|error| format!("case {}: {error}", case.name))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let cases = given.len();
    let job = Job {
        harness: patch.harness.to_owned(),
        given,
        subjects: subjects.iter().map(|text| (*text).to_owned()).collect(),
    };
    let answers = sandbox.run(&job)?;
    if answers.len() != subjects.len() || answers.iter().any(|seen| seen.len() != cases) {
        return Err("the proof's process answered fewer cases than it was given".to_owned());
    }
    Ok(Observed { subjects: answers })
}

impl Observed {
    /// Whether the text with that number does what every case wants.
    #[must_use]
    pub fn satisfied(&self, patch: &Patch, subject: usize, whose: Whose) -> bool {
        self.wanted(patch, subject, whose)
            .iter()
            .all(|case| case.result == ProofResult::Passed)
    }

    /// The verdict on every case for one text alone.
    #[must_use]
    pub fn wanted(&self, patch: &Patch, subject: usize, whose: Whose) -> Vec<CaseResult> {
        let seen = &self.subjects[subject];
        patch
            .cases
            .iter()
            .zip(seen)
            .map(|(case, seen)| result(case, judge(case, seen, whose)))
            .collect()
    }

    /// The verdict on every case for an edit: `after` does what is wanted, and where the case is none that the patch
    /// is there to change, everything observed is as `before`; where it is to become like another case, as that one
    /// was `before`.
    #[must_use]
    pub fn compared(&self, patch: &Patch, before: usize, after: usize) -> Vec<CaseResult> {
        let before = &self.subjects[before];
        let model = |case: &Case| {
            case.like
                .as_ref()
                .and_then(|like| patch.cases.iter().position(|other| other.name == *like))
        };
        patch
            .cases
            .iter()
            .zip(before.iter().zip(&self.subjects[after]))
            .map(|(case, (was, is))| {
                let judged =
                    judge(case, is, Whose::Ours).and_then(|()| match (case.changes, model(case)) {
                        (true, Some(model)) => {
                            same(&before[model], is, "as the case it is to be like")
                        }
                        (true, None) => Ok(()),
                        (false, _) => same(was, is, "as before"),
                    });
                result(case, judged)
            })
            .collect()
    }

    /// Whether the text could not even be loaded, in the engine's words.
    #[must_use]
    pub fn load_error(&self, subject: usize) -> Option<String> {
        self.subjects[subject].iter().find_map(|seen| match seen {
            Seen::Observed(value) if value["settles"] == "cannot be loaded" => {
                value["message"].as_str().map(str::to_owned)
            }
            Seen::Observed(_) | Seen::Stopped(_) => None,
        })
    }

    /// Whether two texts were seen to do the same in every case that the patch is not there to change.
    #[must_use]
    pub fn first_stop(&self, subject: usize) -> Option<&str> {
        self.subjects[subject].iter().find_map(|seen| match seen {
            Seen::Stopped(why) => Some(why.as_str()),
            Seen::Observed(_) => None,
        })
    }
}

fn same(wanted: &Seen, is: &Seen, as_what: &str) -> Result<(), String> {
    match (wanted, is) {
        (Seen::Observed(wanted), Seen::Observed(is)) if wanted == is => Ok(()),
        _ => Err(format!(
            "it must be {as_what}: {}; is: {}",
            told(wanted),
            told(is)
        )),
    }
}

fn judge(case: &Case, seen: &Seen, whose: Whose) -> Result<(), String> {
    let Seen::Observed(observation) = seen else {
        return Err(told(seen));
    };
    let holds = |wanted: &toml::Table| {
        wanted.iter().all(|(key, value)| {
            serde_json::to_value(value).is_ok_and(|value| observation[key] == value)
        })
    };
    let accepted = match (whose, &case.by_hand) {
        (Whose::Theirs, Some(by_hand)) => holds(by_hand),
        (Whose::Ours, _) | (Whose::Theirs, None) => false,
    };
    if accepted || holds(&case.after) {
        return Ok(());
    }
    Err(format!(
        "it must be: {}; is: {}",
        table(&case.after),
        told(seen)
    ))
}

fn result(case: &Case, judged: Result<(), String>) -> CaseResult {
    let (result, detail) = match judged {
        Ok(()) => (ProofResult::Passed, String::new()),
        Err(detail) => (ProofResult::Failed, detail),
    };
    CaseResult {
        name: case.name.clone(),
        result,
        detail,
    }
}

fn table(wanted: &toml::Table) -> String {
    wanted
        .iter()
        .map(|(key, value)| {
            format!(
                "{key} {}",
                value
                    .as_str()
                    .map_or_else(|| format!("{value:?}"), str::to_owned)
            )
        })
        .collect::<Vec<_>>()
        .join(", ")
}

fn told(seen: &Seen) -> String {
    match seen {
        Seen::Stopped(why) => why.clone(),
        Seen::Observed(serde_json::Value::Object(fields)) => fields
            .iter()
            .map(|(key, value)| {
                format!(
                    "{key} {}",
                    value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned)
                )
            })
            .collect::<Vec<_>>()
            .join(", "),
        Seen::Observed(other) => other.to_string(),
    }
}
