//! What a live database says of its migrations, and what a Ghost that starts on it makes of that.
//!
//! Ghost counts before it compares: as many rows of `init` as it has files for a first boot, and the database is an old
//! one; for each version as many rows as files, and it is up to date. Which code was at work is known as far as each row
//! says: by major and minor.

use std::collections::BTreeSet;

use nodejs_semver::Version;
use serde::Serialize;

use super::facts::Action;
use super::hazards::{self, Hazard, Level};
use super::inventory::{Folder, Inventory, Named, order};
use super::plan::{Applied, Step, pending};

mod words;

#[cfg(test)]
mod tests;

/// The version that the steps of a first boot are recorded with.
const INIT: &str = "init";

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// The rows of `migrations`; none where there is no such table.
    pub rows: Vec<Row>,
    /// The row of `migrations_lock`.
    pub lock: Lock,
    /// What else stands there.
    pub holds: Holds,
    /// Whether what new tables refer to fits them.
    pub collations: Collations,
}

/// A row of `migrations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The folder that it is from, or `init`.
    pub version: String,
    /// The file.
    pub name: String,
    /// The Ghost that ran it, or marked it as applied: `5.75`; `None` where that could not be read.
    pub by: Option<String>,
}

/// The lock on migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lock {
    /// Nobody holds it.
    Free,
    /// Somebody does, or was killed meanwhile.
    Held {
        /// Since when, in the local time of whoever took it.
        since: Option<String>,
    },
    /// Its table is there without the row, which counts as held.
    RowMissing,
    /// There is no such table: Ghost makes it.
    TableMissing,
    /// It could not be read, and why.
    Unknown(String),
}

/// What stands in a database beside the tables of knex-migrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Nothing.
    Nothing,
    /// Tables, and none of Ghost's.
    Foreign,
    /// Some of the tables that every Ghost has had.
    PartOfGhost,
    /// A Ghost.
    Ghost,
}

/// How the keys of the tables that are there compare with those that new tables get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Collations {
    /// They are the same: no foreign key fails for its collation.
    Fit,
    /// They are not.
    Differ {
        /// What differs.
        words: String,
        /// What to do.
        fix: String,
        /// Whether that goes for every table, rather than for some.
        everywhere: bool,
    },
    /// It cannot be told.
    Unknown,
}

/// What a Ghost makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// What it takes the database for.
    pub state: State,
    /// The migrations that it would run, in order.
    pub pending: Vec<Named>,
    /// The Ghost that migrated it last, by major and minor, as its rows have it.
    pub migrated_by: Option<String>,
    /// How many rows there are.
    pub rows: usize,
    /// The lock.
    pub lock: Lock,
    /// Whether what new tables refer to fits them.
    pub collations: Collations,
    /// What is recorded and is none of this Ghost's: mostly of past major versions.
    pub not_in_target: Vec<Named>,
    /// What stands in the way, or may.
    pub hazards: Vec<Hazard>,
    /// What the database does not tell.
    pub not_known: Vec<String>,
}

/// What a Ghost takes a database for when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// New: a first boot makes its tables, and no migration runs.
    NotInitialised,
    /// New as well, though a Ghost stands there.
    InitRowsMissing,
    /// Its own.
    UpToDate,
    /// An older one.
    Pending,
    /// One that had a newer Ghost, or that has more than it may have.
    NewerThanCode,
}

impl Collations {
    /// The comparison in a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Differ { .. } => "differ",
            Self::Unknown => "unknown",
        }
    }
}

