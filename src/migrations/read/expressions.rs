//! Expressions, from literals to calls.

use std::rc::Rc;

use swc_ecma_ast::{
    AssignOp, BinaryOp, CallExpr, Callee, Expr, ExprOrSpread, Lit, MemberExpr, MemberProp,
    ObjectLit, OptChainBase, Prop, PropOrSpread, UnaryOp,
};

use super::interpreter::Interpreter;
use super::later;
use super::statements::elements;
use super::value::{Body, Closure, Object, Value};
use crate::migrations::facts::When;
use crate::migrations::sql::UNKNOWN;

impl<'a> Interpreter<'a> {
    /// What an expression stands for; its calls are followed.
    pub(super) fn expression(&mut self, expression: &'a Expr, scope: usize) -> Value<'a> {
        if !self.step() {
            return Value::Unknown(When::Depends);
        }
        match expression {
            Expr::Lit(Lit::Str(text)) => Value::text(&text.value.to_string_lossy()),
            Expr::Lit(Lit::Bool(value)) => Value::Bool(value.value),
            Expr::Lit(Lit::Num(value)) => Value::Number(value.value),
            Expr::Lit(Lit::Null(_)) => Value::Null,
            Expr::Lit(_) => Value::Package(Rc::from("RegExp")),
            Expr::Tpl(template) => {
                let parts: Vec<Value<'a>> = template
                    .exprs
                    .iter()
                    .map(|part| self.expression(part, scope))
                    .collect();
                let quasis = template.quasis.iter().map(|quasi| match &quasi.cooked {
                    Some(text) => Value::text(&text.to_string_lossy()),
                    None => Value::text(quasi.raw.as_str()),
                });
                let mut parts = parts.into_iter();
                let mut all = Vec::new();
                for quasi in quasis {
                    all.push(quasi);
                    all.extend(parts.next());
                }
                concatenated(&all)
            }
            Expr::Ident(name) => self.name(name.sym.as_str(), scope),
            Expr::Paren(inner) => self.expression(&inner.expr, scope),
            Expr::Await(inner) => {
                let value = self.expression(&inner.arg, scope);
                self.settle(value)
            }
            Expr::Array(array) => {
                let mut items = Vec::new();
                let mut others = None;
                for element in array.elems.iter().flatten() {
                    let value = self.expression(&element.expr, scope);
                    if element.spread.is_some() {
                        let (more, rest) = elements(&value);
                        items.extend(more);
                        others = rest.or(others);
                    } else {
                        items.push(value);
                    }
                }
                Value::open_list(items, others)
            }
            Expr::Object(object) => self.object(object, scope),
            Expr::Fn(function) => self.function(&function.function, scope),
            Expr::Arrow(arrow) => Value::Function(Rc::new(Closure {
                parameters: arrow.params.iter().collect(),
                body: match &*arrow.body {
                    swc_ecma_ast::ArrowFunctionBody::FunctionBody(body) => {
                        Body::Statements(&body.stmts)
                    }
                    swc_ecma_ast::ArrowFunctionBody::Expr(body) => Body::Expression(body),
                },
                is_async: arrow.is_async,
                scope,
                file: self.file(),
            })),
            Expr::Member(member) => {
                let owner = self.expression(&member.obj, scope);
                match self.member_name(member, scope) {
                    Some(name) => self.property(&owner, &name),
                    None => Value::Unknown(When::Depends),
                }
            }
            Expr::OptChain(chain) => match &*chain.base {
                OptChainBase::Member(member) => {
                    let owner = self.expression(&member.obj, scope);
                    match self.member_name(member, scope) {
                        Some(name) => self.property(&owner, &name),
                        None => Value::Unknown(When::Depends),
                    }
                }
                OptChainBase::Call(call) => self.call(&call.callee, &call.args, scope),
            },
            Expr::Call(CallExpr {
                callee: Callee::Expr(callee),
                args,
                ..
            }) => self.call(callee, args, scope),
            Expr::Call(call) => {
                let arguments = self.arguments(&call.args, scope);
                self.outside("import()", &arguments, When::Depends)
            }
            Expr::New(new) => {
                let callee = self.expression(&new.callee, scope);
                let arguments = self.arguments(new.args.as_deref().unwrap_or_default(), scope);
                self.construct(&callee, arguments, &spelt(&new.callee))
            }
            Expr::Cond(condition) => {
                let test = self.expression(&condition.test, scope);
                match test.truth() {
                    Ok(true) => self.expression(&condition.cons, scope),
                    Ok(false) => self.expression(&condition.alt, scope),
                    Err(when) => {
                        let one =
                            self.branch(when.holds, |this| this.expression(&condition.cons, scope));
                        let two =
                            self.branch(when.fails, |this| this.expression(&condition.alt, scope));
                        one.either(two)
                    }
                }
            }
            Expr::Bin(binary) => self.binary(binary, scope),
            Expr::Unary(unary) => {
                let value = self.expression(&unary.arg, scope);
                match unary.op {
                    UnaryOp::Bang => match (&value, value.truth()) {
                        (_, Ok(truth)) => Value::Bool(!truth),
                        (Value::Row, _) => Value::NoRow,
                        (Value::NoRow, _) => Value::Row,
                        (_, Err(undecided)) => Value::Unknown(undecided.holds),
                    },
                    UnaryOp::Minus => match value {
                        Value::Number(number) => Value::Number(-number),
                        other => Value::Unknown(other.when()),
                    },
                    UnaryOp::Void => Value::Undefined,
                    UnaryOp::TypeOf => match &value {
                        Value::Undefined => Value::text("undefined"),
                        Value::Null | Value::Object(_) | Value::List(_) => Value::text("object"),
                        Value::Text(_) => Value::text("string"),
                        Value::Number(_) => Value::text("number"),
                        Value::Bool(_) => Value::text("boolean"),
                        Value::Function(_) => Value::text("function"),
                        other => Value::Unknown(later(other.when(), When::UnlessDone)),
                    },
                    _ => Value::Unknown(value.when()),
                }
            }
            Expr::Update(update) => {
                let value = self.expression(&update.arg, scope);
                let next = match value {
                    Value::Number(number) if update.op == swc_ecma_ast::UpdateOp::PlusPlus => {
                        Value::Number(number + 1.0)
                    }
                    Value::Number(number) => Value::Number(number - 1.0),
                    ref other => Value::Unknown(other.when()),
                };
                if let Expr::Ident(name) = &*update.arg {
                    self.assign(name.sym.as_str(), next, scope);
                }
                value
            }
            Expr::Assign(assignment) => {
                let mut value = self.expression(&assignment.right, scope);
                if assignment.op != AssignOp::Assign {
                    let before = match &assignment.left {
                        swc_ecma_ast::AssignTarget::Simple(
                            swc_ecma_ast::SimpleAssignTarget::Ident(name),
                        ) => self.name(name.id.sym.as_str(), scope),
                        _ => Value::Unknown(When::Depends),
                    };
                    value = match assignment.op {
                        AssignOp::AddAssign => added(&before, &value),
                        AssignOp::OrAssign | AssignOp::NullishAssign | AssignOp::AndAssign => {
                            before.either(value)
                        }
                        _ => Value::Unknown(later(before.when(), value.when())),
                    };
                }
                self.assign_to(&assignment.left, value.clone(), scope);
                value
            }
            Expr::Seq(sequence) => {
                let mut value = Value::Undefined;
                for expression in &sequence.exprs {
                    value = self.expression(expression, scope);
                }
                value
            }
            Expr::TaggedTpl(tagged) => {
                let arguments: Vec<Value<'a>> = tagged
                    .tpl
                    .exprs
                    .iter()
                    .map(|part| self.expression(part, scope))
                    .collect();
                self.outside(&spelt(&tagged.tag), &arguments, When::Depends)
            }
            Expr::This(_) | Expr::Class(_) | Expr::MetaProp(_) | Expr::SuperProp(_) => {
                Value::Unknown(When::Depends)
            }
            Expr::Yield(_) => {
                self.not_understood("a generator");
                Value::Unknown(When::Depends)
            }
            _ => {
                self.not_understood("an unusual expression");
                Value::Unknown(When::Depends)
            }
        }
    }

    fn name(&mut self, name: &str, scope: usize) -> Value<'a> {
        if name == "undefined" {
            return Value::Undefined;
        }
        // What no scope knows is JavaScript's or Node's.
        self.look_up(name, scope)
            .unwrap_or_else(|| Value::Package(Rc::from(name)))
    }

