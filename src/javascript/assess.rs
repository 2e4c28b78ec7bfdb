//! In which state a file is with regard to a patch, and the proved change where the patch is to be made.
//!
//! ```text
//! one place, edit there      -> proved against the file without it  -> already-applied
//! one place, edit not there  -> does it act right all the same?     -> by-hand, fixed-upstream
//!                            -> traces of somebody's edit?          -> broken-by-hand
//!                            -> edit in memory, proved              -> not-applied, with the change
//! no place                   -> acts right? not needed? traces?     -> else drifted
//! ```

use std::ops::Range;

mod open;
mod verdict;

pub use verdict::{Assessment, Change, Guards, Origin};
use verdict::{REINSTALL, REPORT, TAKE_OUT, first_failure, pointing, proof_failed, refusal};

use super::behaviour::{self, Observed, Whose};
use super::edit;
use super::nearest;
use super::parse::{self, Parsed, Unreadable};
use super::recognise::{Recognised, Recogniser, Site, Standing};
use super::sandbox::Sandbox;
use super::syntax::{self, Made};
use super::tree::{self, Node};
use crate::catalogue::{self, Patch};
use crate::report::{Proof, ProofResult, State};

/// Judges a file's bytes for a patch.
#[must_use]
pub fn assess(
    patch: &Patch,
    bytes: &[u8],
    origin: Origin,
    sandbox: &Sandbox,
    guards: Guards,
) -> Assessment {
    let work = || {
        let text = parse::text(bytes)?;
        let recogniser = match Recogniser::new(&patch.definition) {
            Ok(recogniser) => recogniser,
            Err(error) => {
                let reason = format!("The patch's own pattern is wrong: {error}.");
                return Ok(refusal(State::Drifted, reason, REPORT));
            }
        };
        let assessor = Assessor {
            patch,
            origin,
            sandbox,
            guards,
            recogniser,
        };
        Ok(assessor.text(text))
    };
    match parse::with_stack_for(bytes.len(), work) {
        Ok(Ok(assessment)) => assessment,
        Ok(Err(unreadable)) | Err(unreadable) => unreadable_file(&unreadable),
    }
}

/// The verdict on a file that was not even read.
#[must_use]
pub fn too_large(length: u64) -> Assessment {
    unreadable_file(&Unreadable::TooLarge(length))
}

fn unreadable_file(unreadable: &Unreadable) -> Assessment {
    refusal(
        State::Drifted,
        format!("The file cannot be read as JavaScript: {unreadable}."),
        REINSTALL,
    )
}

/// The engine could not be run at all.
fn not_run(error: &str) -> Assessment {
    proof_failed(
        format!("The proof could not be run: {error}."),
        Proof::default(),
    )
}

struct Assessor<'a> {
    patch: &'a Patch,
    origin: Origin,
    sandbox: &'a Sandbox,
    guards: Guards,
    recogniser: Recogniser<'a>,
}

