//! The findings of `preflight`: a checklist for people, an object for programs, annotations, SARIF.

use anstyle::Style;
use serde::Serialize;
use serde_json::{Value, json};

use super::page::{BAD, CALM, FAINT, GOOD, PLAIN, Page, STRONG, WARN};
use super::{github, json as json_form, sarif, text};
use crate::connection::Source;
use crate::preflight::facts::Facts;
use crate::preflight::finding::{Effect, Evidence, Finding, Level};
use crate::report::{CheckDescription, ChecksReport, Outcome, PreflightReport};
use crate::settings::{Output, Screen, Verbosity};

/// The sentence that everything comes to.
pub(super) fn verdict(report: &PreflightReport) -> String {
    let counted: Vec<&Finding> = report.counted().collect();
    let starts = !counted
        .iter()
        .any(|finding| finding.effect == Some(Effect::DoesNotStart));
    let number = text::count(counted.len(), "thing has", "things have");
    let unknown = report
        .findings
        .iter()
        .filter(|finding| finding.level == Level::Unknown)
        .count();
    let errors = counted.iter().any(|finding| finding.level == Level::Error);
    let verdict = match (counted.is_empty(), errors, starts) {
        (true, ..) => "Nothing was found that will stop Ghost".to_owned(),
        (false, true, false) => format!("Ghost will not start here: {number} to be put right"),
        (false, true, true) => {
            format!("Ghost will start, and fail in use: {number} to be put right")
        }
        (false, false, _) => format!("{number} to be put right"),
    };
    match unknown {
        0 => format!("{verdict}."),
        _ => format!(
            "{verdict}; {} unknown.",
            text::count(unknown, "answer is", "answers are")
        ),
    }
}

/// What to do first: the fix of the first finding that counts.
fn first_step(report: &PreflightReport) -> Option<&Finding> {
    report.counted().find(|finding| !finding.fix.is_empty())
}

pub(super) fn human(report: &PreflightReport, output: &Output) -> String {
    let verbosity = output.verbosity;
    let mut page = Page::new(output.screen);
    let style = match report.outcome() {
        Outcome::Yes => GOOD,
        Outcome::No | Outcome::NothingToWorkOn | Outcome::Refused | Outcome::Unknown => BAD,
    };
    if verbosity == Verbosity::Quiet {
        page.prose(0, style, &verdict(report));
        return page.into_text();
    }
    // Who has seen the list fill needs what is left to do.
    let brief = output.follows_steps() && verbosity == Verbosity::Normal;
    if brief {
        page.line(0, &[]);
    } else {
        header(&report.facts, &mut page);
        page.blank();
    }
    let is_fine = |finding: &&Finding| brief && finding.level == Level::Passed;
    let first = first_step(report);
    for finding in &report.findings {
        if !is_fine(&finding) {
            // Whoever reads to the end finds it there, where it is wanted.
            let comes_last = brief && first.is_some_and(|first| first.fix == finding.fix);
            show(finding, verbosity, comes_last, &mut page);
        }
    }
    let fine = report.findings.iter().filter(is_fine).count();
    if fine > 0 {
        let words = text::count(fine, "check has passed", "checks have passed");
        let more = if fine == 1 {
            " (-v shows it)"
        } else {
            " (-v shows them)"
        };
        let (style, sign) = sign(Level::Passed, page.is_unicode());
        page.line(
            0,
            &[(style, sign), (PLAIN, " "), (PLAIN, &words), (FAINT, more)],
        );
    }
    if !report.not_reached.is_empty() {
        page.blank();
        let list = if brief {
            let number = report.not_reached.len();
            text::count(number, "check that needs", "checks that need") + " what failed"
        } else {
            report.not_reached.join(", ")
        };
        page.labelled(0, (FAINT, "not reached:"), &list);
    }
    page.blank();
    page.prose(0, style, &verdict(report));
    if let Some(finding) = first {
        page.blank();
        page.line(
            0,
            &[
                (CALM, "do this first"),
                (PLAIN, " ("),
                (STRONG, finding.id),
                (PLAIN, "):"),
            ],
        );
        fix(&finding.fix, 2, &mut page);
        let also: Vec<&str> = report
            .counted()
            .filter(|other| other.id != finding.id && other.fix.starts_with(&finding.fix))
            .map(|other| other.id)
            .collect();
        if !also.is_empty() {
            page.labelled(2, (FAINT, "this also puts right:"), &also.join(", "));
        }
        page.line(
            2,
            &[(
                FAINT,
                &format!("ghostfix preflight --explain {}", finding.id),
            )],
        );
    }
    page.into_text()
}

