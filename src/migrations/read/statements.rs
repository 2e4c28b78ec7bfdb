//! Statements: conditions that cannot be decided, loops over rows, what is left early, and errors that are passed over.

use std::rc::Rc;

use swc_ecma_ast::{Decl, Expr, ForHead, ForOfStmt, Stmt, TryStmt, VarDecl, VarDeclOrExpr};

use super::interpreter::Interpreter;
use super::later;
use super::value::{Body, Closure, Query, Undecided, Value};
use crate::migrations::facts::When;

/// How many turns of a loop are followed where their number is known.
const MOST_TURNS: usize = 512;

/// How a statement ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Return,
    Throw,
    Break,
    Continue,
}

impl<'a> Interpreter<'a> {
    /// The statements of a block, whose functions are there from its start.
    pub(super) fn block(&mut self, statements: &[&'a Stmt], scope: usize) -> Flow {
        for statement in statements {
            if let Stmt::Decl(Decl::Fn(function)) = statement {
                let closure = self.function(&function.function, scope);
                self.declare(scope, function.ident.sym.as_str(), closure);
            }
        }
        for statement in statements {
            let flow = self.statement(statement, scope);
            if flow != Flow::Next {
                return flow;
            }
        }
        Flow::Next
    }

    fn statement(&mut self, statement: &'a Stmt, scope: usize) -> Flow {
        if !self.step() {
            return Flow::Return;
        }
        let flow = self.statement_itself(statement, scope);
        if self.thrown { Flow::Throw } else { flow }
    }

    fn statement_itself(&mut self, statement: &'a Stmt, scope: usize) -> Flow {
        match statement {
            Stmt::Block(block) => {
                let inner = self.open(Some(scope));
                let statements: Vec<&'a Stmt> = block.stmts.iter().collect();
                self.block(&statements, inner)
            }
            Stmt::Expr(expression) => {
                // A builder that nobody awaits is never sent.
                self.expression(&expression.expr, scope);
                Flow::Next
            }
            Stmt::Decl(Decl::Var(variables)) => {
                self.variables(variables, scope);
                Flow::Next
            }
            Stmt::Decl(Decl::Class(class)) => {
                self.declare(
                    scope,
                    class.ident.sym.as_str(),
                    Value::Unknown(When::Always),
                );
                Flow::Next
            }
            Stmt::Return(statement) => {
                let value = match &statement.arg {
                    Some(argument) => self.expression(argument, scope),
                    None => Value::Undefined,
                };
                let value = self.returned(value);
                if let Some(frame) = self.frames.last_mut() {
                    frame.returned = Some(match frame.returned.take() {
                        Some(before) => before.either(value),
                        None => value,
                    });
                }
                Flow::Return
            }
            Stmt::Throw(statement) => {
                self.expression(&statement.arg, scope);
                self.throws += 1;
                Flow::Throw
            }
            Stmt::If(statement) => {
                let test = self.expression(&statement.test, scope);
                match (test.truth(), &statement.alt) {
                    (Ok(true), _) => self.statement(&statement.cons, scope),
                    (Ok(false), Some(other)) => self.statement(other, scope),
                    (Ok(false), None) => Flow::Next,
                    (Err(when), other) => {
                        let one =
                            self.branch(when.holds, |this| this.statement(&statement.cons, scope));
                        let two = self.branch(when.fails, |this| {
                            other
                                .as_ref()
                                .map_or(Flow::Next, |other| this.statement(other, scope))
                        });
                        self.joined(when, one, two)
                    }
                }
            }
            Stmt::Try(statement) => self.trying(statement, scope),
            Stmt::ForOf(statement) => self.for_of(statement, scope),
            Stmt::ForIn(statement) => {
                self.expression(&statement.right, scope);
                let inner = self.open(Some(scope));
                self.head(&statement.left, Value::Unknown(When::Depends), inner);
                self.turns(|this| this.statement(&statement.body, inner))
            }
            Stmt::For(statement) => {
                let inner = self.open(Some(scope));
                match &statement.init {
                    Some(VarDeclOrExpr::VarDecl(variables)) => self.variables(variables, inner),
                    Some(VarDeclOrExpr::Expr(expression)) => {
                        self.expression(expression, inner);
                    }
                    None => {}
                }
                self.counting(
                    statement.test.as_deref(),
                    statement.update.as_deref(),
                    &statement.body,
                    inner,
                )
            }
            Stmt::While(statement) => {
                self.counting(Some(&statement.test), None, &statement.body, scope)
            }
            Stmt::DoWhile(statement) => {
                self.repeated += 1;
                let flow = self.statement(&statement.body, scope);
                self.expression(&statement.test, scope);
                self.repeated -= 1;
                after_loop(flow)
            }
            Stmt::Switch(statement) => {
                let value = self.expression(&statement.discriminant, scope);
                let when = later(value.when(), When::Depends);
                let mut flows = Vec::new();
                let mut has_default = false;
                for case in &statement.cases {
                    if let Some(test) = &case.test {
                        self.expression(test, scope);
                    }
                    has_default |= case.test.is_none();
                    if !case.cons.is_empty() {
                        let statements: Vec<&'a Stmt> = case.cons.iter().collect();
                        let inner = self.open(Some(scope));
                        flows.push(self.branch(when, |this| this.block(&statements, inner)));
                    }
                }
                if !has_default {
                    flows.push(Flow::Next);
                }
                let flows = flows.into_iter().map(|flow| match flow {
                    Flow::Break => Flow::Next,
                    other => other,
                });
                flows
                    .reduce(|one, two| {
                        let when = Undecided {
                            holds: when,
                            fails: when,
                        };
                        self.joined(when, one, two)
                    })
                    .unwrap_or(Flow::Next)
            }
            Stmt::Labeled(statement) => self.statement(&statement.body, scope),
            Stmt::Break(_) => Flow::Break,
            Stmt::Continue(_) => Flow::Continue,
            Stmt::Empty(_) | Stmt::Debugger(_) | Stmt::Decl(_) => Flow::Next,
            Stmt::With(_) => {
                self.not_understood("a `with` statement");
                Flow::Next
            }
        }
    }

    /// A value on its way out of a function. One that waits for it does so here; a builder that is handed on takes
    /// along under which condition it was made.
    pub(super) fn returned(&mut self, value: Value<'a>) -> Value<'a> {
        if self.frames.last().is_some_and(|frame| frame.is_async) {
            return self.settle(value);
        }
        match value {
            Value::Query(query) => {
                let mut query = Query::clone(&query);
                query.when = Some(later(query.when.unwrap_or(When::Always), self.when));
                Value::Query(Rc::new(query))
            }
            Value::Statement(operations) => {
                let mut operations = operations.to_vec();
                for operation in &mut operations {
                    operation.when = later(operation.when, self.when);
                }
                Value::Statement(Rc::new(operations))
            }
            value => value,
        }
    }

    pub(super) fn variables(&mut self, variables: &'a VarDecl, scope: usize) {
        for variable in &variables.decls {
            let value = match &variable.init {
                Some(value) => self.expression(value, scope),
                None => Value::Undefined,
            };
            self.bind(&variable.name, value, scope);
        }
    }

    /// One of two sides of which it is undecided which is taken.
    pub(super) fn branch<T>(&mut self, when: When, side: impl FnOnce(&mut Self) -> T) -> T
    where
        T: Thrown,
    {
        let before = self.when;
        self.when = later(before, when);
        self.undecided += 1;
        let outcome = side(self);
        self.undecided -= 1;
        self.when = before;
        let thrown = std::mem::take(&mut self.thrown);
        outcome.thrown(thrown)
    }

    /// What follows two sides of which one was taken. If one leaves, the rest depends on the other having been taken;
    /// but where it leaves by throwing, all is off anyway.
    fn joined(&mut self, undecided: Undecided, one: Flow, two: Flow) -> Flow {
        let when = if one == Flow::Next {
            undecided.holds
        } else {
            undecided.fails
        };
        match (one, two) {
            (Flow::Next, Flow::Next) => Flow::Next,
            (Flow::Throw, Flow::Next) | (Flow::Next, Flow::Throw) => Flow::Next,
            (Flow::Next, left) | (left, Flow::Next) => {
                self.when = later(self.when, when);
                if left == Flow::Return
                    && let Some(frame) = self.frames.last_mut()
                {
                    frame.floor = later(frame.floor, when);
                }
                Flow::Next
            }
            (Flow::Throw, left) | (left, Flow::Throw) => left,
            (Flow::Return, Flow::Return) => Flow::Return,
            (left @ (Flow::Break | Flow::Continue), _)
            | (_, left @ (Flow::Break | Flow::Continue)) => left,
        }
    }

    fn trying(&mut self, statement: &'a TryStmt, scope: usize) -> Flow {
        let sent = self.sent();
        let inner = self.open(Some(scope));
        let statements: Vec<&'a Stmt> = statement.block.stmts.iter().collect();
        let mut flow = self.block(&statements, inner);
        self.thrown = false;
        if let Some(handler) = &statement.handler {
            let throws = self.throws;
            let inner = self.open(Some(scope));
            if let Some(parameter) = &handler.param {
                self.bind(parameter, Value::Unknown(When::Depends), inner);
            }
            let statements: Vec<&'a Stmt> = handler.body.stmts.iter().collect();
            // Only after an error: what it does is no part of an upgrade that goes well.
            self.failing += 1;
            let handled = self.branch(When::Depends, |this| this.block(&statements, inner));
            self.failing -= 1;
            if handled != Flow::Throw && self.throws == throws {
                self.failure_ignored_since(sent);
            }
            if flow == Flow::Throw {
                flow = if handled == Flow::Throw {
                    Flow::Throw
                } else {
                    Flow::Next
                };
            }
        }
        if let Some(last) = &statement.finalizer {
            let inner = self.open(Some(scope));
            let statements: Vec<&'a Stmt> = last.stmts.iter().collect();
            let last = self.block(&statements, inner);
            if last != Flow::Next {
                flow = last;
            }
        }
        flow
    }

    fn for_of(&mut self, statement: &'a ForOfStmt, scope: usize) -> Flow {
        let list = self.expression(&statement.right, scope);
        let list = self.settle(list);
        let before = self.when;
        let mut flow = Flow::Next;
        let (items, others) = elements(&list);
        for item in items {
            let inner = self.open(Some(scope));
            self.head(&statement.left, item, inner);
            flow = after_turn(self.statement(&statement.body, inner));
            self.when = self.floor(before);
            if flow != Flow::Next {
                break;
            }
        }
        if let Some(other) = others
            && flow == Flow::Next
        {
            let inner = self.open(Some(scope));
            self.head(&statement.left, other, inner);
            flow = self.turns(|this| this.statement(&statement.body, inner));
        }
        if flow == Flow::Break {
            Flow::Next
        } else {
            flow
        }
    }

    /// A loop of which it is unknown how often it turns.
    fn turns(&mut self, turn: impl FnOnce(&mut Self) -> Flow) -> Flow {
        let before = self.when;
        self.repeated += 1;
        self.branch(When::Depends, turn);
        self.repeated -= 1;
        self.when = self.floor(before);
        Flow::Next
    }

    /// `for (;;)` and `while`: turn by turn as long as the condition is known.
    fn counting(
        &mut self,
        test: Option<&'a Expr>,
        update: Option<&'a Expr>,
        body: &'a Stmt,
        scope: usize,
    ) -> Flow {
        let before = self.when;
        for _ in 0..MOST_TURNS {
            let truth = match test {
                Some(test) => self.expression(test, scope).truth(),
                None => Ok(true),
            };
            match truth {
                Ok(false) => return Flow::Next,
                Err(_) => {
                    return self.turns(|this| {
                        let flow = this.statement(body, scope);
                        if let Some(update) = update {
                            this.expression(update, scope);
                        }
                        flow
                    });
                }
                // `while (true)` ends by what its body sees.
                Ok(true) if update.is_none() => {
                    self.repeated += 1;
                    self.undecided += 1;
                    let flow = self.statement(body, scope);
                    self.undecided -= 1;
                    self.repeated -= 1;
                    self.when = self.floor(before);
                    return after_loop(flow);
                }
                Ok(true) => {
                    let flow = after_turn(self.statement(body, scope));
                    self.when = self.floor(before);
                    if flow != Flow::Next {
                        return after_loop(flow);
                    }
                    if let Some(update) = update {
                        self.expression(update, scope);
                    }
                }
            }
        }
        self.not_understood("a loop with more turns than are followed");
        Flow::Next
    }

    /// After a loop, what its turns depended on is over; what the function's end depends on is not.
    fn floor(&self, before: When) -> When {
        self.frames
            .last()
            .map_or(before, |frame| later(before, frame.floor))
    }

    fn head(&mut self, head: &'a ForHead, value: Value<'a>, scope: usize) {
        match head {
            ForHead::VarDecl(variables) => {
                for variable in &variables.decls {
                    self.bind(&variable.name, value.clone(), scope);
                }
            }
            ForHead::Pat(pattern) => self.bind(pattern, value, scope),
            ForHead::UsingDecl(_) => self.not_understood("a `using` declaration"),
        }
    }

    /// A function as a value.
    pub(super) fn function(
        &mut self,
        function: &'a swc_ecma_ast::Function,
        scope: usize,
    ) -> Value<'a> {
        let statements = function
            .body
            .as_ref()
            .map_or(&[] as &[Stmt], |body| body.stmts.as_slice());
        Value::Function(Rc::new(Closure {
            parameters: function
                .params
                .iter()
                .map(|parameter| &parameter.pat)
                .collect(),
            body: Body::Statements(statements),
            is_async: function.is_async,
            scope,
            file: self.file(),
        }))
    }
}

/// An outcome that may have been overtaken by something thrown.
pub(super) trait Thrown {
    fn thrown(self, thrown: bool) -> Self;
}

impl Thrown for Flow {
    fn thrown(self, thrown: bool) -> Self {
        if thrown { Self::Throw } else { self }
    }
}

impl Thrown for Value<'_> {
    fn thrown(self, _: bool) -> Self {
        self
    }
}

/// The elements of a list, and what others are like where there may be more.
pub(super) fn elements<'a>(list: &Value<'a>) -> (Vec<Value<'a>>, Option<Value<'a>>) {
    match list {
        Value::List(list) => {
            let list = list.borrow();
            (list.items.clone(), list.others.clone())
        }
        Value::Undefined | Value::Null => (Vec::new(), None),
        other => (
            Vec::new(),
            Some(Value::Unknown(later(other.when(), When::Always))),
        ),
    }
}

fn after_turn(flow: Flow) -> Flow {
    if flow == Flow::Continue {
        Flow::Next
    } else {
        flow
    }
}

fn after_loop(flow: Flow) -> Flow {
    match flow {
        Flow::Break | Flow::Continue => Flow::Next,
        other => other,
    }
}
