//! knex: the query builder, the schema builder and raw statements, and when what they build is sent.

use std::cell::RefCell;
use std::rc::Rc;

use super::interpreter::Interpreter;
use super::later;
use super::statements::elements;
use super::table::Draft;
use super::value::{Query, Value, Verb};
use crate::migrations::facts::{Action, Columns, Operation, When};
use crate::migrations::sql::{self, Manner, Statement, UNKNOWN};

impl<'a> Interpreter<'a> {
    /// What comes of waiting for a value: a builder is sent.
    pub(super) fn settle(&mut self, value: Value<'a>) -> Value<'a> {
        match value {
            Value::Query(query) => {
                let action = match &query.verb {
                    Verb::Read if query.first => return Value::Row,
                    Verb::Read => return Value::Unknown(When::Depends),
                    Verb::Insert(columns) => Action::Insert(columns.clone()),
                    Verb::Update(columns) => Action::Update(columns.clone()),
                    Verb::Delete => Action::Delete,
                    Verb::Truncate => Action::Truncate,
                };
                self.send(&[Operation {
                    when: query.when.unwrap_or(When::Always),
                    repeated: query.in_batches,
                    narrowed: query.narrowed,
                    // batchInsert opens a transaction for its statements.
                    in_transaction: query.in_batches,
                    ..Operation::new(query.table.as_deref(), action)
                }]);
                Value::Unknown(When::Depends)
            }
            Value::Statement(operations) => {
                self.send(&operations);
                Value::Unknown(When::Depends)
            }
            Value::Raw(text) => self.raw(&text),
            value => value,
        }
    }

    fn raw(&mut self, text: &str) -> Value<'a> {
        match sql::read(text) {
            Statement::Reads if text.to_ascii_lowercase().contains("information_schema") => {
                Value::Unknown(When::UnlessDone)
            }
            Statement::Reads => Value::Unknown(When::Depends),
            Statement::Asks => Value::Unknown(When::UnlessDone),
            Statement::Changes(changes, Manner { narrowed, selects }) => {
                let operations: Vec<Operation> = changes
                    .into_iter()
                    .map(|(table, action)| Operation {
                        narrowed,
                        selects,
                        ..Operation::new(table.as_deref(), action)
                    })
                    .collect();
                self.send(&operations);
                Value::Unknown(When::Depends)
            }
            Statement::Unknown => {
                let words: Vec<&str> = text.split_whitespace().take(4).collect();
                let words = words.join(" ").replace(UNKNOWN, "…");
                self.not_understood(&format!("SQL: {words}"));
                Value::Unknown(When::Depends)
            }
        }
    }

