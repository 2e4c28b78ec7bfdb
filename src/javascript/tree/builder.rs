//! A tree while it is built.
//!
//! What is not finished lies on two stacks, the fields of nodes and the items of lists, the innermost last; from there
//! they move into the tree in one piece.

use std::fmt;
use std::ops::Range;

use serde::ser;

use super::Name;
use super::store::{Field, Held, Tree};
use crate::javascript::parse::{Parsed, Positions};

/// How deep nodes may be nested. Published targets stay below 100.
const DEEPEST: usize = 2_000;

/// Whether a field says nothing about meaning: how a literal was spelt, TypeScript's parts, swc's own marks.
#[inline(always)]
pub(super) fn is_silent(name: &str) -> bool {
    matches!(
        name,
        "bodyCtxt"
            | "ctxt"
            | "optional"
            | "typeAnnotation"
            | "typeArguments"
            | "typeParameters"
            | "typeParams"
            | "returnType"
            | "decorators"
            | "declare"
            | "definite"
            | "superTypeParams"
            | "implements"
            | "interpreter"
            | "tail"
    )
}

/// What the serialiser makes of a part of swc's tree.
pub(super) enum Piece {
    /// A part of ours.
    Held(Held),
    /// A place in the file, as swc counts.
    Position(u32),
    /// Where a part stands. Every node has one: to make it a node of its own would double the work.
    Range(Range<u32>),
}

/// The serialiser that swc's tree is walked with.
pub(super) struct Builder<'p> {
    pub(super) source: &'p str,
    pub(super) positions: Positions,
    /// How many nodes are being built, each within the one before.
    pub(super) depth: usize,
    pub(super) tree: Tree,
    /// Fields of the nodes that are being built.
    pub(super) fields: Vec<Field>,
    /// Items of the lists that are being built.
    pub(super) items: Vec<Held>,
}

impl<'p> Builder<'p> {
    /// A builder for the whole of a file.
    pub(super) fn new(parsed: &Parsed<'p>) -> Self {
        Self {
            source: parsed.text,
            positions: parsed.positions,
            depth: 0,
            tree: Tree::for_length(parsed.text.len()),
            fields: Vec::new(),
            items: Vec::new(),
        }
    }

    /// The tree, with its root.
    pub(super) fn finish(self, root: u32) -> Tree {
        self.tree.rooted(root)
    }

    pub(super) fn deeper(&mut self) -> Result<(), Failed> {
        self.depth += 1;
        if self.depth > DEEPEST {
            Err(Failed::TooDeep)
        } else {
            Ok(())
        }
    }

    pub(super) fn text(&mut self, text: &str) -> Piece {
        Piece::Held(Held::Text(self.tree.add_text(text)))
    }

    pub(super) fn number(&mut self, number: f64) -> Piece {
        Piece::Held(self.tree.add_number(number))
    }

    /// The name that was just read as a text, unless it is silent. The text itself is not kept.
    pub(super) fn told(&mut self, piece: &Piece) -> Result<Option<Name>, Failed> {
        let Piece::Held(Held::Text(run)) = *piece else {
            return Ok(None);
        };
        let text = self.tree.text(run);
        let name = if is_silent(text) {
            Ok(None)
        } else {
            Name::find(text)
                .map(Some)
                .ok_or_else(|| Failed::Unknown(text.to_owned()))
        };
        self.tree.take_back_text(run);
        name
    }
}

/// Why there is no tree; swc's own part never fails.
#[derive(Debug)]
pub(super) enum Failed {
    /// It is nested too deep.
    TooDeep,
    /// swc gave a name that the table of names does not have.
    Unknown(String),
}

impl fmt::Display for Failed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooDeep => out.write_str("the syntax tree is nested too deep"),
            Self::Unknown(name) => write!(out, "the syntax tree has an unknown `{name}`"),
        }
    }
}

impl std::error::Error for Failed {}

impl ser::Error for Failed {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Unknown(message.to_string())
    }
}

/// A node that is being built: its fields are those on the builder's stack from `first` on.
pub(super) struct Draft {
    pub(super) kind: Name,
    pub(super) range: Range<u32>,
    pub(super) first: usize,
}