fn header(facts: &Facts, page: &mut Page) {
    let Some(target) = &facts.configuration.target else {
        page.line(
            0,
            &[
                (STRONG, "Preflight"),
                (PLAIN, ": no connection can be made"),
            ],
        );
        return;
    };
    let user = target.user.as_deref().unwrap_or("(nobody)");
    page.line(
        0,
        &[
            (STRONG, "Preflight"),
            (PLAIN, " of "),
            (STRONG, &text::clean(&target.host)),
            (PLAIN, " as "),
            (STRONG, &text::clean(user)),
        ],
    );
    if let Some(installation) = &facts.installation {
        let words = format!(
            "for Ghost {} in {}",
            text::clean(&installation.ghost),
            text::clean(&installation.directory)
        );
        page.line(2, &[(FAINT, &words)]);
    }
    if let Some(rtt) = facts.rtt_us {
        let words = format!(
            "{}, {:.1} ms each",
            text::count(facts.round_trips, "statement", "statements"),
            rtt as f64 / 1000.0
        );
        page.line(2, &[(FAINT, &words)]);
    }
}

fn mark(finding: &Finding, unicode: bool) -> (Style, &'static str) {
    match (&finding.accepted, unicode) {
        (Some(_), true) => (FAINT, "–"),
        (Some(_), false) => (FAINT, "[-]"),
        (None, _) => sign(finding.level, unicode),
    }
}

/// The sign of a level, and its colour.
pub(super) fn sign(level: Level, unicode: bool) -> (Style, &'static str) {
    let (style, sign, ascii) = match level {
        Level::Passed => (GOOD, "✓", "[+]"),
        Level::Notice => (CALM, "·", "[.]"),
        Level::Unknown => (WARN, "?", "[?]"),
        Level::Warning => (WARN, "!", "[!]"),
        Level::Error => (BAD, "✗", "[x]"),
    };
    (style, if unicode { sign } else { ascii })
}

fn show(finding: &Finding, verbosity: Verbosity, fix_comes_last: bool, page: &mut Page) {
    let (style, sign) = mark(finding, page.is_unicode());
    let quiet = finding.level <= Level::Notice || finding.accepted.is_some();
    let label = format!("{sign} {}:", finding.id);
    page.labelled(0, (style, &label), &finding.title);
    let indent = text::width(sign) + 1;
    if let Some(reason) = &finding.accepted {
        page.labelled(indent, (FAINT, "accepted:"), reason);
    }
    if finding.from_documentation && !quiet {
        page.line(
            indent,
            &[(FAINT, "by documentation; it cannot be tried here")],
        );
    }
    if verbosity == Verbosity::Verbose || !quiet {
        for Evidence { asked, answered } in &finding.evidence {
            let label = format!("{}:", text::clean(asked));
            if text::width(&label) <= LABEL {
                page.labelled(indent, (FAINT, &label), answered);
            } else {
                // A statement leaves no room for its answer beside it.
                page.prose(indent, FAINT, &label);
                page.prose(indent + 2, PLAIN, answered);
            }
        }
    }
    if !quiet && !finding.fix.is_empty() && !fix_comes_last {
        page.line(indent, &[(CALM, "fix:")]);
        fix(&finding.fix, indent + 2, page);
    }
}

