//! JavaScript's own objects, the few packages whose answers matter, and calls that lead out of what is followed.

use std::rc::Rc;

use super::interpreter::Interpreter;
use super::later;
use super::statements::elements;
use super::value::{Object, Value};
use crate::migrations::facts::When;

/// What of Ghost is called by migrations, is not among the files that are read, and never touches the database.
const HARMLESS: [&str; 10] = [
    "core/shared/config",
    "core/shared/html-to-plaintext",
    "core/shared/settings-cache",
    "core/shared/url-utils",
    "core/server/lib/common",
    "core/server/lib/lexical",
    "core/server/lib/mobiledoc",
    "core/server/services/members/MembersConfigProvider",
    "core/server/services/settings/settings-utils",
    "core/server/translate",
];

impl<'a> Interpreter<'a> {
    /// A property that is read, not called.
    pub(super) fn property(&mut self, owner: &Value<'a>, name: &str) -> Value<'a> {
        match owner {
            Value::Object(object) => {
                let object = object.borrow();
                match object.get(name) {
                    Some(value) => value.clone(),
                    None if object.and_others => Value::Unknown(When::Depends),
                    None => Value::Undefined,
                }
            }
            Value::List(list) => {
                let list = list.borrow();
                match (name.parse::<usize>(), &list.others) {
                    (Ok(at), others) => list
                        .items
                        .get(at)
                        .or(others.as_ref())
                        .cloned()
                        .unwrap_or(Value::Undefined),
                    (Err(_), None) if name == "length" || name == "size" => {
                        Value::Number(list.items.len() as f64)
                    }
                    _ => Value::Unknown(When::Depends),
                }
            }
            Value::Text(text) if name == "length" && owner.known_text().is_some() => {
                Value::Number(text.chars().count() as f64)
            }
            Value::Connection => match name {
                "schema" => Value::Schema,
                "client" => Value::Package(Rc::from("knex.client")),
                "fn" => Value::Package(Rc::from("knex.fn")),
                _ => Value::Unknown(When::Depends),
            },
            Value::Package(path) => match (&**path, name) {
                ("knex.client.config", "client") => Value::Dialect,
                ("process", _) => Value::Unknown(When::Depends),
                _ => Value::Package(Rc::from(format!("{path}.{name}"))),
            },
            Value::Ghosts(path) if name == "knex" && path.contains("/data/db") => Value::Connection,
            Value::Ghosts(path) => Value::Ghosts(Rc::from(format!("{path}.{name}"))),
            Value::Undefined | Value::Null => Value::Undefined,
            other => Value::Unknown(other.when()),
        }
    }

    /// Calls a value.
    pub(super) fn call_value(
        &mut self,
        function: &Value<'a>,
        arguments: Vec<Value<'a>>,
        spelt: &str,
    ) -> Value<'a> {
        match function {
            Value::Function(function) => self.enter(function, arguments),
            Value::Connection => self.query_of(arguments.first()),
            Value::Package(path) => {
                let path = Rc::clone(path);
                self.call_package(&path, arguments, spelt)
            }
            Value::Ghosts(path) => {
                if !HARMLESS.iter().any(|known| path.starts_with(known)) {
                    self.not_understood(&format!("{spelt} ({path})"));
                }
                self.outside(spelt, &arguments, When::Depends)
            }
            other => {
                let when = later(other.when(), When::UnlessDone);
                self.outside(spelt, &arguments, when)
            }
        }
    }

