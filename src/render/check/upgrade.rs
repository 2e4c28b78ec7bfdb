//! What an upgrade does to the database: a line for each migration, and each kind of hazard once.

use crate::migrations::database::{Lock, State};
use crate::migrations::hazards::Level;
use crate::migrations::plan::Plan;
use crate::migrations::summary::{Change, Summary};
use crate::render::text::count;
use crate::report::check::{Asked, ToldBy, Upgrade};

pub(super) mod html;
pub(super) mod human;
pub(super) mod markdown;

/// How many reasons of one kind are told where not all are wanted.
const FEW: usize = 3;

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

/// All of it in one line: `From Ghost 5.75.1 to 6.65.0: 128 migrations run; error skips-major; warning view, backfill`.
pub(super) fn line(upgrade: &Upgrade) -> String {
    let kinds = kinds(&upgrade.plan);
    let mut line = headline(upgrade);
    for wanted in [Level::Error, Level::Warning] {
        let of_level = kinds.iter().filter(|kind| kind.level == wanted);
        let ids: Vec<&str> = of_level.map(|kind| kind.id).collect();
        if !ids.is_empty() {
            line.push_str(&format!("; {} {}", level(wanted), ids.join(", ")));
        }
    }
    line
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
    /// What is most of it in one paragraph.
    pub(super) fn words(&self) -> String {
        let mut words: Vec<String> = self.told(FEW).collect();
        let more = self.more(FEW);
        words.extend(more.map(|more| format!("{more}; `--format json` has each.")));
        words.push(format!("Next: {}.", self.fix));
        words.join(" ")
    }

    /// The first places and reasons, so many of them.
    fn told(&self, number: usize) -> impl Iterator<Item = String> {
        let told = self.reasons.iter().take(number);
        told.map(|(place, reason)| format!("{place}{reason}."))
    }

    /// Those after the first so many.
    fn rest(&self, number: usize) -> impl Iterator<Item = String> {
        let rest = self.reasons.iter().skip(number);
        rest.map(|(place, reason)| format!("{place}{reason}."))
    }

    /// How many those are, where there are any.
    fn more(&self, number: usize) -> Option<String> {
        let more = self.reasons.len().checked_sub(number)?;
        (more > 0).then(|| format!("And {more} more of this kind"))
    }
}

/// Every kind of hazard once, the worst first; before all others that the database is newer: nothing else matters then.
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
    kinds.sort_by_key(|kind| {
        let is_newer = kind.level == Level::Error && kind.id == "newer-database";
        (!is_newer, std::cmp::Reverse(kind.level))
    });
    kinds
}

/// The notices in one line, where there are any: `2 notices: drop-table, irreversible`.
fn notices(kinds: &[Kind<'_>]) -> Option<String> {
    let notices = kinds.iter().filter(|kind| kind.level == Level::Notice);
    let ids: Vec<&str> = notices.map(|kind| kind.id).collect();
    let number = count(ids.len(), "notice", "notices");
    (!ids.is_empty()).then(|| format!("{number}: {}", ids.join(", ")))
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
    }
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
