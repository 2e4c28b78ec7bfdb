//! A plan as JSON has it: what each migration touches, gathered from its operations.

use serde::Serialize;

use super::facts::{Action, Columns, ForeignKey, Migration, Operation, When};
use super::hazards::Hazard;
use super::plan::{Plan, Step};

/// One entry of `migrations[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The folder.
    pub version: String,
    /// The file.
    pub name: String,
    /// Whether it runs in a transaction; `null` where that cannot be told.
    pub transactional: Option<bool>,
    /// Whether it says that there is no way back; `null` where that cannot be told.
    pub irreversible: Option<bool>,
    /// Whether it does nothing but fail.
    pub aborts: bool,
    /// Every table and view that it touches, those that its foreign keys refer to included.
    pub tables: Vec<String>,
    /// Every column that it touches in tables that are there, as `table.column`.
    pub columns: Vec<String>,
    /// Foreign keys that it adds.
    pub foreign_keys: Vec<AddedKey>,
    /// Tables whose rows it writes.
    pub rewrites: Vec<String>,
    /// Each change, in order.
    pub changes: Vec<Change>,
    /// What of its code was not understood: with any of it, more may happen.
    pub unknown: Vec<String>,
    /// What may go wrong.
    pub hazards: Vec<Hazard>,
}

/// A foreign key and the table that it is added to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddedKey {
    /// The table that refers; `null` where its name is made at run time.
    pub table: Option<String>,
    /// What it refers to.
    #[serde(flatten)]
    pub key: ForeignKey,
}

/// One change of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What is done: `add-column`, `update`.
    pub kind: &'static str,
    /// To which table or view; `null` where its name is made at run time.
    pub table: Option<String>,
    /// The columns that it is about. Of something that is dropped, this may be the name of a key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Columns that it may also write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns_perhaps: Vec<String>,
    /// Whether it writes columns that only show at run time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more_columns: bool,
    /// The new name of what is renamed, and what a foreign key refers to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// On what it depends whether it is done.
    pub when: When,
    /// Whether it is done for every row or batch of rows.
    pub repeated: bool,
    /// Whether a condition limits its rows.
    pub narrowed: bool,
}

/// The plan's migrations, as `migrations[]` has them.
#[must_use]
pub fn migrations(plan: &Plan) -> Vec<Summary> {
    plan.steps.iter().map(summary).collect()
}

fn summary(step: &Step) -> Summary {
    let migration: &Migration = &step.migration;
    let mut summary = Summary {
        version: migration.version.clone(),
        name: migration.name.clone(),
        transactional: migration.transactional,
        irreversible: migration.irreversible,
        aborts: migration.aborts,
        tables: Vec::new(),
        columns: Vec::new(),
        foreign_keys: Vec::new(),
        rewrites: Vec::new(),
        changes: Vec::new(),
        unknown: migration.unknown.clone(),
        hazards: step.hazards.clone(),
    };
    let mut made: Vec<&str> = Vec::new();
    for operation in &migration.operations {
        if let Some(table) = operation.table.as_deref() {
            once(&mut summary.tables, table);
            if operation.action == Action::CreateTable {
                made.push(table);
            }
            if !made.contains(&table) {
                for column in operation.action.columns() {
                    once(&mut summary.columns, &format!("{table}.{column}"));
                }
            }
            if matches!(
                operation.action,
                Action::Insert(_) | Action::Update(_) | Action::Delete | Action::Truncate
            ) {
                once(&mut summary.rewrites, table);
            }
        }
        match &operation.action {
            Action::RenameTable(to) => once(&mut summary.tables, to),
            Action::AddForeignKey(key) => {
                once(&mut summary.tables, &key.parent);
                summary.foreign_keys.push(AddedKey {
                    table: operation.table.clone(),
                    key: key.clone(),
                });
            }
            _ => {}
        }
        let change = change(operation);
        if !summary.changes.contains(&change) {
            summary.changes.push(change);
        }
    }
    summary
}

fn change(operation: &Operation) -> Change {
    let mut columns: Vec<String> = operation
        .action
        .columns()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let written = match &operation.action {
        Action::Insert(columns) | Action::Update(columns) => columns.clone(),
        _ => Columns::default(),
    };
    let mut to = None;
    let kind = match &operation.action {
        Action::CreateTable => "create-table",
        Action::DropTable => "drop-table",
        Action::RenameTable(name) => {
            to = Some(name.clone());
            "rename-table"
        }
        Action::AddColumn(_) => "add-column",
        Action::AlterColumn(_) => "alter-column",
        Action::DropColumn(_) => "drop-column",
        Action::RenameColumn(_, _) => {
            to = columns.pop();
            "rename-column"
        }
        Action::AddIndex(_) => "add-index",
        Action::DropIndex(names) => {
            columns.clone_from(names);
            "drop-index"
        }
        Action::AddUnique(_) => "add-unique",
        Action::DropUnique(names) => {
            columns.clone_from(names);
            "drop-unique"
        }
        Action::AddPrimaryKey(_) => "add-primary-key",
        Action::DropPrimaryKey => "drop-primary-key",
        Action::AddForeignKey(key) => {
            to = Some(format!("{}.{}", key.parent, key.parent_column));
            "add-foreign-key"
        }
        Action::DropForeignKey(names) => {
            columns.clone_from(names);
            "drop-foreign-key"
        }
        Action::AlterTable => "alter-table",
        Action::Insert(_) => "insert",
        Action::Update(_) => "update",
        Action::Delete => "delete",
        Action::Truncate => "truncate",
        Action::CreateView => "create-view",
        Action::DropView => "drop-view",
    };
    Change {
        kind,
        table: operation.table.clone(),
        columns,
        columns_perhaps: written.perhaps,
        more_columns: written.and_others,
        to,
        when: operation.when,
        repeated: operation.repeated,
        narrowed: operation.narrowed,
    }
}

fn once(list: &mut Vec<String>, name: &str) {
    if !list.iter().any(|known| known == name) {
        list.push(name.to_owned());
    }
}
