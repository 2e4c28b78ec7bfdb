//! Methods of arrays and texts. Of rows that only show at run time, one stands for all.

use super::interpreter::Interpreter;
use super::later;
use super::statements::elements;
use super::value::Value;
use crate::migrations::facts::When;

impl<'a> Interpreter<'a> {
    /// A method of an array.
    pub(super) fn list_method(
        &mut self,
        owner: &Value<'a>,
        name: &str,
        arguments: Vec<Value<'a>>,
        spelt: &str,
    ) -> Value<'a> {
        let (items, others) = elements(owner);
        let first = arguments.first().cloned().unwrap_or(Value::Undefined);
        match name {
            "map" | "flatMap" | "mapSeries" | "forEach" | "each" => {
                let (results, other) = self.for_each(&first, items, others, |item| vec![item]);
                if name == "flatMap" {
                    let mut flat = Vec::new();
                    let mut rest = other;
                    for result in results {
                        let (items, others) = elements(&result);
                        flat.extend(items);
                        rest = rest.or(others);
                    }
                    return Value::open_list(flat, rest);
                }
                Value::open_list(results, other)
            }
            "filter" | "find" | "some" | "every" | "findIndex" | "sort" => {
                let (results, _) = self.for_each(&first, items.clone(), others.clone(), |item| {
                    vec![item.clone(), item]
                });
                match name {
                    "sort" => owner.clone(),
                    "filter" => {
                        let mut kept = Vec::new();
                        let mut rest = others;
                        for (item, result) in items.into_iter().zip(results) {
                            match result.truth() {
                                Ok(true) => kept.push(item),
                                Ok(false) => {}
                                Err(_) => rest = Some(item),
                            }
                        }
                        Value::open_list(kept, rest)
                    }
                    _ => Value::Unknown(When::Depends),
                }
            }
            "reduce" => {
                let mut value = arguments.get(1).cloned().unwrap_or(Value::Undefined);
                let Value::Function(step) = &first else {
                    return self.outside(spelt, &arguments, When::Depends);
                };
                for item in items {
                    value = self.enter(step, vec![value, item]);
                    value = self.settle(value);
                }
                if let Some(item) = others {
                    let before = value.clone();
                    self.repeated += 1;
                    let after = self.branch(When::Depends, |this| {
                        let value = this.enter(step, vec![value, item]);
                        this.settle(value)
                    });
                    self.repeated -= 1;
                    value = before.either(after);
                }
                value
            }
            "push" | "unshift" => {
                if let Value::List(list) = owner {
                    let mut list = list.borrow_mut();
                    for argument in arguments {
                        // In a loop over rows, or where it is undecided, this is one of any number.
                        if self.undecided > 0 || self.repeated > 0 {
                            list.others = Some(argument);
                        } else {
                            list.items.push(argument);
                        }
                    }
                }
                Value::Unknown(When::Depends)
            }
            "concat" => {
                let mut all = items;
                let mut rest = others;
                for argument in &arguments {
                    match argument {
                        Value::List(_) | Value::Unknown(_) => {
                            let (items, others) = elements(argument);
                            all.extend(items);
                            rest = others.or(rest);
                        }
                        other => all.push(other.clone()),
                    }
                }
                Value::open_list(all, rest)
            }
            "slice" if arguments.is_empty() => Value::open_list(items, others),
            "slice" | "splice" => match (&first, arguments.get(1), &others) {
                (Value::Number(from), None, None) if *from >= 0.0 => {
                    Value::list(items.into_iter().skip(*from as usize).collect())
                }
                _ => Value::open_list(Vec::new(), items.last().cloned().or(others)),
            },
            "reverse" => Value::open_list(items.into_iter().rev().collect(), others),
            "flat" => {
                let mut flat = Vec::new();
                let mut rest = others.map(|other| match elements(&other) {
                    (items, None) => items.into_iter().next().unwrap_or(Value::Undefined),
                    (_, Some(other)) => other,
                });
                for item in items {
                    match &item {
                        Value::List(_) => {
                            let (items, others) = elements(&item);
                            flat.extend(items);
                            rest = others.or(rest);
                        }
                        _ => flat.push(item),
                    }
                }
                Value::open_list(flat, rest)
            }
            "includes" | "has" | "indexOf" => {
                let compared: Vec<Option<bool>> =
                    items.iter().map(|item| item.same(&first)).collect();
                let found = if compared.contains(&Some(true)) {
                    Some(true)
                } else if compared.contains(&None) {
                    None
                } else {
                    Some(false)
                };
                match (found, others, name) {
                    (Some(true), _, "includes" | "has") => Value::Bool(true),
                    (Some(false), None, "includes" | "has") => Value::Bool(false),
                    _ => Value::Unknown(later(first.when(), When::UnlessDone)),
                }
            }
            "join" => {
                let (texts, all) = owner.texts();
                let between = first.known_text().unwrap_or(",");
                if all {
                    Value::text(&texts.join(between))
                } else {
                    Value::Unknown(When::Depends)
                }
            }
            "then" => self.continued(owner.clone(), &arguments),
            _ => self.outside(spelt, &arguments, When::Depends),
        }
    }

    /// Calls a function for every element; what it answers for those that are known, and for any other.
    pub(super) fn for_each(
        &mut self,
        function: &Value<'a>,
        items: Vec<Value<'a>>,
        others: Option<Value<'a>>,
        arguments: impl Fn(Value<'a>) -> Vec<Value<'a>>,
    ) -> (Vec<Value<'a>>, Option<Value<'a>>) {
        let mut results = Vec::new();
        for (at, item) in items.into_iter().enumerate() {
            let mut arguments = arguments(item);
            arguments.push(Value::Number(at as f64));
            results.push(self.call_value(function, arguments, "…"));
        }
        let other = others.map(|item| {
            let arguments = arguments(item);
            self.repeated += 1;
            let result = self.branch(When::Depends, |this| {
                let value = this.call_value(function, arguments, "…");
                // Whoever gathers builders in a loop waits for them.
                this.settle(value)
            });
            self.repeated -= 1;
            result
        });
        (results, other)
    }

    /// A method of a text.
    pub(super) fn text_method(
        &mut self,
        owner: &Value<'a>,
        name: &str,
        arguments: &[Value<'a>],
        spelt: &str,
    ) -> Value<'a> {
        let first = arguments.first().and_then(Value::known_text);
        match (owner.known_text(), name, first) {
            (Some(text), "split", Some(at)) => {
                Value::list(text.split(at).map(Value::text).collect())
            }
            (Some(text), "includes", Some(part)) => Value::Bool(text.contains(part)),
            (Some(text), "startsWith", Some(part)) => Value::Bool(text.starts_with(part)),
            (Some(text), "endsWith", Some(part)) => Value::Bool(text.ends_with(part)),
            (Some(text), "trim", _) => Value::text(text.trim()),
            (Some(text), "toLowerCase", _) => Value::text(&text.to_lowercase()),
            (Some(text), "toUpperCase", _) => Value::text(&text.to_uppercase()),
            (Some(_), "toString", _) => owner.clone(),
            _ => self.outside(spelt, arguments, When::Depends),
        }
    }
}
