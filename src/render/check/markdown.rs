//! As Markdown, for a job summary or a README: one target with its patches, of many the versions that are alike in a row.

use super::groups::{Cell, rows, span};
use super::{summary, upgrade};
use crate::error::Error;
use crate::render::text;
use crate::report::check::{Dependency, Scope, TargetReport, Verdict};
use crate::report::{CheckReport, PatchEntry, ProofResult, State};

pub(super) fn report(report: &CheckReport) -> String {
    let mut page = String::new();
    match report.single() {
        Some(target) => in_full(target, &mut page),
        None => table(report, &mut page),
    }
    if let Some(comparison) = &report.comparison {
        let baseline = code(&comparison.baseline);
        for change in &comparison.changes {
            page.push_str(&format!(
                "- **changed** against {baseline}: {}\n",
                plain(&summary::change(change))
            ));
        }
        for added in &comparison.added {
            page.push_str(&format!("- {} is not in {baseline}\n", code(added)));
        }
        if !(comparison.changes.is_empty() && comparison.added.is_empty()) {
            page.push('\n');
        }
    }
    for note in &report.notes {
        page.push_str(&format!("- {}\n", plain(note)));
    }
    page.push_str(&format!(
        "\n{} {}\n",
        plain(&summary::done(report)),
        plain(&summary::meaning(report))
    ));
    page.trim_start().to_owned()
}

/// What prevented the report.
pub(in crate::render) fn error(error: &Error) -> String {
    format!(
        "## {} No answer from `ghostfix`\n\n{}\n\nNext: {}\n",
        mark(Verdict::Unknown),
        plain(&error.to_string()),
        plain(error.next_step())
    )
}

fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "✅",
        Verdict::NotApplicable => "➖",
        Verdict::Unknown => "❓",
        Verdict::Refused => "❌",
    }
}

fn in_full(target: &TargetReport, page: &mut String) {
    page.push_str(&format!(
        "## {} {}: {}\n\n{}\n\n",
        mark(target.verdict),
        plain(&summary::name(target)),
        target.verdict.word(),
        plain(&target.reason)
    ));
    if let Some(step) = &target.next_step {
        page.push_str(&format!("Next: {}\n\n", plain(step)));
    }
    page.push_str("| it brings | |\n| --- | --- |\n");
    page.push_str(&format!("| found by way of | {} |\n", target.resolved_via));
    if let Some(digest) = &target.image {
        page.push_str(&format!("| image | {} |\n", code(digest)));
    }
    if let Some(node) = &target.node {
        page.push_str(&format!("| Node | {} |\n", code(node)));
    }
    for Dependency {
        package,
        version,
        settled_by,
    } in [&target.knex_migrator, &target.mysql2, &target.mysql]
        .into_iter()
        .flatten()
    {
        page.push_str(&format!(
            "| {} | {}, settled by {} |\n",
            plain(package),
            code(version),
            plain(settled_by)
        ));
    }
    if !target.patches.is_empty() {
        page.push_str(
            "\n| patch | state | shape | proof | file |\n| --- | --- | --- | --- | --- |\n",
        );
        for entry in &target.patches {
            page.push_str(&format!(
                "| `{}` | {} | {} | {} | {} |\n",
                plain(&entry.id),
                state(entry.state),
                plain(entry.shape.as_deref().unwrap_or("-")),
                proof(entry),
                code(&text::path_text(&entry.path))
            ));
        }
    }
    page.push('\n');
    for entry in &target.patches {
        details(entry, page);
    }
    if let Some(upgrade) = &target.upgrade {
        upgrade::markdown::in_full(upgrade, page);
    }
    for note in &target.notes {
        page.push_str(&format!("- {}\n", plain(note)));
    }
}

fn details(entry: &PatchEntry, page: &mut String) {
    if entry.diff.is_empty() && !entry.state.is_refusal() {
        return;
    }
    page.push_str(&format!(
        "<details><summary><code>{}</code>: {}</summary>\n\n{}\n\n",
        plain(&entry.id),
        entry.state.word(),
        plain(&entry.reason)
    ));
    if let Some(step) = &entry.next_step {
        page.push_str(&format!("Next: {}\n\n", plain(step)));
    }
    let shape_diff = entry
        .evidence
        .as_ref()
        .map_or("", |evidence| evidence.shape_diff.as_str());
    for (diff, words) in [
        (entry.diff.as_str(), ""),
        (
            shape_diff,
            "From the nearest known shape to the code found:\n\n",
        ),
    ] {
        if !diff.is_empty() {
            page.push_str(&format!("{words}{}\n", fenced(diff)));
        }
    }
    page.push_str("</details>\n\n");
}

fn table(report: &CheckReport, page: &mut String) {
    let is_named = report.scope == Scope::Named;
    let patches: Vec<String> = report
        .selected
        .iter()
        .map(|patch| format!("`{}`", plain(&patch.id)))
        .collect();
    page.push_str(&format!(
        "| Ghost | {}Node | knex-migrator | verdict | {} |\n",
        if is_named { "" } else { "releases | " },
        patches.join(" | ")
    ));
    page.push_str(&format!(
        "| --- |{} --- | --- | --- |{}\n",
        if is_named { "" } else { " ---: |" },
        " --- |".repeat(patches.len())
    ));
    if is_named {
        for target in &report.targets {
            let cells = report.selected.iter().map(|patch| Cell::of(patch, target));
            line(&plain(&summary::name(target)), None, &[target], cells, page);
        }
    } else {
        for row in rows(report) {
            let versions = span(row.targets.iter().map(|target| target.ghost.as_deref()));
            let releases = Some(row.targets.len());
            line(
                &plain(&versions),
                releases,
                &row.targets,
                row.cells.into_iter(),
                page,
            );
        }
    }
    page.push_str(
        "\nUnder a patch stands the shape of the code that it is made in; – where this Ghost has no such code.\n\n",
    );
    for target in &report.targets {
        if matches!(target.verdict, Verdict::Refused | Verdict::Unknown) {
            page.push_str(&format!(
                "- {} **{}**: {}: {}\n",
                mark(target.verdict),
                plain(&summary::name(target)),
                target.verdict.word(),
                plain(&target.reason)
            ));
        }
        for note in &target.notes {
            page.push_str(&format!(
                "- {}: {}\n",
                plain(&summary::name(target)),
                plain(note)
            ));
        }
    }
    upgrades(report, page);
}

