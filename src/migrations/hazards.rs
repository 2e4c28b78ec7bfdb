//! What may go wrong in an upgrade on PlanetScale and other Vitess, judged from the facts alone.

use std::collections::BTreeSet;

use serde::Serialize;

use super::facts::{Action, Migration, Operation, When};

mod upgrade;

#[cfg(test)]
mod tests;

pub use upgrade::of_upgrade;

/// Something that may go wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hazard {
    /// Its stable name.
    pub id: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What happens, and why.
    pub reason: String,
    /// What to do about it.
    pub fix: String,
}

/// How bad a hazard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Good to know beforehand.
    Notice,
    /// It may fail, depending on the database.
    Warning,
    /// It fails.
    Error,
}

/// The id of what a live database can settle.
pub(super) const FOREIGN_KEY_COLLATION: &str = "foreign-key-collation";

/// Tables that stay small however large a site grows: its configuration, not its content or its readers.
const SMALL: &[&str] = &[
    "api_keys",
    "automated_emails",
    "automation_actions",
    "automation_action_revisions",
    "automations",
    "benefits",
    "brute",
    "collections",
    "custom_theme_settings",
    "email_design_settings",
    "integrations",
    "invites",
    "migrations",
    "migrations_lock",
    "newsletters",
    "offers",
    "permissions",
    "permissions_apps",
    "permissions_roles",
    "permissions_users",
    "products",
    "products_benefits",
    "roles",
    "roles_users",
    "settings",
    "snippets",
    "stripe_prices",
    "stripe_products",
    "users",
    "webhooks",
    "welcome_email_automated_emails",
    "welcome_email_automations",
];

/// Judges migrations in their order: what one of them makes, those after it find.
#[must_use]
pub fn of_migrations(migrations: &[Migration]) -> Vec<Vec<Hazard>> {
    let mut so_far = SoFar::default();
    migrations
        .iter()
        .map(|migration| of_migration(migration, &mut so_far))
        .collect()
}

/// What the migrations so far have made.
#[derive(Default)]
struct SoFar {
    tables: BTreeSet<String>,
    /// Those that this very migration has made: their first columns come with them.
    new: BTreeSet<String>,
    columns: BTreeSet<(String, String)>,
}

fn of_migration(migration: &Migration, so_far: &mut SoFar) -> Vec<Hazard> {
    let mut found = Vec::new();
    so_far.new.clear();
    if migration.aborts {
        found.push(aborts(migration));
    }
    for operation in &migration.operations {
        of_operation(operation, so_far, &mut found);
        so_far.take(operation);
    }
    if migration.irreversible == Some(true) && !migration.aborts {
        found.push(Hazard {
            id: "irreversible",
            level: Level::Notice,
            reason: "It says of itself that there is no way back: from here on `knex-migrator rollback` refuses".to_owned(),
            fix: "Take a backup, or branch the database, before the upgrade".to_owned(),
        });
    }
    if !migration.unknown.is_empty() {
        found.push(Hazard {
            id: "not-understood",
            level: Level::Warning,
            reason: format!(
                "Its code leads where it was not followed: {}. It may do more than is said here",
                migration.unknown.join(", ")
            ),
            fix: "Try the upgrade on a branch or a copy of the database".to_owned(),
        });
    }
    merged(found)
}

impl SoFar {
    fn take(&mut self, operation: &Operation) {
        let Some(table) = &operation.table else {
            return;
        };
        match &operation.action {
            Action::CreateTable => {
                self.tables.insert(table.clone());
                self.new.insert(table.clone());
            }
            Action::RenameTable(to) => {
                if self.tables.remove(table) {
                    self.tables.insert(to.clone());
                }
                let columns = self.columns.clone().into_iter();
                self.columns = columns
                    .map(|(own, column)| (if own == *table { to.clone() } else { own }, column))
                    .collect();
            }
            Action::AddColumn(column) if !self.new.contains(table) => {
                self.columns.insert((table.clone(), column.name.clone()));
            }
            Action::RenameColumn(_, to) => {
                self.columns.insert((table.clone(), to.clone()));
            }
            _ => {}
        }
    }
}

