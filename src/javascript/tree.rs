//! A plain view of swc's tree for matching: every node with its kind, byte range and fields, and the many ways of
//! writing one thing brought to one form.
//!
//! swc serialises its tree with serde; this module is a serde serialiser that builds [`Node`]s instead of text. What
//! is made equal here is equal in meaning, or so nearly that the behaviour proof decides: parentheses, quotes,
//! `a['b']`, `==` and `===`, `?.`, arrow and function, method and property, `if (x) y;` and `if (x) { y; }`.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::ser::{self, Serialize};
use swc_common::BytePos;

use super::parse::{Parsed, Unreadable};

/// A syntax node in normal form.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is, in ESTree's words where they fit.
    pub kind: Cow<'static, str>,
    /// The bytes of the file that it covers.
    pub range: Range<usize>,
    /// Its parts by name, in source order.
    pub fields: Vec<(Cow<'static, str>, Value)>,
}

/// What a field of a [`Node`] holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing there: no `else`, no initialiser.
    Null,
    /// A flag such as `async`.
    Bool(bool),
    /// A number literal's value.
    Number(f64),
    /// A name, an operator, a string's value.
    Text(String),
    /// A single part.
    Node(Box<Node>),
    /// Parts in order.
    List(Vec<Value>),
}

impl Node {
    /// The field of that name, or `Null`.
    #[must_use]
    pub fn field(&self, name: &str) -> &Value {
        self.fields
            .iter()
            .find(|(key, _)| key == name)
            .map_or(&Value::Null, |(_, value)| value)
    }

    /// The name of an identifier node.
    #[must_use]
    pub fn identifier(&self) -> Option<&str> {
        match self.field("value") {
            Value::Text(name) if self.kind == "Identifier" => Some(name),
            _ => None,
        }
    }

    /// Every node directly below this one, in source order.
    pub fn children(&self) -> impl Iterator<Item = &Node> {
        fn nodes<'n>(value: &'n Value, out: &mut Vec<&'n Node>) {
            match value {
                Value::Node(node) => out.push(node),
                Value::List(list) => list.iter().for_each(|value| nodes(value, out)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
            }
        }
        let mut out = Vec::new();
        self.fields
            .iter()
            .for_each(|(_, value)| nodes(value, &mut out));
        out.into_iter()
    }

    /// Whether this very node is a string, template or regular expression that contains `text`, case ignored.
    #[must_use]
    pub fn says(&self, text: &str) -> bool {
        let said = match self.kind.as_ref() {
            "StringLiteral" => self.field("value"),
            "TemplateElement" => self.field("raw"),
            "RegExpLiteral" => self.field("pattern"),
            _ => &Value::Null,
        };
        matches!(said, Value::Text(said) if said.to_ascii_lowercase().contains(&text.to_ascii_lowercase()))
    }

    /// Whether this node or one below it [`says`](Self::says) the text.
    #[must_use]
    pub fn mentions(&self, text: &str) -> bool {
        self.says(text) || self.children().any(|child| child.mentions(text))
    }

    /// Whether this node is a function of any kind.
    #[must_use]
    pub fn is_function(&self) -> bool {
        matches!(self.kind.as_ref(), "Function" | "FunctionDeclaration")
    }
}

/// How deep nodes may be nested. Published targets stay below 100.
const DEEPEST: usize = 2_000;

/// The normal form of a parsed file.
///
/// # Errors
///
/// [`Unreadable::TooDeep`] where the code is nested deeper than anybody writes it.
pub fn of(parsed: &Parsed<'_>) -> Result<Node, Unreadable> {
    let builder = Builder { parsed, depth: 0 };
    match parsed.program.serialize(builder) {
        Ok(Value::Node(node)) => Ok(*node),
        Ok(_) | Err(Failed) => Err(Unreadable::TooDeep(0)),
    }
}

/// Fields that say nothing about meaning: how a literal was spelt, TypeScript's parts, swc's own marks.
const SILENT: [&str; 14] = [
    "ctxt",
    "optional",
    "typeAnnotation",
    "typeArguments",
    "typeParameters",
    "typeParams",
    "returnType",
    "decorators",
    "declare",
    "definite",
    "superTypeParams",
    "implements",
    "interpreter",
    "tail",
];

