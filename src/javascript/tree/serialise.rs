//! A serde serialiser that builds [`Node`]s: swc can walk its own tree in no other way that knows every field.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use compact_str::CompactString;
use serde::ser::{self, Serialize};
use swc_common::BytePos;

use super::normal::{normal, take};
use super::{Node, Value};
use crate::javascript::parse::Parsed;

/// How deep nodes may be nested. Published targets stay below 100.
const DEEPEST: usize = 2_000;

/// What swc calls a place in the file.
const SPAN: &str = "Span";

/// Whether a field says nothing about meaning: how a literal was spelt, TypeScript's parts, swc's own marks.
fn is_silent(name: &str) -> bool {
    matches!(
        name,
        "ctxt"
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

/// Fields of what swc flattens into the node that holds it: only there a field's name comes as text.
const FLATTENED: [&str; 17] = [
    "type",
    "span",
    "ctxt",
    "value",
    "optional",
    "identifier",
    "key",
    "params",
    "decorators",
    "body",
    "generator",
    "async",
    "superClass",
    "isAbstract",
    "implements",
    "declare",
    "typeAnnotation",
];

/// What the serialiser makes of a part of swc's tree.
pub(super) enum Piece {
    /// A part of ours.
    Value(Value),
    /// Where a part stands. Every node has one: to make it a node of its own would double the work.
    Range(Range<usize>),
}

/// The serialiser that swc's tree is walked with.
#[derive(Clone, Copy)]
pub(super) struct Builder<'p> {
    parsed: &'p Parsed<'p>,
    depth: usize,
}

impl<'p> Builder<'p> {
    /// A builder for the whole of a file.
    pub(super) fn new(parsed: &'p Parsed<'p>) -> Self {
        Self { parsed, depth: 0 }
    }

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
pub(super) struct Failed;

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

pub(super) struct Parts<'p> {
    builder: Builder<'p>,
    kind: Cow<'static, str>,
    range: Option<Range<usize>>,
    /// The ends of a span, which is no node.
    ends: (f64, f64),
    fields: Vec<(Cow<'static, str>, Value)>,
    key: Cow<'static, str>,
}

impl<'p> Parts<'p> {
    fn new(builder: Builder<'p>, kind: &'static str) -> Self {
        Self {
            builder,
            kind: Cow::Borrowed(kind),
            range: None,
            ends: (0.0, 0.0),
            // Most nodes have one or two.
            fields: Vec::with_capacity(if kind == SPAN { 0 } else { 2 }),
            key: Cow::Borrowed(""),
        }
    }

    fn add(&mut self, name: Cow<'static, str>, piece: Piece) {
        match (name.as_ref(), piece) {
            ("start", Piece::Value(Value::Number(at))) if self.kind == SPAN => self.ends.0 = at,
            ("end", Piece::Value(Value::Number(at))) if self.kind == SPAN => self.ends.1 = at,
            // Mostly the struct's own name.
            ("type", Piece::Value(Value::Text(kind))) => {
                if self.kind != kind.as_str() {
                    self.kind = Cow::Owned(kind.into_string());
                }
            }
            ("span", Piece::Range(range)) => self.range = Some(range),
            // What is not there is asked for as `Null` all the same.
            (_, Piece::Value(Value::Null) | Piece::Range(_)) => {}
            (_, Piece::Value(value)) => self.fields.push((name, value)),
        }
    }

    fn finish(self) -> Piece {
        if self.kind == SPAN {
            let offset = |at: f64| self.builder.parsed.positions.offset(BytePos(at as u32));
            return Piece::Range(offset(self.ends.0)..offset(self.ends.1));
        }
        Piece::Value(self.node())
    }

    fn node(self) -> Value {
        let mut node = Node {
            kind: self.kind,
            range: 0..0,
            fields: self.fields,
        };
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
    type Ok = Piece;
    type Error = Failed;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Failed> {
        if !is_silent(name) {
            let value = value.serialize(self.builder)?;
            self.add(Cow::Borrowed(name), value);
        }
        Ok(())
    }

    fn end(self) -> Result<Piece, Failed> {
        Ok(self.finish())
    }
}

impl ser::SerializeMap for Parts<'_> {
    type Ok = Piece;
    type Error = Failed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Failed> {
        if let Piece::Value(Value::Text(key)) = key.serialize(self.builder)? {
            self.key = match FLATTENED.iter().find(|known| **known == key) {
                Some(known) => Cow::Borrowed(known),
                None => Cow::Owned(key.into_string()),
            };
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        let key = std::mem::take(&mut self.key);
        if !is_silent(&key) {
            let value = value.serialize(self.builder)?;
            self.add(key, value);
        }
        Ok(())
    }

    fn end(self) -> Result<Piece, Failed> {
        Ok(self.finish())
    }
}

pub(super) struct Elements<'p>(Builder<'p>, Vec<Value>);

impl ser::SerializeSeq for Elements<'_> {
    type Ok = Piece;
    type Error = Failed;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        if let Piece::Value(value) = value.serialize(self.0)? {
            self.1.push(value);
        }
        Ok(())
    }

    fn end(self) -> Result<Piece, Failed> {
        Ok(Piece::Value(Value::List(self.1)))
    }
}

