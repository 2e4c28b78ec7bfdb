//! As a JSON object, described by `schema/check.v1.json`. It serves as the baseline of a later run, too.

use serde::Serialize;

use super::summary;
use crate::ghost::release::ResolvedVia;
use crate::migrations::plan::Brings;
use crate::migrations::{self, Hazard, Summary};
use crate::render::json::{EntryObject, GHOSTFIX, entry, outcome_word, to_text};
use crate::report::CheckReport;
use crate::report::check::{Comparison, Dependency, TargetReport, Upgrade, Verdict, VerdictChange};

#[derive(Serialize)]
struct CheckObject<'r> {
    schema: &'static str,
    ghostfix: &'static str,
    outcome: &'static str,
    exit_code: u8,
    summary: String,
    selected: Vec<&'r str>,
    targets: Vec<TargetObject<'r>>,
    comparison: Option<ComparisonObject<'r>>,
    notes: &'r [String],
}

#[derive(Serialize)]
struct TargetObject<'r> {
    target: &'r str,
    resolved_via: ResolvedVia,
    image: Option<&'r str>,
    ghost: Option<&'r str>,
    node: Option<&'r str>,
    knex_migrator: Option<DependencyObject<'r>>,
    mysql2: Option<DependencyObject<'r>>,
    mysql: Option<DependencyObject<'r>>,
    verdict: Verdict,
    reason: &'r str,
    next_step: Option<&'r str>,
    patches: Vec<EntryObject<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upgrade: Option<UpgradeObject<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    migrations: Option<Vec<Summary>>,
    notes: &'r [String],
}

#[derive(Serialize)]
struct UpgradeObject<'r> {
    from: &'r str,
    ghost: String,
    node: Option<&'r str>,
    knex_migrator: Option<String>,
    mysql2: Option<String>,
    hazards: &'r [Hazard],
}

#[derive(Serialize)]
struct DependencyObject<'r> {
    package: &'r str,
    version: &'r str,
    settled_by: &'r str,
}

#[derive(Serialize)]
struct ComparisonObject<'r> {
    baseline: &'r str,
    worse: bool,
    changes: Vec<ChangeObject<'r>>,
    added: &'r [String],
}

#[derive(Serialize)]
struct ChangeObject<'r> {
    target: &'r str,
    before: Verdict,
    before_ghost: Option<&'r str>,
    after: Verdict,
    worse: bool,
}

pub(super) fn report(report: &CheckReport) -> String {
    let outcome = report.outcome();
    to_text(&CheckObject {
        schema: "ghostfix.check.v1",
        ghostfix: GHOSTFIX,
        outcome: outcome_word(outcome),
        exit_code: outcome.exit_code(),
        summary: summary::done(report),
        selected: report
            .selected
            .iter()
            .map(|patch| patch.id.as_str())
            .collect(),
        targets: report.targets.iter().map(target).collect(),
        comparison: report.comparison.as_ref().map(comparison),
        notes: &report.notes,
    })
}

fn target(report: &TargetReport) -> TargetObject<'_> {
    let TargetReport {
        target,
        resolved_via,
        image,
        ghost,
        node,
        knex_migrator,
        mysql2,
        mysql,
        verdict,
        reason,
        next_step,
        patches,
        upgrade,
        notes,
    } = report;
    TargetObject {
        target,
        resolved_via: *resolved_via,
        image: image.as_deref(),
        ghost: ghost.as_deref(),
        node: node.as_deref(),
        knex_migrator: knex_migrator.as_ref().map(dependency),
        mysql2: mysql2.as_ref().map(dependency),
        mysql: mysql.as_ref().map(dependency),
        verdict: *verdict,
        reason,
        next_step: next_step.as_deref(),
        patches: patches.iter().map(entry).collect(),
        upgrade: upgrade.as_ref().map(from),
        migrations: upgrade
            .as_ref()
            .map(|upgrade| migrations::summary::migrations(&upgrade.plan)),
        notes,
    }
}

fn from(upgrade: &Upgrade) -> UpgradeObject<'_> {
    let Upgrade { from, plan } = upgrade;
    let Brings {
        ghost,
        node,
        knex_migrator,
        mysql2,
    } = &plan.from;
    UpgradeObject {
        from,
        ghost: ghost.to_string(),
        node: node.as_deref(),
        knex_migrator: knex_migrator.as_ref().map(ToString::to_string),
        mysql2: mysql2.as_ref().map(ToString::to_string),
        hazards: &plan.hazards,
    }
}

fn dependency(dependency: &Dependency) -> DependencyObject<'_> {
    let Dependency {
        package,
        version,
        settled_by,
    } = dependency;
    DependencyObject {
        package,
        version,
        settled_by,
    }
}

fn comparison(comparison: &Comparison) -> ComparisonObject<'_> {
    let Comparison {
        baseline,
        changes,
        added,
    } = comparison;
    ComparisonObject {
        baseline,
        worse: changes.iter().any(VerdictChange::is_worse),
        changes: changes.iter().map(change).collect(),
        added,
    }
}

fn change(change: &VerdictChange) -> ChangeObject<'_> {
    let VerdictChange {
        target,
        before: (before, ghost),
        after,
    } = change;
    ChangeObject {
        target,
        before: *before,
        before_ghost: ghost.as_deref(),
        after: *after,
        worse: change.is_worse(),
    }
}
