//! For people: one target in full, of many a line each.

use anstyle::Style;

use super::{summary, upgrade};
use crate::render::human::{outcome_style, patch_entry};
use crate::render::page::{BAD, CALM, FAINT, GOOD, PLAIN, Page, STRONG, WARN};
use crate::render::text;
use crate::report::check::{Dependency, Scope, TargetReport, Verdict};
use crate::report::{CheckReport, Outcome, State};
use crate::settings::{Screen, Verbosity};

pub(super) fn report(report: &CheckReport, verbosity: Verbosity, screen: Screen) -> String {
    let mut page = Page::new(screen);
    let style = match report.outcome() {
        // Patched it can be, but the upgrade to it fails.
        Outcome::Yes if summary::errors(report).is_some() => WARN,
        outcome => outcome_style(outcome),
    };
    if verbosity == Verbosity::Quiet {
        let mut words = summary::done(report);
        // Else "cannot be patched" would stand beside an exit code of 0.
        if report.comparison.is_some() {
            words = format!("{words} {}", summary::meaning(report));
        }
        page.line(0, &[(style, &text::clean(&words))]);
        return page.into_text();
    }
    match report.single() {
        Some(target) => in_full(target, (verbosity, verbosity), &mut page),
        None if verbosity == Verbosity::Verbose => {
            for target in &report.targets {
                in_full(target, (Verbosity::Normal, verbosity), &mut page);
                page.blank();
            }
        }
        None => {
            lines(&report.targets, &mut page);
            upgrades(report, &mut page);
        }
    }
    let changes = report.comparison.iter().flat_map(|comparison| {
        let added = comparison
            .added
            .iter()
            .map(|target| format!("{target} is not in {}", comparison.baseline));
        comparison.changes.iter().map(summary::change).chain(added)
    });
    notes(changes, "changed:", &mut page);
    notes(report.notes.iter().cloned(), "note:", &mut page);
    page.blank();
    page.prose(0, style, &summary::done(report));
    page.prose(0, PLAIN, &summary::meaning(report));
    page.into_text()
}

fn notes(notes: impl Iterator<Item = String>, label: &str, page: &mut Page) {
    for (number, note) in notes.enumerate() {
        if number == 0 {
            page.blank();
        }
        page.labelled(0, (CALM, label), &note);
    }
}

fn mark(verdict: Verdict, unicode: bool) -> (Style, &'static str) {
    let (style, sign, ascii) = match verdict {
        Verdict::Ok => (GOOD, "✓", "[+]"),
        Verdict::NotApplicable => (FAINT, "–", "[-]"),
        Verdict::Unknown => (WARN, "?", "[?]"),
        Verdict::Refused => (BAD, "✗", "[x]"),
    };
    (style, if unicode { sign } else { ascii })
}

/// A longer name has a line of its own: one address must not push everybody's columns off the screen.
const LONG: usize = 16;

/// A line for each target; what is not fine says why below it.
fn lines(targets: &[TargetReport], page: &mut Page) {
    let names: Vec<(String, String)> = targets
        .iter()
        .map(|target| {
            let name = text::clean(&target.target).into_owned();
            let version = target.ghost.as_deref().unwrap_or_default();
            let version = if version == target.target {
                ""
            } else {
                version
            };
            (name, text::clean(version).into_owned())
        })
        .collect();
    let widest = |pick: fn(&(String, String)) -> &String| {
        let widths = names.iter().map(|names| text::width(pick(names)));
        widths
            .filter(|width| *width <= LONG)
            .max()
            .unwrap_or_default()
    };
    let (name_width, version_width) = (widest(|names| &names.0), widest(|names| &names.1));
    let verdict_width = targets
        .iter()
        .map(|target| target.verdict.word().len())
        .max()
        .unwrap_or_default();
    for (target, (name, version)) in targets.iter().zip(&names) {
        let (style, sign) = mark(target.verdict, page.is_unicode());
        let indent = text::width(sign) + 1;
        let migrator = target.knex_migrator.as_ref().map_or_else(
            || "-".to_owned(),
            |migrator| text::clean(&migrator.version).into_owned(),
        );
        let node = target.node.as_deref().map_or_else(String::new, |node| {
            format!("  Node {}", text::clean(&summary::node_majors(node)))
        });
        let mut parts = if text::width(name) > LONG {
            page.line(0, &[(style, sign), (PLAIN, " "), (STRONG, name)]);
            vec![(PLAIN, " ".repeat(indent + name_width))]
        } else {
            vec![
                (style, sign.to_owned()),
                (PLAIN, " ".to_owned()),
                (STRONG, padded(name, name_width)),
            ]
        };
        if version_width > 0 {
            parts.push((PLAIN, format!("  {}", padded(version, version_width))));
        }
        parts.push((
            style,
            format!("  {}", padded(target.verdict.word(), verdict_width)),
        ));
        match target.verdict {
            Verdict::Unknown => {}
            Verdict::Ok | Verdict::NotApplicable | Verdict::Refused => {
                let migrator = format!("  knex-migrator {}", padded(&migrator, 7));
                parts.push((FAINT, format!("{migrator}{node}").trim_end().to_owned()));
            }
        }
        let parts: Vec<(Style, &str)> = parts
            .iter()
            .map(|(style, words)| (*style, words.as_str()))
            .collect();
        page.line(0, &parts);
        match target.verdict {
            Verdict::Ok | Verdict::NotApplicable => {}
            Verdict::Refused => {
                page.prose(indent, BAD, &summary::states(target));
                if says_more(target) {
                    page.prose(indent, PLAIN, &target.reason);
                }
                next(target, indent, page);
            }
            Verdict::Unknown => {
                page.prose(indent, PLAIN, &target.reason);
                next(target, indent, page);
            }
        }
        for note in &target.notes {
            page.labelled(indent, (CALM, "note:"), note);
        }
    }
}

