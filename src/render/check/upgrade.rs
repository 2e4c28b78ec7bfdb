//! What an upgrade does to the database: a line for each migration, and each kind of hazard once.

use anstyle::Style;

use super::html::{escaped, with_code};
use super::markdown::{code, plain};
use crate::migrations::database::{Lock, State};
use crate::migrations::hazards::{Hazard, Level};
use crate::migrations::plan::{Plan, Step};
use crate::migrations::summary::{Change, Summary, migrations};
use crate::render::page::{BAD, CALM, FAINT, PLAIN, Page, STRONG, WARN};
use crate::render::text::{self, count};
use crate::report::check::{Asked, ToldBy, Upgrade};
use crate::settings::Verbosity;

/// How many reasons of one kind are told where not all are wanted.
const FEW: usize = 3;

/// For people.
pub(super) fn human(upgrade: &Upgrade, verbosity: Verbosity, page: &mut Page) {
    page.line(0, &[(STRONG, &text::clean(&headline(upgrade)))]);
    if let ToldBy::Database(asked) = &upgrade.told_by {
        page.prose(2, FAINT, &found(asked));
    }
    for (summary, step) in migrations(&upgrade.plan).iter().zip(&upgrade.plan.steps) {
        page.line(
            2,
            &[
                (PLAIN, &text::clean(&named(summary))),
                (
                    FAINT,
                    if step.migration.transactional == Some(true) {
                        "  in a transaction"
                    } else {
                        ""
                    },
                ),
            ],
        );
        page.prose(4, FAINT, &does(summary));
        if verbosity == Verbosity::Verbose {
            for hazard in &step.hazards {
                let label = format!("{}:", hazard.id);
                page.labelled(
                    4,
                    (style(hazard.level), &label),
                    &format!("{}.", hazard.reason),
                );
            }
        } else {
            for hazard in marks(step) {
                page.line(4, &[(style(hazard.level), hazard.id)]);
            }
        }
    }
    for kind in kinds(&upgrade.plan) {
        page.blank();
        page.line(
            0,
            &[
                (style(kind.level), level(kind.level)),
                (PLAIN, " "),
                (STRONG, kind.id),
            ],
        );
        for reason in kind.told() {
            page.prose(2, PLAIN, &reason);
        }
        if let Some(more) = more(&kind) {
            page.prose(2, FAINT, &more);
        }
        page.labelled(2, (CALM, "next:"), &format!("{}.", kind.fix));
    }
    for (number, words) in not_known(upgrade).iter().enumerate() {
        if number == 0 {
            page.blank();
        }
        page.labelled(0, (CALM, "not known:"), &format!("{words}."));
    }
}

/// For a job summary.
pub(super) fn markdown(upgrade: &Upgrade, page: &mut String) {
    page.push_str(&format!("### {}\n\n", plain(&headline(upgrade))));
    if let ToldBy::Database(asked) = &upgrade.told_by {
        page.push_str(&format!("{}\n\n", spans(&found(asked))));
    }
    for kind in kinds(&upgrade.plan) {
        page.push_str(&format!(
            "- **{} `{}`**: {}\n",
            level(kind.level),
            kind.id,
            spans(&kind.words())
        ));
    }
    for words in not_known(upgrade) {
        page.push_str(&format!("- **not known**: {}.\n", spans(words)));
    }
    if upgrade.plan.steps.is_empty() {
        page.push('\n');
        return;
    }
    page.push_str(
        "\n<details><summary>Every migration, in order</summary>\n\n| migration | transaction | what it does | hazards |\n| --- | --- | --- | --- |\n",
    );
    for summary in migrations(&upgrade.plan) {
        let ids: Vec<String> = unique(summary.hazards.iter().map(|hazard| hazard.id))
            .into_iter()
            .map(|id| format!("`{id}`"))
            .collect();
        let transaction = match summary.transactional {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        };
        page.push_str(&format!(
            "| {} | {transaction} | {} | {} |\n",
            plain(&named(&summary)),
            plain(&does(&summary)),
            ids.join(", ")
        ));
    }
    page.push_str("\n</details>\n\n");
}

