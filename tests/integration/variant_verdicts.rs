//! Every drifted variant gets the verdict that was written down for it, by the guard that was written down for it, and
//! real Node agrees.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use ghostfix::catalogue::{self, Patch};
use ghostfix::javascript::assess::{Assessment, Guards, Origin, assess};
use ghostfix::javascript::sandbox::Sandbox;
use ghostfix::report::State;

use crate::installation::{Installation, write};
use crate::packages;
use crate::variants::{self, Guard, Variant};
use crate::witness;

fn patch() -> &'static Patch {
    catalogue::patch("database-exists").unwrap()
}

fn judge(variant: &Variant, guards: Guards) -> Assessment {
    let published = packages::knex_migrators().contains(&variant.package_version());
    let origin = match (published, variant.text() == variant.published()) {
        (true, true) => Origin::Published,
        (true, false) => Origin::Changed,
        (false, _) => Origin::Unknown,
    };
    assess(
        patch(),
        variant.text().as_bytes(),
        origin,
        &Sandbox::ThisProcess,
        guards,
    )
}

fn families(names: &[&str]) -> impl Iterator<Item = &'static Variant> {
    variants::all()
        .iter()
        .filter(move |variant| names.contains(&variant.family.as_str()))
}

/// Looks at every variant before it complains, so that one run tells all.
fn every(
    variants: impl Iterator<Item = &'static Variant>,
    complaint: impl Fn(&Variant) -> Option<String> + Sync,
) {
    let variants: Vec<&Variant> = variants.collect();
    let half = variants.len().div_ceil(2).max(1);
    let complaints: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = variants
            .chunks(half)
            .map(|share| {
                let complaint = &complaint;
                scope.spawn(move || {
                    share
                        .iter()
                        .filter_map(|variant| {
                            complaint(variant).map(|what| {
                                format!("{}: {what}\n    because: {}", variant.name, variant.why)
                            })
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    assert!(
        complaints.is_empty(),
        "{} of {}:\n{}",
        complaints.len(),
        variants.len(),
        complaints.join("\n")
    );
}

#[test]
fn there_are_enough_of_them_and_each_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = variants::all()
        .iter()
        .map(|variant| variant.name.as_str())
        .collect();
    assert_eq!(names.len(), variants::all().len());
    assert!(names.len() >= 100, "{}", names.len());
    assert!(families(&["harmless"]).count() >= 30);
    assert!(
        families(&["changed"])
            .filter(|variant| !variant.no_place)
            .count()
            >= 25
    );
    for variant in variants::all() {
        let refused = variant.state.is_refusal();
        assert_eq!(
            refused,
            variant.no_place || !variant.stopped_by.is_empty(),
            "{}",
            variant.name
        );
        assert!(
            !variant.no_place || variant.stopped_by.is_empty(),
            "{}",
            variant.name
        );
        let edited = variant.text() != variant.published();
        assert!(
            edited || variant.version.is_some(),
            "{} changes nothing",
            variant.name
        );
    }
}

#[test]
fn every_variant_gets_its_verdict() {
    every(variants::all().iter(), |variant| {
        let installation = Installation::small(&variant.base);
        let manifest = installation.package().join("package.json");
        if let Some(version) = &variant.version {
            write(
                &manifest,
                &format!(r#"{{"name": "knex-migrator", "version": "{version}"}}"#),
            );
        }
        let text = variant.text();
        write(installation.database(), &text);
        let report = installation.patch();
        let after = fs::read_to_string(installation.database()).unwrap();
        let refused = variant.state.is_refusal();

        if report.state() != variant.state.word() {
            return Some(format!(
                "must be {}, is {}",
                variant.state.word(),
                report.entry()["reason"]
            ));
        }
        assert_eq!(
            report.code(),
            if refused { 4 } else { 0 },
            "{}: {}",
            variant.name,
            report.answer
        );
        if variant.state != State::Applied {
            return (after != text).then(|| "its file was written".to_owned());
        }
        let again = installation.patch();
        let reverted = installation.revert();
        let back = fs::read_to_string(installation.database()).unwrap() == text;
        let whole = again.state() == "already-applied" && reverted.code() == 0 && back;
        (!whole).then(|| {
            format!(
                "it is not given back as it was: {}{}",
                again.answer, reverted.answer
            )
        })
    });
}

#[test]
fn every_refusal_is_owed_to_the_guards_that_are_named() {
    every(
        variants::all()
            .iter()
            .filter(|variant| variant.state.is_refusal()),
        |variant| {
            let mut wrong = String::new();
            for (recognition, proof) in [(false, true), (true, false), (false, false)] {
                let still_guarded = variant.stopped_by.iter().any(|guard| match guard {
                    Guard::Recognition => recognition,
                    Guard::Proof => proof,
                });
                let refused = judge(variant, Guards { recognition, proof })
                    .change
                    .is_none();
                if refused != (still_guarded || variant.no_place) {
                    let verdict = if refused { "refused" } else { "patched" };
                    write!(
                        wrong,
                        "{verdict} with recognition {recognition}, proof {proof}; "
                    )
                    .unwrap();
                }
            }
            (!wrong.is_empty()).then_some(wrong)
        },
    );
}

#[test]
fn node_finds_what_changed_to_be_changed() {
    every(families(&["changed"]), |variant| {
        let published = witness::watch(&variant.published());
        let edited = witness::watch(&variant.text());
        (published == edited).then(|| "no case shows any change".to_owned())
    });
}

#[test]
fn node_finds_every_patched_variant_to_be_sound() {
    every(
        variants::all()
            .iter()
            .filter(|variant| variant.state == State::Applied),
        |variant| {
            let assessment = judge(variant, Guards::default());
            let Some(change) = assessment.change else {
                return Some("is not patched at all".to_owned());
            };
            let flaws = witness::flaws(
                &witness::watch(&variant.text()),
                &witness::watch(&change.after),
            );
            (!flaws.is_empty()).then(|| flaws.join("\n    "))
        },
    );
}

#[test]
fn node_agrees_about_the_edits_of_others() {
    every(families(&["by-hand", "upstream"]), |variant| {
        let published = witness::watch(&variant.published());
        let shortcomings = witness::shortcomings(&published, &witness::watch(&variant.text()));
        match (variant.state, shortcomings.is_empty()) {
            (State::ByHand | State::FixedUpstream, false) => Some(shortcomings.join("\n    ")),
            (State::BrokenByHand | State::Applied | State::Drifted, true) => {
                Some("Node finds nothing wrong with it".to_owned())
            }
            _ => None,
        }
    });
}
