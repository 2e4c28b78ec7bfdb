//! As one self-contained page to publish: every version with what is done where, what changed since the one before and
//! between any two, and each patch's edits. All of it is readable without JavaScript but the free comparison.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use nodejs_semver::Version;
use serde_json::json;

use super::groups::{Cell, Edit, each, edits, entries, span, without_places};
use super::{summary, upgrade};
use crate::error::Error;
use crate::ghost::release::ResolvedVia;
use crate::render::json::visible;
use crate::render::text;
use crate::report::check::{Dependency, Scope, TargetReport, Verdict};
use crate::report::{CheckReport, PatchDescription, PatchEntry, ProofResult};

mod markup;

pub(super) use markup::{escaped, with_code};

use markup::{badge, chip, diff, kind};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

pub(super) fn report(report: &CheckReport, now: SystemTime) -> String {
    let report = &oldest_first(report);
    let page = Page::new(report);
    let title = match report.single() {
        Some(target) => format!("{}: {}", summary::name(target), target.verdict.word()),
        None => "Which Ghost versions can be patched".to_owned(),
    };
    let mut body = String::new();
    page.head(&title, now, &mut body);
    if report.targets.len() > 1 {
        page.comparison(&mut body);
    }
    page.versions(&mut body);
    page.patches(&mut body);
    body.push_str(&format!(
        "<script type=\"application/json\" id=\"data\">{}</script>\n<script>\n{SCRIPT}</script>\n",
        page.data()
    ));
    document(&title, &body)
}

/// What prevented the report.
pub(in crate::render) fn error(error: &Error) -> String {
    let title = "No answer from ghostfix";
    let body = format!(
        "<header>\n<h1>{title}</h1>\n</header>\n<main>\n<p class=\"lead\">{}</p>\n<p><strong>Next:</strong> {}</p>\n</main>\n",
        with_code(&error.to_string()),
        with_code(error.next_step())
    );
    document(title, &body)
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"generator\" content=\"ghostfix {}\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n{body}</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
        escaped(title),
    )
}

/// The page goes from version to version, in whatever order they were named. What has no version comes last, which is
/// where one looks first.
fn oldest_first(report: &CheckReport) -> CheckReport {
    let mut report = report.clone();
    if report.scope == Scope::Named {
        report.targets.sort_by_cached_key(|target| {
            let version: Option<Version> =
                target.ghost.as_ref().and_then(|ghost| ghost.parse().ok());
            (version.is_none(), version)
        });
    }
    report
}

/// A report, with its edits numbered: many Ghosts share one.
struct Page<'r> {
    report: &'r CheckReport,
    edits: Vec<(&'r PatchDescription, Vec<Edit<'r>>)>,
}

impl<'r> Page<'r> {
    fn new(report: &'r CheckReport) -> Self {
        let edits = report
            .selected
            .iter()
            .map(|patch| (patch, edits(patch, report)))
            .collect();
        Self { report, edits }
    }

    /// The number of an entry's edit among those of its patch, from 1.
    fn edit_number(&self, entry: &PatchEntry) -> Option<usize> {
        if entry.diff.is_empty() {
            return None;
        }
        let (_, edits) = self.edits.iter().find(|(patch, _)| patch.id == entry.id)?;
        let wanted = without_places(&entry.diff);
        let same = |edit: &Edit<'_>| without_places(&edit.entry.diff) == wanted;
        edits.iter().position(same).map(|number| number + 1)
    }

    fn head(&self, title: &str, now: SystemTime, body: &mut String) {
        body.push_str(&format!(
            "<header>\n<h1>{}</h1>\n<p class=\"lead\">{} {}</p>\n",
            escaped(title),
            escaped(&summary::done(self.report)),
            with_code(&summary::meaning(self.report))
        ));
        if self.report.single().is_none() {
            body.push_str("<ul class=\"sums\">\n");
            for verdict in summary::VERDICTS {
                let number = summary::number(self.report, verdict);
                if number > 0 {
                    body.push_str(&format!("<li>{} {number}</li>\n", badge(verdict)));
                }
            }
            body.push_str("</ul>\n");
        }
        let changes = self
            .report
            .comparison
            .iter()
            .flat_map(|found| &found.changes);
        let changes: Vec<String> = changes
            .map(|change| format!("<li>{}</li>\n", escaped(&summary::change(change))))
            .collect();
        if !changes.is_empty() {
            body.push_str(&format!(
                "<ul class=\"notes\">\n{}</ul>\n",
                changes.concat()
            ));
        }
        body.push_str(&format!(
            "<p class=\"faint\">Made by <code>ghostfix check</code> {} on <time>{}</time>: each patch was tried in memory on \
             {}, and proved by running the code before and after.</p>\n</header>\n<main>\n",
            env!("CARGO_PKG_VERSION"),
            DateTime::<Utc>::from(now).format("%Y-%m-%d %H:%M UTC"),
            self.judged()
        ));
    }

