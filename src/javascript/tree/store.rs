//! Where a tree's nodes, fields, lists and texts lie.

use std::ops::Range;

use super::{List, Name, Node, Value};

/// The syntax tree of a file in normal form.
///
/// What normalisation has put in another's place may stay behind unused: the tree is what can be reached from its root.
#[derive(Debug, Clone)]
pub struct Tree {
    root: u32,
    nodes: Vec<Record>,
    fields: Vec<Field>,
    items: Vec<Held>,
    numbers: Vec<f64>,
    text: String,
}

/// How much source there is for a node and so on, in files as people write them: where there is less, vectors grow.
const BYTES_PER_NODE: usize = 6;
const BYTES_PER_FIELD: usize = 5;
const BYTES_PER_ITEM: usize = 16;
const BYTES_PER_TEXT: usize = 2;

/// A node as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// The bytes of the file that it covers; none is larger than 4 GB.
    pub(super) range: Range<u32>,
    /// Its first field.
    first: u32,
    /// How many it has.
    count: u8,
    pub(super) kind: Name,
}

/// A field as it is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: Name,
    pub(super) held: Held,
}

/// A [`Value`] as it is kept, by number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Held {
    Null,
    Bool(bool),
    Number(u32),
    Text(Run),
    Node(u32),
    List(Run),
}

/// Bytes of the text, or items, one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) start: u32,
    pub(super) length: u32,
}

impl Run {
    pub(super) fn range(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.length as usize
    }
}

impl Tree {
    /// An empty tree, with room for the nodes of a source of that length.
    pub(super) fn for_length(length: usize) -> Self {
        Self {
            root: 0,
            nodes: Vec::with_capacity(length / BYTES_PER_NODE),
            fields: Vec::with_capacity(length / BYTES_PER_FIELD),
            items: Vec::with_capacity(length / BYTES_PER_ITEM),
            numbers: Vec::new(),
            text: String::with_capacity(length / BYTES_PER_TEXT),
        }
    }

    /// The node that all others are below.
    #[must_use]
    pub fn root(&self) -> Node<'_> {
        self.node(self.root)
    }

    /// The tree below a node that is picked from it.
    #[must_use]
    pub fn narrowed(mut self, pick: impl for<'t> FnOnce(Node<'t>) -> Node<'t>) -> Self {
        self.root = pick(self.root()).number;
        self
    }

    pub(super) fn rooted(self, root: u32) -> Self {
        Self { root, ..self }
    }

    pub(super) fn node(&self, number: u32) -> Node<'_> {
        Node { tree: self, number }
    }

    pub(super) fn record(&self, number: u32) -> &Record {
        &self.nodes[number as usize]
    }

    pub(super) fn fields(&self, record: &Record) -> &[Field] {
        let first = record.first as usize;
        &self.fields[first..first + usize::from(record.count)]
    }

    pub(super) fn field(&self, record: &Record, name: Name) -> Held {
        self.fields(record)
            .iter()
            .find(|field| field.name == name)
            .map_or(Held::Null, |field| field.held)
    }

    pub(super) fn items(&self, run: Run) -> &[Held] {
        &self.items[run.range()]
    }

    pub(super) fn item(&self, at: usize) -> Held {
        self.items[at]
    }

    pub(super) fn set_item(&mut self, at: usize, item: Held) {
        self.items[at] = item;
    }

    pub(super) fn text(&self, run: Run) -> &str {
        &self.text[run.range()]
    }

    pub(super) fn value(&self, held: Held) -> Value<'_> {
        match held {
            Held::Null => Value::Null,
            Held::Bool(flag) => Value::Bool(flag),
            Held::Number(number) => Value::Number(self.numbers[number as usize]),
            Held::Text(run) => Value::Text(self.text(run)),
            Held::Node(number) => Value::Node(self.node(number)),
            Held::List(run) => Value::List(List {
                tree: self,
                items: self.items(run),
            }),
        }
    }

    pub(super) fn add_node(&mut self, kind: Name, range: Range<u32>, fields: &[Field]) -> Held {
        let number = self.nodes.len() as u32;
        self.nodes.push(Record {
            range,
            first: self.fields.len() as u32,
            count: fields.len() as u8,
            kind,
        });
        self.fields.extend_from_slice(fields);
        Held::Node(number)
    }

    /// Takes back a node, where it was added last. What it refers to stays.
    pub(super) fn take_back_node(&mut self, number: u32) {
        if number as usize + 1 == self.nodes.len()
            && let Some(record) = self.nodes.pop()
        {
            self.fields.truncate(record.first as usize);
        }
    }

    pub(super) fn add_list(&mut self, items: &[Held]) -> Held {
        let start = self.items.len() as u32;
        self.items.extend_from_slice(items);
        Held::List(Run {
            start,
            length: items.len() as u32,
        })
    }

    pub(super) fn add_number(&mut self, number: f64) -> Held {
        self.numbers.push(number);
        Held::Number(self.numbers.len() as u32 - 1)
    }

    pub(super) fn add_text(&mut self, text: &str) -> Run {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        Run {
            start,
            length: text.len() as u32,
        }
    }

    /// Takes back the text that was added last.
    pub(super) fn take_back_text(&mut self, run: Run) {
        self.text.truncate(run.start as usize);
    }
}