/// For the page.
pub(super) fn html(upgrade: &Upgrade, body: &mut String) {
    body.push_str(&format!("<h3>{}</h3>\n", escaped(&headline(upgrade))));
    if let ToldBy::Database(asked) = &upgrade.told_by {
        body.push_str(&format!("<p>{}</p>\n", with_code(&found(asked))));
    }
    body.push_str("<ul class=\"notes\">\n");
    for kind in kinds(&upgrade.plan) {
        body.push_str(&format!(
            "<li>{} <code>{}</code>: {}</li>\n",
            level(kind.level),
            kind.id,
            with_code(&kind.words())
        ));
    }
    for words in not_known(upgrade) {
        body.push_str(&format!("<li>not known: {}.</li>\n", with_code(words)));
    }
    body.push_str("</ul>\n");
    if upgrade.plan.steps.is_empty() {
        return;
    }
    body.push_str("<details><summary>Every migration, in order</summary>\n<ol>\n");
    for summary in migrations(&upgrade.plan) {
        let ids: String = unique(summary.hazards.iter().map(|hazard| hazard.id))
            .into_iter()
            .map(|id| format!(" <code>{id}</code>"))
            .collect();
        body.push_str(&format!(
            "<li><strong>{}</strong>: {}{ids}</li>\n",
            escaped(&named(&summary)),
            escaped(&does(&summary))
        ));
    }
    body.push_str("</ol>\n</details>\n");
}

fn headline(upgrade: &Upgrade) -> String {
    let Plan {
        from, to, steps, ..
    } = &upgrade.plan;
    let from = match (from, &upgrade.told_by) {
        (Some(from), _) => format!("Ghost {}", from.ghost),
        (None, ToldBy::Database(asked)) => match &asked.outlook.migrated_by {
            Some(by) => format!("a database that Ghost {by} migrated last"),
            None => "a database".to_owned(),
        },
        (None, ToldBy::Ghost(_)) => "a Ghost".to_owned(),
    };
    if upgrade.plan.leads_back() {
        return format!("From {from} back to {}: no upgrade leads there", to.ghost);
    }
    let number = match steps.len() {
        0 => "no migration runs".to_owned(),
        1 => "1 migration runs".to_owned(),
        number => format!("{number} migrations run"),
    };
    format!("From {from} to {}: {number}", to.ghost)
}

/// What a database said, in one sentence.
fn found(asked: &Asked) -> String {
    let Asked { address, outlook } = asked;
    let state = match outlook.state {
        State::NotInitialised => "Ghost takes it for a new one",
        State::InitRowsMissing => "Ghost takes it for a new one, which it is not",
        State::UpToDate => "it is up to date",
        State::Pending => "migrations are pending",
        State::NewerThanCode => "it has more than this Ghost knows",
    };
    let lock = match &outlook.lock {
        Lock::Free => "free",
        Lock::Held { .. } => "held",
        Lock::RowMissing => "without its row",
        Lock::TableMissing => "not there yet",
        Lock::Unknown(_) => "unknown",
    };
    let mut words = format!(
        "Asked {address}: {state}; {}, the lock is {lock}.",
        count(outlook.rows, "migration recorded", "migrations recorded")
    );
    let others = outlook.not_in_target.len();
    if others > 0 {
        words.push_str(&format!(
            " This Ghost has no file for {others} of them{}.",
            if outlook.state == State::NewerThanCode {
                ""
            } else {
                ": a later Ghost leaves those of past major versions out"
            }
        ));
    }
    words
}

fn not_known(upgrade: &Upgrade) -> &[String] {
    match &upgrade.told_by {
        ToldBy::Ghost(_) => &[],
        ToldBy::Database(asked) => &asked.outlook.not_known,
    }
}

fn named(summary: &Summary) -> String {
    format!("{}/{}", summary.version, summary.name)
}

