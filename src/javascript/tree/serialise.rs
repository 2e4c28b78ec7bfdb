//! A serde serialiser that builds a tree: swc can walk its own tree in no other way that knows every field.

use std::ops::Range;

use serde::ser::{self, Serialize};
use swc_common::BytePos;

use super::builder::{Builder, Draft, Failed, Piece, is_silent};
use super::store::{Field, Held};
use super::{Name, field, kind};

/// What swc calls a place in the file.
const SPAN: &str = "Span";

/// What swc gives the kind under, where a struct's own name does not tell it.
const KIND: &str = "type";

/// The parts of a struct as they come.
pub(super) struct Parts<'b, 'p> {
    builder: &'b mut Builder<'p>,
    kind: Name,
    /// Whether it is a span, which is no node.
    span: bool,
    range: Option<Range<u32>>,
    /// Where a property's key stands.
    key: Option<Range<u32>>,
    first: usize,
    /// Which field's value comes next, where they come by name.
    next: Option<Name>,
}

impl<'b, 'p> Parts<'b, 'p> {
    fn new(builder: &'b mut Builder<'p>, kind: Name, span: bool) -> Result<Self, Failed> {
        builder.deeper()?;
        let first = builder.fields.len();
        Ok(Self {
            builder,
            kind,
            span,
            range: None,
            key: None,
            first,
            next: None,
        })
    }

    fn add(&mut self, name: Name, piece: Piece) {
        let held = match piece {
            Piece::Range(range) if name == field::SPAN => {
                self.range = Some(range);
                return;
            }
            // What is not there is asked for as `Null` all the same.
            Piece::Held(Held::Null) | Piece::Range(_) => return,
            Piece::Position(number) => self.builder.tree.add_number(number.into()),
            Piece::Held(held) if name == field::KEY => self.keyed(held),
            Piece::Held(held) => held,
        };
        self.builder.fields.push(Field { name, held });
    }

    /// What is kept of a key, which is a node of its own everywhere but in objects.
    fn keyed(&mut self, key: Held) -> Held {
        let object = matches!(
            self.kind,
            kind::KEYED_PROPERTY | kind::KEYED_PATTERN | kind::METHOD
        );
        match key {
            Held::Node(number) if object => {
                self.key = Some(self.builder.tree.record(number).range.clone());
                self.builder.key(key)
            }
            _ => key,
        }
    }

    /// A string's value, where it stands in the file as it is: swc would make a copy to tell of it.
    fn unescaped(&self) -> Option<&'p str> {
        let Range { start, end } = self.range.clone()?;
        let literal = self.builder.source.get(start as usize..end as usize)?;
        let quote = literal.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let value = literal[1..].strip_suffix(quote)?;
        (!value.contains('\\')).then_some(value)
    }

    /// One end of a span.
    fn end_at(&mut self, piece: &Piece) {
        if let Piece::Position(position) = *piece {
            let offset = self.builder.positions.offset(BytePos(position)) as u32;
            let start = self.range.take().map_or(offset, |range| range.start);
            self.range = Some(start..offset);
        }
    }

    fn finish(self) -> Piece {
        self.builder.depth -= 1;
        let draft = Draft {
            kind: self.kind,
            range: self
                .range
                .unwrap_or_else(|| self.builder.around(self.first, self.key)),
            first: self.first,
        };
        Piece::Held(self.builder.normal(draft))
    }
}

impl ser::SerializeStruct for Parts<'_, '_> {
    type Ok = Piece;
    type Error = Failed;

    // Inlined, so that what becomes of a name is found by the compiler.
    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Failed> {
        // A span's, which no node has.
        if matches!(name, "start" | "end") {
            let piece = value.serialize(&mut *self.builder)?;
            self.end_at(&piece);
            return Ok(());
        }
        // The kind is the struct's own name.
        if is_silent(name) || name == KIND {
            return Ok(());
        }
        let name = known(name)?;
        // How a literal was spelt says nothing about meaning either.
        if name == field::RAW && matches!(self.kind, kind::STRING | kind::NUMBER) {
            return Ok(());
        }
        let text = if name == field::VALUE && self.kind == kind::STRING {
            self.unescaped()
        } else {
            None
        };
        let piece = match text {
            Some(text) => self.builder.text(text),
            None => value.serialize(&mut *self.builder)?,
        };
        self.add(name, piece);
        Ok(())
    }

    fn end(self) -> Result<Piece, Failed> {
        if self.span {
            self.builder.depth -= 1;
            return Ok(Piece::Range(self.range.unwrap_or_default()));
        }
        Ok(self.finish())
    }
}

/// What swc flattens into the node that holds it makes that node a map.
impl ser::SerializeMap for Parts<'_, '_> {
    type Ok = Piece;
    type Error = Failed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Failed> {
        let key = key.serialize(&mut *self.builder)?;
        self.next = self.builder.told(&key)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        let Some(name) = self.next.take() else {
            return Ok(());
        };
        let piece = value.serialize(&mut *self.builder)?;
        if name == field::TYPE {
            if let Some(kind) = self.builder.told(&piece)? {
                self.kind = kind;
            }
        } else {
            self.add(name, piece);
        }
        Ok(())
    }