    /// On what the patches were tried.
    fn judged(&self) -> String {
        let mut places: Vec<&str> = Vec::new();
        for target in &self.report.targets {
            let place = match target.resolved_via {
                ResolvedVia::Npm => "the published packages",
                ResolvedVia::Tarball => "the package in the archive",
                ResolvedVia::Directory => "the files in the directory",
                ResolvedVia::Image => "the files in the image",
            };
            if target.verdict != Verdict::Unknown && !places.contains(&place) {
                places.push(place);
            }
        }
        if places.is_empty() {
            places.push("the files");
        }
        places.join(" or ")
    }

    fn versions(&self, body: &mut String) {
        let targets = &self.report.targets;
        body.push_str("<section id=\"versions\">\n");
        if self.report.single().is_none() {
            body.push_str("<h2>Versions</h2>\n");
            self.legend(body);
            body.push_str(
                "<p class=\"filter\" hidden><label>Show <input id=\"filter\" type=\"search\" \
                 placeholder=\"6.65 · refused · node:22\"></label> <span id=\"shown\" class=\"small\" aria-live=\"polite\">\
                 </span><br><span class=\"small\">A version (<code>6</code>, <code>6.65</code>), a verdict, a patch that is \
                 refused, <code>node:22</code>, <code>knex-migrator:6.2</code>; words narrow it down, a comma is \
                 or.</span></p>\n",
            );
            self.heads(body);
        }
        body.push_str("<div class=\"ghosts\">\n");
        for (number, target) in targets.iter().enumerate().rev() {
            let before = number.checked_sub(1).and_then(|number| targets.get(number));
            self.version(number, target, before, body);
        }
        body.push_str("</div>\n</section>\n");
    }

    /// What the signs of a line stand for, in their order.
    fn legend(&self, body: &mut String) {
        let patches: Vec<String> = self
            .report
            .selected
            .iter()
            .map(|patch| format!("<a href=\"#{0}\">{0}</a>", escaped(&patch.id)))
            .collect();
        body.push_str(&format!(
            "<p class=\"small\">The signs of a line, in order: {}. <span class=\"chip made\">●</span> can be made, \
             <span class=\"chip there\">✓</span> there already, <span class=\"chip none\">–</span> not needed, \
             <span class=\"chip stops\">✗</span> refused. Each line opens.</p>\n",
            patches.join(", ")
        ));
    }

    /// What the columns are, where they are columns; the legend says the same to everybody else.
    fn heads(&self, body: &mut String) {
        let patches: String = self
            .report
            .selected
            .iter()
            .map(|patch| {
                format!(
                    "<a href=\"#{0}\" tabindex=\"-1\">{0}</a>",
                    escaped(&patch.id)
                )
            })
            .collect();
        body.push_str(&format!(
            "<div class=\"heads\" aria-hidden=\"true\"><span>Ghost</span> <span>verdict</span> <span>Node</span> \
             <span>knex-migrator</span> <span class=\"chips\">{patches}</span></div>\n"
        ));
    }

