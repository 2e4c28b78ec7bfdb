//! What may go wrong in an upgrade on PlanetScale and other Vitess, judged from the facts alone.

use std::collections::BTreeSet;

use nodejs_semver::Version;
use serde::Serialize;

use super::facts::{Action, Migration, Operation, When};
use super::plan::Brings;

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
                        "{what}, its own table, and cascades: where foreign keys are managed, every write after it fails with VT09019"
                    ),
                    fix: "After the upgrade, drop that key and put an index in its place, as the patch `comments-parent` does for a new database".to_owned(),
                });
            }
            if !so_far.tables.contains(&key.parent) && Some(key.parent.as_str()) != table {
                found.push(Hazard {
                    id: "foreign-key-collation",
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
    if (is_new && !inserts) || (inserts && !operation.repeated && operation.when != When::Depends) {
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
            "{named}: `{}` is added and written in the same upgrade; where foreign keys are managed, vtgate may not know \
             it yet and refuses the statement with errno 1105{lost}",
            new.join("`, `")
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

/// Judges what comes with the new Ghost besides its migrations, and what all its migrations have in common.
#[must_use]
pub fn of_upgrade(from: &Brings, to: &Brings, migrations: &[Migration]) -> Vec<Hazard> {
    let mut found = Vec::new();
    if to.ghost < from.ghost {
        found.push(Hazard {
            id: "newer-database",
            level: Level::Error,
            reason: format!(
                "{} is older than {}: its migrations do not lead back, and Ghost only notices where it has the same folders",
                to.ghost, from.ghost
            ),
            fix: "Restore a backup from before the upgrade, or branch from one".to_owned(),
        });
    }
    let changing = migrations
        .iter()
        .filter(|migration| {
            migration
                .operations
                .iter()
                .any(|operation| operation.action.is_ddl())
        })
        .count();
    if changing > 0 {
        found.push(Hazard {
            id: "safe-migrations",
            level: Level::Warning,
            reason: format!(
                "{changing} of {} migrations change the schema. With safe migrations on, PlanetScale refuses that with `direct DDL is disabled`",
                migrations.len()
            ),
            fix: "Boot the new Ghost once on a branch without safe migrations, and deploy that branch; or turn them off while it boots"
                .to_owned(),
        });
    }
    if let (Some(before), Some(now)) = (&from.node, &to.node)
        && majors(before) != majors(now)
    {
        found.push(Hazard {
            id: "node-major",
            level: Level::Warning,
            reason: format!(
                "Ghost {} wants Node {now}; {} wanted {before}",
                to.ghost, from.ghost
            ),
            fix: "Take an image with that Node; an official `ghost` image has it".to_owned(),
        });
    }
    if let (Some(before), Some(now)) = (&from.mysql2, &to.mysql2)
        && before.major() != now.major()
    {
        found.push(Hazard {
            id: "mysql2-major",
            level: Level::Warning,
            reason: format!("The driver mysql2 goes from {before} to {now}"),
            fix: "Look at `database.connection` again, at `ssl` above all: `ghostfix preflight`"
                .to_owned(),
        });
    }
    match (&from.knex_migrator, &to.knex_migrator) {
        (Some(before), Some(now)) if before != now => found.push(Hazard {
            id: "knex-migrator-changed",
            level: if before.major() == now.major() {
                Level::Notice
            } else {
                Level::Warning
            },
            reason: format!("knex-migrator goes from {before} to {now}: what was patched is another file now"),
            fix: "Build the image with `ghostfix patch` again, and keep `ghostfix verify` in its build".to_owned(),
        }),
        _ => {}
    }
    found
}

/// The major versions in a range such as `^18.12.1 || ^20.11.1`.
fn majors(range: &str) -> BTreeSet<u64> {
    range
        .split("||")
        .filter_map(|part| {
            let part = part
                .trim()
                .trim_start_matches(['^', '~', '>', '=', '<', 'v', ' ']);
            Version::parse(part)
                .map(|version| version.major())
                .ok()
                .or_else(|| part.split('.').next()?.trim().parse().ok())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::facts::{Column, Columns, ForeignKey};

    fn operation(table: &str, action: Action) -> Operation {
        Operation {
            table: Some(table.to_owned()),
            action,
            when: When::Always,
            repeated: false,
            narrowed: false,
            in_transaction: true,
            failure_ignored: false,
        }
    }

    fn migration(operations: Vec<Operation>) -> Migration {
        Migration {
            version: "6.1".to_owned(),
            name: "x.js".to_owned(),
            transactional: Some(true),
            irreversible: Some(false),
            operations,
            aborts: false,
            unknown: Vec::new(),
        }
    }

    fn ids(migrations: &[Migration]) -> Vec<Vec<&'static str>> {
        of_migrations(migrations)
            .into_iter()
            .map(|hazards| hazards.into_iter().map(|hazard| hazard.id).collect())
            .collect()
    }

    fn column(name: &str) -> Action {
        Action::AddColumn(Column {
            name: name.to_owned(),
            kind: None,
        })
    }

    fn update(names: &[&str]) -> Action {
        Action::Update(Columns {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Columns::default()
        })
    }

    fn key(parent: &str, on_delete: &str) -> Action {
        Action::AddForeignKey(ForeignKey {
            column: "parent_id".to_owned(),
            parent: parent.to_owned(),
            parent_column: "id".to_owned(),
            on_delete: Some(on_delete.to_owned()),
        })
    }

    #[test]
    fn a_column_is_late_only_where_the_same_upgrade_adds_and_writes_it() {
        let add = migration(vec![operation("newsletters", column("link_color"))]);
        let write = migration(vec![operation("newsletters", update(&["link_color"]))]);
        let other = migration(vec![operation("newsletters", update(&["title"]))]);
        assert_eq!(
            ids(&[add.clone(), write.clone(), other]),
            [vec![], vec!["schema-lag"], vec![]]
        );
        assert_eq!(ids(&[write, add]), [vec![""; 0], vec![]]);
    }

    #[test]
    fn a_new_table_is_known_with_the_columns_that_it_began_with() {
        let make = migration(vec![
            operation("revisions", Action::CreateTable),
            operation("revisions", column("id")),
        ]);
        let add = migration(vec![operation("revisions", column("count"))]);
        let first = migration(vec![operation("revisions", update(&["id"]))]);
        let later = migration(vec![operation("revisions", update(&["count"]))]);
        assert_eq!(
            ids(&[make, add, first, later]),
            [vec![], vec![], vec![], vec!["schema-lag"]]
        );
    }

    #[test]
    fn columns_follow_their_table_when_it_is_renamed() {
        let add = migration(vec![operation("old", column("c"))]);
        let rename = migration(vec![operation(
            "old",
            Action::RenameTable("settings".to_owned()),
        )]);
        let write = migration(vec![operation("settings", update(&["c"]))]);
        assert_eq!(
            ids(&[add, rename, write]),
            [vec![], vec!["rename-table"], vec!["schema-lag"]]
        );
    }

    #[test]
    fn only_rows_that_grow_with_the_site_are_a_backfill() {
        let settings = migration(vec![operation("settings", update(&["value"]))]);
        let posts = migration(vec![operation("posts", update(&["visibility"]))]);
        assert_eq!(ids(&[settings, posts]), [vec![], vec!["backfill"]]);
    }

    #[test]
    fn keys_within_a_table_and_to_tables_that_were_there() {
        let own = migration(vec![
            operation("comments", Action::CreateTable),
            operation("comments", key("comments", "CASCADE")),
        ]);
        let soft = migration(vec![operation("comments", key("comments", "SET NULL"))]);
        let there = migration(vec![operation("gifts", key("members", "CASCADE"))]);
        let new = migration(vec![operation("likes", key("comments", "CASCADE"))]);
        assert_eq!(
            ids(&[own, soft, there, new]),
            [
                vec!["foreign-key-cycle"],
                vec![],
                vec!["foreign-key-collation"],
                vec![]
            ]
        );
    }

    #[test]
    fn majors_are_those_of_every_alternative() {
        let set = |majors: &[u64]| majors.iter().copied().collect::<BTreeSet<u64>>();
        assert_eq!(majors("^18.12.1 || ^20.11.1"), set(&[18, 20]));
        assert_eq!(majors("^14.18.0 || ^16.13.0 || 18.x"), set(&[14, 16, 18]));
        assert_eq!(majors("^22.13.1"), set(&[22]));
    }
}