impl Lock {
    /// Its state in a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Held { .. } => "held",
            Self::RowMissing => "row-missing",
            Self::TableMissing => "table-missing",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// What the Ghost of that version, with these files, makes of a database.
#[must_use]
pub fn judge(database: &Database, inventory: &Inventory, ghost: &Version) -> Outlook {
    let applied = Applied::of(database.rows.iter().map(|row| Named {
        version: row.version.clone(),
        name: row.name.clone(),
    }));
    let migrated_by = newest(database.rows.iter().filter_map(|row| row.by.as_deref()));
    let mut outlook = Outlook {
        state: State::UpToDate,
        pending: Vec::new(),
        migrated_by: migrated_by.clone(),
        rows: database.rows.len(),
        lock: database.lock.clone(),
        collations: database.collations.clone(),
        not_in_target: not_in(database, inventory),
        hazards: words::of_lock(&database.lock).into_iter().collect(),
        not_known: Vec::new(),
    };
    if applied.folder(INIT).len() < inventory.init.len().max(1) {
        first_boot(database, inventory, ghost, &mut outlook);
    } else {
        upgrade(database, &applied, inventory, ghost, &mut outlook);
    }
    words::not_known(&mut outlook);
    outlook
}

/// What is known of the collations, in place of the warning at every foreign key that leads to a table that is there.
pub(super) fn settle_collations(collations: &Collations, steps: &mut [Step]) -> Option<Hazard> {
    let is_that = |hazard: &Hazard| hazard.id == hazards::FOREIGN_KEY_COLLATION;
    let concerned = steps.iter().flat_map(|step| &step.hazards).any(is_that);
    if !concerned || *collations == Collations::Unknown {
        return None;
    }
    for step in steps {
        match collations {
            // The columns that were compared are the `id`s.
            Collations::Fit if refers_to_ids(step) => {
                step.hazards.retain(|hazard| !is_that(hazard));
            }
            Collations::Differ {
                everywhere: true, ..
            } => {
                for hazard in step.hazards.iter_mut().filter(|hazard| is_that(hazard)) {
                    hazard.level = Level::Error;
                }
            }
            Collations::Fit | Collations::Differ { .. } | Collations::Unknown => {}
        }
    }
    words::collations(collations)
}

fn refers_to_ids(step: &Step) -> bool {
    step.migration
        .operations
        .iter()
        .all(|operation| match &operation.action {
            Action::AddForeignKey(key) => key.parent_column == "id",
            _ => true,
        })
}

/// Ghost does a first boot: it makes what is missing, and marks every migration as applied without running it.
fn first_boot(database: &Database, inventory: &Inventory, ghost: &Version, outlook: &mut Outlook) {
    let begun = database.rows.iter().find(|row| row.version == INIT);
    outlook.state = State::NotInitialised;
    outlook.hazards.push(match (begun, database.holds) {
        (Some(row), _) => words::unfinished_first_boot(row, inventory.init.len(), ghost),
        (None, Holds::Nothing) => words::first_boot(ghost),
        (None, Holds::Foreign) => words::foreign_tables(ghost),
        // A first boot writes its first row when it has made all tables.
        (None, Holds::PartOfGhost) if database.rows.is_empty() => words::tables_half_made(ghost),
        (None, Holds::PartOfGhost | Holds::Ghost) => {
            outlook.state = State::InitRowsMissing;
            words::init_rows_missing(ghost)
        }
    });
}

fn upgrade(
    database: &Database,
    applied: &Applied,
    inventory: &Inventory,
    ghost: &Version,
    outlook: &mut Outlook,
) {
    outlook.pending = pending(applied, inventory, ghost);
    let newer: Vec<&Row> = database
        .rows
        .iter()
        .filter(|row| row.version != INIT && Inventory::is_later(&row.version, ghost))
        .filter(|row| !has(inventory, row))
        .collect();
    let surplus = surplus(applied, inventory, ghost);
    outlook.state = if !newer.is_empty() || surplus.is_some() {
        State::NewerThanCode
    } else if outlook.pending.is_empty() {
        State::UpToDate
    } else {
        State::Pending
    };
    if !newer.is_empty() {
        outlook.hazards.push(words::newer(&newer, ghost));
    }
    if let Some(surplus) = surplus {
        if surplus.at_once {
            // Ghost ends there, before it runs any.
            outlook.pending.clear();
        }
        outlook.hazards.push(words::surplus(&surplus, ghost));
    }
    let by = outlook.migrated_by.as_deref();
    if let Some(by) = by {
        outlook
            .hazards
            .extend(unfinished(database, &outlook.pending, by));
    }
}

/// A folder whose rows are more than its files, now or once what is missing has run: Ghost ends at that.
struct Surplus<'i> {
    folder: &'i Folder,
    rows: usize,
    /// Before any migration runs, rather than after all have.
    at_once: bool,
}

fn surplus<'i>(
    applied: &Applied,
    inventory: &'i Inventory,
    ghost: &Version,
) -> Option<Surplus<'i>> {
    let mut first = true;
    for folder in &inventory.folders {
        let rows = applied.folder(&folder.version);
        if rows.len() == folder.files.len() || Inventory::is_later(&folder.version, ghost) {
            continue;
        }
        let missing = folder.files.iter().filter(|name| !rows.contains(name));
        if rows.len() + missing.count() > folder.files.len() {
            return Some(Surplus {
                folder,
                rows: rows.len(),
                at_once: first && rows.len() > folder.files.len(),
            });
        }
        first = false;
    }
    None
}

/// Whether the upgrade by the Ghost that was there last came to its end.
fn unfinished(database: &Database, pending: &[Named], by: &str) -> Option<Hazard> {
    let last = newest(
        database
            .rows
            .iter()
            .filter(|row| row.version != INIT)
            .map(|row| row.version.as_str()),
    )?;
    let left: Vec<&Named> = pending
        .iter()
        .filter(|named| order(&named.version) <= order(by))
        .collect();
    let beyond = left
        .iter()
        .any(|named| order(&named.version) > order(&last));
    if beyond {
        return Some(words::unfinished(&left, by));
    }
    (!left.is_empty()).then(|| words::perhaps_unfinished(&left, by))
}

/// The newest of some versions; `None` where none of them is one.
fn newest<'v>(versions: impl Iterator<Item = &'v str>) -> Option<String> {
    versions
        .filter(|version| order(version) > [0, 0, 0])
        .max_by_key(|version| order(version))
        .map(str::to_owned)
}

fn has(inventory: &Inventory, row: &Row) -> bool {
    inventory
        .folder(&row.version)
        .is_some_and(|folder| folder.files.contains(&row.name))
}

fn not_in(database: &Database, inventory: &Inventory) -> Vec<Named> {
    let rows: BTreeSet<Named> = database
        .rows
        .iter()
        .filter(|row| row.version != INIT && !has(inventory, row))
        .map(|row| Named {
            version: row.version.clone(),
            name: row.name.clone(),
        })
        .collect();
    let mut rows: Vec<Named> = rows.into_iter().collect();
    rows.sort_by_key(|named| (order(&named.version), named.name.clone()));
    rows
}
