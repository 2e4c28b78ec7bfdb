//! knex's schema builder: what is said about a table between `createTable` and the end of its callback.

use super::value::Value;
use crate::migrations::facts::{Action, Column, ForeignKey, Operation};

/// A table that is being described.
pub(super) struct Draft {
    table: Option<String>,
    creates: bool,
    parts: Vec<Part>,
    /// Methods that are not known.
    pub(super) unknown: Vec<String>,
}

/// A column or a key that is being described.
struct Part {
    action: Option<Action>,
    /// The column, for `.index()` and its like.
    columns: Vec<String>,
    parent: Option<(Option<String>, String)>,
    on_delete: Option<String>,
    alters: bool,
    also: Vec<Action>,
}

/// Types of columns, which are methods of the table.
const TYPES: [&str; 31] = [
    "increments",
    "bigincrements",
    "integer",
    "int",
    "tinyint",
    "smallint",
    "mediumint",
    "bigint",
    "biginteger",
    "text",
    "string",
    "float",
    "double",
    "decimal",
    "boolean",
    "bool",
    "date",
    "datetime",
    "time",
    "timestamp",
    "binary",
    "enum",
    "enu",
    "json",
    "jsonb",
    "uuid",
    "geometry",
    "specifictype",
    "varchar",
    "mediumtext",
    "longtext",
];

impl Draft {
    pub(super) fn new(table: Option<String>, creates: bool) -> Self {
        Self {
            table,
            creates,
            parts: Vec::new(),
            unknown: Vec::new(),
        }
    }