    fn member_name(&mut self, member: &'a MemberExpr, scope: usize) -> Option<String> {
        match &member.prop {
            MemberProp::Ident(name) => Some(name.sym.as_str().to_owned()),
            MemberProp::Computed(name) => match self.expression(&name.expr, scope) {
                Value::Number(at) => Some(at.to_string()),
                name => name.known_text().map(str::to_owned),
            },
            MemberProp::PrivateName(_) => None,
        }
    }

    fn object(&mut self, literal: &'a ObjectLit, scope: usize) -> Value<'a> {
        let mut object = Object::default();
        for property in &literal.props {
            match property {
                PropOrSpread::Spread(spread) => match self.expression(&spread.expr, scope) {
                    Value::Object(other) => {
                        object.merge(&other.borrow());
                    }
                    Value::Undefined | Value::Null => {}
                    _ => object.and_others = true,
                },
                PropOrSpread::Prop(property) => match &**property {
                    Prop::Shorthand(name) => {
                        let value = self.name(name.sym.as_str(), scope);
                        object.set(Rc::from(name.sym.as_str()), value);
                    }
                    Prop::KeyValue(property) => {
                        let name = self.property_name(&property.key, scope);
                        let value = self.expression(&property.value, scope);
                        match name {
                            Some(name) => object.set(name.into(), value),
                            None => object.and_others = true,
                        }
                    }
                    Prop::Method(method) => {
                        let name = self.property_name(&method.key, scope);
                        let function = self.function(&method.function, scope);
                        match name {
                            Some(name) => object.set(name.into(), function),
                            None => object.and_others = true,
                        }
                    }
                    Prop::Getter(_) | Prop::Setter(_) | Prop::Assign(_) => {
                        object.and_others = true;
                    }
                },
            }
        }
        Value::Object(Rc::new(object.into()))
    }

    fn call(&mut self, callee: &'a Expr, arguments: &'a [ExprOrSpread], scope: usize) -> Value<'a> {
        let member = match callee {
            Expr::Member(member) => Some(member),
            Expr::OptChain(chain) => match &*chain.base {
                OptChainBase::Member(member) => Some(member),
                OptChainBase::Call(_) => None,
            },
            _ => None,
        };
        if let Some(member) = member {
            let owner = self.expression(&member.obj, scope);
            let name = self.member_name(member, scope);
            let arguments = self.arguments(arguments, scope);
            return self.call_method(&owner, name.as_deref(), arguments, &spelt(callee));
        }
        let function = self.expression(callee, scope);
        let arguments = self.arguments(arguments, scope);
        self.call_value(&function, arguments, &spelt(callee))
    }

