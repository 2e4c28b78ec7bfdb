//! A place where the edit is not: is it needed, can it be made, and is it proved?

use super::verdict::{pointing, proof_failed};
use super::{Assessment, Assessor, Change, not_run};
use crate::javascript::behaviour::{self, Observed, Whose};
use crate::javascript::edit::Parentheses;
use crate::javascript::parse::{self, Parsed};
use crate::javascript::recognise::{self, Recognised, Site, Standing};
use crate::javascript::syntax::{self, Flaw, Made};
use crate::javascript::tree;
use crate::report::{Proof, ProofResult, State};

/// An edit that is there in memory.
struct Edited {
    made: Made,
    /// Whether the recogniser finds its own edit: there, exactly once.
    is_recognised: bool,
}

impl Assessor<'_> {
    pub(super) fn open(
        &self,
        parsed: Parsed<'_>,
        recognised: &Recognised<'_>,
        site: &Site<'_>,
    ) -> Assessment {
        let text = parsed.text;
        let (mut observed, mut edited) = self.attempt(parsed, site, Parentheses::Without);
        if edited.is_err()
            && let Ok(parsed) = parse::parse(text)
        {
            (observed, edited) = self.attempt(parsed, site, Parentheses::Around);
        }
        let observed = match observed {
            Ok(observed) => observed,
            Err(error) if self.guards.proof => return not_run(&error),
            Err(_) => return self.unproved(site, edited),
        };
        if observed.satisfied(self.patch, 0, Whose::Theirs) {
            return self.handled(&observed);
        }
        if self.guards.recognition && !recognised.traces.is_empty() {
            return self.broken_by_hand(text, recognised, &observed);
        }
        let edited = match edited {
            Ok(edited) => edited,
            Err(flaw) => {
                let proof = Proof {
                    syntax: ProofResult::Failed,
                    ..Proof::default()
                };
                let at = vec![(site.anchor.clone(), "the edit would stand here".to_owned())];
                return pointing(does_not_hold(&flaw, proof), text, at);
            }
        };
        let proof = Proof::of(edited.is_recognised, observed.compared(self.patch, 0, 1));
        if self.guards.proof && !proof.holds() {
            return self.unproven(text, site, proof, &observed);
        }
        Assessment {
            state: State::NotApplied,
            shape: None,
            proof,
            reason: "The code is as published, and the edit is proved to do what it should."
                .to_owned(),
            next_step: Some("Run `ghostfix patch`.".to_owned()),
            evidence: None,
            change: Some(change(edited.made, site)),
        }
    }

    /// Makes the edit; while the engine's process runs the text without it and with it, the syntax is proved and the
    /// recogniser asked.
    fn attempt(
        &self,
        before: Parsed<'_>,
        site: &Site<'_>,
        parentheses: Parentheses,
    ) -> (Result<Observed, String>, Result<Edited, Flaw>) {
        let text = before.text;
        let made = match syntax::make(text, site, self.is_of_property(site), parentheses) {
            Ok(made) => made,
            Err(flaw) => {
                let observed = behaviour::observe(self.patch, &[text, text], self.sandbox);
                return (observed, Err(flaw));
            }
        };
        let (observed, proved) = self.observe_beside([text, &made.after], || {
            let edited = syntax::prove(before, site, &made)?;
            Ok(!self.guards.recognition || self.recognises(&edited))
        });
        let edited = proved.map(|is_recognised| Edited {
            made,
            is_recognised,
        });
        (observed, edited)
    }

    /// What the engine sees of a text without the edit and with it, and what came of the work meanwhile.
    pub(super) fn observe_beside<T>(
        &self,
        subjects: [&str; 2],
        work: impl FnOnce() -> T,
    ) -> (Result<Observed, String>, T) {
        std::thread::scope(|scope| {
            let observing = scope.spawn(|| behaviour::observe(self.patch, &subjects, self.sandbox));
            let outcome = work();
            let observed = observing
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (observed, outcome)
        })
    }

    /// Asks the recogniser about its own edit: there, exactly once.
    fn recognises(&self, edited: &Parsed<'_>) -> bool {
        let Ok(tree) = tree::of(edited) else {
            return false;
        };
        let recognised = self.recogniser.recognise(tree.root());
        matches!(
            recognised.sites.as_slice(),
            [Site {
                standing: Standing::Applied { .. },
                ..
            }]
        )
    }

    /// Whether the edit that belongs at a site is one of an object's property.
    pub(super) fn is_of_property(&self, site: &Site<'_>) -> bool {
        recognise::of_property(&self.patch.definition, site.edit)
    }

    /// Only with the proof switched off.
    fn unproved(&self, site: &Site<'_>, edited: Result<Edited, Flaw>) -> Assessment {
        match edited {
            Ok(edited) => Assessment {
                state: State::NotApplied,
                shape: None,
                proof: Proof::default(),
                reason: "Nothing was proved.".to_owned(),
                next_step: None,
                evidence: None,
                change: Some(change(edited.made, site)),
            },
            Err(flaw) => does_not_hold(&flaw, Proof::default()),
        }
    }
}

fn change(made: Made, site: &Site<'_>) -> Change {
    Change {
        after: made.after,
        splices: made.splices,
        revision: site.edit.revision.clone(),
        base: None,
    }
}

fn does_not_hold(flaw: &Flaw, proof: Proof) -> Assessment {
    proof_failed(format!("The edit does not hold: {flaw}."), proof)
}