impl Assessor<'_> {
    fn text(&self, text: &str) -> Assessment {
        let parsed = match parse::parse(text) {
            Ok(parsed) => parsed,
            Err(error) => return self.not_javascript(text, &error),
        };
        let tree = match tree::of(&parsed) {
            Ok(tree) => tree,
            Err(error) => return self.not_javascript(text, &error),
        };
        let mut recognised = if self.guards.recognition {
            self.recogniser.recognise(tree.root())
        } else {
            self.recogniser.recognise_anywhere(tree.root())
        };
        if !recognised.traces.is_empty() {
            for sibling in catalogue::siblings(self.patch) {
                if let Ok(other) = Recogniser::new(&sibling.definition) {
                    recognised.forgive(&other.recognise(tree.root()));
                }
            }
        }

        let doubled = recognised
            .sites
            .iter()
            .find_map(|site| match &site.standing {
                Standing::Doubled { whole } => Some(whole.clone()),
                Standing::Open | Standing::Applied { .. } | Standing::Earlier { .. } => None,
            });
        if let Some(whole) = doubled {
            let reason = "The edit is there more than once, one around the other.".to_owned();
            return pointing(
                refusal(State::BrokenByHand, reason, REINSTALL),
                text,
                vec![(whole, "this is one edit too many".to_owned())],
            );
        }
        match recognised.sites.as_slice() {
            [] => self.no_place(text, tree.root(), &recognised),
            [site] => self.one_place(parsed, &recognised, site),
            [site, ..] if !self.guards.recognition => self.one_place(parsed, &recognised, site),
            sites => self.several_places(text, sites),
        }
    }

    fn one_place(
        &self,
        parsed: Parsed<'_>,
        recognised: &Recognised<'_>,
        site: &Site<'_>,
    ) -> Assessment {
        let text = parsed.text;
        let mut assessment = match &site.standing {
            Standing::Open => self.open(parsed, recognised, site),
            Standing::Applied { whole } => self.applied(text, site, whole),
            Standing::Earlier { whole, revision } => self.outdated(text, site, whole, revision),
            Standing::Doubled { .. } => {
                return self.several_places(text, std::slice::from_ref(site));
            }
        };
        assessment.shape = Some(site.shape.id.clone());
        assessment
    }

    /// The edit is there: is the file otherwise sound?
    fn applied(&self, text: &str, site: &Site<'_>, whole: &Range<usize>) -> Assessment {
        let stripped = stripped(text, site, whole);
        let (observed, syntax) = self.observe_beside([&stripped, text], || {
            self.made_again(&stripped)
                .is_some_and(|again| syntax::same_tree(&again.after, text))
        });
        let observed = match observed {
            Ok(observed) => observed,
            Err(error) => return not_run(&error),
        };
        let proof = Proof::of(syntax, observed.compared(self.patch, 0, 1));
        if proof.holds() {
            return Assessment {
                state: State::AlreadyApplied,
                shape: None,
                proof,
                reason: "The edit is there and proved.".to_owned(),
                next_step: None,
                evidence: None,
                change: None,
            };
        }
        let why = if syntax {
            first_failure(&proof)
        } else {
            "the edit is not the only change around it".to_owned()
        };
        let at = vec![(whole.clone(), "the edit stands here".to_owned())];
        pointing(
            proof_failed(
                format!("The edit is there, but the file does not do what it should: {why}."),
                proof,
            ),
            text,
            at,
        )
    }

    /// The edit of an earlier ghostfix is there: what would it be now?
    fn outdated(
        &self,
        text: &str,
        site: &Site<'_>,
        whole: &Range<usize>,
        revision: &str,
    ) -> Assessment {
        let stripped = stripped(text, site, whole);
        let Some(made) = self.made_again(&stripped) else {
            return proof_failed(
                format!(
                    "Revision {revision} of the edit is there, and the present one cannot take its place."
                ),
                Proof::default(),
            );
        };
        let observed = match behaviour::observe(self.patch, &[&stripped, &made.after], self.sandbox)
        {
            Ok(observed) => observed,
            Err(error) => return not_run(&error),
        };
        let proof = Proof::of(true, observed.compared(self.patch, 0, 1));
        if !proof.holds() {
            let why = first_failure(&proof);
            return proof_failed(
                format!(
                    "Revision {revision} of the edit is there, and the present one does not hold: {why}."
                ),
                proof,
            );
        }
        Assessment {
            state: State::Outdated,
            shape: None,
            proof,
            reason: format!(
                "Revision {revision} of the edit is there; this ghostfix makes revision {}.",
                site.edit.revision
            ),
            next_step: Some("Run `ghostfix patch` to bring it up to date.".to_owned()),
            evidence: None,
            change: Some(Change {
                after: made.after,
                splices: made.splices,
                revision: site.edit.revision.clone(),
                base: Some(stripped),
            }),
        }
    }

    /// The edit made on a text without it, where that has exactly one open place.
    fn made_again(&self, stripped: &str) -> Option<Made> {
        let parsed = parse::parse(stripped).ok()?;
        let tree = tree::of(&parsed).ok()?;
        let recognised = self.recogniser.recognise(tree.root());
        match recognised.sites.as_slice() {
            [site] if site.standing == Standing::Open => {
                syntax::edit(parsed, site, self.is_of_property(site)).ok()
            }
            _ => None,
        }
    }

    /// The file acts as the patch wants without it.
    fn handled(&self, observed: &Observed) -> Assessment {
        let (state, reason) = match self.origin {
            Origin::Changed => (
                State::ByHand,
                "Somebody's own edit gives the behaviour that the patch is for; proved.",
            ),
            Origin::Published | Origin::Unknown => (
                State::FixedUpstream,
                "The code as published does what the patch is for; proved.",
            ),
        };
        Assessment {
            state,
            shape: None,
            proof: Proof {
                syntax: ProofResult::NotRun,
                behaviour: ProofResult::Passed,
                cases: observed.wanted(self.patch, 0, Whose::Theirs),
            },
            reason: reason.to_owned(),
            next_step: None,
            evidence: None,
            change: None,
        }
    }

    fn no_place(&self, text: &str, root: Node<'_>, recognised: &Recognised<'_>) -> Assessment {
        if !recognised.needed {
            let mut assessment = refusal(
                State::NotNeeded,
                "This version has no such code.".to_owned(),
                "",
            );
            assessment.next_step = None;
            return assessment;
        }
        let observed = behaviour::observe(self.patch, &[text], self.sandbox);
        if let Ok(observed) = &observed {
            if observed.satisfied(self.patch, 0, Whose::Theirs) {
                return self.handled(observed);
            }
            if !recognised.traces.is_empty() {
                return self.broken_by_hand(text, recognised, observed);
            }
        }
        self.drifted(text, root, recognised)
    }

    fn drifted(&self, text: &str, root: Node<'_>, recognised: &Recognised<'_>) -> Assessment {
        let reason = match recognised.stray.as_slice() {
            [] => {
                "The code is none of the known shapes: what the patch is anchored to is not there."
            }
            _ => {
                "The code is none of the known shapes: what the patch is anchored to stands in other surroundings."
            }
        };
        let mut assessment = refusal(State::Drifted, reason.to_owned(), REPORT);
        assessment.evidence = Some(nearest::evidence(self.patch, text, root, &recognised.stray));
        assessment
    }

    fn several_places(&self, text: &str, sites: &[Site<'_>]) -> Assessment {
        let labels = sites
            .iter()
            .map(|site| (site.anchor.clone(), "this place fits".to_owned()))
            .collect();
        let reason = format!(
            "{} places fit, and nothing tells which of them is meant.",
            sites.len()
        );
        pointing(refusal(State::Ambiguous, reason, REPORT), text, labels)
    }

    fn broken_by_hand(
        &self,
        text: &str,
        recognised: &Recognised<'_>,
        observed: &Observed,
    ) -> Assessment {
        let cases = observed.wanted(self.patch, 0, Whose::Theirs);
        let why = match observed.load_error(0) {
            Some(error) => format!("the file cannot be loaded: {error}"),
            None => cases
                .iter()
                .find(|case| case.result != ProofResult::Passed)
                .map(|case| format!("\"{}\": {}", case.name, case.detail))
                .unwrap_or_default(),
        };
        let labels = recognised
            .traces
            .iter()
            .map(|range| (range.clone(), "this is no code of the package".to_owned()))
            .collect();
        let reason =
            format!("Somebody's edit is in the file and does not do what it should: {why}.");
        let mut assessment = pointing(refusal(State::BrokenByHand, reason, TAKE_OUT), text, labels);
        assessment.proof = Proof {
            syntax: ProofResult::NotRun,
            behaviour: ProofResult::Failed,
            cases,
        };
        assessment
    }

    /// The edit was made and its proof does not hold.
    fn unproven(
        &self,
        text: &str,
        site: &Site<'_>,
        proof: Proof,
        observed: &Observed,
    ) -> Assessment {
        let why = observed.load_error(0).map_or_else(
            || first_failure(&proof),
            |error| format!("the file cannot be loaded: {error}"),
        );
        let at = vec![(site.anchor.clone(), "the edit would stand here".to_owned())];
        pointing(
            proof_failed(
                format!("The edit was made in memory and its proof does not hold: {why}."),
                proof,
            ),
            text,
            at,
        )
    }

    fn not_javascript(&self, text: &str, error: &Unreadable) -> Assessment {
        let at = match error {
            Unreadable::Syntax { at, .. } => at.clone(),
            Unreadable::TooLarge(_)
            | Unreadable::NotText(_)
            | Unreadable::TooDeep(_)
            | Unreadable::Unknown(_)
            | Unreadable::NoStack(_) => 0..0,
        };
        // Cheap on purpose: without a tree there is only the text to ask.
        let edited = self.patch.definition.traces.iter().any(|trace| {
            [&trace.pattern, &trace.text]
                .into_iter()
                .flatten()
                .any(|said| text.contains(said.trim_matches('\'')))
        });
        let state = if edited {
            State::BrokenByHand
        } else {
            State::Drifted
        };
        let next_step = match error {
            Unreadable::Unknown(_) => REPORT,
            _ if edited => TAKE_OUT,
            _ => REINSTALL,
        };
        let reason = format!("The file cannot be read: {error}.");
        pointing(
            refusal(state, reason, next_step),
            text,
            vec![(at, "here".to_owned())],
        )
    }
}

/// The text without the edit: what the edit made of the anchor becomes the anchor again.
fn stripped(text: &str, site: &Site<'_>, whole: &Range<usize>) -> String {
    let original = match &site.edit.original {
        Some(original) => edit::fill(original, text, &site.bindings),
        None => text[site.anchor.clone()].to_owned(),
    };
    // Parentheses that the edit needed are outside of the node and stay; they change nothing.
    format!("{}{original}{}", &text[..whole.start], &text[whole.end..])
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
