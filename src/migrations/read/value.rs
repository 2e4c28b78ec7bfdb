//! What an expression of a migration stands for, as far as the code tells.

use std::cell::RefCell;
use std::rc::Rc;

use swc_ecma_ast::{Expr, Pat, Stmt};

use super::table::Draft;
use crate::migrations::facts::{Columns, Operation, When};
use crate::migrations::sql::UNKNOWN;

/// A value; the database's own objects are values too.
#[derive(Clone)]
pub(super) enum Value<'a> {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    /// A text; [`UNKNOWN`] stands in it for what only shows at run time.
    Text(Rc<str>),
    List(Rc<RefCell<List<'a>>>),
    Object(Rc<RefCell<Object<'a>>>),
    Function(Rc<Closure<'a>>),
    /// Something of JavaScript's or of a package's, by its path: `lodash.chunk`, `Promise.all`.
    Package(Rc<str>),
    /// Something of Ghost's that is not among the files that are read, by its path.
    Ghosts(Rc<str>),
    /// knex, or a transaction of it.
    Connection,
    /// `knex.schema`
    Schema,
    /// The name of the database's client, which is one of MySQL's.
    Dialect,
    /// A query that is being built; nothing is sent before it is awaited.
    Query(Rc<Query>),
    /// Changes of the schema that are being built; nothing is sent before they are awaited.
    Statement(Rc<Vec<Operation>>),
    /// `knex.raw(…)`, with its bindings put in where they are names; nothing is sent before it is awaited.
    Raw(Rc<str>),
    /// The text of a statement that a builder would send.
    Sql(Rc<Vec<Operation>>),
    /// The table in `createTable('x', (table) => …)`.
    Table(Rc<RefCell<Draft>>),
    /// A column (or key) of it that is being described.
    Part(Rc<RefCell<Draft>>, usize),
    /// A row that was looked up: it is there, or not.
    Row,
    /// Whether such a row is not there.
    NoRow,
    /// Only known at run time, and what it depends on.
    Unknown(When),
}

/// What it depends on that a condition holds, and that it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Undecided {
    pub(super) holds: When,
    pub(super) fails: When,
}

/// An array.
#[derive(Default)]
pub(super) struct List<'a> {
    pub(super) items: Vec<Value<'a>>,
    /// What any further elements are like, where there may be some.
    pub(super) others: Option<Value<'a>>,
}

/// An object's own properties in their order.
#[derive(Default)]
pub(super) struct Object<'a> {
    pub(super) entries: Vec<(Rc<str>, Value<'a>)>,
    /// Those of them that may not be there.
    pub(super) perhaps: Vec<Rc<str>>,
    /// Whether there may be more.
    pub(super) and_others: bool,
}

/// A function, with the scope that it was made in.
pub(super) struct Closure<'a> {
    pub(super) parameters: Vec<&'a Pat>,
    pub(super) body: Body<'a>,
    pub(super) is_async: bool,
    pub(super) scope: usize,
    /// The module that it is in, for its `require`.
    pub(super) file: Rc<str>,
}

