//! The state of following one migration: scopes, modules, what has been found, and under which condition we are.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use swc_ecma_ast::{ModuleItem, Program, Stmt};

use super::sources::{Source, Sources};
use super::statements::Flow;
use super::value::{Body, Closure, Object, Value};
use crate::migrations::facts::{Operation, When};

/// How deep calls may be nested: Ghost's helpers take less than 20.
const DEEPEST: usize = 48;

/// How many expressions are looked at before it is given up.
const MOST_STEPS: usize = 400_000;

/// Follows the code of one migration.
pub(super) struct Interpreter<'a> {
    pub(super) sources: &'a Sources,
    pub(super) scopes: Vec<Scope<'a>>,
    modules: BTreeMap<String, Module<'a>>,
    operations: Vec<Operation>,
    unknown: Vec<String>,
    /// On what it depends whether we come here.
    pub(super) when: When,
    /// Below how many undecided conditions and loops we are.
    pub(super) undecided: usize,
    /// Below how many loops over rows we are.
    pub(super) repeated: usize,
    /// Within how many transactions of the migration's own we are.
    pub(super) transactions: usize,
    /// Nothing found counts: the code only runs where something has failed.
    pub(super) failing: usize,
    /// How many times `throw` was come by.
    pub(super) throws: usize,
    /// Whether what was called has thrown for certain.
    pub(super) thrown: bool,
    pub(super) frames: Vec<Frame<'a>>,
    steps: usize,
}

/// A module that was required.
struct Module<'a> {
    /// Its `module`, whose `exports` it may replace as long as it is not through.
    itself: Value<'a>,
    /// What of it, and of what it requires, was not understood.
    unknown: Vec<String>,
}

/// The names of a block or a function.
pub(super) struct Scope<'a> {
    pub(super) names: HashMap<Rc<str>, Value<'a>>,
    pub(super) parent: Option<usize>,
    pub(super) undecided: usize,
}

/// A function that is running.
pub(super) struct Frame<'a> {
    pub(super) file: Rc<str>,
    /// Whether it waits for what it returns.
    pub(super) is_async: bool,
    /// What it may have returned before its end.
    pub(super) returned: Option<Value<'a>>,
    /// On what it depends that it did not return before.
    pub(super) floor: When,
}