    /// A method of the table; the part that it begins, if any.
    pub(super) fn call(&mut self, name: Option<&str>, arguments: &[Value<'_>]) -> Option<usize> {
        let first = arguments.first().unwrap_or(&Value::Undefined);
        let (columns, known) = first.texts();
        let second = arguments.get(1).unwrap_or(&Value::Undefined);
        let Some(name) = name else {
            // `table[type](column)`: a column of a type that only shows at run time.
            return match columns.into_iter().next() {
                Some(column) => self.column(column, None),
                None => {
                    self.unknown
                        .push("a column whose name and type are made at run time".to_owned());
                    None
                }
            };
        };
        let names_columns = ![
            "timestamps",
            "dropTimestamps",
            "dropPrimary",
            "comment",
            "engine",
            "charset",
            "collate",
        ]
        .contains(&name);
        if names_columns && !known {
            self.unknown
                .push(format!("{name} of a column whose name is made at run time"));
            return None;
        }
        if TYPES.contains(&name.to_ascii_lowercase().as_str()) {
            return self.column(columns.into_iter().next()?, Some(name.to_owned()));
        }
        let action = match name {
            "dropColumn" | "dropColumns" => {
                let others = arguments.iter().skip(1).flat_map(|name| name.texts().0);
                for column in columns.into_iter().chain(others) {
                    self.push(Action::DropColumn(column), Vec::new());
                }
                return None;
            }
            "renameColumn" => match second.known_text() {
                Some(to) => Action::RenameColumn(columns.into_iter().next()?, to.to_owned()),
                None => {
                    self.unknown
                        .push("renameColumn to a name that is made at run time".to_owned());
                    return None;
                }
            },
            "setNullable" | "dropNullable" => Action::AlterColumn(columns.into_iter().next()?),
            "index" => Action::AddIndex(columns),
            "unique" => Action::AddUnique(columns),
            "primary" => Action::AddPrimaryKey(columns),
            "dropIndex" => Action::DropIndex(columns),
            "dropUnique" => Action::DropUnique(columns),
            "dropPrimary" => Action::DropPrimaryKey,
            "dropForeign" => Action::DropForeignKey(columns),
            "foreign" => {
                self.parts.push(Part::new(None, columns));
                return Some(self.parts.len() - 1);
            }
            "timestamps" => {
                for name in ["created_at", "updated_at"] {
                    self.column(name.to_owned(), Some("timestamp".to_owned()));
                }
                return None;
            }
            "dropTimestamps" => {
                for name in ["created_at", "updated_at"] {
                    self.push(Action::DropColumn(name.to_owned()), Vec::new());
                }
                return None;
            }
            "comment" | "engine" | "charset" | "collate" => {
                self.push(Action::AlterTable, Vec::new());
                return None;
            }
            _ => {
                self.unknown.push(format!("{name} of a table"));
                return None;
            }
        };
        self.push(action, columns_of(first));
        Some(self.parts.len() - 1)
    }

    /// A method of a column or key.
    pub(super) fn describe(&mut self, part: usize, name: &str, arguments: &[Value<'_>]) {
        let first = arguments
            .first()
            .and_then(Value::known_text)
            .map(str::to_owned);
        let Some(part) = self.parts.get_mut(part) else {
            return;
        };
        let columns = part.columns.clone();
        match name {
            "references" => {
                let Some(reference) = first else {
                    self.unknown
                        .push("a foreign key to a table whose name is made at run time".to_owned());
                    return;
                };
                part.parent = Some(match reference.split_once('.') {
                    Some((table, column)) => (Some(table.to_owned()), column.to_owned()),
                    None => (None, reference),
                });
            }
            "inTable" | "on" => {
                if let (Some(table), Some((parent, _))) = (first, &mut part.parent) {
                    *parent = Some(table);
                }
            }
            "onDelete" => part.on_delete = first.map(|action| action.to_ascii_uppercase()),
            "alter" => part.alters = true,
            "index" => part.also.push(Action::AddIndex(columns)),
            "unique" => part.also.push(Action::AddUnique(columns)),
            "primary" => part.also.push(Action::AddPrimaryKey(columns)),
            // How the column is, or what the key is called.
            "nullable" | "notNullable" | "unsigned" | "defaultTo" | "withKeyName" | "onUpdate"
            | "comment" | "collate" | "after" | "first" | "checkIn" | "deferrable" => {}
            _ => self.unknown.push(format!("{name} of a column")),
        }
    }

    fn column(&mut self, name: String, kind: Option<String>) -> Option<usize> {
        let columns = vec![name.clone()];
        self.push(Action::AddColumn(Column { name, kind }), columns);
        Some(self.parts.len() - 1)
    }

    fn push(&mut self, action: Action, columns: Vec<String>) {
        self.parts.push(Part::new(Some(action), columns));
    }

    /// What the builder would send, in order. Of a table that is made, columns come with it.
    pub(super) fn operations(&self) -> Vec<Operation> {
        let operation = |action| Operation::new(self.table.as_deref(), action);
        let mut operations = Vec::new();
        let mut keys = Vec::new();
        if self.creates {
            operations.push(operation(Action::CreateTable));
        }
        for part in &self.parts {
            match &part.action {
                Some(Action::AddColumn(column)) if part.alters => {
                    operations.push(operation(Action::AlterColumn(column.name.clone())));
                }
                Some(action) => operations.push(operation(action.clone())),
                None => {}
            }
            keys.extend(part.also.iter().cloned().map(operation));
            if let (Some((Some(parent), parent_column)), Some(column)) =
                (&part.parent, part.columns.first())
            {
                keys.push(operation(Action::AddForeignKey(ForeignKey {
                    column: column.clone(),
                    parent: parent.clone(),
                    parent_column: parent_column.clone(),
                    on_delete: part.on_delete.clone(),
                })));
            }
        }
        operations.extend(keys);
        operations
    }
}

impl Part {
    fn new(action: Option<Action>, columns: Vec<String>) -> Self {
        Self {
            action,
            columns,
            parent: None,
            on_delete: None,
            alters: false,
            also: Vec::new(),
        }
    }
}

fn columns_of(value: &Value<'_>) -> Vec<String> {
    value.texts().0
}
