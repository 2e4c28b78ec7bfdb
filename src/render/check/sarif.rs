//! As SARIF 2.1.0: a result for each file that would be refused. What could not be had is a notification.

use std::path::Path;

use serde_json::{Value, json};

use super::summary;
use super::upgrade::kinds;
use crate::migrations::hazards;
use crate::render::json::outcome_word;
use crate::render::sarif::{log, notification, result, run};
use crate::report::check::Verdict;
use crate::report::{CheckReport, State};

pub(super) fn report(report: &CheckReport) -> String {
    let ids: Vec<&str> = report
        .selected
        .iter()
        .map(|patch| patch.id.as_str())
        .collect();
    let mut results = Vec::new();
    let mut notifications = Vec::new();
    for target in &report.targets {
        let version = target.ghost.as_deref().unwrap_or(&target.target);
        // No file of the checkout: the package's name and version stand for its directory.
        let root = format!("ghost@{version}");
        for entry in &target.patches {
            let stops = entry.state.is_refusal() || entry.state == State::Interrupted;
            let rule = ids.iter().position(|id| *id == entry.id);
            if let (true, Some(rule)) = (stops, rule) {
                let level = if report.is_known(target) {
                    "warning"
                } else {
                    "error"
                };
                results.push(result(level, rule, Path::new(&root), entry));
            }
        }
        if target.verdict == Verdict::Unknown {
            let words = format!("{}: {}", summary::name(target), target.reason);
            notifications.push(notification("error", &words));
        }
        for kind in target
            .upgrade
            .iter()
            .flat_map(|upgrade| kinds(&upgrade.plan))
        {
            let level = match kind.level {
                hazards::Level::Error => "error",
                hazards::Level::Warning => "warning",
                hazards::Level::Notice => "note",
            };
            let words = format!("{}: {}: {}", summary::name(target), kind.id, kind.words());
            notifications.push(notification(level, &words));
        }
        let notes = target.notes.iter();
        notifications.extend(
            notes.map(|note| notification("note", &format!("{}: {note}", summary::name(target)))),
        );
    }
    notifications.extend(report.notes.iter().map(|note| notification("note", note)));
    let outcome = report.outcome();
    let is_whole = !report
        .targets
        .iter()
        .any(|target| target.verdict == Verdict::Unknown);
    let mut run = run(&ids, results, is_whole, outcome.exit_code(), notifications);
    for (number, patch) in report.selected.iter().enumerate() {
        run["tool"]["driver"]["rules"][number]["shortDescription"] = json!({ "text": patch.title });
    }
    let targets: Vec<Value> = report
        .targets
        .iter()
        .map(|target| {
            json!({ "target": target.target, "ghost": target.ghost, "verdict": target.verdict })
        })
        .collect();
    run["properties"] = json!({ "outcome": outcome_word(outcome), "targets": targets });
    log(run)
}