/// What the upgrade to each of several does. Of all published Ghosts that is one line each.
fn upgrades(report: &CheckReport, page: &mut String) {
    let upgrades = || {
        let targets = report.targets.iter();
        targets.filter_map(|target| target.upgrade.as_ref())
    };
    if upgrades().next().is_none() {
        return;
    }
    page.push('\n');
    for upgrade in upgrades() {
        if report.scope == Scope::Named {
            upgrade::markdown::short(upgrade, page);
        } else {
            page.push_str(&format!("- {}\n", plain(&upgrade::line(upgrade))));
        }
    }
}

fn line(
    name: &str,
    releases: Option<usize>,
    targets: &[&TargetReport],
    cells: impl Iterator<Item = Cell>,
    page: &mut String,
) {
    let mut nodes: Vec<String> = Vec::new();
    for range in targets.iter().filter_map(|target| target.node.as_deref()) {
        for major in summary::node_majors(range).split(", ") {
            if !nodes.iter().any(|known| known == major) {
                nodes.push(major.to_owned());
            }
        }
    }
    if nodes.is_empty() {
        nodes.push("-".to_owned());
    }
    let migrators = targets.iter().map(|target| {
        let migrator = target.knex_migrator.as_ref();
        migrator.map(|migrator| migrator.version.as_str())
    });
    let verdict = targets
        .first()
        .map_or(Verdict::Unknown, |target| target.verdict);
    let releases = releases.map_or_else(String::new, |number| format!(" {number} |"));
    let cells: Vec<String> = cells.map(|cell| shown(&cell)).collect();
    page.push_str(&format!(
        "| {name} |{releases} {} | {} | {} {} | {} |\n",
        plain(&nodes.join(", ")),
        plain(&span(migrators)),
        mark(verdict),
        verdict.word(),
        cells.join(" | ")
    ));
}

fn shown(cell: &Cell) -> String {
    match (cell.state, &cell.shape) {
        (None | Some(State::NotNeeded), _) => "–".to_owned(),
        (Some(State::WouldApply), Some(shape)) => plain(shape),
        (Some(found), _) => state(found),
    }
}

fn state(state: State) -> String {
    if state.is_refusal() || state == State::Interrupted {
        format!("**{}**", state.word())
    } else {
        state.word().to_owned()
    }
}

fn proof(entry: &PatchEntry) -> String {
    let proof = &entry.proof;
    match (proof.syntax, proof.behaviour) {
        (ProofResult::NotRun, ProofResult::NotRun) => "-".to_owned(),
        (_, ProofResult::NotRun) => "syntax".to_owned(),
        (_, _) => format!("{} of {} cases", proof.passed(), proof.cases.len()),
    }
}

/// Words of anybody's that are to be words: nothing in them is Markdown or HTML.
pub(super) fn plain(words: &str) -> String {
    let mut plain = String::with_capacity(words.len());
    for character in text::clean(&words.replace('\n', " ")).chars() {
        match character {
            '&' => plain.push_str("&amp;"),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '\\' | '|' | '*' | '_' | '[' | ']' | '!' | '#' | '~' => {
                plain.push('\\');
                plain.push(character);
            }
            _ => plain.push(character),
        }
    }
    plain
}

/// A value in a code span, unless something in it could end the span or be taken for more than text by who reads it.
pub(super) fn code(value: &str) -> String {
    if value.contains(['`', '<', '>', '&', '\n']) {
        return plain(value);
    }
    format!("`{}`", text::clean(value).replace('|', "\\|"))
}

fn fenced(diff: &str) -> String {
    let lines: Vec<String> = diff
        .lines()
        .map(|line| {
            let line = text::clean_code(line);
            // A summary may be shown in the log, where a runner obeys a line that begins so.
            match line.trim_start().strip_prefix("::") {
                Some(rest) => format!("\\u{{3a}}:{rest}"),
                None => line.into_owned(),
            }
        })
        .collect();
    let longest = diff
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}diff\n{}\n{fence}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words() {
        assert_eq!(
            plain("a | <b> [c](d) *e*\n`f`"),
            "a \\| &lt;b&gt; \\[c\\](d) \\*e\\* `f`"
        );
        assert_eq!(code("a || b"), "`a \\|\\| b`");
        assert_eq!(code("a`<b>"), "a`&lt;b&gt;");
        assert_eq!(fenced("+ ```\n"), "````diff\n+ ```\n````\n");
    }

    #[test]
    fn one_state_is_one_cell() {
        let cell = |state, shape: Option<&str>| Cell {
            state,
            shape: shape.map(str::to_owned),
        };
        assert_eq!(shown(&cell(None, None)), "–");
        assert_eq!(
            shown(&cell(Some(State::WouldApply), Some("try-catch"))),
            "try-catch"
        );
        assert_eq!(shown(&cell(Some(State::Drifted), None)), "**drifted**");
    }
}