    /// `knex('table')`
    pub(super) fn query_of(&mut self, table: Option<&Value<'a>>) -> Value<'a> {
        let query = Query {
            table: table.and_then(table_name),
            ..Query::default()
        };
        Value::Query(Rc::new(query))
    }

    /// A method of the connection.
    pub(super) fn connection_method(&mut self, name: &str, arguments: Vec<Value<'a>>) -> Value<'a> {
        match name {
            "raw" => raw_text(&arguments),
            "transaction" => {
                let Some(Value::Function(work)) = arguments.first() else {
                    return Value::Connection;
                };
                self.transactions += 1;
                let value = self.enter(work, vec![Value::Connection]);
                let value = self.settle(value);
                self.transactions -= 1;
                value
            }
            "batchInsert" => {
                let rows = arguments.get(1).unwrap_or(&Value::Undefined);
                let (columns, when) = written(rows);
                Value::Query(Rc::new(Query {
                    table: arguments.first().and_then(table_name),
                    verb: Verb::Insert(columns),
                    in_batches: true,
                    when,
                    ..Query::default()
                }))
            }
            "ref" | "destroy" | "commit" | "rollback" | "isTransaction" | "initialize" => {
                Value::Unknown(When::Depends)
            }
            "queryBuilder" => Value::Query(Rc::default()),
            _ => self.query_method(&Query::default(), name, arguments),
        }
    }

    /// A method of a query.
    pub(super) fn query_method(
        &mut self,
        query: &Query,
        name: &str,
        arguments: Vec<Value<'a>>,
    ) -> Value<'a> {
        let mut query = query.clone();
        let first = arguments.first().unwrap_or(&Value::Undefined);
        match name {
            "then" => {
                let answer = self.settle(Value::Query(Rc::new(query)));
                return self.continued(answer, &arguments);
            }
            "catch" => {
                let sent = self.sent();
                let answer = self.settle(Value::Query(Rc::new(query)));
                self.handled(&arguments, sent);
                return answer;
            }
            "from" | "into" | "table" => query.table = table_name(first),
            "insert" => {
                let (columns, when) = written(first);
                query.verb = Verb::Insert(columns);
                query.when = when;
            }
            "update" => {
                let columns = match first.known_text() {
                    Some(column) => Columns {
                        names: vec![column.to_owned()],
                        ..Columns::default()
                    },
                    None => written(first).0,
                };
                query.verb = Verb::Update(columns);
            }
            "increment" | "decrement" => {
                let (names, all) = first.texts();
                query.verb = Verb::Update(Columns {
                    and_others: !all,
                    names,
                    ..Columns::default()
                });
            }
            "del" | "delete" => query.verb = Verb::Delete,
            "truncate" => query.verb = Verb::Truncate,
            "first" => query.first = true,
            "map" | "each" | "forEach" | "mapSeries" | "reduce" | "filter" | "spread" | "tap" => {
                // bluebird's, on the answer.
                let answer = self.settle(Value::Query(Rc::new(query)));
                return self.call_method(&answer, Some(name), arguments, name);
            }
            // Asks for the schema, not for rows.
            "columnInfo" => return Value::Unknown(When::UnlessDone),
            "toSQL" | "toString" | "toQuery" => return Value::Unknown(When::Depends),
            _ if name.starts_with("where")
                || name.starts_with("andWhere")
                || name.starts_with("orWhere")
                || name.starts_with("having") =>
            {
                query.narrowed = true;
            }
            "select" | "column" | "columns" | "distinct" | "pluck" | "count" | "countDistinct"
            | "min" | "max" | "sum" | "avg" | "as" | "join" | "innerJoin" | "leftJoin"
            | "leftOuterJoin" | "rightJoin" | "outerJoin" | "crossJoin" | "joinRaw" | "on"
            | "andOn" | "onIn" | "groupBy" | "groupByRaw" | "orderBy" | "orderByRaw" | "limit"
            | "offset" | "union" | "unionAll" | "with" | "withRecursive" | "transacting"
            | "forUpdate" | "forShare" | "returning" | "onConflict" | "ignore" | "merge"
            | "clone" | "debug" | "timeout" | "finally" | "using" | "withSchema" | "and" | "or"
            | "not" | "clearOrder" | "rowNumber" | "hintComment" => {}
            _ => self.not_understood(&format!("{name} of a query")),
        }
        Value::Query(Rc::new(query))
    }

    /// A method of `knex.schema`, after what was called on it before.
    pub(super) fn schema_method(
        &mut self,
        before: &[Operation],
        name: &str,
        arguments: &[Value<'a>],
    ) -> Value<'a> {
        let first = arguments.first().unwrap_or(&Value::Undefined);
        let table = first.known_text();
        let mut operations = before.to_vec();
        match name {
            "hasTable" | "hasColumn" => return Value::Unknown(When::UnlessDone),
            "createTable" | "createTableIfNotExists" => {
                operations.extend(self.drafted(table, true, arguments.get(1)));
            }
            "table" | "alterTable" => {
                operations.extend(self.drafted(table, false, arguments.get(1)));
            }
            "dropTable" | "dropTableIfExists" => {
                operations.push(Operation::new(table, Action::DropTable));
            }
            "renameTable" => match arguments.get(1).and_then(Value::known_text) {
                Some(to) => {
                    operations.push(Operation::new(table, Action::RenameTable(to.to_owned())))
                }
                None => self.not_understood("renameTable to a name that is made at run time"),
            },
            "createView" | "createViewOrReplace" | "alterView" => {
                operations.push(Operation::new(table, Action::CreateView));
            }
            "dropView" | "dropViewIfExists" => {
                operations.push(Operation::new(table, Action::DropView));
            }
            "raw" => return raw_text(arguments),
            "transacting" | "debug" | "withSchema" => {
                if operations.is_empty() {
                    return Value::Schema;
                }
            }
            _ => self.not_understood(&format!("{name} of knex.schema")),
        }
        Value::Statement(Rc::new(operations))
    }

    fn drafted(
        &mut self,
        table: Option<&str>,
        creates: bool,
        describe: Option<&Value<'a>>,
    ) -> Vec<Operation> {
        let draft = Rc::new(RefCell::new(Draft::new(table.map(str::to_owned), creates)));
        match describe {
            Some(Value::Function(describe)) => {
                self.enter(describe, vec![Value::Table(Rc::clone(&draft))]);
            }
            _ => self.not_understood("a table that is described at run time"),
        }
        let draft = draft.borrow();
        for what in &draft.unknown {
            self.not_understood(what);
        }
        draft.operations()
    }

    /// A method of a builder of statements that is no method of the schema.
    pub(super) fn statement_method(
        &mut self,
        statement: &Value<'a>,
        name: &str,
        arguments: Vec<Value<'a>>,
    ) -> Value<'a> {
        match (name, statement) {
            ("then", _) => {
                let answer = self.settle(statement.clone());
                self.continued(answer, &arguments)
            }
            ("catch", _) => {
                let sent = self.sent();
                let answer = self.settle(statement.clone());
                self.handled(&arguments, sent);
                answer
            }
            ("finally" | "transacting" | "debug" | "timeout", _) => statement.clone(),
            ("toSQL", Value::Statement(operations)) => {
                let statements = operations.iter().map(|operation| {
                    let sql = Value::Sql(Rc::new(vec![operation.clone()]));
                    Value::object(vec![
                        ("sql".into(), sql),
                        ("bindings".into(), Value::Unknown(When::Depends)),
                    ])
                });
                Value::list(statements.collect())
            }
            ("toString" | "toQuery", Value::Statement(operations)) => {
                Value::Sql(Rc::clone(operations))
            }
            ("toString" | "toQuery", Value::Raw(text)) => Value::Text(Rc::clone(text)),
            (_, Value::Statement(operations)) => {
                let operations = operations.to_vec();
                self.schema_method(&operations, name, &arguments)
            }
            _ => {
                self.not_understood(&format!("{name} of a raw statement"));
                Value::Unknown(When::Depends)
            }
        }
    }

