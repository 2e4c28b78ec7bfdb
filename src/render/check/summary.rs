//! What every form says in the same words: the sums, the states of a Ghost's patches, the Nodes that it wants.

use std::collections::BTreeMap;

use super::upgrade::kinds;
use crate::migrations::hazards::Level;
use crate::render::text::count;
use crate::report::check::{Scope, TargetReport, Verdict, VerdictChange};
use crate::report::{CheckReport, Outcome, State};

/// The verdicts, the good ones first.
pub(super) const VERDICTS: [Verdict; 4] = [
    Verdict::Ok,
    Verdict::NotApplicable,
    Verdict::Refused,
    Verdict::Unknown,
];

/// What was found out, in one sentence, and one more where an upgrade would fail.
pub(super) fn done(report: &CheckReport) -> String {
    let mut done = verdicts(report);
    if let Some(errors) = errors(report) {
        done.push(' ');
        done.push_str(&errors);
    }
    done
}

/// What makes the upgrade fail that was asked about: no verdict tells, which is about patches alone.
pub(super) fn errors(report: &CheckReport) -> Option<String> {
    let mut ids: Vec<&str> = Vec::new();
    let mut number = 0;
    let mut begin = "";
    for upgrade in report
        .targets
        .iter()
        .filter_map(|target| target.upgrade.as_ref())
    {
        let kinds = kinds(&upgrade.plan);
        let errors = kinds.iter().filter(|kind| kind.level == Level::Error);
        for kind in errors.clone() {
            if !ids.contains(&kind.id) {
                ids.push(kind.id);
            }
        }
        if errors.count() > 0 {
            number += 1;
            begin = &upgrade.from;
        }
    }
    if number == 0 {
        return None;
    }
    let to = if report.single().is_some() {
        String::new()
    } else {
        format!(" to {number} of them")
    };
    let begin = if begin == "database" {
        "the database"
    } else {
        begin
    };
    Some(format!(
        "Errors in the upgrade from {begin}{to}: {}.",
        ids.join(", ")
    ))
}

fn verdicts(report: &CheckReport) -> String {
    if let Some(target) = report.single() {
        let name = name(target);
        return match target.verdict {
            Verdict::Ok => format!("{name} can be patched: {}.", states(target)),
            Verdict::NotApplicable => format!("{name} has nothing to patch."),
            Verdict::Refused => format!("{name} cannot be patched: {}.", states(target)),
            Verdict::Unknown => format!("{name} is unknown."),
        };
    }
    let what = match &report.scope {
        Scope::Named => count(report.targets.len(), "target", "targets"),
        Scope::All => format!("{} published Ghosts", report.targets.len()),
        Scope::Since(version) => format!(
            "{} since {version}",
            count(report.targets.len(), "Ghost", "Ghosts")
        ),
    };
    let sums: Vec<String> = VERDICTS
        .into_iter()
        .filter_map(|verdict| match number(report, verdict) {
            0 => None,
            number => Some(format!("{number} {}", verdict.word())),
        })
        .collect();
    format!("Of {what}: {}.", sums.join(", "))
}