/// A question that is no wider has its answer in the same line.
const LABEL: usize = 30;

/// Lines that are to be pasted stay whole; prose is wrapped.
fn fix(fix: &str, indent: usize, page: &mut Page) {
    for line in fix.lines() {
        let is_prose = !line.starts_with(' ')
            && line.split(' ').count() > 12
            && !line.contains(';')
            && !line.contains('=');
        if is_prose {
            page.prose(indent, PLAIN, line);
        } else {
            page.line(indent, &[(PLAIN, &text::clean(line))]);
        }
    }
}

#[derive(Serialize)]
struct ReportObject<'r> {
    schema: &'static str,
    ghostfix: &'static str,
    outcome: &'static str,
    exit_code: u8,
    summary: String,
    findings: Vec<FindingObject<'r>>,
    not_reached: &'r [&'static str],
    first_step: Option<&'r str>,
    round_trips: usize,
    rtt_ms: Option<f64>,
    facts: &'r Facts,
}

#[derive(Serialize)]
struct FindingObject<'r> {
    id: &'static str,
    level: Level,
    title: &'r str,
    evidence: &'r [Evidence],
    fix: &'r str,
    docs: String,
    effect: Option<Effect>,
    from_documentation: bool,
    accepted: Option<&'r str>,
}

pub(super) fn json(report: &PreflightReport) -> String {
    let outcome = report.outcome();
    json_form::to_text(&ReportObject {
        schema: "ghostfix.preflight.v1",
        ghostfix: env!("CARGO_PKG_VERSION"),
        outcome: json_form::outcome_word(outcome),
        exit_code: outcome.exit_code(),
        summary: verdict(report),
        findings: report
            .findings
            .iter()
            .map(|finding| FindingObject {
                id: finding.id,
                level: finding.level,
                title: &finding.title,
                evidence: &finding.evidence,
                fix: &finding.fix,
                docs: docs(finding.id),
                effect: finding.effect,
                from_documentation: finding.from_documentation,
                accepted: finding.accepted.as_deref(),
            })
            .collect(),
        not_reached: &report.not_reached,
        first_step: first_step(report).map(|finding| finding.id),
        round_trips: report.facts.round_trips,
        rtt_ms: report.facts.rtt_us.map(|rtt| rtt as f64 / 1000.0),
        facts: &report.facts,
    })
}

fn docs(id: &str) -> String {
    format!("ghostfix preflight --explain {id}")
}

pub(super) fn github(report: &PreflightReport) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let level = match finding.level {
            _ if finding.accepted.is_some() => github::Level::Notice,
            Level::Error => github::Level::Error,
            Level::Warning => github::Level::Warning,
            Level::Unknown => github::Level::Notice,
            Level::Passed | Level::Notice => continue,
        };
        out.push_str(&github::annotate(
            level,
            &[],
            &format!("{}: {}", finding.id, finding.level.word()),
            &words(finding),
        ));
    }
    out.push_str(&text::clean(&verdict(report)));
    out.push('\n');
    out
}

/// A finding in words: title, what was answered, what to do.
pub(super) fn words(finding: &Finding) -> String {
    let mut words = finding.title.clone();
    if let Some(reason) = &finding.accepted {
        words.push_str(&format!("\nAccepted: {reason}"));
    }
    for Evidence { asked, answered } in &finding.evidence {
        words.push_str(&format!("\n{asked}: {answered}"));
    }
    if !finding.fix.is_empty() {
        words.push_str(&format!("\nFix:\n{}", finding.fix));
    }
    words
}

