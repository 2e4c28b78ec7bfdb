//! Reports as JSON objects. The structs are our own, not the report's: a report may change any day, these only on
//! purpose and together with the JSON Schemas in `schema/`.

use serde::Serialize;

use super::{snippet, text, verdict::verdict};
use crate::error::Error;
use crate::report::{
    CaseResult, Coverage, Evidence, Outcome, PatchCommand, PatchDescription, PatchEntry,
    PatchReport, PatchesReport, Proof, ProofResult, State,
};

#[derive(Serialize)]
struct PatchObject<'r> {
    schema: &'static str,
    ghostfix: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
    outcome: &'static str,
    exit_code: u8,
    summary: String,
    root: String,
    ghost: GhostObject<'r>,
    coverage: CoverageObject,
    patches: Vec<EntryObject<'r>>,
    notes: &'r [String],
}

#[derive(Serialize)]
struct GhostObject<'r> {
    version: &'r str,
    directory: String,
}

#[derive(Serialize)]
struct CoverageObject {
    node_resolution: bool,
    package_directories: bool,
    everything: bool,
    unreadable: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct EntryObject<'r> {
    id: &'r str,
    package: &'r str,
    version: &'r str,
    path: String,
    state: State,
    shape: Option<&'r str>,
    proof: ProofObject<'r>,
    diff: &'r str,
    reason: &'r str,
    next_step: Option<&'r str>,
    evidence: Option<EvidenceObject<'r>>,
}

#[derive(Serialize)]
struct ProofObject<'r> {
    syntax: ProofResult,
    behaviour: ProofResult,
    cases: Vec<CaseObject<'r>>,
}

#[derive(Serialize)]
struct CaseObject<'r> {
    name: &'r str,
    result: ProofResult,
    detail: &'r str,
}

#[derive(Serialize)]
struct EvidenceObject<'r> {
    places: Vec<PlaceObject<'r>>,
    nearest_shape: Option<&'r str>,
    shape_diff: &'r str,
}

#[derive(Serialize)]
struct PlaceObject<'r> {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    message: &'r str,
}

#[derive(Serialize)]
struct PatchesObject<'r> {
    schema: &'static str,
    ghostfix: &'static str,
    patches: Vec<DescriptionObject<'r>>,
}

#[derive(Serialize)]
struct DescriptionObject<'r> {
    id: &'r str,
    title: &'r str,
    package: &'r str,
    files: &'r [String],
    profiles: Vec<&'static str>,
    shapes: &'r [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'r str>,
}

#[derive(Serialize)]
struct ErrorObject<'r> {
    schema: &'static str,
    ghostfix: &'static str,
    error: String,
    next_step: &'r str,
    exit_code: u8,
}

pub(super) const GHOSTFIX: &str = env!("CARGO_PKG_VERSION");

/// The word for an outcome, in JSON and SARIF.
pub(super) fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Yes => "yes",
        Outcome::No => "no",
        Outcome::NothingToWorkOn => "nothing-to-work-on",
        Outcome::Refused => "refused",
        Outcome::Unknown => "unknown",
    }
}

pub(super) fn patch_report(report: &PatchReport) -> String {
    let (schema, dry_run) = match report.command {
        PatchCommand::Patch => ("ghostfix.patch.v1", Some(false)),
        PatchCommand::PatchDryRun => ("ghostfix.patch.v1", Some(true)),
        PatchCommand::Verify => ("ghostfix.verify.v1", None),
        PatchCommand::Revert => ("ghostfix.revert.v1", None),
    };
    let outcome = report.outcome();
    to_text(&PatchObject {
        schema,
        ghostfix: GHOSTFIX,
        dry_run,
        outcome: outcome_word(outcome),
        exit_code: outcome.exit_code(),
        summary: verdict(report).done,
        root: text::path_text(&report.root),
        ghost: GhostObject {
            version: &report.ghost.version,
            directory: text::path_text(&report.ghost.directory),
        },
        coverage: coverage(&report.coverage),
        patches: report.patches.iter().map(entry).collect(),
        notes: &report.notes,
    })
}