    fn version(
        &self,
        number: usize,
        target: &TargetReport,
        before: Option<&TargetReport>,
        body: &mut String,
    ) {
        let open = if self.report.single().is_some() {
            " open"
        } else {
            ""
        };
        let facts = self.facts(target);
        let migrator = target.knex_migrator.as_ref();
        let chips: String = self
            .report
            .selected
            .iter()
            .map(|patch| chip(patch, &Cell::of(patch, target)))
            .collect();
        body.push_str(&format!(
            "<details class=\"ghost {verdict}\" id=\"ghost-{number}\" data-words=\"{words}\"{open}>\n\
             <summary><span class=\"name\">{name}</span> {badge} <span class=\"small\">{node}</span> \
             <span class=\"small\">{migrator}</span> <span class=\"chips\">{chips}</span></summary>\n",
            verdict = target.verdict.word(),
            words = escaped(&words(target)),
            name = escaped(&summary::name(target)),
            badge = badge(target.verdict),
            node = target
                .node
                .as_deref()
                .map_or_else(String::new, |node| format!("Node {}", escaped(&summary::node_majors(node)))),
            migrator = migrator.map_or_else(String::new, |migrator| {
                format!("knex-migrator {}", escaped(&migrator.version))
            }),
        ));
        body.push_str(&format!("<p>{}", escaped(&target.reason)));
        if let Some(step) = &target.next_step {
            body.push_str(&format!(" Next: {}.", escaped(step.trim_end_matches('.'))));
        }
        body.push_str("</p>\n<dl>\n");
        for (name, value) in &facts {
            body.push_str(&format!(
                "<dt>{}</dt><dd>{}</dd>\n",
                escaped(name),
                escaped(value)
            ));
        }
        body.push_str("</dl>\n");
        if !target.patches.is_empty() {
            body.push_str("<ul class=\"patches\">\n");
            for entry in &target.patches {
                self.entry(entry, body);
            }
            body.push_str("</ul>\n");
        }
        if let Some(before) = before.filter(|_| self.report.single().is_none()) {
            let changes = self.changes(before, target);
            let words = if changes.is_empty() {
                "nothing that matters here".to_owned()
            } else {
                changes.join("; ")
            };
            body.push_str(&format!(
                "<p class=\"since\">Changed since {}: {}.</p>\n",
                escaped(before.ghost.as_deref().unwrap_or(&before.target)),
                escaped(&words)
            ));
        }
        for note in &target.notes {
            body.push_str(&format!("<p class=\"faint\">{}</p>\n", escaped(note)));
        }
        if let Some(upgrade) = &target.upgrade {
            upgrade::html::in_full(upgrade, body);
        }
        body.push_str("</details>\n");
    }

    fn entry(&self, entry: &PatchEntry, body: &mut String) {
        let proof = &entry.proof;
        let proved = match (proof.syntax, proof.behaviour) {
            (ProofResult::NotRun, ProofResult::NotRun) => String::new(),
            _ => format!(", {} of {} cases pass", proof.passed(), proof.cases.len()),
        };
        let shape = entry
            .shape
            .as_deref()
            .map_or_else(String::new, |shape| format!(", shape {}", escaped(shape)));
        let edit = self.edit_number(entry).map_or_else(String::new, |number| {
            format!(
                " <a href=\"#{0}-{number}\">edit {number}</a>",
                escaped(&entry.id)
            )
        });
        body.push_str(&format!(
            "<li><strong>{}</strong> <span class=\"state {}\">{}</span>{shape}{proved}{edit}<br>\
             <span class=\"small\">{} {}, <code>{}</code></span>",
            escaped(&entry.id),
            kind(Some(entry.state)),
            entry.state.word(),
            escaped(&entry.package),
            escaped(&entry.version),
            escaped(&text::path_text(&entry.path)),
        ));
        if entry.state.is_refusal() {
            body.push_str(&format!("<br>{}", escaped(&entry.reason)));
            if let Some(evidence) = entry
                .evidence
                .as_ref()
                .filter(|found| !found.shape_diff.is_empty())
            {
                body.push_str(&format!(
                    "<br>From the nearest known shape to the code found:{}",
                    diff(&evidence.shape_diff)
                ));
            }
        }
        body.push_str("</li>\n");
    }

    fn comparison(&self, body: &mut String) {
        body.push_str(
            "<section id=\"compare\">\n<h2>What changed between two versions</h2>\n\
             <noscript><p>Each version below tells what changed since the one before it; comparing any two needs \
             JavaScript.</p></noscript>\n<p class=\"compare\" hidden><label>From <select id=\"from\"></select></label> \
             <label>to <select id=\"to\"></select></label></p>\n<div id=\"changes\" aria-live=\"polite\"></div>\n</section>\n",
        );
    }