/// What it means, in one sentence.
pub(super) fn meaning(report: &CheckReport) -> String {
    if let Some(comparison) = &report.comparison {
        let worse: Vec<&str> = comparison
            .changes
            .iter()
            .filter(|change| change.is_worse())
            .map(|change| change.target.as_str())
            .collect();
        let baseline = &comparison.baseline;
        return match (worse.as_slice(), report.outcome()) {
            ([], Outcome::Yes) => format!("No verdict is worse than in {baseline}."),
            ([], Outcome::Unknown) => {
                format!("What is unknown cannot be compared with {baseline}.")
            }
            // What is refused is no worse, then: it is not in there.
            ([], _) => format!("What is refused is not in {baseline}."),
            (worse, _) => format!("Worse than in {baseline}: {}.", worse.join(", ")),
        };
    }
    match report.outcome() {
        Outcome::Yes if report.single().is_some() => {
            "`ghostfix patch` in its Dockerfile makes and proves the same.".to_owned()
        }
        Outcome::Yes => "None of them is refused, and none is unknown.".to_owned(),
        Outcome::No | Outcome::Refused if report.single().is_none() => {
            let which = match number(report, Verdict::Refused) {
                1 => "the one that is refused".to_owned(),
                number => format!("any of the {number} that are refused"),
            };
            format!(
                "An image build of {which} stops at `ghostfix patch`, before that Ghost fails at boot."
            )
        }
        Outcome::No | Outcome::Refused => {
            "An image build with `ghostfix patch` stops there, before that Ghost fails at boot."
                .to_owned()
        }
        Outcome::NothingToWorkOn => {
            "A Ghost older than 1.0 has no knex-migrator: ghostfix has nothing to say about it."
                .to_owned()
        }
        Outcome::Unknown => {
            "What is unknown is no yes: run it again, or look at the reason.".to_owned()
        }
    }
}

pub(super) fn number(report: &CheckReport, verdict: Verdict) -> usize {
    report
        .targets
        .iter()
        .filter(|target| target.verdict == verdict)
        .count()
}

/// `Ghost 6.65.0`, and how it was asked for where that says more.
pub(super) fn name(target: &TargetReport) -> String {
    match &target.ghost {
        Some(version) if *version == target.target => format!("Ghost {version}"),
        Some(version) => format!("Ghost {version} ({})", target.target),
        None => target.target.clone(),
    }
}

/// The states of its patches in numbers: `5 would-apply, 1 not-needed`; what is refused by its id.
pub(super) fn states(target: &TargetReport) -> String {
    let mut numbers: BTreeMap<State, usize> = BTreeMap::new();
    let mut refused = Vec::new();
    for entry in &target.patches {
        if entry.state.is_refusal() || entry.state == State::Interrupted {
            refused.push(format!("{} {}", entry.id, entry.state.word()));
        } else {
            *numbers.entry(entry.state).or_default() += 1;
        }
    }
    if !refused.is_empty() {
        return refused.join(", ");
    }
    numbers
        .into_iter()
        .map(|(state, number)| format!("{number} {}", state.word()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The majors of a range of Nodes, where that is what it names: `18, 20, 22` for `^18.12.1 || ^20.11.1 || ^22.13.1`.
pub(super) fn node_majors(range: &str) -> String {
    let majors: Option<Vec<String>> = range
        .split("||")
        .map(|part| {
            let version = part.trim().strip_prefix(['^', '~']).unwrap_or(part.trim());
            let mut numbers = version.split('.');
            let major: u32 = numbers.next()?.parse().ok()?;
            Some(match (major, numbers.next()) {
                (0, Some(minor)) => format!("0.{minor}"),
                _ => major.to_string(),
            })
        })
        .collect();
    majors.map_or_else(|| range.to_owned(), |majors| majors.join(", "))
}

/// What became of a verdict, in words.
pub(super) fn change(change: &VerdictChange) -> String {
    let (before, ghost) = &change.before;
    let of = ghost
        .as_deref()
        .filter(|ghost| *ghost != change.target)
        .map(|ghost| format!(" ({ghost})"))
        .unwrap_or_default();
    format!(
        "{}: {}{of} before, {} now",
        change.target,
        before.word(),
        change.after.word()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_told_by_their_majors_where_a_range_names_them() {
        for (range, expected) in [
            ("^22.13.1", "22"),
            ("^18.12.1 || ^20.11.1 || ^22.13.1", "18, 20, 22"),
            ("~0.10.0 || ~0.12.0 || ^4.2.0", "0.10, 0.12, 4"),
            (">=4 <5", ">=4 <5"),
            ("*", "*"),
        ] {
            assert_eq!(node_majors(range), expected);
        }
    }
}
