//! What an assessment says, and the words that refusals have in common.

use std::ops::Range;

use crate::javascript::edit::Splice;
use crate::report::{Evidence, Proof, ProofResult, State};

/// What is known about the file's bytes from the registry. It explains a verdict and never makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Exactly as a release had it.
    Published,
    /// The version was released with other bytes: somebody changed the file.
    Changed,
    /// The version is not known to this ghostfix.
    Unknown,
}

/// Which guards are on. All of them, but in tests that show what each is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guards {
    /// The anchor must stand in known surroundings, once, without traces of another hand.
    pub recognition: bool,
    /// The edit must pass the syntax and behaviour proofs.
    pub proof: bool,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            recognition: true,
            proof: true,
        }
    }
}

/// A change that was made in memory and proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file's text afterwards.
    pub after: String,
    /// What leads there, from the text that `base` tells.
    pub splices: Vec<Splice>,
    /// The revision of the edit.
    pub revision: String,
    /// The text that the splices start from, where it is not the one on disk: without the edit of an earlier ghostfix.
    pub base: Option<String>,
}

/// The verdict on one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// `not-applied` and `outdated` come with a change; `applied` and `would-apply` are for the caller to say.
    pub state: State,
    /// The shape that was recognised.
    pub shape: Option<String>,
    /// What was proved.
    pub proof: Proof,
    /// Why, in one or two sentences.
    pub reason: String,
    /// What to do now.
    pub next_step: Option<String>,
    /// The place in the code, for refusals.
    pub evidence: Option<Evidence>,
    /// The proved change.
    pub change: Option<Change>,
}

pub(super) const REINSTALL: &str =
    "Install the package again, so that the file is as published, and run ghostfix again.";
pub(super) const REPORT: &str = "Do not start this image on PlanetScale yet. If the file is as published, look for a newer ghostfix or report the version.";
pub(super) const TAKE_OUT: &str = "Take the hand-made edit out of the Dockerfile (or install the package again) and let ghostfix make it.";

pub(super) fn refusal(state: State, reason: String, next_step: &str) -> Assessment {
    Assessment {
        state,
        shape: None,
        proof: Proof::default(),
        reason,
        next_step: Some(next_step.to_owned()),
        evidence: None,
        change: None,
    }
}

pub(super) fn pointing(
    mut assessment: Assessment,
    text: &str,
    labels: Vec<(Range<usize>, String)>,
) -> Assessment {
    assessment.evidence = Some(Evidence {
        source: text.to_owned(),
        labels,
        nearest_shape: None,
        shape_diff: String::new(),
    });
    assessment
}

pub(super) fn proof_failed(reason: String, proof: Proof) -> Assessment {
    Assessment {
        proof,
        ..refusal(State::ProofFailed, reason, REPORT)
    }
}

pub(super) fn first_failure(proof: &Proof) -> String {
    proof
        .cases
        .iter()
        .find(|case| case.result != ProofResult::Passed)
        .map_or_else(
            || "the edit is not recognised again".to_owned(),
            |case| format!("\"{}\": {}", case.name, case.detail),
        )
}