/// What a migration does, in a few words.
fn does(summary: &Summary) -> String {
    let mut words: Vec<String> = Vec::new();
    if summary.aborts {
        words.push("fails, and does nothing else".to_owned());
    }
    let is_new = |table: &Option<String>| {
        summary
            .changes
            .iter()
            .any(|change| change.kind == "create-table" && change.table == *table)
    };
    let mut told: Vec<Change> = Vec::new();
    for change in &summary.changes {
        let is_of_new_table = !matches!(
            change.kind,
            "create-table" | "insert" | "update" | "delete" | "truncate" | "add-foreign-key"
        ) && is_new(&change.table);
        if is_of_new_table {
            continue;
        }
        match told.last_mut() {
            // Columns of one table in one breath.
            Some(last)
                if matches!(change.kind, "add-column" | "drop-column" | "alter-column")
                    && (last.kind, &last.table) == (change.kind, &change.table) =>
            {
                last.columns.extend(change.columns.iter().cloned());
            }
            _ => told.push(change.clone()),
        }
    }
    for change in &told {
        let word = in_words(change);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    if !summary.unknown.is_empty() {
        words.push(format!(
            "and what was not understood: {}",
            summary.unknown.join(", ")
        ));
    }
    if words.is_empty() {
        "changes nothing".to_owned()
    } else {
        words.join("; ")
    }
}

fn in_words(change: &Change) -> String {
    let table = change
        .table
        .as_deref()
        .unwrap_or("a table named at run time");
    let mut kind = change.kind.replace('-', " ");
    if kind.ends_with("column") && change.columns.len() > 1 {
        kind.push('s');
    }
    let columns = change.columns.join(", ");
    let (to, columns) = match (&change.to, change.kind) {
        (Some(to), "rename-table") => (format!(" to {to}"), String::new()),
        (Some(to), "rename-column") => (format!(".{columns} to {to}"), String::new()),
        (Some(to), _) => (format!(".{columns} to {to}"), String::new()),
        (None, "insert" | "delete" | "truncate") => (String::new(), String::new()),
        (None, _) if columns.is_empty() => (String::new(), String::new()),
        (None, _) => (String::new(), format!(" ({columns})")),
    };
    let each = if change.repeated {
        ", for every row"
    } else {
        ""
    };
    format!("{kind} {table}{to}{columns}{each}")
}

/// Hazards of one kind.
pub(super) struct Kind<'p> {
    pub(super) id: &'static str,
    pub(super) level: Level,
    /// Where, and why.
    reasons: Vec<(String, &'p str)>,
    fix: &'p str,
}

impl Kind<'_> {
    /// All about it in one paragraph.
    pub(super) fn words(&self) -> String {
        let mut words: Vec<String> = self.told().collect();
        words.extend(more(self));
        words.push(format!("Next: {}.", self.fix));
        words.join(" ")
    }

    /// The first few places and reasons.
    fn told(&self) -> impl Iterator<Item = String> {
        let few = self.reasons.iter().take(FEW);
        few.map(|(place, reason)| format!("{place}{reason}."))
    }
}

/// Every kind of hazard once, the worst first.
pub(super) fn kinds(plan: &Plan) -> Vec<Kind<'_>> {
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    let of_upgrade = plan.hazards.iter().map(|hazard| (String::new(), hazard));
    let of_steps = plan.steps.iter().flat_map(|step| {
        let place = format!("{}/{}: ", step.migration.version, step.migration.name);
        step.hazards
            .iter()
            .map(move |hazard| (place.clone(), hazard))
    });
    for (place, hazard) in of_upgrade.chain(of_steps) {
        let reason = (place, hazard.reason.as_str());
        match kinds
            .iter_mut()
            .find(|kind| kind.id == hazard.id && kind.level == hazard.level)
        {
            Some(kind) => kind.reasons.push(reason),
            None => kinds.push(Kind {
                id: hazard.id,
                level: hazard.level,
                reasons: vec![reason],
                fix: &hazard.fix,
            }),
        }
    }
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.level));
    kinds
}

fn more(kind: &Kind<'_>) -> Option<String> {
    let more = kind
        .reasons
        .len()
        .checked_sub(FEW)
        .filter(|more| *more > 0)?;
    Some(format!("And {more} more of this kind."))
}

/// One hazard of each kind that a migration has.
fn marks(step: &Step) -> Vec<&Hazard> {
    let mut marks: Vec<&Hazard> = Vec::new();
    for hazard in &step.hazards {
        if !marks.iter().any(|known| known.id == hazard.id) {
            marks.push(hazard);
        }
    }
    marks
}

fn style(level: Level) -> Style {
    match level {
        Level::Error => BAD,
        Level::Warning => WARN,
        Level::Notice => CALM,
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
    }
}

/// Words with code spans in them, which stay code spans.
fn spans(words: &str) -> String {
    let parts: Vec<&str> = words.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return plain(words);
    }
    let spans = parts.iter().enumerate();
    spans
        .map(|(number, part)| {
            if number % 2 == 0 {
                plain(part)
            } else {
                code(part)
            }
        })
        .collect()
}

fn unique(ids: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut unique = Vec::new();
    for id in ids {
        if !unique.contains(&id) {
            unique.push(id);
        }
    }
    unique
}
