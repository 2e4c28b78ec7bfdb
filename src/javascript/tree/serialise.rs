//! A serde serialiser that builds [`Node`]s: swc can walk its own tree in no other way that knows every field.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::ser::{self, Serialize};
use swc_common::BytePos;

use super::normal::{normal, take};
use super::{Node, Value};
use crate::javascript::parse::Parsed;

/// How deep nodes may be nested. Published targets stay below 100.
const DEEPEST: usize = 2_000;

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

pub(super) struct Elements<'p>(Builder<'p>, Vec<Value>);

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
