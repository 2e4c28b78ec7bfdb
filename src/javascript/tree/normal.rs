//! The many ways of writing one thing, brought to one form.

use std::borrow::Cow;
use std::ops::Range;

use compact_str::CompactString;

use super::{Node, Value};

/// Brings a freshly built node to normal form.
pub(super) fn normal(mut node: Node) -> Value {
    match node.kind.as_ref() {
        "ParenthesisExpression" => take(&mut node, "expression"),
        "OptionalChainingExpression" => take(&mut node, "base"),
        "Parameter" => take(&mut node, "pat"),
        "MemberExpression" => {
            if let Some(name) = computed_name(node.field("property")) {
                let range = match node.field("property") {
                    Value::Node(property) => property.range.clone(),
                    _ => node.range.clone(),
                };
                set(&mut node, "property", identifier(name, range));
            }
            node.into()
        }
        "BinaryExpression" => {
            if let Value::Text(operator) = node.field("operator") {
                let strict = match operator.as_str() {
                    "==" => Some("==="),
                    "!=" => Some("!=="),
                    _ => None,
                };
                if let Some(strict) = strict {
                    set(
                        &mut node,
                        "operator",
                        Value::Text(CompactString::new_inline(strict)),
                    );
                }
            }
            node.into()
        }
        "ArrowFunctionExpression" | "FunctionExpression" => {
            node.kind = Cow::Borrowed("Function");
            node.fields.retain(|(name, _)| name != "identifier");
            let body = take(&mut node, "body");
            set(&mut node, "body", function_body(body));
            node.into()
        }
        "FunctionBody" => {
            node.kind = Cow::Borrowed("BlockStatement");
            drop_empty(&mut node, "stmts");
            node.into()
        }
        "BlockStatement" => {
            drop_empty(&mut node, "stmts");
            node.into()
        }
        "IfStatement" => {
            for branch in ["consequent", "alternate"] {
                let value = take(&mut node, branch);
                set(&mut node, branch, block(value));
            }
            node.into()
        }
        "TemplateLiteral" => match plain_template(&node) {
            Some(text) => {
                let fields = vec![(Cow::Borrowed("value"), Value::Text(text))];
                Node {
                    kind: Cow::Borrowed("StringLiteral"),
                    range: node.range,
                    fields,
                }
                .into()
            }
            None => node.into(),
        },
        "StringLiteral" | "NumericLiteral" => {
            node.fields.retain(|(name, _)| name != "raw");
            node.into()
        }
        "ObjectExpression" | "ObjectPattern" => {
            let Value::List(properties) = take(&mut node, "properties") else {
                return node.into();
            };
            let properties = properties.into_iter().map(property).collect();
            set(&mut node, "properties", Value::List(properties));
            node.into()
        }
        _ => node.into(),
    }
}

/// One form for `key: value`, `'key': value`, `key`, `key() {}` and, in patterns, `key = default`.
fn property(value: Value) -> Value {
    let Value::Node(mut node) = value else {
        return value;
    };
    match node.kind.as_ref() {
        "Identifier" => {
            let Some(name) = node.identifier().map(CompactString::new) else {
                return Value::Node(node);
            };
            let range = node.range.clone();
            keyed(Value::Text(name), Value::Node(node), range)
        }
        "KeyValueProperty" | "KeyValuePatternProperty" => {
            let key = key_name(take(&mut node, "key"));
            let value = take(&mut node, "value");
            keyed(key, value, node.range)
        }
        "AssignmentPatternProperty" => {
            let key = take(&mut node, "key");
            keyed(key_name(key.clone()), key, node.range)
        }
        "MethodProperty" => {
            let key = key_name(take(&mut node, "key"));
            let range = node.range.clone();
            let body = take(&mut node, "body");
            set(&mut node, "body", function_body(body));
            node.kind = Cow::Borrowed("Function");
            keyed(key, Value::Node(node), range)
        }
        _ => Value::Node(node),
    }
}

fn keyed(key: Value, value: Value, range: Range<usize>) -> Value {
    let fields = vec![(Cow::Borrowed("key"), key), (Cow::Borrowed("value"), value)];
    Node {
        kind: Cow::Borrowed("Property"),
        range,
        fields,
    }
    .into()
}

/// A property's name as text where it is fixed; the computed expression where it is not.
fn key_name(key: Value) -> Value {
    if let Some(name) = computed_name(&key) {
        return Value::Text(name);
    }
    match &key {
        Value::Node(node) if node.kind == "Identifier" || node.kind == "StringLiteral" => {
            node.field("value").clone()
        }
        _ => key,
    }
}

/// `name` where the value is `['name']`.
fn computed_name(value: &Value) -> Option<CompactString> {
    let Value::Node(computed) = value else {
        return None;
    };
    match computed.field("expression") {
        Value::Node(inner) if computed.kind == "Computed" && inner.kind == "StringLiteral" => {
            match inner.field("value") {
                Value::Text(name) => Some(name.clone()),
                _ => None,
            }
        }
        _ => None,
    }
}

fn plain_template(node: &Node) -> Option<CompactString> {
    let Value::List(parts) = node.field("quasis") else {
        return None;
    };
    match parts.as_slice() {
        [Value::Node(only)] => match only.field("cooked") {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// `=> x` as `{ return x; }`.
fn function_body(body: Value) -> Value {
    match body {
        Value::Node(node) if node.kind != "BlockStatement" => {
            let range = node.range.clone();
            let returned = Node {
                kind: Cow::Borrowed("ReturnStatement"),
                range: range.clone(),
                fields: vec![(Cow::Borrowed("argument"), Value::Node(node))],
            };
            statements(vec![returned.into()], range)
        }
        other => other,
    }
}

/// A lone statement as a block of one.
fn block(value: Value) -> Value {
    match value {
        Value::Node(node) if node.kind != "BlockStatement" => {
            let range = node.range.clone();
            statements(vec![Value::Node(node)], range)
        }
        other => other,
    }
}

fn statements(list: Vec<Value>, range: Range<usize>) -> Value {
    let fields = vec![(Cow::Borrowed("stmts"), Value::List(list))];
    Node {
        kind: Cow::Borrowed("BlockStatement"),
        range,
        fields,
    }
    .into()
}

fn drop_empty(node: &mut Node, field: &str) {
    if let Some((_, Value::List(list))) = node.fields.iter_mut().find(|(name, _)| name == field) {
        list.retain(|value| !matches!(value, Value::Node(node) if node.kind == "EmptyStatement"));
    }
}

fn identifier(name: CompactString, range: Range<usize>) -> Value {
    let fields = vec![(Cow::Borrowed("value"), Value::Text(name))];
    Node {
        kind: Cow::Borrowed("Identifier"),
        range,
        fields,
    }
    .into()
}

pub(super) fn take(node: &mut Node, field: &str) -> Value {
    node.fields
        .iter_mut()
        .find(|(name, _)| name == field)
        .map_or(Value::Null, |(_, value)| {
            std::mem::replace(value, Value::Null)
        })
}

fn set(node: &mut Node, field: &'static str, value: Value) {
    match node.fields.iter_mut().find(|(name, _)| name == field) {
        Some((_, old)) => *old = value,
        None => node.fields.push((Cow::Borrowed(field), value)),
    }
}