/// What a function consists of.
#[derive(Clone, Copy)]
pub(super) enum Body<'a> {
    Statements(&'a [Stmt]),
    Expression(&'a Expr),
}

/// A query of knex's query builder.
#[derive(Clone, Default)]
pub(super) struct Query {
    pub(super) table: Option<Rc<str>>,
    pub(super) verb: Verb,
    pub(super) narrowed: bool,
    pub(super) first: bool,
    /// It is written again and again: `batchInsert`.
    pub(super) in_batches: bool,
    /// On what it depends whether there is anything to write.
    pub(super) when: Option<When>,
}

/// What a query does.
#[derive(Clone, Default)]
pub(super) enum Verb {
    #[default]
    Read,
    Insert(Columns),
    Update(Columns),
    Delete,
    Truncate,
}

impl<'a> Value<'a> {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(Rc::from(text))
    }

    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::open_list(items, None)
    }

    pub(super) fn open_list(items: Vec<Self>, others: Option<Self>) -> Self {
        Self::List(Rc::new(RefCell::new(List { items, others })))
    }

    pub(super) fn object(entries: Vec<(Rc<str>, Self)>) -> Self {
        Self::Object(Rc::new(RefCell::new(Object {
            entries,
            ..Object::default()
        })))
    }

    /// A text that is known to its last character.
    pub(super) fn known_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) if !text.contains(UNKNOWN) => Some(text),
            _ => None,
        }
    }

    /// The texts of a text or of a list of texts, and whether these are all.
    pub(super) fn texts(&self) -> (Vec<String>, bool) {
        match self {
            Self::List(list) => {
                let list = list.borrow();
                let texts: Vec<String> = list
                    .items
                    .iter()
                    .flat_map(|item| match item {
                        Self::List(_) => Vec::new(),
                        item => item.texts().0,
                    })
                    .collect();
                let all = texts.len() == list.items.len() && list.others.is_none();
                (texts, all)
            }
            // `??(?)`: a column and how much of it.
            Self::Raw(text) => {
                let name = text
                    .strip_prefix('`')
                    .and_then(|text| text.split('`').next());
                (
                    name.map(str::to_owned).into_iter().collect(),
                    name.is_some(),
                )
            }
            _ => match self.known_text() {
                Some(text) => (vec![text.to_owned()], true),
                None => (Vec::new(), false),
            },
        }
    }

    /// Whether it counts as true; `Err` with what that depends on.
    ///
    /// Migrations look for a row in order not to make it twice: what is done where there is none is done.
    pub(super) fn truth(&self) -> Result<bool, Undecided> {
        let either = |when| Undecided {
            holds: when,
            fails: when,
        };
        match self {
            Self::Undefined | Self::Null => Ok(false),
            Self::Bool(value) => Ok(*value),
            Self::Number(value) => Ok(*value != 0.0 && !value.is_nan()),
            Self::Text(text) if text.contains(UNKNOWN) => Err(either(When::Depends)),
            Self::Text(text) => Ok(!text.is_empty()),
            Self::Unknown(when) => Err(either(*when)),
            Self::Ghosts(_) => Err(either(When::Depends)),
            Self::Row => Err(Undecided {
                holds: When::Depends,
                fails: When::UnlessDone,
            }),
            Self::NoRow => Err(Undecided {
                holds: When::UnlessDone,
                fails: When::Depends,
            }),
            Self::List(_)
            | Self::Object(_)
            | Self::Function(_)
            | Self::Package(_)
            | Self::Connection
            | Self::Schema
            | Self::Dialect
            | Self::Query(_)
            | Self::Statement(_)
            | Self::Raw(_)
            | Self::Sql(_)
            | Self::Table(_)
            | Self::Part(..) => Ok(true),
        }
    }

    /// What it depends on.
    pub(super) fn when(&self) -> When {
        match self {
            Self::Unknown(when) => *when,
            Self::Row | Self::NoRow => When::Depends,
            Self::Text(text) if text.contains(UNKNOWN) => When::Depends,
            Self::Ghosts(_) | Self::Query(_) | Self::Statement(_) | Self::Raw(_) => When::Depends,
            _ => When::Always,
        }
    }

    /// Whether whoever gets it can reach the database through it.
    pub(super) fn reaches_database(&self) -> bool {
        fn within(value: &Value<'_>, depth: usize) -> bool {
            match value {
                Value::Connection | Value::Schema => true,
                Value::List(list) if depth > 0 => {
                    let list = list.borrow();
                    let mut all = list.items.iter().chain(&list.others);
                    all.any(|item| within(item, depth - 1))
                }
                Value::Object(object) if depth > 0 => object
                    .borrow()
                    .entries
                    .iter()
                    .any(|(_, value)| within(value, depth - 1)),
                _ => false,
            }
        }
        within(self, 3)
    }

    /// Whether two values are the same; `None` where that only shows at run time.
    pub(super) fn same(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Dialect, Self::Text(text)) | (Self::Text(text), Self::Dialect) => {
                Some(text.starts_with("mysql"))
            }
            (Self::Undefined | Self::Null, Self::Undefined | Self::Null) => Some(true),
            (Self::Bool(one), Self::Bool(other)) => Some(one == other),
            #[expect(clippy::float_cmp, reason = "as JavaScript compares")]
            (Self::Number(one), Self::Number(other)) => Some(one == other),
            (Self::Text(_), Self::Text(_)) => Some(self.known_text()? == other.known_text()?),
            (Self::Unknown(_) | Self::Row | Self::NoRow | Self::Ghosts(_) | Self::Sql(_), _)
            | (_, Self::Unknown(_) | Self::Row | Self::NoRow | Self::Ghosts(_) | Self::Sql(_)) => {
                None
            }
            (Self::Text(_), Self::Undefined | Self::Null | Self::Bool(_) | Self::Number(_))
            | (Self::Undefined | Self::Null | Self::Bool(_) | Self::Number(_), Self::Text(_)) => {
                Some(false)
            }
            (Self::Undefined | Self::Null, _) | (_, Self::Undefined | Self::Null) => Some(false),
            _ => None,
        }
    }

    /// What a variable holds that holds the one or the other.
    pub(super) fn either(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Undefined | Self::Null, _) => other,
            (_, Self::Undefined | Self::Null) => self,
            (Self::Row, Self::Row) | (Self::NoRow, Self::NoRow) => self,
            (Self::Query(one), Self::Query(another)) if one.table == another.table => other,
            (Self::List(one), Self::List(another)) if Rc::ptr_eq(one, another) => other,
            (Self::List(one), Self::List(another)) => {
                let (one, another) = (one.borrow(), another.borrow());
                let mut samples = one.items.iter().chain(&another.items);
                let mut others = one.others.clone().or_else(|| another.others.clone());
                if others.is_none() {
                    others = samples.next_back().cloned();
                }
                Self::open_list(Vec::new(), others)
            }
            (Self::Object(one), Self::Object(another)) if Rc::ptr_eq(one, another) => other,
            (Self::Unknown(one), Self::Unknown(another)) => Self::Unknown((*one).max(*another)),
            _ if self.same(&other) == Some(true) => other,
            _ => Self::Unknown(When::Depends),
        }
    }
}

impl<'a> Object<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.entries
            .iter()
            .find(|(key, _)| &**key == name)
            .map(|(_, value)| value)
    }

    /// Takes over what another object has.
    pub(super) fn merge(&mut self, other: &Self) {
        self.and_others |= other.and_others;
        self.perhaps.extend(other.perhaps.iter().cloned());
        for (name, value) in &other.entries {
            self.set(Rc::clone(name), value.clone());
        }
    }

    pub(super) fn set(&mut self, name: Rc<str>, value: Value<'a>) {
        match self.entries.iter_mut().find(|(key, _)| *key == name) {
            Some((_, old)) => *old = value,
            None => self.entries.push((name, value)),
        }
    }
}