/// Brings a freshly built node to normal form.
fn normal(mut node: Node) -> Value {
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
                    set(&mut node, "operator", Value::Text(strict.to_owned()));
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
            let Some(name) = node.identifier().map(str::to_owned) else {
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
fn computed_name(value: &Value) -> Option<String> {
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

fn plain_template(node: &Node) -> Option<String> {
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

fn identifier(name: String, range: Range<usize>) -> Value {
    let fields = vec![(Cow::Borrowed("value"), Value::Text(name))];
    Node {
        kind: Cow::Borrowed("Identifier"),
        range,
        fields,
    }
    .into()
}

fn take(node: &mut Node, field: &str) -> Value {
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

impl From<Node> for Value {
    fn from(node: Node) -> Self {
        Self::Node(Box::new(node))
    }
}

/// The serialiser that swc's tree is walked with.
#[derive(Clone, Copy)]
struct Builder<'p> {
    parsed: &'p Parsed<'p>,
    depth: usize,
}

impl Builder<'_> {
    /// The builder for what stands within a node.
    fn deeper(mut self) -> Result<Self, Failed> {
        self.depth += 1;
        if self.depth > DEEPEST {
            Err(Failed)
        } else {
            Ok(self)
        }
    }
}

/// The tree is nested too deep; swc's own part never fails.
#[derive(Debug)]
struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the syntax tree is nested too deep")
    }
}

impl std::error::Error for Failed {}

impl ser::Error for Failed {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

struct Parts<'p> {
    builder: Builder<'p>,
    kind: Cow<'static, str>,
    range: Option<Range<usize>>,
    fields: Vec<(Cow<'static, str>, Value)>,
    key: Cow<'static, str>,
}

impl<'p> Parts<'p> {
    fn new(builder: Builder<'p>, kind: &'static str) -> Self {
        Self {
            builder,
            kind: Cow::Borrowed(kind),
            range: None,
            fields: Vec::new(),
            key: Cow::Borrowed(""),
        }
    }

    fn add(&mut self, name: Cow<'static, str>, value: Value) {
        match (name.as_ref(), value) {
            ("type", Value::Text(kind)) => self.kind = Cow::Owned(kind),
            ("span", Value::Node(span)) => self.range = Some(span.range.clone()),
            (silent, _) if SILENT.contains(&silent) => {}
            (_, value) => self.fields.push((name, value)),
        }
    }

    fn finish(self) -> Value {
        let mut node = Node {
            kind: self.kind,
            range: 0..0,
            fields: self.fields,
        };
        if node.kind == "Span" {
            let position = |name| match node.field(name) {
                Value::Number(at) => self.builder.parsed.offset(BytePos(*at as u32)),
                _ => 0,
            };
            let range = position("start")..position("end");
            return Node {
                range,
                fields: Vec::new(),
                kind: node.kind,
            }
            .into();
        }
        // An argument or element: `{spread, expression}` without a kind of its own.
        if node.kind == "ExprOrSpread" {
            let expression = take(&mut node, "expression");
            return match (node.field("spread"), expression) {
                (Value::Null, expression) => expression,
                (_, Value::Node(inner)) => {
                    let range = inner.range.clone();
                    let fields = vec![(Cow::Borrowed("argument"), Value::Node(inner))];
                    Node {
                        kind: Cow::Borrowed("SpreadElement"),
                        range,
                        fields,
                    }
                    .into()
                }
                (_, other) => other,
            };
        }
        node.range = self.range.unwrap_or_else(|| {
            let start = node
                .children()
                .map(|child| child.range.start)
                .min()
                .unwrap_or(0);
            let end = node
                .children()
                .map(|child| child.range.end)
                .max()
                .unwrap_or(0);
            start..end
        });
        normal(node)
    }
}

impl ser::SerializeStruct for Parts<'_> {
    type Ok = Value;
    type Error = Failed;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Failed> {
        if !SILENT.contains(&name) {
            let value = value.serialize(self.builder)?;
            self.add(Cow::Borrowed(name), value);
        }
        Ok(())
    }

    fn end(self) -> Result<Value, Failed> {
        Ok(self.finish())
    }
}

impl ser::SerializeMap for Parts<'_> {
    type Ok = Value;
    type Error = Failed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Failed> {
        if let Value::Text(key) = key.serialize(self.builder)? {
            self.key = Cow::Owned(key);
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        let value = value.serialize(self.builder)?;
        let key = std::mem::take(&mut self.key);
        self.add(key, value);
        Ok(())
    }

    fn end(self) -> Result<Value, Failed> {
        Ok(self.finish())
    }
}

struct Elements<'p>(Builder<'p>, Vec<Value>);