    fn end(self) -> Result<Piece, Failed> {
        Ok(self.finish())
    }
}

/// The items of a list as they come.
pub(super) struct Elements<'b, 'p> {
    builder: &'b mut Builder<'p>,
    first: usize,
}

impl ser::SerializeSeq for Elements<'_, '_> {
    type Ok = Piece;
    type Error = Failed;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        let held = match value.serialize(&mut *self.builder)? {
            Piece::Held(held) => held,
            Piece::Position(number) => self.builder.tree.add_number(number.into()),
            Piece::Range(_) => return Ok(()),
        };
        self.builder.items.push(held);
        Ok(())
    }

    fn end(self) -> Result<Piece, Failed> {
        let Builder { tree, items, .. } = self.builder;
        let list = tree.add_list(&items[self.first..]);
        items.truncate(self.first);
        Ok(Piece::Held(list))
    }
}

impl ser::SerializeTuple for Elements<'_, '_> {
    type Ok = Piece;
    type Error = Failed;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        ser::SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<Piece, Failed> {
        ser::SerializeSeq::end(self)
    }
}

impl<'b, 'p> ser::Serializer for &'b mut Builder<'p> {
    type Ok = Piece;
    type Error = Failed;
    type SerializeSeq = Elements<'b, 'p>;
    type SerializeTuple = Elements<'b, 'p>;
    type SerializeTupleStruct = ser::Impossible<Piece, Failed>;
    type SerializeTupleVariant = ser::Impossible<Piece, Failed>;
    type SerializeMap = Parts<'b, 'p>;
    type SerializeStruct = Parts<'b, 'p>;
    type SerializeStructVariant = ser::Impossible<Piece, Failed>;

    fn serialize_bool(self, value: bool) -> Result<Piece, Failed> {
        Ok(Piece::Held(Held::Bool(value)))
    }
    fn serialize_i8(self, value: i8) -> Result<Piece, Failed> {
        Ok(self.number(value.into()))
    }
    fn serialize_i16(self, value: i16) -> Result<Piece, Failed> {
        Ok(self.number(value.into()))
    }
    fn serialize_i32(self, value: i32) -> Result<Piece, Failed> {
        Ok(self.number(value.into()))
    }
    fn serialize_i64(self, value: i64) -> Result<Piece, Failed> {
        Ok(self.number(value as f64))
    }
    fn serialize_u8(self, value: u8) -> Result<Piece, Failed> {
        Ok(self.number(value.into()))
    }
    fn serialize_u16(self, value: u16) -> Result<Piece, Failed> {
        Ok(self.number(value.into()))
    }
    fn serialize_u32(self, value: u32) -> Result<Piece, Failed> {
        Ok(Piece::Position(value))
    }
    fn serialize_u64(self, value: u64) -> Result<Piece, Failed> {
        Ok(self.number(value as f64))
    }
    fn serialize_f32(self, value: f32) -> Result<Piece, Failed> {
        Ok(self.number(value.into()))
    }
    fn serialize_f64(self, value: f64) -> Result<Piece, Failed> {
        Ok(self.number(value))
    }
    fn serialize_char(self, value: char) -> Result<Piece, Failed> {
        Ok(self.text(value.encode_utf8(&mut [0; 4])))
    }
    fn serialize_str(self, value: &str) -> Result<Piece, Failed> {
        Ok(self.text(value))
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<Piece, Failed> {
        Ok(self.text(&String::from_utf8_lossy(value)))
    }
    fn serialize_none(self) -> Result<Piece, Failed> {
        Ok(Piece::Held(Held::Null))
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Piece, Failed> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<Piece, Failed> {
        Ok(Piece::Held(Held::Null))
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<Piece, Failed> {
        Ok(Piece::Held(Held::Null))
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Piece, Failed> {
        Ok(self.text(variant))
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
    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'b, 'p>, Failed> {
        let first = self.items.len();
        Ok(Elements {
            builder: self,
            first,
        })
    }
    fn serialize_tuple(self, length: usize) -> Result<Elements<'b, 'p>, Failed> {
        self.serialize_seq(Some(length))
    }
    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Failed> {
        Err(unforeseen())
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Failed> {
        Err(unforeseen())
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'b, 'p>, Failed> {
        Parts::new(self, Name::NONE, false)
    }
    #[inline(always)]
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Parts<'b, 'p>, Failed> {
        if name == SPAN {
            return Parts::new(self, Name::NONE, true);
        }
        Parts::new(self, known(name)?, false)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Failed> {
        Err(unforeseen())
    }
}

#[inline(always)]
fn known(name: &str) -> Result<Name, Failed> {
    Name::find(name).ok_or_else(|| Failed::Unknown(name.to_owned()))
}

/// swc's tree has neither tuple structs nor variants with fields.
fn unforeseen() -> Failed {
    Failed::Unknown("variant".to_owned())
}