    fn patches(&self, body: &mut String) {
        body.push_str("<section id=\"patches\">\n<h2>Which patch does what, where</h2>\n");
        for (patch, edits) in &self.edits {
            body.push_str(&format!(
                "<article id=\"{0}\">\n<h3>{0}</h3>\n<p>{1}</p>\n<p class=\"small\">in {2}: <code>{3}</code></p>\n",
                escaped(&patch.id),
                escaped(&patch.title),
                escaped(&patch.package),
                escaped(&patch.files.join(", "))
            ));
            if edits.is_empty() {
                body.push_str("<p>Made in none of these.</p>\n");
            }
            for (number, edit) in edits.iter().enumerate() {
                let versions = edit.targets.iter().map(|target| target.ghost.as_deref());
                let versions = match self.report.scope {
                    Scope::Named => each(versions),
                    Scope::All | Scope::Since(_) => span(versions),
                };
                body.push_str(&format!(
                    "<details class=\"edit\" id=\"{}-{}\"{}><summary>Edit {}: Ghost {} \
                     <span class=\"small\">({}{})</span></summary>\n{}</details>\n",
                    escaped(&patch.id),
                    number + 1,
                    if self.report.single().is_some() {
                        " open"
                    } else {
                        ""
                    },
                    number + 1,
                    escaped(&versions),
                    text::count(edit.targets.len(), "release", "releases"),
                    edit.entry
                        .shape
                        .as_deref()
                        .map_or_else(String::new, |shape| format!(", shape {}", escaped(shape))),
                    diff(&edit.entry.diff)
                ));
            }
            body.push_str("</article>\n");
        }
        body.push_str("</section>\n</main>\n");
    }

    /// What there is to compare of a Ghost: names and values, in order.
    fn facts(&self, target: &TargetReport) -> Vec<(String, String)> {
        let mut facts = vec![("verdict".to_owned(), target.verdict.word().to_owned())];
        facts.push((
            "found by way of".to_owned(),
            target.resolved_via.to_string(),
        ));
        if let Some(digest) = &target.image {
            facts.push(("image".to_owned(), digest.clone()));
        }
        if let Some(node) = &target.node {
            facts.push(("Node".to_owned(), node.clone()));
        }
        for Dependency {
            package, version, ..
        } in [&target.knex_migrator, &target.mysql2, &target.mysql]
            .into_iter()
            .flatten()
        {
            facts.push((package.clone(), version.clone()));
        }
        facts
    }

    /// The facts, and what becomes of each patch.
    fn comparable(&self, target: &TargetReport) -> Vec<(String, String)> {
        let mut all = self.facts(target);
        for patch in &self.report.selected {
            let words: Vec<String> = entries(patch, target)
                .map(|entry| {
                    let edit = self.edit_number(entry);
                    let edit = edit.map_or_else(String::new, |number| format!(" (edit {number})"));
                    format!("{}{edit}", entry.state.word())
                })
                .collect();
            let words = if words.is_empty() {
                "-".to_owned()
            } else {
                words.join(", ")
            };
            all.push((patch.id.clone(), words));
        }
        all
    }

    fn changes(&self, before: &TargetReport, after: &TargetReport) -> Vec<String> {
        let (before, after) = (self.comparable(before), self.comparable(after));
        let value = |facts: &[(String, String)], name: &str| {
            facts
                .iter()
                .find(|(known, _)| known == name)
                .map_or_else(|| "-".to_owned(), |(_, value)| value.clone())
        };
        let mut names: Vec<&String> = before.iter().chain(&after).map(|(name, _)| name).collect();
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(name.as_str()));
        names
            .into_iter()
            .filter_map(|name| {
                let (old, new) = (value(&before, name), value(&after, name));
                (old != new).then(|| format!("{name} {old} → {new}"))
            })
            .collect()
    }

    /// The same for the script. No `<` in it: nothing ends the element.
    fn data(&self) -> String {
        let targets: Vec<_> = self
            .report
            .targets
            .iter()
            .map(
                |target| json!({ "name": summary::name(target), "facts": self.comparable(target) }),
            )
            .collect();
        visible(&json!(targets).to_string()).replace('<', "\\u003c")
    }
}

/// What a target can be found by: words, and `node:22` for what is a version of something else than Ghost.
fn words(target: &TargetReport) -> String {
    let mut words = vec![target.target.clone()];
    words.extend(target.ghost.clone());
    words.push(target.verdict.word().to_owned());
    for entry in &target.patches {
        words.push(entry.state.word().to_owned());
        if entry.state.is_refusal() {
            words.push(entry.id.clone());
        }
    }
    let node = target.node.as_deref().map(summary::node_majors);
    words.extend(
        node.iter()
            .flat_map(|majors| majors.split(", "))
            .map(|major| format!("node:{major}")),
    );
    let packages = [&target.knex_migrator, &target.mysql2, &target.mysql];
    words.extend(
        packages
            .into_iter()
            .flatten()
            .map(|found| format!("{}:{}", found.package, found.version)),
    );
    let mut seen = std::collections::BTreeSet::new();
    words.retain(|word| seen.insert(word.clone()));
    words.join(" ")
}
