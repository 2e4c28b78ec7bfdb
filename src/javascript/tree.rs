//! A plain view of swc's tree for matching: every node with its kind, byte range and fields, and the many ways of
//! writing one thing brought to one form.
//!
//! swc serialises its tree with serde; this module is a serde serialiser that builds a [`Tree`] instead of text. What
//! is made equal here is equal in meaning, or so nearly that the behaviour proof decides: parentheses, quotes,
//! `a['b']`, `==` and `===`, `?.`, arrow and function, method and property, `if (x) y;` and `if (x) { y; }`.
//!
//! A file of 100 kB has 10,000 nodes and more, and its tree is made twice for each patch. So it is flat: a few vectors
//! hold all nodes, fields, list items and texts, and refer to each other by number. They are reserved once, nothing is
//! allocated for a node, and nothing but the vectors is freed. [`Node`], [`Value`] and [`List`] are views into it.

use std::fmt;
use std::ops::Range;
use std::slice;

use serde::ser::Serialize;

use super::parse::{Parsed, Unreadable};

mod builder;
mod names;
mod normal;
mod serialise;
mod store;

pub use names::{Kinds, Name, field, kind};
pub use store::Tree;

use builder::{Builder, Failed, Piece};
use store::{Field, Held, Record};

/// A syntax node in normal form.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree,
    number: u32,
}

/// What a field of a [`Node`] holds.
#[derive(Debug, Clone, Copy)]
pub enum Value<'t> {
    /// Nothing there: no `else`, no initialiser.
    Null,
    /// A flag such as `async`.
    Bool(bool),
    /// A number literal's value.
    Number(f64),
    /// A name, an operator, a string's value.
    Text(&'t str),
    /// A single part.
    Node(Node<'t>),
    /// Parts in order.
    List(List<'t>),
}

/// Parts of a node in order.
#[derive(Clone, Copy)]
pub struct List<'t> {
    tree: &'t Tree,
    items: &'t [Held],
}

impl<'t> Node<'t> {
    fn record(self) -> &'t Record {
        self.tree.record(self.number)
    }

    /// What it is.
    #[must_use]
    pub fn kind(self) -> Name {
        self.record().kind
    }

    /// The bytes of the file that it covers.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        let Range { start, end } = self.record().range;
        start as usize..end as usize
    }

    /// Its parts by name, in source order, but those that are not there.
    pub fn fields(self) -> impl ExactSizeIterator<Item = (Name, Value<'t>)> {
        self.tree
            .fields(self.record())
            .iter()
            .map(move |field| (field.name, self.tree.value(field.held)))
    }

    /// The field of that name, or `Null`.
    #[must_use]
    pub fn field(self, name: Name) -> Value<'t> {
        self.tree.value(self.tree.field(self.record(), name))
    }

    /// The name of an identifier node.
    #[must_use]
    pub fn identifier(self) -> Option<&'t str> {
        if self.kind() != kind::IDENTIFIER {
            return None;
        }
        match self.field(field::VALUE) {
            Value::Text(name) => Some(name),
            _ => None,
        }
    }

    /// Every node directly below this one, in source order.
    #[must_use]
    pub fn children(self) -> Children<'t> {
        Children {
            tree: self.tree,
            fields: self.tree.fields(self.record()).iter(),
            list: [].iter(),
            outer: Vec::new(),
        }
    }

    /// Whether this very node is a string, template or regular expression that contains `text`, case ignored.
    #[must_use]
    pub fn says(self, text: &str) -> bool {
        let said = match self.kind() {
            kind::STRING => self.field(field::VALUE),
            kind::TEMPLATE_ELEMENT => self.field(field::RAW),
            kind::REGEXP => self.field(field::PATTERN),
            _ => return false,
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
    pub fn mentions(self, text: &str) -> bool {
        self.says(text) || self.children().any(|child| child.mentions(text))
    }

    /// Whether this node is a function of any kind.
    #[must_use]
    pub fn is_function(self) -> bool {
        matches!(self.kind(), kind::FUNCTION | kind::FUNCTION_DECLARATION)
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = out.debug_struct(self.kind().as_str());
        for (name, value) in self.fields() {
            shown.field(name.as_str(), &value);
        }
        shown.finish()
    }
}

impl<'t> List<'t> {
    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.items.is_empty()
    }

    /// Each of them, with `Null` for what is left out.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Value<'t>> {
        self.items.iter().map(move |held| self.tree.value(*held))
    }

    /// The first, and those after it.
    #[must_use]
    pub fn split_first(self) -> Option<(Value<'t>, Self)> {
        let (first, items) = self.items.split_first()?;
        Some((self.tree.value(*first), Self { items, ..self }))
    }

    /// Those after the first `count`.
    #[must_use]
    pub fn skip(self, count: usize) -> Self {
        let items = self.items.get(count..).unwrap_or_default();
        Self { items, ..self }
    }
}

impl fmt::Debug for List<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.iter()).finish()
    }
}

/// The nodes in a node's fields and, as deep as they go, in the lists there.
#[derive(Debug)]
pub struct Children<'t> {
    tree: &'t Tree,
    fields: slice::Iter<'t, Field>,
    /// What is left of the list that is being read.
    list: slice::Iter<'t, Held>,
    /// What is left of the lists around it, the innermost last. Hardly any list is in another.
    outer: Vec<slice::Iter<'t, Held>>,
}

impl<'t> Iterator for Children<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        loop {
            let held = match self.list.next() {
                Some(held) => *held,
                None => match self.outer.pop() {
                    Some(outer) => {
                        self.list = outer;
                        continue;
                    }
                    None => self.fields.next()?.held,
                },
            };
            match held {
                Held::Node(number) => {
                    let tree = self.tree;
                    return Some(Node { tree, number });
                }
                Held::List(run) => {
                    let around = std::mem::replace(&mut self.list, self.tree.items(run).iter());
                    if !around.as_slice().is_empty() {
                        self.outer.push(around);
                    }
                }
                Held::Null | Held::Bool(_) | Held::Number(_) | Held::Text(_) => {}
            }
        }
    }
}

/// The normal form of a parsed file.
///
/// # Errors
///
/// [`Unreadable::TooDeep`] where the code is nested deeper than anybody writes it, [`Unreadable::Unknown`] where the parser
/// tells of something that is in none of our tables.
pub fn of(parsed: &Parsed<'_>) -> Result<Tree, Unreadable> {
    let mut builder = Builder::new(parsed);
    match parsed.program.serialize(&mut builder) {
        Ok(Piece::Held(Held::Node(root))) => Ok(builder.finish(root)),
        Err(Failed::Unknown(name)) => Err(Unreadable::Unknown(name)),
        Ok(_) | Err(Failed::TooDeep) => Err(Unreadable::TooDeep(0)),
    }
}

#[cfg(test)]
mod tests;