pub(super) fn sarif(report: &PreflightReport) -> String {
    let ids: Vec<&str> = report.findings.iter().map(|finding| finding.id).collect();
    let file = place(&report.facts);
    let results = report
        .findings
        .iter()
        .enumerate()
        .filter_map(|(number, finding)| {
            let level = match finding.level {
                Level::Passed => return None,
                Level::Notice | Level::Unknown => "note",
                Level::Warning => "warning",
                Level::Error => "error",
            };
            let mut result = json!({
                "ruleId": finding.id,
                "ruleIndex": number,
                "level": level,
                "message": { "text": words(finding) },
                "locations": [{ "physicalLocation": { "artifactLocation": { "uri": file } } }],
                "partialFingerprints": { "ghostfix/v1": finding.id },
                "properties": { "effect": finding.effect, "fromDocumentation": finding.from_documentation },
            });
            if let Some(reason) = &finding.accepted {
                result["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": reason }]);
            }
            Some(result)
        })
        .collect();
    let outcome = report.outcome();
    let mut run = sarif::run(&ids, results, true, outcome.exit_code(), Vec::new());
    for (number, finding) in report.findings.iter().enumerate() {
        run["tool"]["driver"]["rules"][number]["help"] = json!({ "text": docs(finding.id) });
    }
    run["properties"] =
        json!({ "outcome": json_form::outcome_word(outcome), "notReached": report.not_reached });
    sarif::log(run)
}

/// The file that a finding is best shown at: the one that the configuration was read from, where it was one.
fn place(facts: &Facts) -> String {
    let file = facts
        .configuration
        .told
        .values
        .iter()
        .find_map(|value| match &value.source {
            Source::File(path) => path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned()),
            _ => None,
        });
    file.unwrap_or_else(|| "Dockerfile".to_owned())
}

pub(super) fn checks(report: &ChecksReport, verbosity: Verbosity, screen: Screen) -> String {
    let mut page = Page::new(screen);
    match report {
        ChecksReport::List(checks) => {
            for check in checks {
                if verbosity == Verbosity::Quiet {
                    page.line(0, &[(PLAIN, check.id)]);
                } else {
                    let label = format!("{:<18}", check.id);
                    page.labelled(0, (STRONG, &label), check.question);
                }
            }
            if verbosity != Verbosity::Quiet {
                page.blank();
                page.line(
                    0,
                    &[
                        (CALM, "next:"),
                        (PLAIN, " ghostfix preflight --explain ID explains one"),
                    ],
                );
            }
        }
        ChecksReport::Page(check) => {
            page.line(0, &[(STRONG, check.id)]);
            page.prose(0, CALM, check.question);
            page.blank();
            explain(check.explanation, &mut page);
        }
    }
    page.into_text()
}

/// Paragraphs, wrapped for the screen, and between them what is indented, as it is: errors and commands.
fn explain(explanation: &str, page: &mut Page) {
    let mut paragraph = Vec::new();
    let end = |paragraph: &mut Vec<&str>, page: &mut Page| {
        if !paragraph.is_empty() {
            page.prose(0, PLAIN, &paragraph.join(" "));
            paragraph.clear();
        }
    };
    for line in explanation.lines() {
        if !line.is_empty() && !line.starts_with("  ") {
            paragraph.push(line);
            continue;
        }
        end(&mut paragraph, page);
        if line.is_empty() {
            page.blank();
        } else {
            page.block(0, line);
        }
    }
    end(&mut paragraph, page);
}

pub(super) fn checks_json(report: &ChecksReport) -> String {
    let object = |check: &CheckDescription| -> Value {
        json!({ "id": check.id, "question": check.question, "explanation": check.explanation })
    };
    let checks: Vec<Value> = match report {
        ChecksReport::List(checks) => checks.iter().map(object).collect(),
        ChecksReport::Page(check) => vec![object(check)],
    };
    json_form::to_text(&json!({
        "schema": "ghostfix.checks.v1",
        "ghostfix": env!("CARGO_PKG_VERSION"),
        "checks": checks,
    }))
}

#[cfg(test)]
mod tests;