impl ser::SerializeTuple for Elements<'_> {
    type Ok = Piece;
    type Error = Failed;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        ser::SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<Piece, Failed> {
        ser::SerializeSeq::end(self)
    }
}

impl<'p> ser::Serializer for Builder<'p> {
    type Ok = Piece;
    type Error = Failed;
    type SerializeSeq = Elements<'p>;
    type SerializeTuple = Elements<'p>;
    type SerializeTupleStruct = ser::Impossible<Piece, Failed>;
    type SerializeTupleVariant = ser::Impossible<Piece, Failed>;
    type SerializeMap = Parts<'p>;
    type SerializeStruct = Parts<'p>;
    type SerializeStructVariant = ser::Impossible<Piece, Failed>;

    fn serialize_bool(self, value: bool) -> Result<Piece, Failed> {
        Ok(Piece::Value(Value::Bool(value)))
    }
    fn serialize_i8(self, value: i8) -> Result<Piece, Failed> {
        Ok(Piece::Value(Value::Number(value.into())))
    }
    fn serialize_i16(self, value: i16) -> Result<Piece, Failed> {
        Ok(Piece::Value(Value::Number(value.into())))
    }
    fn serialize_i32(self, value: i32) -> Result<Piece, Failed> {
        Ok(Piece::Value(Value::Number(value.into())))
    }
    fn serialize_i64(self, value: i64) -> Result<Piece, Failed> {
        Ok(Piece::Value(Value::Number(value as f64)))
    }
    fn serialize_u8(self, value: u8) -> Result<Piece, Failed> {
        Ok(Piece::Value(Value::Number(value.into())))
    }
    fn serialize_u16(self, value: u16) -> Result<Piece, Failed> {
        Ok(Piece::Value(Value::Number(value.into())))
    }
    fn serialize_u32(self, value: u32) -> Result<Piece, Failed> {
        Ok(Piece::Value(Value::Number(value.into())))
    }
    fn serialize_u64(self, value: u64) -> Result<Piece, Failed> {
        Ok(Piece::Value(Value::Number(value as f64)))
    }
    fn serialize_f32(self, value: f32) -> Result<Piece, Failed> {
        Ok(Piece::Value(Value::Number(value.into())))
    }
    fn serialize_f64(self, value: f64) -> Result<Piece, Failed> {
        Ok(Piece::Value(Value::Number(value)))
    }
    fn serialize_char(self, value: char) -> Result<Piece, Failed> {
        Ok(text(value.encode_utf8(&mut [0; 4])))
    }
    fn serialize_str(self, value: &str) -> Result<Piece, Failed> {
        Ok(text(value))
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<Piece, Failed> {
        Ok(text(&String::from_utf8_lossy(value)))
    }
    fn serialize_none(self) -> Result<Piece, Failed> {
        Ok(Piece::Value(Value::Null))
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Piece, Failed> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<Piece, Failed> {
        Ok(Piece::Value(Value::Null))
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<Piece, Failed> {
        Ok(Piece::Value(Value::Null))
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Piece, Failed> {
        Ok(text(variant))
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Piece, Failed> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<Piece, Failed> {
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

fn text(text: &str) -> Piece {
    Piece::Value(Value::Text(CompactString::new(text)))
}
