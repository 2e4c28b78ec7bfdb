//! As a JSON object, described by `schema/check.v1.json`. It serves as the baseline of a later run, too.

use serde::Serialize;

use super::summary;
use crate::ghost::release::ResolvedVia;
use crate::migrations::database::{Outlook, State};
use crate::migrations::inventory::Named;
use crate::migrations::{self, Hazard, Summary};
use crate::render::json::{EntryObject, GHOSTFIX, entry, outcome_word, to_text};
use crate::report::CheckReport;
use crate::report::check::{
    Asked, Comparison, Dependency, TargetReport, ToldBy, Upgrade, Verdict, VerdictChange,
};

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
    resolved_via: String,
    ghost: Option<String>,
    node: Option<&'r str>,
    knex_migrator: Option<String>,
    mysql2: Option<String>,
    mysql: Option<String>,
    hazards: &'r [Hazard],
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<DatabaseObject<'r>>,
}

#[derive(Serialize)]
struct DatabaseObject<'r> {
    address: &'r str,
    state: State,
    migrated_by: Option<&'r str>,
    rows: usize,
    lock: &'static str,
    collations: &'static str,
    not_in_target: &'r [Named],
    not_known: &'r [String],
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
    let Upgrade {
        from,
        told_by,
        plan,
    } = upgrade;
    let brings = plan.from.as_ref();
    let migrator = brings.and_then(|brings| brings.knex_migrator.as_ref());
    let mysql2 = brings.and_then(|brings| brings.mysql2.as_ref());
    let mysql = brings.and_then(|brings| brings.mysql.as_ref());
    let (resolved_via, database) = match told_by {
        ToldBy::Ghost(via) => (via.to_string(), None),
        ToldBy::Database(asked) => ("database".to_owned(), Some(asked)),
    };
    let migrated_by = database.and_then(|asked| asked.outlook.migrated_by.clone());
    UpgradeObject {
        from,
        resolved_via,
        ghost: brings
            .map(|brings| brings.ghost.to_string())
            .or(migrated_by),
        node: brings.and_then(|brings| brings.node.as_deref()),
        knex_migrator: migrator.map(ToString::to_string),
        mysql2: mysql2.map(ToString::to_string),
        mysql: mysql.map(ToString::to_string),
        hazards: &plan.hazards,
        database: database.map(|found| asked(found)),
    }
}

fn asked(asked: &Asked) -> DatabaseObject<'_> {
    let Asked { address, outlook } = asked;
    let Outlook {
        state,
        pending: _,
        migrated_by,
        rows,
        lock,
        collations,
        not_in_target,
        hazards: _,
        not_known,
    } = outlook;
    DatabaseObject {
        address,
        state: *state,
        migrated_by: migrated_by.as_deref(),
        rows: *rows,
        lock: lock.word(),
        collations: collations.word(),
        not_in_target,
        not_known,
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