    /// `.then(done)`: what is done with an answer.
    pub(super) fn continued(&mut self, answer: Value<'a>, arguments: &[Value<'a>]) -> Value<'a> {
        match arguments.first() {
            Some(Value::Function(done)) => {
                let value = self.enter(done, vec![answer]);
                self.settle(value)
            }
            _ => answer,
        }
    }

    /// `.catch(failed)`: what is done where something fails, which is no part of an upgrade that goes well.
    pub(super) fn handled(&mut self, arguments: &[Value<'a>], sent: usize) {
        if let Some(Value::Function(failed)) = arguments.last() {
            let throws = self.throws;
            self.failing += 1;
            self.branch(When::Depends, |this| {
                this.enter(failed, vec![Value::Unknown(When::Depends)])
            });
            self.failing -= 1;
            if self.throws == throws {
                self.failure_ignored_since(sent);
            }
        }
    }
}

/// `knex.raw(…)`, or the statement whose text it is given.
fn raw_text<'a>(arguments: &[Value<'a>]) -> Value<'a> {
    match arguments.first() {
        Some(Value::Sql(operations)) => Value::Statement(Rc::clone(operations)),
        Some(Value::Text(text)) => {
            let bound = arguments.get(1).map(elements);
            Value::Raw(with_names(text, bound.map(|(items, _)| items)).into())
        }
        _ => Value::Raw(Rc::from(String::from(UNKNOWN))),
    }
}

/// A statement with names in the place of its `??`.
fn with_names(text: &str, bound: Option<Vec<Value<'_>>>) -> String {
    let mut bound = bound.unwrap_or_default().into_iter();
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        if character != '?' {
            out.push(character);
            continue;
        }
        let value = bound.next();
        if rest.next_if_eq(&'?').is_some() {
            match value.as_ref().and_then(Value::known_text) {
                Some(name) => {
                    out.push('`');
                    out.push_str(&name.replace('.', "`.`"));
                    out.push('`');
                }
                None => out.push(UNKNOWN),
            }
        } else {
            out.push('?');
        }
    }
    out
}

/// The table of `'name'`, `'name as alias'` and `{alias: 'name'}`.
fn table_name(value: &Value<'_>) -> Option<Rc<str>> {
    match value {
        Value::Object(object) => {
            let object = object.borrow();
            object
                .entries
                .first()
                .and_then(|(_, name)| table_name(name))
        }
        _ => {
            let name = value.known_text()?.split_whitespace().next()?;
            Some(Rc::from(name))
        }
    }
}

/// The columns that rows have, and what it depends on whether there are rows at all.
fn written(rows: &Value<'_>) -> (Columns, Option<When>) {
    fn add(row: &Value<'_>, columns: &mut Columns) {
        match row {
            Value::Object(row) => {
                let row = row.borrow();
                columns.and_others |= row.and_others;
                for (name, _) in &row.entries {
                    let list = if row.perhaps.contains(name) {
                        &mut columns.perhaps
                    } else {
                        &mut columns.names
                    };
                    if !list.iter().any(|known| **known == **name) {
                        list.push(name.to_string());
                    }
                }
            }
            _ => columns.and_others = true,
        }
    }
    let mut columns = Columns::default();
    match rows {
        Value::List(list) => {
            let list = list.borrow();
            for row in list.items.iter().chain(&list.others) {
                add(row, &mut columns);
            }
            let when = list.items.is_empty().then_some(When::Depends);
            (columns, when)
        }
        Value::Object(_) => {
            add(rows, &mut columns);
            (columns, None)
        }
        other => {
            columns.and_others = true;
            (columns, Some(later(other.when(), When::Always)))
        }
    }
}
