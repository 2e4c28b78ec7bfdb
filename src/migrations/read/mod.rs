//! Reads what a migration does out of its syntax tree.
//!
//! The tree is followed as JavaScript would run it, with values as far as the code tells them and "only known at run
//! time" for the rest; of a condition that cannot be decided both sides are followed, and of a loop over unknown rows
//! one turn. Ghost's own helpers are followed into their files, so one that is new is read like any other; what
//! remains in the end is knex, whose builders [`knex`] and [`table`] know. Whatever the database could be reached
//! through and was not followed is reported as unknown.

mod builtins;
mod expressions;
mod interpreter;
mod knex;
mod lists;
mod patterns;
mod sources;
mod statements;
mod table;
mod value;

#[cfg(test)]
mod tests;

use crate::error::{Error, Result};
use crate::ghost::Files;
use crate::javascript::parse;

use super::facts::{Migration, When};
use super::inventory::{self, Named};
use interpreter::Interpreter;
use sources::{Sources, Texts};
use value::{Object, Value};

/// Reads the named migrations of one Ghost.
///
/// # Errors
///
/// Where a file cannot be read at all. Code that is not understood is no error but stands in [`Migration::unknown`].
pub fn read(files: &Files, wanted: &[Named]) -> Result<Vec<Migration>> {
    let paths: Vec<String> = wanted.iter().map(inventory::path).collect();
    let texts = Texts::read(files, &paths)?;
    parse::with_stack_for(texts.longest(), || {
        let sources = Sources::parse(&texts, &paths);
        let mut interpreter = Interpreter::new(&sources);
        wanted
            .iter()
            .zip(&paths)
            .map(|(named, path)| migration(&mut interpreter, named, path))
            .collect()
    })
    .map_err(|problem| Error::Unusable {
        path: inventory::DIRECTORY.into(),
        problem: problem.to_string(),
        next_step: "try again on a machine with more memory".to_owned(),
    })
}

/// Reads one migration.
fn migration(interpreter: &mut Interpreter<'_>, named: &Named, path: &str) -> Migration {
    let exports = interpreter.module(path);
    let mut migration = Migration {
        version: named.version.clone(),
        name: named.name.clone(),
        transactional: None,
        irreversible: None,
        operations: Vec::new(),
        aborts: false,
        unknown: Vec::new(),
    };
    if let Value::Object(exports) = &exports {
        let up = {
            let exports = exports.borrow();
            migration.transactional = flag(&exports, "transaction");
            migration.irreversible = flag(&exports, "irreversible");
            exports.get("up").cloned()
        };
        match up {
            Some(Value::Function(up)) => {
                let options = options(migration.transactional);
                migration.aborts = interpreter.run(&up, options);
            }
            None => interpreter.not_understood("it exports no `up`"),
            Some(_) => interpreter.not_understood("its `up` is made at run time"),
        }
    } else {
        interpreter.not_understood("what it exports is made at run time");
    }
    let (operations, unknown) = interpreter.take_found();
    migration.operations = operations;
    for operation in &mut migration.operations {
        operation.in_transaction |= migration.transactional == Some(true);
    }
    migration.unknown = unknown;
    migration
}

/// A flag of the migration's `config`, as knex-migrator looks at it: absent is no.
fn flag(exports: &Object<'_>, name: &str) -> Option<bool> {
    match exports.get("config") {
        None | Some(Value::Undefined) => Some(false),
        Some(Value::Object(config)) => {
            let config = config.borrow();
            match config.get(name) {
                None if config.and_others => None,
                None => Some(false),
                Some(value) => value.truth().ok(),
            }
        }
        Some(_) => None,
    }
}

/// What knex-migrator calls `up` with: the transaction or the connection, never both.
fn options<'a>(transactional: Option<bool>) -> Value<'a> {
    let connection = |name: &str| (name.into(), Value::Connection);
    Value::object(match transactional {
        Some(true) => vec![connection("transacting")],
        Some(false) => vec![connection("connection")],
        None => vec![connection("transacting"), connection("connection")],
    })
}

/// The greater of what two values depend on.
fn later(one: When, other: When) -> When {
    one.max(other)
}
