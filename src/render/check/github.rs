//! As annotations of a GitHub workflow: one for each target that is not fine or changed, one for the whole.

use super::summary;
use super::upgrade::kinds;
use crate::migrations::hazards;
use crate::render::github::{Level, annotate};
use crate::report::CheckReport;
use crate::report::check::{TargetReport, Verdict, VerdictChange};

pub(super) fn report(report: &CheckReport) -> String {
    let mut commands = String::new();
    for target in &report.targets {
        let level = match target.verdict {
            Verdict::Ok => None,
            // One of many old Ghosts is no news; the only one that was asked about is.
            Verdict::NotApplicable => report.single().map(|_| Level::Notice),
            Verdict::Unknown => Some(Level::Error),
            Verdict::Refused if report.is_known(target) => Some(Level::Warning),
            Verdict::Refused => Some(Level::Error),
        };
        if let Some(level) = level {
            let title = format!("{}: {}", summary::name(target), target.verdict.word());
            commands.push_str(&annotate(level, &[], &title, &words(target)));
        }
        for kind in target
            .upgrade
            .iter()
            .flat_map(|upgrade| kinds(&upgrade.plan))
        {
            let level = match kind.level {
                hazards::Level::Error => Level::Error,
                hazards::Level::Warning => Level::Warning,
                hazards::Level::Notice => Level::Notice,
            };
            let title = format!("{}: {}", summary::name(target), kind.id);
            commands.push_str(&annotate(level, &[], &title, &kind.words()));
        }
        for note in &target.notes {
            let title = format!("{}: note", summary::name(target));
            commands.push_str(&annotate(Level::Notice, &[], &title, note));
        }
    }
    for change in report.comparison.iter().flat_map(|found| &found.changes) {
        let level = if VerdictChange::is_worse(change) {
            Level::Error
        } else {
            Level::Notice
        };
        commands.push_str(&annotate(
            level,
            &[],
            "ghostfix: changed",
            &summary::change(change),
        ));
    }
    for note in &report.notes {
        commands.push_str(&annotate(Level::Notice, &[], "ghostfix: note", note));
    }
    let level = Level::of(report.outcome());
    let whole = format!("{}\n{}", summary::done(report), summary::meaning(report));
    commands.push_str(&annotate(level, &[], "ghostfix check", &whole));
    commands
}

fn words(target: &TargetReport) -> String {
    let mut words = target.reason.clone();
    let mut steps: Vec<&String> = Vec::new();
    for entry in target
        .patches
        .iter()
        .filter(|entry| entry.state.is_refusal())
    {
        words.push_str(&format!(
            "\n{}: {}: {} {}: {}",
            entry.id,
            entry.state.word(),
            entry.package,
            entry.version,
            entry.reason
        ));
        // What is the same for all is said once, at the end.
        if let Some(step) = entry
            .next_step
            .as_ref()
            .filter(|step| !steps.contains(step))
        {
            steps.push(step);
        }
    }
    steps.extend(
        target
            .next_step
            .as_ref()
            .filter(|step| !steps.contains(step)),
    );
    for step in steps {
        words.push_str(&format!("\nnext: {step}"));
    }
    words
}