    fn arguments(&mut self, arguments: &'a [ExprOrSpread], scope: usize) -> Vec<Value<'a>> {
        let mut values = Vec::new();
        for argument in arguments {
            let value = self.expression(&argument.expr, scope);
            if argument.spread.is_some() {
                let (items, others) = elements(&value);
                values.extend(items);
                values.extend(others);
            } else {
                values.push(value);
            }
        }
        values
    }

    fn binary(&mut self, binary: &'a swc_ecma_ast::BinExpr, scope: usize) -> Value<'a> {
        let left = self.expression(&binary.left, scope);
        match binary.op {
            BinaryOp::LogicalAnd | BinaryOp::LogicalOr => {
                let stops = binary.op == BinaryOp::LogicalOr;
                match left.truth() {
                    Ok(truth) if truth == stops => left,
                    Ok(_) => self.expression(&binary.right, scope),
                    Err(undecided) => {
                        let when = if stops {
                            undecided.fails
                        } else {
                            undecided.holds
                        };
                        let right = self.branch(when, |this| this.expression(&binary.right, scope));
                        match (&left, &right, right.truth()) {
                            (Value::Row, Value::Row, _) | (Value::NoRow, Value::NoRow, _) => right,
                            // Whatever the left side is, the right one decides.
                            (_, Value::Bool(_), Ok(truth)) if truth == stops => right,
                            (_, Value::Bool(_), _) => left,
                            (_, _, Ok(_)) if stops => left.either(right),
                            (_, _, Ok(_)) => left,
                            (_, _, Err(other)) => Value::Unknown(later(when, other.holds)),
                        }
                    }
                }
            }
            BinaryOp::NullishCoalescing => match left {
                Value::Undefined | Value::Null => self.expression(&binary.right, scope),
                Value::Unknown(when) => {
                    let right = self.branch(when, |this| this.expression(&binary.right, scope));
                    Value::Unknown(when).either(right)
                }
                left => left,
            },
            BinaryOp::Add => {
                let right = self.expression(&binary.right, scope);
                added(&left, &right)
            }
            BinaryOp::EqEq | BinaryOp::EqEqEq | BinaryOp::NotEq | BinaryOp::NotEqEq => {
                let right = self.expression(&binary.right, scope);
                let equal = matches!(binary.op, BinaryOp::EqEq | BinaryOp::EqEqEq);
                match left.same(&right) {
                    Some(same) => Value::Bool(same == equal),
                    None => Value::Unknown(later(left.when(), right.when())),
                }
            }
            BinaryOp::Lt
            | BinaryOp::LtEq
            | BinaryOp::Gt
            | BinaryOp::GtEq
            | BinaryOp::Sub
            | BinaryOp::Mul => {
                let right = self.expression(&binary.right, scope);
                let (Value::Number(one), Value::Number(other)) = (&left, &right) else {
                    return Value::Unknown(later(left.when(), right.when()));
                };
                match binary.op {
                    BinaryOp::Lt => Value::Bool(one < other),
                    BinaryOp::LtEq => Value::Bool(one <= other),
                    BinaryOp::Gt => Value::Bool(one > other),
                    BinaryOp::GtEq => Value::Bool(one >= other),
                    BinaryOp::Sub => Value::Number(one - other),
                    _ => Value::Number(one * other),
                }
            }
            _ => {
                let right = self.expression(&binary.right, scope);
                Value::Unknown(later(left.when(), right.when()))
            }
        }
    }
}

fn added<'a>(left: &Value<'a>, right: &Value<'a>) -> Value<'a> {
    match (left, right) {
        (Value::Number(one), Value::Number(other)) => Value::Number(one + other),
        (Value::Text(_) | Value::Sql(_), _) | (_, Value::Text(_) | Value::Sql(_)) => {
            concatenated(&[left.clone(), right.clone()])
        }
        _ => Value::Unknown(later(left.when(), right.when())),
    }
}

/// Values as one text, in which what only shows at run time is [`UNKNOWN`].
fn concatenated<'a>(parts: &[Value<'a>]) -> Value<'a> {
    if let Some(sql) = parts.iter().find(|part| matches!(part, Value::Sql(_))) {
        return sql.clone();
    }
    let mut text = String::new();
    for part in parts {
        match part {
            Value::Text(part) => text.push_str(part),
            Value::Number(number) => text.push_str(&number.to_string()),
            Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
            Value::List(_) => {
                let (texts, all) = part.texts();
                text.push_str(&texts.join(","));
                if !all {
                    text.push(UNKNOWN);
                }
            }
            _ => text.push(UNKNOWN),
        }
    }
    Value::text(&text)
}

/// How something that is called is spelt, for a report: names and dots.
pub(super) fn spelt(expression: &Expr) -> String {
    match expression {
        Expr::Ident(name) => name.sym.as_str().to_owned(),
        Expr::This(_) => "this".to_owned(),
        Expr::Paren(inner) => spelt(&inner.expr),
        Expr::Await(inner) => spelt(&inner.arg),
        Expr::Member(member) => match &member.prop {
            MemberProp::Ident(name) => format!("{}.{}", spelt(&member.obj), name.sym.as_str()),
            _ => format!("{}[…]", spelt(&member.obj)),
        },
        Expr::Call(call) => match &call.callee {
            Callee::Expr(callee) => format!("{}()", spelt(callee)),
            _ => "import()".to_owned(),
        },
        Expr::New(new) => format!("new {}", spelt(&new.callee)),
        _ => "…".to_owned(),
    }
}