/// Whether a reason is more than the list of the patches that are refused, which stands there already.
fn says_more(target: &TargetReport) -> bool {
    let mut refused = target
        .patches
        .iter()
        .filter(|entry| entry.state.is_refusal() || entry.state == State::Interrupted);
    !refused.all(|entry| target.reason.contains(&entry.id))
}

fn next(target: &TargetReport, indent: usize, page: &mut Page) {
    if let Some(step) = &target.next_step {
        page.labelled(indent, (CALM, "next:"), step);
    }
}

fn padded(words: &str, width: usize) -> String {
    let spaces = width.saturating_sub(text::width(words));
    format!("{words}{}", " ".repeat(spaces))
}

/// What the upgrade to each of several does. Of all published Ghosts that is one line each.
fn upgrades(report: &CheckReport, page: &mut Page) {
    for (number, target) in report.targets.iter().enumerate() {
        let Some(upgrade) = &target.upgrade else {
            continue;
        };
        if report.scope == Scope::Named {
            page.blank();
            upgrade::human::short(upgrade, page);
        } else {
            if number == 0 {
                page.blank();
            }
            page.prose(0, PLAIN, &upgrade::line(upgrade));
        }
    }
}

/// Verbosity is that of the patches, and that of the upgrade.
fn in_full(
    target: &TargetReport,
    (verbosity, of_upgrade): (Verbosity, Verbosity),
    page: &mut Page,
) {
    let (style, sign) = mark(target.verdict, page.is_unicode());
    page.line(
        0,
        &[
            (style, sign),
            (PLAIN, " "),
            (STRONG, &text::clean(&summary::name(target))),
            (PLAIN, ": "),
            (style, target.verdict.word()),
        ],
    );
    page.line(
        2,
        &[(FAINT, &format!("found by way of: {}", target.resolved_via))],
    );
    if let Some(digest) = &target.image {
        page.line(2, &[(FAINT, "image "), (PLAIN, &text::clean(digest))]);
    }
    if let Some(node) = &target.node {
        page.line(2, &[(FAINT, "wants Node "), (PLAIN, &text::clean(node))]);
    }
    for dependency in [&target.knex_migrator, &target.mysql2, &target.mysql]
        .into_iter()
        .flatten()
    {
        dependency_line(dependency, page);
    }
    page.prose(2, PLAIN, &target.reason);
    if let Some(step) = &target.next_step {
        page.labelled(2, (CALM, "next:"), step);
    }
    for entry in &target.patches {
        page.blank();
        patch_entry(entry, verbosity, page);
    }
    if let Some(upgrade) = &target.upgrade {
        page.blank();
        upgrade::human::in_full(upgrade, of_upgrade, page);
    }
    notes(target.notes.iter().cloned(), "note:", page);
}

fn dependency_line(dependency: &Dependency, page: &mut Page) {
    page.line(
        2,
        &[
            (FAINT, "brings "),
            (PLAIN, &text::clean(&dependency.package)),
            (PLAIN, " "),
            (PLAIN, &text::clean(&dependency.version)),
            (FAINT, ", settled by "),
            (FAINT, &text::clean(&dependency.settled_by)),
        ],
    );
}
