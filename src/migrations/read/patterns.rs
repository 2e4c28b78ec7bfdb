//! Names that get values: parameters, declarations and assignments, taken apart as they are written.

use swc_ecma_ast::{
    AssignTarget, AssignTargetPat, MemberExpr, MemberProp, ObjectPat, ObjectPatProp, Pat, PropName,
    SimpleAssignTarget,
};

use super::interpreter::Interpreter;
use super::statements::elements;
use super::value::{Object, Value};
use crate::migrations::facts::When;

impl<'a> Interpreter<'a> {
    /// Declares the names of a pattern.
    pub(super) fn bind(&mut self, pattern: &'a Pat, value: Value<'a>, scope: usize) {
        match pattern {
            Pat::Ident(name) => self.declare(scope, name.id.sym.as_str(), value),
            Pat::Assign(pattern) => {
                let value = match value {
                    Value::Undefined => self.expression(&pattern.right, scope),
                    value => value,
                };
                self.bind(&pattern.left, value, scope);
            }
            Pat::Array(pattern) => {
                let (items, others) = elements(&value);
                let rest = others.clone().unwrap_or(Value::Undefined);
                for (at, part) in pattern.elems.iter().enumerate() {
                    match part {
                        Some(Pat::Rest(part)) => {
                            let items = items.iter().skip(at).cloned().collect();
                            let list = Value::open_list(items, others.clone());
                            self.bind(&part.arg, list, scope);
                        }
                        Some(part) => {
                            let item = items.get(at).unwrap_or(&rest).clone();
                            self.bind(part, item, scope);
                        }
                        None => {}
                    }
                }
            }
            Pat::Object(pattern) => self.bind_object(pattern, &value, scope),
            Pat::Rest(pattern) => self.bind(&pattern.arg, value, scope),
            Pat::Expr(_) | Pat::Invalid(_) => self.not_understood("an unusual pattern"),
        }
    }

    fn bind_object(&mut self, pattern: &'a ObjectPat, value: &Value<'a>, scope: usize) {
        let mut taken = Vec::new();
        for property in &pattern.props {
            match property {
                ObjectPatProp::Assign(property) => {
                    let name = property.key.id.sym.as_str();
                    taken.push(name.to_owned());
                    let mut part = self.property(value, name);
                    if let (Value::Undefined, Some(default)) = (&part, &property.value) {
                        part = self.expression(default, scope);
                    }
                    self.declare(scope, name, part);
                }
                ObjectPatProp::KeyValue(property) => {
                    let name = self.property_name(&property.key, scope);
                    let part = match &name {
                        Some(name) => self.property(value, name),
                        None => Value::Unknown(When::Depends),
                    };
                    taken.extend(name);
                    self.bind(&property.value, part, scope);
                }
                ObjectPatProp::Rest(rest) => {
                    let others = match value {
                        Value::Object(object) => {
                            let object = object.borrow();
                            let entries = object.entries.iter();
                            let entries = entries
                                .filter(|(name, _)| !taken.iter().any(|taken| **taken == **name))
                                .cloned()
                                .collect();
                            let others = Object {
                                entries,
                                perhaps: object.perhaps.clone(),
                                and_others: object.and_others,
                            };
                            Value::Object(std::rc::Rc::new(others.into()))
                        }
                        other => Value::Unknown(other.when()),
                    };
                    self.bind(&rest.arg, others, scope);
                }
            }
        }
    }

    /// The name of a property as it is written; `None` where it is made at run time.
    pub(super) fn property_name(&mut self, name: &'a PropName, scope: usize) -> Option<String> {
        match name {
            PropName::Ident(name) => Some(name.sym.as_str().to_owned()),
            PropName::Str(name) => Some(name.value.to_string_lossy().into_owned()),
            PropName::Num(name) => Some(name.value.to_string()),
            PropName::Computed(name) => {
                let name = self.expression(&name.expr, scope);
                name.known_text().map(str::to_owned)
            }
            PropName::BigInt(_) => None,
        }
    }

    /// Assigns to what is on the left of a `=`.
    pub(super) fn assign_to(&mut self, target: &'a AssignTarget, value: Value<'a>, scope: usize) {
        match target {
            AssignTarget::Simple(SimpleAssignTarget::Ident(name)) => {
                self.assign(name.id.sym.as_str(), value, scope);
            }
            AssignTarget::Simple(SimpleAssignTarget::Member(member)) => {
                self.assign_member(member, value, scope);
            }
            AssignTarget::Simple(_) => {}
            AssignTarget::Pat(AssignTargetPat::Array(pattern)) => {
                let (items, others) = elements(&value);
                for (at, part) in pattern.elems.iter().enumerate() {
                    if let Some(Pat::Ident(name)) = part {
                        let item = items.get(at).cloned();
                        let item = item.or_else(|| others.clone()).unwrap_or(Value::Undefined);
                        self.assign(name.id.sym.as_str(), item, scope);
                    }
                }
            }
            AssignTarget::Pat(AssignTargetPat::Object(pattern)) => {
                for property in &pattern.props {
                    if let ObjectPatProp::Assign(property) = property {
                        let name = property.key.id.sym.as_str();
                        let part = self.property(&value, name);
                        self.assign(name, part, scope);
                    }
                }
            }
            AssignTarget::Pat(AssignTargetPat::Invalid(_)) => {}
        }
    }

    fn assign_member(&mut self, member: &'a MemberExpr, value: Value<'a>, scope: usize) {
        let owner = self.expression(&member.obj, scope);
        let name = match &member.prop {
            MemberProp::Ident(name) => Some(name.sym.as_str().to_owned()),
            MemberProp::Computed(name) => match self.expression(&name.expr, scope) {
                Value::Number(at) => Some(at.to_string()),
                name => name.known_text().map(str::to_owned),
            },
            MemberProp::PrivateName(_) => None,
        };
        let undecided = self.undecided > 0;
        match (&owner, name) {
            (Value::Object(object), Some(name)) => {
                let mut object = object.borrow_mut();
                let value = match object.get(&name) {
                    Some(old) if undecided => old.clone().either(value),
                    None if undecided => {
                        object.perhaps.push(name.as_str().into());
                        value
                    }
                    _ => value,
                };
                object.set(name.into(), value);
            }
            (Value::Object(object), None) => object.borrow_mut().and_others = true,
            (Value::List(list), _) => {
                let mut list = list.borrow_mut();
                list.others = Some(value);
            }
            _ => {}
        }
    }
}