fn of_operation(operation: &Operation, so_far: &SoFar, found: &mut Vec<Hazard>) {
    let table = operation.table.as_deref();
    let named = table.map_or_else(|| "a table".to_owned(), |table| format!("`{table}`"));
    match &operation.action {
        Action::RenameTable(to) => {
            found.push(rename("rename-table", &format!("{named} becomes `{to}`")))
        }
        Action::RenameColumn(from, to) => found.push(rename(
            "rename-column",
            &format!("{named}: column `{from}` becomes `{to}`"),
        )),
        Action::DropTable => found.push(Hazard {
            id: "drop-table",
            level: Level::Notice,
            reason: format!("{named} goes, with all rows in it"),
            fix: "Take a backup, or branch the database, if you may want to go back".to_owned(),
        }),
        Action::DropColumn(column) => found.push(Hazard {
            id: "drop-column",
            level: Level::Notice,
            reason: format!("{named}: column `{column}` goes, with all that is in it"),
            fix: "Take a backup, or branch the database, if you may want to go back".to_owned(),
        }),
        Action::CreateView | Action::DropView => found.push(Hazard {
            id: "view",
            level: Level::Warning,
            reason: format!("{named} is a view: vtgate has to be run with views, and it is DDL"),
            fix: "Preflight's `views` tells whether this database takes them".to_owned(),
        }),
        Action::AddForeignKey(key) => {
            let what = format!(
                "{named}.`{}` refers to `{}`.`{}`",
                key.column, key.parent, key.parent_column
            );
            if Some(key.parent.as_str()) == table && key.on_delete.as_deref() == Some("CASCADE") {
                found.push(Hazard {
                    id: "foreign-key-cycle",
                    level: Level::Error,
                    reason: format!(
                        "{what}, its own table, and cascades: where foreign keys are managed, writes after it fail with VT09019, and the rest of the upgrade with them"
                    ),
                    fix: "Run this upgrade where foreign keys are not managed: before enrolment, or on a MySQL of your own. Then drop that key and put an index in its place, as the patch `comments-parent` does for a new database, and enrol"
                        .to_owned(),
                });
            }
            if !so_far.tables.contains(&key.parent) && Some(key.parent.as_str()) != table {
                found.push(Hazard {
                    id: FOREIGN_KEY_COLLATION,
                    level: Level::Warning,
                    reason: format!(
                        "{what}, which is there already. Where its collation is not that of the new column, which is \
                         the server's default for utf8mb4, this fails with errno 3780"
                    ),
                    fix: "Compare TABLE_COLLATION in information_schema.TABLES with the server's default for utf8mb4, and \
                          convert the tables that differ before the upgrade"
                        .to_owned(),
                });
            }
        }
        Action::Insert(_) | Action::Update(_) | Action::Delete => {
            found.extend(backfill(operation, so_far, &named));
            found.extend(schema_lag(operation, so_far, &named));
        }
        Action::Truncate => found.push(Hazard {
            id: "truncate",
            level: Level::Notice,
            reason: format!(
                "All rows of {named} go by TRUNCATE, which is DDL and cannot be rolled back"
            ),
            fix: "Take a backup, or branch the database, if you may want to go back".to_owned(),
        }),
        Action::CreateTable
        | Action::AddColumn(_)
        | Action::AlterColumn(_)
        | Action::AddIndex(_)
        | Action::DropIndex(_)
        | Action::AddUnique(_)
        | Action::DropUnique(_)
        | Action::AddPrimaryKey(_)
        | Action::DropPrimaryKey
        | Action::DropForeignKey(_)
        | Action::AlterTable => {}
    }
}

fn aborts(migration: &Migration) -> Hazard {
    let major = migration.version.split('.').next().unwrap_or_default();
    Hazard {
        id: "skips-major",
        level: Level::Error,
        reason: format!(
            "It does nothing but fail: Ghost wants the last {major}.x to have run on this database first"
        ),
        fix: format!("Upgrade to the latest {major}.x, let it boot once, and go on from there"),
    }
}

fn rename(id: &'static str, what: &str) -> Hazard {
    Hazard {
        id,
        level: Level::Warning,
        reason: format!("{what}: PlanetScale's deploy requests refuse renames"),
        fix:
            "Let Ghost run it as direct DDL: with safe migrations off on that branch while it boots"
                .to_owned(),
    }
}

/// Rows that are written in numbers that grow with the site.
fn backfill(operation: &Operation, so_far: &SoFar, named: &str) -> Option<Hazard> {
    let table = operation.table.as_deref();
    if table.is_some_and(|table| SMALL.contains(&table)) {
        return None;
    }
    // What a migration has just made holds what migrations put there.
    let is_new = table.is_some_and(|table| so_far.tables.contains(table));
    let inserts = matches!(operation.action, Action::Insert(_));
    let many = operation.repeated || operation.selects || operation.when == When::Depends;
    if (is_new && !inserts) || (inserts && !many) {
        return None;
    }
    let how = match (operation.repeated, operation.in_transaction) {
        (true, true) => {
            "a statement for every row or batch, all in one transaction, which Vitess ends after 20 s"
        }
        (true, false) => {
            "a statement for every row or batch: as long as that takes, Ghost is not up"
        }
        (false, _) => {
            "as many rows as there are, in one statement, which may take 30 s and touch 100,000 rows"
        }
    };
    let verb = match operation.action {
        Action::Insert(_) => "inserts into",
        Action::Delete => "deletes from",
        _ => "updates",
    };
    Some(Hazard {
        id: "backfill",
        level: Level::Warning,
        reason: format!("It {verb} {named}, which grows with the site: {how}"),
        fix: "Try it on a branch with the real data; for a large table do it by hand, in batches, before the upgrade"
            .to_owned(),
    })
}

/// A column that is written in the very upgrade that adds it.
fn schema_lag(operation: &Operation, so_far: &SoFar, named: &str) -> Option<Hazard> {
    let table = operation.table.as_deref()?;
    let (Action::Insert(written) | Action::Update(written)) = &operation.action else {
        return None;
    };
    let new: Vec<&str> = so_far
        .columns
        .iter()
        .filter(|(own, column)| {
            own == table
                && (written.and_others
                    || written.names.contains(column)
                    || written.perhaps.contains(column))
        })
        .map(|(_, column)| column.as_str())
        .collect();
    if new.is_empty() {
        return None;
    }
    let lost = if operation.failure_ignored {
        ". It passes over its errors: it would be recorded as applied, and its change lost"
    } else {
        ""
    };
    Some(Hazard {
        id: "schema-lag",
        level: Level::Warning,
        reason: format!(
            "{named}: `{}` {} added and written in the same upgrade; where foreign keys are managed, vtgate may not know \
             it yet and refuses the statement with errno 1105{lost}",
            new.join("`, `"),
            if new.len() == 1 { "is" } else { "are" }
        ),
        fix: "Build the image with the patch `schema-lag`, which asks again".to_owned(),
    })
}

/// Hazards of the same kind and cure, told once.
fn merged(found: Vec<Hazard>) -> Vec<Hazard> {
    let mut merged: Vec<Hazard> = Vec::new();
    for hazard in found {
        if !merged.contains(&hazard) {
            merged.push(hazard);
        }
    }
    merged
}
