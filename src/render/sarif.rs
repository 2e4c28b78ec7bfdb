//! A report as SARIF 2.1.0, for code scanning: one run, a rule for each patch, a result for each file that something
//! is wrong with or that would be changed. Files that are as they should be are no results.

use std::path::{Component, Path};

use serde_json::{Value, json};

use super::{diff, json as json_form, snippet, text};
use crate::error::Error;
use crate::report::{Evidence, PatchEntry, PatchReport, PatchesReport, State};

/// The name that stands for the root in the paths of the results.
const ROOT: &str = "GHOST";

pub(super) fn patch_report(report: &PatchReport) -> String {
    let outcome = report.outcome();
    let mut ids: Vec<&str> = Vec::new();
    for entry in &report.patches {
        if !ids.contains(&entry.id.as_str()) {
            ids.push(&entry.id);
        }
    }
    let results: Vec<Value> = report
        .patches
        .iter()
        .filter_map(|entry| {
            let rule = ids.iter().position(|id| *id == entry.id)?;
            Some(result(level(entry.state)?, rule, &report.root, entry))
        })
        .collect();
    let unreadable = report.coverage.unreadable.iter().map(|directory| {
        notification(
            "warning",
            &format!(
                "{} could not be read; what it holds is unknown",
                text::path_text(directory)
            ),
        )
    });
    let notes = report.notes.iter().map(|note| notification("note", note));
    let mut run = run(
        &ids,
        results,
        true,
        outcome.exit_code(),
        unreadable.chain(notes).collect(),
    );
    if let Some(root) = file_uri(&report.root) {
        run["originalUriBaseIds"] = json!({ ROOT: { "uri": root } });
    }
    let states: Vec<Value> = report
        .patches
        .iter()
        .map(|entry| json!({ "id": entry.id, "path": text::path_text(&entry.path), "state": entry.state }))
        .collect();
    run["properties"] = json!({
        "ghost": report.ghost.version,
        "outcome": json_form::outcome_word(outcome),
        "patches": states,
    });
    log(run)
}

/// The patches as rules, without results.
pub(super) fn patches_report(report: &PatchesReport) -> String {
    let patches = match report {
        PatchesReport::List(patches) => patches.as_slice(),
        PatchesReport::Page { patch, .. } => std::slice::from_ref(patch),
    };
    let ids: Vec<&str> = patches.iter().map(|patch| patch.id.as_str()).collect();
    let mut run = run(&ids, Vec::new(), true, 0, Vec::new());
    for (number, patch) in patches.iter().enumerate() {
        run["tool"]["driver"]["rules"][number]["shortDescription"] = json!({ "text": patch.title });
    }
    log(run)
}

pub(super) fn error(error: &Error) -> String {
    let words = format!("{error}\n{}", error.next_step());
    log(run(
        &[],
        Vec::new(),
        false,
        error.exit_code(),
        vec![notification("error", &words)],
    ))
}

pub(super) fn log(run: Value) -> String {
    json_form::to_text(&json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }))
}

pub(super) fn run(
    ids: &[&str],
    results: Vec<Value>,
    successful: bool,
    exit_code: u8,
    notifications: Vec<Value>,
) -> Value {
    let rules: Vec<Value> = ids
        .iter()
        .map(|id| json!({ "id": id, "help": { "text": format!("`ghostfix patches show {id}` explains this patch.") } }))
        .collect();
    json!({
        "tool": { "driver": {
            "name": "ghostfix",
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": rules,
        } },
        "columnKind": "unicodeCodePoints",
        "invocations": [{
            "executionSuccessful": successful,
            "exitCode": exit_code,
            "toolExecutionNotifications": notifications,
        }],
        "results": results,
    })
}

pub(super) fn notification(level: &str, words: &str) -> Value {
    json!({ "level": level, "message": { "text": words } })
}