    /// Calls a method; one without a name has a name that is made at run time.
    pub(super) fn call_method(
        &mut self,
        owner: &Value<'a>,
        name: Option<&str>,
        arguments: Vec<Value<'a>>,
        spelt: &str,
    ) -> Value<'a> {
        if let Value::Table(draft) = owner {
            let part = draft.borrow_mut().call(name, &arguments);
            return match part {
                Some(part) => Value::Part(Rc::clone(draft), part),
                None => Value::Undefined,
            };
        }
        let Some(name) = name else {
            if matches!(
                owner,
                Value::Connection | Value::Schema | Value::Query(_) | Value::Statement(_)
            ) {
                self.not_understood(&format!("{spelt}, a method whose name is made at run time"));
            }
            return self.outside(spelt, &arguments, When::Depends);
        };
        match owner {
            Value::Connection => self.connection_method(name, arguments),
            Value::Schema => self.schema_method(&[], name, &arguments),
            Value::Query(query) => {
                let query = Rc::clone(query);
                self.query_method(&query, name, arguments)
            }
            Value::Statement(_) | Value::Raw(_) => self.statement_method(owner, name, arguments),
            Value::Sql(_) => owner.clone(),
            Value::Part(draft, part) => {
                draft.borrow_mut().describe(*part, name, &arguments);
                owner.clone()
            }
            Value::Object(object) => {
                let method = object.borrow().get(name).cloned();
                match method {
                    Some(method) => self.call_value(&method, arguments, spelt),
                    None if name == "hasOwnProperty" => has_own(owner, arguments.first()),
                    None if name == "then" => self.continued(owner.clone(), &arguments),
                    None => self.outside(spelt, &arguments, When::Depends),
                }
            }
            Value::List(_) => self.list_method(owner, name, arguments, spelt),
            Value::Text(_) => self.text_method(owner, name, &arguments, spelt),
            Value::Function(function) => match name {
                "call" => self.enter(function, arguments.into_iter().skip(1).collect()),
                "apply" => {
                    let (items, _) = elements(arguments.get(1).unwrap_or(&Value::Undefined));
                    self.enter(function, items)
                }
                "bind" => owner.clone(),
                _ => self.outside(spelt, &arguments, When::Depends),
            },
            Value::Package(path) => {
                let path = format!("{path}.{name}");
                self.call_package(&path, arguments, spelt)
            }
            Value::Ghosts(_) => {
                let method = self.property(owner, name);
                self.call_value(&method, arguments, spelt)
            }
            Value::Row | Value::NoRow | Value::Unknown(_) => match name {
                "then" => self.continued(owner.clone(), &arguments),
                "catch" => owner.clone(),
                "map" | "flatMap" | "filter" | "forEach" | "each" | "mapSeries" | "reduce"
                | "find" | "some" | "every" => {
                    let rows = Value::open_list(Vec::new(), Some(Value::Unknown(owner.when())));
                    self.list_method(&rows, name, arguments, spelt)
                }
                _ => self.outside(spelt, &arguments, owner.when()),
            },
            _ if name == "then" => self.continued(owner.clone(), &arguments),
            _ => self.outside(spelt, &arguments, When::Depends),
        }
    }

    /// `new X(…)`
    pub(super) fn construct(
        &mut self,
        class: &Value<'a>,
        arguments: Vec<Value<'a>>,
        spelt: &str,
    ) -> Value<'a> {
        match class {
            Value::Package(name) if &**name == "Set" || &**name == "Array" => {
                match arguments.first() {
                    Some(list) => {
                        let (items, others) = elements(list);
                        Value::open_list(items, others)
                    }
                    None => Value::list(Vec::new()),
                }
            }
            Value::Package(name) if &**name == "Promise" => {
                if let Some(Value::Function(work)) = arguments.first() {
                    let settle = || Value::Unknown(When::Depends);
                    self.enter(work, vec![settle(), settle()]);
                }
                Value::Unknown(When::Depends)
            }
            Value::Ghosts(_) => self.call_value(class, arguments, spelt),
            _ => self.outside(spelt, &arguments, When::Depends),
        }
    }

    /// Calls something of JavaScript's or a package's.
    fn call_package(&mut self, path: &str, arguments: Vec<Value<'a>>, spelt: &str) -> Value<'a> {
        let first = arguments.first().cloned().unwrap_or(Value::Undefined);
        match path {
            "require" => self.require(&first),
            "Promise.resolve" => first,
            "Promise.reject" => {
                self.throws += 1;
                self.thrown = true;
                Value::Undefined
            }
            "Promise.all" | "Promise.allSettled" | "Promise.props" => {
                let (items, others) = elements(&first);
                let items = items.into_iter().map(|item| self.settle(item)).collect();
                Value::open_list(items, others)
            }
            "Promise.each" | "Promise.map" | "Promise.mapSeries" | "Promise.filter" => {
                let list = self.settle(first);
                let list = match list {
                    Value::List(_) => list,
                    other => Value::open_list(Vec::new(), Some(Value::Unknown(other.when()))),
                };
                let (items, others) = elements(&list);
                let function = arguments.get(1).cloned().unwrap_or(Value::Undefined);
                let mut results = Vec::new();
                for item in items {
                    let result = self.call_value(&function, vec![item], spelt);
                    results.push(self.settle(result));
                }
                let (_, other) = self.for_each(&function, Vec::new(), others, |item| vec![item]);
                Value::open_list(results, other)
            }
            "lodash.each" | "lodash.forEach" | "lodash.map" | "lodash.flatMap"
            | "lodash.filter" | "lodash.reduce" | "lodash.find" | "lodash.some"
            | "lodash.includes" => {
                let name = path.strip_prefix("lodash.").unwrap_or(path).to_owned();
                let others = arguments.into_iter().skip(1).collect();
                match first {
                    Value::List(_) => self.list_method(&first, &name, others, spelt),
                    other => {
                        let rows = Value::open_list(Vec::new(), Some(Value::Unknown(other.when())));
                        self.list_method(&rows, &name, others, spelt)
                    }
                }
            }
            "lodash.chunk" => match elements(&first) {
                (items, None) if items.is_empty() => Value::list(Vec::new()),
                (items, others) if items.is_empty() => {
                    Value::open_list(Vec::new(), Some(Value::open_list(Vec::new(), others)))
                }
                (items, others) => Value::list(vec![Value::open_list(items, others)]),
            },
            "Object.keys" | "Object.values" | "Object.entries" => match &first {
                Value::Object(object) => {
                    let object = object.borrow();
                    let items = object.entries.iter().map(|(name, value)| match path {
                        "Object.keys" => Value::Text(Rc::clone(name)),
                        "Object.values" => value.clone(),
                        _ => Value::list(vec![Value::Text(Rc::clone(name)), value.clone()]),
                    });
                    let others = object.and_others.then_some(Value::Unknown(When::Depends));
                    Value::open_list(items.collect(), others)
                }
                other => Value::open_list(
                    Vec::new(),
                    Some(Value::Unknown(later(other.when(), When::Depends))),
                ),
            },
            "Object.freeze" => first,
            "Object.assign" | "lodash.merge" | "lodash.assign" | "lodash/merge" => {
                let mut merged = Object::default();
                for part in &arguments {
                    match part {
                        Value::Object(part) => {
                            merged.merge(&part.borrow());
                        }
                        _ => merged.and_others = true,
                    }
                }
                Value::Object(Rc::new(merged.into()))
            }
            "Object.prototype.hasOwnProperty.call" => has_own(&first, arguments.get(1)),
            "Array.isArray" => match first {
                Value::List(_) => Value::Bool(true),
                Value::Unknown(when) => Value::Unknown(when),
                _ => Value::Bool(false),
            },
            "Array.from" => {
                let (items, others) = elements(&first);
                Value::open_list(items, others)
            }
            // Whose connection it is does not matter: it is MySQL's.
            _ if path.starts_with("@tryghost/database-info") && path.ends_with(".isMySQL") => {
                Value::Bool(true)
            }
            _ if path.starts_with("@tryghost/database-info") && path.ends_with(".isSQLite") => {
                Value::Bool(false)
            }
            _ => self.outside(spelt, &arguments, When::Depends),
        }
    }

    fn require(&mut self, name: &Value<'a>) -> Value<'a> {
        let Some(name) = name.known_text() else {
            return Value::Unknown(When::Depends);
        };
        if !name.starts_with('.') {
            return Value::Package(Rc::from(match name {
                "bluebird" => "Promise",
                other => other,
            }));
        }
        let file = self.file();
        match self.sources.resolve(&file, name) {
            Ok(path) => self.module(&path),
            Err(path) => Value::Ghosts(Rc::from(path)),
        }
    }

    /// A call that leads to code that is not followed. Functions that are handed over may be called, any number of
    /// times; where the connection is handed over, anything may happen.
    pub(super) fn outside(
        &mut self,
        spelt: &str,
        arguments: &[Value<'a>],
        when: When,
    ) -> Value<'a> {
        if arguments.iter().any(Value::reaches_database) {
            self.not_understood(spelt);
        }
        for argument in arguments {
            if let Value::Function(function) = argument {
                self.repeated += 1;
                self.branch(When::Depends, |this| {
                    let unknown = vec![Value::Unknown(When::Depends); function.parameters.len()];
                    let value = this.enter(function, unknown);
                    this.settle(value)
                });
                self.repeated -= 1;
            }
        }
        Value::Unknown(later(when, When::UnlessDone))
    }
}

fn has_own<'a>(object: &Value<'a>, name: Option<&Value<'a>>) -> Value<'a> {
    let name = name.and_then(Value::known_text);
    match (object, name) {
        (Value::Object(object), Some(name)) => {
            let object = object.borrow();
            match object.get(name) {
                Some(_) => Value::Bool(true),
                None if object.and_others => Value::Unknown(When::Depends),
                None => Value::Bool(false),
            }
        }
        _ => Value::Unknown(When::Depends),
    }
}
