//! What one migration does, as plain facts.

use serde::Serialize;

/// A migration file and what running it would send to the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The folder it is in, which is what knex-migrator records as its version.
    pub version: String,
    /// The file's name, which is its name.
    pub name: String,
    /// Whether knex-migrator runs it in one transaction; `None` where that cannot be told.
    pub transactional: Option<bool>,
    /// Whether it says of itself that there is no way back; `None` where that cannot be told.
    pub irreversible: Option<bool>,
    /// The changes, in the order in which they would be sent.
    pub operations: Vec<Operation>,
    /// Whether it does nothing but fail: the last of a major version guards against upgrades that skip it.
    pub aborts: bool,
    /// What was not understood, in the code's own names. With any of it, more may happen than `operations` says.
    pub unknown: Vec<String>,
}

/// One change of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The table (or view) that is changed; `None` where its name is made at run time.
    pub table: Option<String>,
    /// What is done to it.
    pub action: Action,
    /// On what it depends whether it is done at all.
    pub when: When,
    /// Whether it is done again and again, for as many rows as there are.
    pub repeated: bool,
    /// Whether the statement is limited by a condition, rather than for all rows of the table.
    pub narrowed: bool,
    /// Whether the rows that it writes come out of a query: `INSERT … SELECT`.
    pub selects: bool,
    /// Whether it runs in a transaction: the migration's, or one of its own.
    pub in_transaction: bool,
    /// Whether the migration goes on, and is recorded as applied, where this fails.
    pub failure_ignored: bool,
}

impl Operation {
    /// A change that is made once, whatever the database holds, to all of a table, and outside of any transaction.
    #[must_use]
    pub fn new(table: Option<&str>, action: Action) -> Self {
        Self {
            table: table.map(str::to_owned),
            action,
            when: When::Always,
            repeated: false,
            narrowed: false,
            selects: false,
            in_transaction: false,
            failure_ignored: false,
        }
    }
}

/// On what it depends whether something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// On nothing.
    Always,
    /// It is left out where the database has it already (or has nothing to take away).
    UnlessDone,
    /// On rows, on the configuration, or on something else that the code alone does not tell.
    Depends,
}

/// A change, without the table that it is made to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `CREATE TABLE`
    CreateTable,
    /// `DROP TABLE`
    DropTable,
    /// `RENAME TABLE` to this name.
    RenameTable(String),
    /// A new column.
    AddColumn(Column),
    /// Another type, default or nullability.
    AlterColumn(String),
    /// A column's end.
    DropColumn(String),
    /// From one name to another.
    RenameColumn(String, String),
    /// An index over these columns.
    AddIndex(Vec<String>),
    /// The end of an index, by its columns or its name.
    DropIndex(Vec<String>),
    /// A unique constraint over these columns.
    AddUnique(Vec<String>),
    /// The end of a unique constraint, by its columns or its name.
    DropUnique(Vec<String>),
    /// A primary key over these columns.
    AddPrimaryKey(Vec<String>),
    /// The end of the primary key.
    DropPrimaryKey,
    /// A foreign key.
    AddForeignKey(ForeignKey),
    /// The end of a foreign key, by its column or its name.
    DropForeignKey(Vec<String>),
    /// Another character set, or more that concerns the table as a whole.
    AlterTable,
    /// `INSERT`, or `REPLACE`
    Insert(Columns),
    /// `UPDATE`
    Update(Columns),
    /// `DELETE`
    Delete,
    /// `TRUNCATE`, which is DDL.
    Truncate,
    /// `CREATE VIEW`
    CreateView,
    /// `DROP VIEW`
    DropView,
}

/// A column as it is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// knex's word for its type; `None` where it is made at run time.
    pub kind: Option<String>,
}

/// A foreign key as it is added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForeignKey {
    /// The column that refers.
    pub column: String,
    /// The table that is referred to.
    pub parent: String,
    /// The column that is referred to.
    pub parent_column: String,
    /// `CASCADE`, `SET NULL`, `RESTRICT`; `None` is the server's default.
    pub on_delete: Option<String>,
}

/// The columns that a statement writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// Those that the code names.
    pub names: Vec<String>,
    /// Those that it names and may leave out: Ghost's helpers write some only where the table has them.
    pub perhaps: Vec<String>,
    /// Whether there are others, which only show at run time.
    pub and_others: bool,
}

impl Action {
    /// Whether the statement changes the schema: DDL, which safe migrations refuse.
    #[must_use]
    pub fn is_ddl(&self) -> bool {
        !matches!(self, Self::Insert(_) | Self::Update(_) | Self::Delete)
    }

    /// The columns that are touched, as far as they have names in the code.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::AddColumn(column) => vec![&column.name],
            Self::AlterColumn(column) | Self::DropColumn(column) => vec![column],
            Self::RenameColumn(from, to) => vec![from, to],
            Self::AddIndex(columns)
            | Self::AddUnique(columns)
            | Self::AddPrimaryKey(columns)
            | Self::Insert(Columns { names: columns, .. })
            | Self::Update(Columns { names: columns, .. }) => {
                columns.iter().map(String::as_str).collect()
            }
            Self::AddForeignKey(key) => vec![&key.column],
            Self::CreateTable
            | Self::DropTable
            | Self::RenameTable(_)
            | Self::DropIndex(_)
            | Self::DropUnique(_)
            | Self::DropPrimaryKey
            | Self::DropForeignKey(_)
            | Self::AlterTable
            | Self::Delete
            | Self::Truncate
            | Self::CreateView
            | Self::DropView => Vec::new(),
        }
    }
}