impl ser::SerializeSeq for Elements<'_> {
    type Ok = Value;
    type Error = Failed;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        self.1.push(value.serialize(self.0)?);
        Ok(())
    }

    fn end(self) -> Result<Value, Failed> {
        Ok(Value::List(self.1))
    }
}

impl ser::SerializeTuple for Elements<'_> {
    type Ok = Value;
    type Error = Failed;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        ser::SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<Value, Failed> {
        ser::SerializeSeq::end(self)
    }
}

impl<'p> ser::Serializer for Builder<'p> {
    type Ok = Value;
    type Error = Failed;
    type SerializeSeq = Elements<'p>;
    type SerializeTuple = Elements<'p>;
    type SerializeTupleStruct = ser::Impossible<Value, Failed>;
    type SerializeTupleVariant = ser::Impossible<Value, Failed>;
    type SerializeMap = Parts<'p>;
    type SerializeStruct = Parts<'p>;
    type SerializeStructVariant = ser::Impossible<Value, Failed>;

    fn serialize_bool(self, value: bool) -> Result<Value, Failed> {
        Ok(Value::Bool(value))
    }
    fn serialize_i8(self, value: i8) -> Result<Value, Failed> {
        Ok(Value::Number(value.into()))
    }
    fn serialize_i16(self, value: i16) -> Result<Value, Failed> {
        Ok(Value::Number(value.into()))
    }
    fn serialize_i32(self, value: i32) -> Result<Value, Failed> {
        Ok(Value::Number(value.into()))
    }
    fn serialize_i64(self, value: i64) -> Result<Value, Failed> {
        Ok(Value::Number(value as f64))
    }
    fn serialize_u8(self, value: u8) -> Result<Value, Failed> {
        Ok(Value::Number(value.into()))
    }
    fn serialize_u16(self, value: u16) -> Result<Value, Failed> {
        Ok(Value::Number(value.into()))
    }
    fn serialize_u32(self, value: u32) -> Result<Value, Failed> {
        Ok(Value::Number(value.into()))
    }
    fn serialize_u64(self, value: u64) -> Result<Value, Failed> {
        Ok(Value::Number(value as f64))
    }
    fn serialize_f32(self, value: f32) -> Result<Value, Failed> {
        Ok(Value::Number(value.into()))
    }
    fn serialize_f64(self, value: f64) -> Result<Value, Failed> {
        Ok(Value::Number(value))
    }
    fn serialize_char(self, value: char) -> Result<Value, Failed> {
        Ok(Value::Text(value.to_string()))
    }
    fn serialize_str(self, value: &str) -> Result<Value, Failed> {
        Ok(Value::Text(value.to_owned()))
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<Value, Failed> {
        Ok(Value::Text(String::from_utf8_lossy(value).into_owned()))
    }
    fn serialize_none(self) -> Result<Value, Failed> {
        Ok(Value::Null)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Failed> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<Value, Failed> {
        Ok(Value::Null)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Failed> {
        Ok(Value::Null)
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, Failed> {
        Ok(Value::Text(variant.to_owned()))
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, Failed> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<Value, Failed> {
        value.serialize(self)
    }
    fn serialize_seq(self, length: Option<usize>) -> Result<Elements<'p>, Failed> {
        Ok(Elements(self, Vec::with_capacity(length.unwrap_or(0))))
    }
    fn serialize_tuple(self, length: usize) -> Result<Elements<'p>, Failed> {
        self.serialize_seq(Some(length))
    }
    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Failed> {
        Err(Failed)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Failed> {
        Err(Failed)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'p>, Failed> {
        Ok(Parts::new(self.deeper()?, ""))
    }
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Parts<'p>, Failed> {
        Ok(Parts::new(self.deeper()?, name))
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Failed> {
        Err(Failed)
    }
}