pub(super) fn patches_report(report: &PatchesReport) -> String {
    let patches = match report {
        PatchesReport::List(patches) => patches
            .iter()
            .map(|patch| description(patch, None))
            .collect(),
        PatchesReport::Page { patch, page } => vec![description(patch, Some(page))],
    };
    to_text(&PatchesObject {
        schema: "ghostfix.patches.v1",
        ghostfix: GHOSTFIX,
        patches,
    })
}

pub(super) fn error(error: &Error) -> String {
    to_text(&ErrorObject {
        schema: "ghostfix.error.v1",
        ghostfix: GHOSTFIX,
        error: error.to_string(),
        next_step: error.next_step(),
        exit_code: error.exit_code(),
    })
}

fn coverage(coverage: &Coverage) -> CoverageObject {
    let Coverage {
        node_resolution,
        package_directories,
        everything,
        unreadable,
    } = coverage;
    CoverageObject {
        node_resolution: *node_resolution,
        package_directories: *package_directories,
        everything: *everything,
        unreadable: unreadable
            .iter()
            .map(|directory| text::path_text(directory))
            .collect(),
    }
}

pub(super) fn entry(entry: &PatchEntry) -> EntryObject<'_> {
    let PatchEntry {
        id,
        package,
        version,
        path,
        state,
        shape,
        proof,
        diff,
        reason,
        next_step,
        evidence,
    } = entry;
    let Proof {
        syntax,
        behaviour,
        cases,
    } = proof;
    EntryObject {
        id,
        package,
        version,
        path: text::path_text(path),
        state: *state,
        shape: shape.as_deref(),
        proof: ProofObject {
            syntax: *syntax,
            behaviour: *behaviour,
            cases: cases
                .iter()
                .map(
                    |CaseResult {
                         name,
                         result,
                         detail,
                     }| CaseObject {
                        name,
                        result: *result,
                        detail,
                    },
                )
                .collect(),
        },
        diff,
        reason,
        next_step: next_step.as_deref(),
        evidence: evidence.as_ref().map(self::evidence),
    }
}

/// The file's source text stays out: it may be large, and the reader has the file.
fn evidence(evidence: &Evidence) -> EvidenceObject<'_> {
    let Evidence {
        source,
        labels,
        nearest_shape,
        shape_diff,
    } = evidence;
    EvidenceObject {
        places: labels
            .iter()
            .map(|(range, message)| {
                let (start, end) = snippet::positions(source, range);
                PlaceObject {
                    line: start.line,
                    column: start.column,
                    end_line: end.line,
                    end_column: end.column,
                    message,
                }
            })
            .collect(),
        nearest_shape: nearest_shape.as_ref().map(|(shape, _)| shape.as_str()),
        shape_diff,
    }
}

fn description<'r>(patch: &'r PatchDescription, page: Option<&'r str>) -> DescriptionObject<'r> {
    let PatchDescription {
        id,
        title,
        package,
        files,
        profiles,
        shapes,
    } = patch;
    let profiles = profiles.iter().map(|profile| profile.word()).collect();
    DescriptionObject {
        id,
        title,
        package,
        files,
        profiles,
        shapes,
        page,
    }
}

/// Indented JSON with a line end. Characters that do not show themselves stand in it as `\uXXXX`, which means the
/// same to a program and does nothing to a terminal.
pub(super) fn to_text(value: &impl Serialize) -> String {
    let json = serde_json::to_string_pretty(value)
        .expect("strings, numbers and lists of them are always JSON");
    let mut shown = visible(&json);
    shown.push('\n');
    shown
}

/// The same JSON, with nothing in it that does not show itself.
pub(super) fn visible(json: &str) -> String {
    let mut shown = String::with_capacity(json.len() + 1);
    for character in json.chars() {
        // Outside of strings there is no such character but the line ends of the indentation.
        if text::is_hidden(character) && character != '\n' {
            for unit in character.encode_utf16(&mut [0; 2]) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
pub(super) mod tests;
