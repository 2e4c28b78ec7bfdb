//! A plain view of swc's tree for matching: every node with its kind, byte range and fields, and the many ways of
//! writing one thing brought to one form.
//!
//! swc serialises its tree with serde; this module is a serde serialiser that builds [`Node`]s instead of text. What
//! is made equal here is equal in meaning, or so nearly that the behaviour proof decides: parentheses, quotes,
//! `a['b']`, `==` and `===`, `?.`, arrow and function, method and property, `if (x) y;` and `if (x) { y; }`.

use std::borrow::Cow;
use std::ops::Range;
use std::slice;

use compact_str::CompactString;
use serde::ser::Serialize;

use super::parse::{Parsed, Unreadable};

mod normal;
mod serialise;

use serialise::{Builder, Failed, Piece};

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
    /// A name, an operator, a string's value: short ones lie in the value itself, and a file has thousands.
    Text(CompactString),
    /// A single part.
    Node(Node),
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
        Children {
            fields: self.fields.iter(),
            lists: Vec::new(),
        }
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
        let (Value::Text(said), wanted) = (said, text.as_bytes()) else {
            return false;
        };
        wanted.is_empty()
            || said
                .as_bytes()
                .windows(wanted.len())
                .any(|part| part.eq_ignore_ascii_case(wanted))
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

/// The normal form of a parsed file.
///
/// # Errors
///
/// [`Unreadable::TooDeep`] where the code is nested deeper than anybody writes it.
pub fn of(parsed: &Parsed<'_>) -> Result<Node, Unreadable> {
    let builder = Builder::new(parsed);
    match parsed.program.serialize(builder) {
        Ok(Piece::Value(Value::Node(node))) => Ok(node),
        Ok(_) | Err(Failed) => Err(Unreadable::TooDeep(0)),
    }
}

impl From<Node> for Value {
    fn from(node: Node) -> Self {
        Self::Node(node)
    }
}

/// The nodes in a node's fields and, as deep as they go, in the lists there.
struct Children<'n> {
    fields: slice::Iter<'n, (Cow<'static, str>, Value)>,
    /// What is left of the lists that are being read, the innermost last. Where there is none, nothing is allocated.
    lists: Vec<slice::Iter<'n, Value>>,
}

impl<'n> Iterator for Children<'n> {
    type Item = &'n Node;

    fn next(&mut self) -> Option<&'n Node> {
        loop {
            let value = match self.lists.last_mut() {
                Some(list) => match list.next() {
                    Some(value) => value,
                    None => {
                        self.lists.pop();
                        continue;
                    }
                },
                None => &self.fields.next()?.1,
            };
            match value {
                Value::Node(node) => return Some(node),
                Value::List(list) => self.lists.push(list.iter()),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
            }
        }
    }
}