/// SARIF's level; `None` where a file is as it should be.
fn level(state: State) -> Option<&'static str> {
    match state {
        State::Applied
        | State::AlreadyApplied
        | State::Reverted
        | State::ByHand
        | State::FixedUpstream
        | State::NotNeeded => None,
        State::WouldApply => Some("note"),
        State::Outdated => Some("warning"),
        State::NotApplied
        | State::Interrupted
        | State::Drifted
        | State::Ambiguous
        | State::BrokenByHand
        | State::Missing
        | State::ProofFailed => Some("error"),
    }
}

pub(super) fn result(level: &str, rule: usize, root: &Path, entry: &PatchEntry) -> Value {
    let mut words = format!("{}: {}", entry.state.word(), entry.reason);
    if let Some(step) = &entry.next_step {
        words.push_str("\nNext: ");
        words.push_str(step);
    }
    let path = text::path_text(&entry.path);
    let (mut locations, mut related) = (Vec::new(), Vec::new());
    for (number, (place, label)) in regions(entry).into_iter().enumerate() {
        let mut physical = json!({ "artifactLocation": artifact(root, &entry.path) });
        if let Some(region) = place {
            physical["region"] = region;
        }
        let mut location = json!({ "physicalLocation": physical });
        if let Some(label) = label {
            location["message"] = json!({ "text": label });
        }
        if number == 0 {
            locations.push(location)
        } else {
            related.push(location)
        }
    }
    json!({
        "ruleId": entry.id,
        "ruleIndex": rule,
        "level": level,
        "message": { "text": words },
        "locations": locations,
        "relatedLocations": related,
        // The same finding in the next run is the same finding, wherever its line has moved to.
        "partialFingerprints": { "ghostfix/v1": format!("{}:{path}", entry.id) },
        "properties": {
            "package": entry.package,
            "version": entry.version,
            "state": entry.state,
            "shape": entry.shape,
        },
    })
}

/// The places that a result is about, the first one first, with what to say there: those of the evidence, else where
/// the change is, else the file.
fn regions(entry: &PatchEntry) -> Vec<(Option<Value>, Option<&str>)> {
    let evidence = entry
        .evidence
        .as_ref()
        .filter(|evidence| !evidence.labels.is_empty());
    let Some(Evidence { source, labels, .. }) = evidence else {
        return vec![(
            diff::first_changed_line(&entry.diff).map(|line| json!({ "startLine": line })),
            None,
        )];
    };
    labels
        .iter()
        .map(|(range, label)| {
            let (start, end) = snippet::positions(source, range);
            let region = json!({
                "startLine": start.line,
                "startColumn": start.column,
                "endLine": end.line,
                "endColumn": end.column,
            });
            (Some(region), Some(label.as_str()))
        })
        .collect()
}

/// Relative to the checkout where the root is, else to the root.
fn artifact(root: &Path, path: &Path) -> Value {
    if root.is_absolute() {
        json!({ "uri": relative_uri(path), "uriBaseId": ROOT })
    } else {
        json!({ "uri": relative_uri(&root.join(path)) })
    }
}

/// `file:///var/lib/ghost/`, where the root is absolute.
fn file_uri(root: &Path) -> Option<String> {
    let relative = root.strip_prefix("/").ok()?;
    let uri = relative_uri(relative);
    Some(if uri.is_empty() {
        "file:///".to_owned()
    } else {
        format!("file:///{uri}/")
    })
}

/// A path as a URI reference, without the `./` that a root may begin with.
fn relative_uri(path: &Path) -> String {
    let parts: Vec<String> = path
        .components()
        .filter(|component| !matches!(component, Component::CurDir))
        .map(|component| percent_encode(component.as_os_str().as_encoded_bytes()))
        .collect();
    parts.join("/")
}

/// Every byte but those that RFC 3986 leaves unreserved, and `@`, which pnpm's directories are full of.
fn percent_encode(bytes: &[u8]) -> String {
    let mut uri = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' => {
                uri.push(char::from(*byte))
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests;