impl<'a> Interpreter<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self {
            sources,
            scopes: Vec::new(),
            modules: BTreeMap::new(),
            operations: Vec::new(),
            unknown: Vec::new(),
            when: When::Always,
            undecided: 0,
            repeated: 0,
            transactions: 0,
            failing: 0,
            throws: 0,
            thrown: false,
            frames: Vec::new(),
            steps: 0,
        }
    }

    /// What was found: the changes, and what was not understood. What follows is another migration, which finds the
    /// modules that are there already as they were made.
    pub(super) fn take_found(&mut self) -> (Vec<Operation>, Vec<String>) {
        let modules = std::mem::take(&mut self.modules);
        let scopes = std::mem::take(&mut self.scopes);
        let found = std::mem::replace(
            self,
            Self {
                modules,
                scopes,
                ..Self::new(self.sources)
            },
        );
        (found.operations, found.unknown)
    }

    /// Runs the migration itself; whether it does nothing but fail.
    pub(super) fn run(&mut self, up: &Rc<Closure<'a>>, options: Value<'a>) -> bool {
        let value = self.enter(up, vec![options]);
        self.settle(value);
        self.thrown && self.operations.is_empty()
    }

    /// What a module exports.
    pub(super) fn module(&mut self, path: &str) -> Value<'a> {
        if let Some(Module { itself, unknown }) = self.modules.get(path) {
            let (exports, unknown) = (exported(itself), unknown.clone());
            for what in unknown {
                self.not_understood(&what);
            }
            return exports;
        }
        let sources = self.sources;
        let statements: Vec<&'a Stmt> = match sources.get(path) {
            Some(Source::Code(program)) => match &**program {
                Program::Script(script) => script.body.iter().collect(),
                Program::Module(module) => {
                    self.not_understood(&format!("{path} is an ECMAScript module"));
                    module
                        .body
                        .iter()
                        .filter_map(|item| match item {
                            ModuleItem::Stmt(statement) => Some(statement),
                            _ => None,
                        })
                        .collect()
                }
            },
            Some(Source::Json(value)) => {
                let value = json(value);
                let itself = Value::object(vec![("exports".into(), value.clone())]);
                let unknown = Vec::new();
                self.modules
                    .insert(path.to_owned(), Module { itself, unknown });
                return value;
            }
            Some(Source::Unreadable(problem)) => {
                self.not_understood(&format!("{path}: {problem}"));
                return Value::Unknown(When::Depends);
            }
            None => {
                self.not_understood(&format!("{path} is not there"));
                return Value::Unknown(When::Depends);
            }
        };
        let exports = Value::object(Vec::new());
        let module = Value::object(vec![("exports".into(), exports.clone())]);
        let begun = Module {
            itself: module.clone(),
            unknown: Vec::new(),
        };
        self.modules.insert(path.to_owned(), begun);

        let known = std::mem::take(&mut self.unknown);
        // A module is made once, whatever is being followed when it is first required.
        let before = (self.when, self.undecided, self.repeated, self.failing);
        (self.when, self.undecided, self.repeated, self.failing) = (When::Always, 0, 0, 0);
        let scope = self.open(None);
        self.declare(scope, "module", module.clone());
        self.declare(scope, "exports", exports);
        self.frames.push(Frame {
            file: Rc::from(path),
            is_async: false,
            returned: None,
            floor: When::Always,
        });
        self.block(&statements, scope);
        self.frames.pop();
        let unknown = std::mem::replace(&mut self.unknown, known);
        if let Some(module) = self.modules.get_mut(path) {
            module.unknown.clone_from(&unknown);
        }
        (self.when, self.undecided, self.repeated, self.failing) = before;
        for what in unknown {
            self.not_understood(&what);
        }
        exported(&module)
    }

    /// Calls a function of the migration's own code.
    pub(super) fn enter(
        &mut self,
        function: &Rc<Closure<'a>>,
        arguments: Vec<Value<'a>>,
    ) -> Value<'a> {
        if self.frames.len() >= DEEPEST {
            self.not_understood("calls that are nested too deep");
            return Value::Unknown(When::Depends);
        }
        let scope = self.open(Some(function.scope));
        self.frames.push(Frame {
            file: Rc::clone(&function.file),
            is_async: function.is_async,
            returned: None,
            floor: When::Always,
        });
        let before = self.when;
        let mut arguments = arguments.into_iter();
        for parameter in &function.parameters {
            if let swc_ecma_ast::Pat::Rest(rest) = parameter {
                let others = Value::list(arguments.by_ref().collect());
                self.bind(&rest.arg, others, scope);
            } else {
                let argument = arguments.next().unwrap_or(Value::Undefined);
                self.bind(parameter, argument, scope);
            }
        }
        let mut value = Value::Undefined;
        match function.body {
            Body::Expression(expression) => {
                value = self.expression(expression, scope);
                value = self.returned(value);
            }
            Body::Statements(statements) => {
                let statements: Vec<&'a Stmt> = statements.iter().collect();
                if self.block(&statements, scope) == Flow::Throw {
                    self.thrown = true;
                }
            }
        }
        self.when = before;
        if let Some(frame) = self.frames.pop()
            && let Some(returned) = frame.returned
        {
            value = returned.either(value);
        }
        value
    }

    /// Records changes that are sent here and now.
    pub(super) fn send(&mut self, operations: &[Operation]) {
        if self.failing > 0 {
            return;
        }
        for operation in operations {
            self.operations.push(Operation {
                when: super::later(operation.when, self.when),
                repeated: operation.repeated || self.repeated > 0,
                in_transaction: operation.in_transaction || self.transactions > 0,
                ..operation.clone()
            });
        }
    }

    /// How many changes have been found so far.
    pub(super) fn sent(&self) -> usize {
        self.operations.len()
    }

    /// Marks what was sent since as something whose failure is passed over.
    pub(super) fn failure_ignored_since(&mut self, sent: usize) {
        for operation in self.operations.iter_mut().skip(sent) {
            operation.failure_ignored = true;
        }
    }

    /// Records that something was not understood through which the database may be reached.
    pub(super) fn not_understood(&mut self, what: &str) {
        if self.failing == 0 && !self.unknown.iter().any(|known| known == what) {
            self.unknown.push(what.to_owned());
        }
    }

    /// Counts a step; whether there are any left.
    pub(super) fn step(&mut self) -> bool {
        self.steps += 1;
        if self.steps == MOST_STEPS {
            self.failing = 0;
            self.not_understood("more code than is followed");
        }
        self.steps < MOST_STEPS
    }

    pub(super) fn open(&mut self, parent: Option<usize>) -> usize {
        self.scopes.push(Scope {
            names: HashMap::new(),
            parent,
            undecided: self.undecided,
        });
        self.scopes.len() - 1
    }

    pub(super) fn declare(&mut self, scope: usize, name: &str, value: Value<'a>) {
        if let Some(scope) = self.scopes.get_mut(scope) {
            scope.names.insert(Rc::from(name), value);
        }
    }

    /// The scope that a name is declared in, seen from another.
    fn home(&self, name: &str, from: usize) -> Option<usize> {
        let mut at = Some(from);
        while let Some(scope) = at {
            if self.scopes[scope].names.contains_key(name) {
                return Some(scope);
            }
            at = self.scopes[scope].parent;
        }
        None
    }

    pub(super) fn look_up(&self, name: &str, from: usize) -> Option<Value<'a>> {
        self.home(name, from)
            .and_then(|scope| self.scopes[scope].names.get(name).cloned())
    }

    /// Assigns to a variable. Where it is undecided whether that happens, it may hold the old or the new value.
    pub(super) fn assign(&mut self, name: &str, value: Value<'a>, from: usize) {
        let Some(home) = self.home(name, from) else {
            return;
        };
        let undecided = self.undecided > self.scopes[home].undecided;
        if let Some(slot) = self.scopes[home].names.get_mut(name) {
            *slot = if undecided {
                slot.clone().either(value)
            } else {
                value
            };
        }
    }

    /// The file whose code is running.
    pub(super) fn file(&self) -> Rc<str> {
        self.frames
            .last()
            .map_or_else(|| Rc::from(""), |frame| Rc::clone(&frame.file))
    }
}

fn exported<'a>(module: &Value<'a>) -> Value<'a> {
    match module {
        Value::Object(module) => module
            .borrow()
            .get("exports")
            .cloned()
            .unwrap_or(Value::Undefined),
        _ => Value::Undefined,
    }
}

fn json<'a>(value: &serde_json::Value) -> Value<'a> {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(value) => value
            .as_f64()
            .map_or(Value::Unknown(When::Always), Value::Number),
        serde_json::Value::String(text) => Value::text(text),
        serde_json::Value::Array(items) => Value::list(items.iter().map(json).collect()),
        serde_json::Value::Object(entries) => {
            let mut object = Object::default();
            for (name, value) in entries {
                object.set(Rc::from(name.as_str()), json(value));
            }
            Value::Object(Rc::new(object.into()))
        }
    }
}
