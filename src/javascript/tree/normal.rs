//! The many ways of writing one thing, brought to one form.

use std::ops::Range;

use super::builder::{Builder, Draft};
use super::store::{Field, Held, Run};
use super::{Name, Value, field, kind};

impl Builder<'_> {
    /// Brings a node that is complete to normal form, and moves it into the tree.
    pub(super) fn normal(&mut self, mut draft: Draft) -> Held {
        match draft.kind {
            // swc has arguments and elements in a struct of their own.
            kind::EXPRESSION_OR_SPREAD | kind::PARENTHESIS => {
                return self.only(&draft, field::EXPRESSION);
            }
            kind::OPTIONAL_CHAINING => return self.only(&draft, field::BASE),
            kind::PARAMETER => return self.only(&draft, field::PAT),
            kind::MEMBER => self.member(&draft),
            kind::BINARY => self.equality(&draft),
            kind::ARROW | kind::FUNCTION_EXPRESSION => {
                draft.kind = kind::FUNCTION;
                self.take(&draft, field::IDENTIFIER);
                self.change(&draft, field::BODY, Self::function_body);
            }
            kind::FUNCTION_BODY => {
                draft.kind = kind::BLOCK;
                self.change(&draft, field::STMTS, Self::without_empty);
            }
            kind::BLOCK => self.change(&draft, field::STMTS, Self::without_empty),
            kind::IF => {
                self.change(&draft, field::CONSEQUENT, Self::block);
                self.change(&draft, field::ALTERNATE, Self::block);
            }
            kind::TEMPLATE => {
                if let Some(text) = self.plain_template(&draft) {
                    draft.kind = kind::STRING;
                    self.fields.truncate(draft.first);
                    self.fields.push(text_field(field::VALUE, text));
                }
            }
            kind::OBJECT | kind::OBJECT_PATTERN => {
                self.change(&draft, field::PROPERTIES, Self::shorthands);
            }
            kind::KEYED_PROPERTY | kind::KEYED_PATTERN => draft.kind = kind::PROPERTY,
            kind::ASSIGNED_PROPERTY => return self.assigned(&draft),
            kind::METHOD => return self.method(draft),
            _ => {}
        }
        self.commit(draft)
    }

    /// The bytes that the children of a draft cover together with those of a key.
    pub(super) fn around(&self, first: usize, key: Option<Range<u32>>) -> Range<u32> {
        let mut around = key;
        for field in &self.fields[first..] {
            self.widen(&mut around, field.held);
        }
        around.unwrap_or_default()
    }

    fn widen(&self, around: &mut Option<Range<u32>>, held: Held) {
        match held {
            Held::Node(number) => {
                let range = &self.tree.record(number).range;
                *around = Some(match around {
                    None => range.clone(),
                    Some(so_far) => so_far.start.min(range.start)..so_far.end.max(range.end),
                });
            }
            Held::List(run) => {
                for item in self.tree.items(run) {
                    self.widen(around, *item);
                }
            }
            Held::Null | Held::Bool(_) | Held::Number(_) | Held::Text(_) => {}
        }
    }

    fn commit(&mut self, draft: Draft) -> Held {
        let fields = &self.fields[draft.first..];
        let node = self.tree.add_node(draft.kind, draft.range, fields);
        self.fields.truncate(draft.first);
        node
    }

    /// One part of a node in the node's place.
    fn only(&mut self, draft: &Draft, name: Name) -> Held {
        let held = self.get(draft, name);
        self.fields.truncate(draft.first);
        held
    }

    fn get(&self, draft: &Draft, name: Name) -> Held {
        self.fields[draft.first..]
            .iter()
            .find(|field| field.name == name)
            .map_or(Held::Null, |field| field.held)
    }

    fn take(&mut self, draft: &Draft, name: Name) -> Held {
        let position = self.fields[draft.first..]
            .iter()
            .position(|field| field.name == name);
        match position {
            Some(position) => self.fields.remove(draft.first + position).held,
            None => Held::Null,
        }
    }

    /// Puts something else into a field that is there.
    fn change(&mut self, draft: &Draft, name: Name, make: impl FnOnce(&mut Self, Held) -> Held) {
        let position = self.fields[draft.first..]
            .iter()
            .position(|field| field.name == name);
        if let Some(position) = position {
            let at = draft.first + position;
            let held = self.fields[at].held;
            self.fields[at].held = make(self, held);
        }
    }

    /// `a['b']` as `a.b`.
    fn member(&mut self, draft: &Draft) {
        self.change(draft, field::PROPERTY, |builder, property| {
            let (Held::Node(number), Some(name)) = (property, builder.computed_name(property))
            else {
                return property;
            };
            let range = builder.tree.record(number).range.clone();
            let value = text_field(field::VALUE, name);
            builder.tree.add_node(kind::IDENTIFIER, range, &[value])
        });
    }

    /// `==` as `===`.
    fn equality(&mut self, draft: &Draft) {
        self.change(draft, field::OPERATOR, |builder, operator| {
            let strict = match builder.tree.value(operator) {
                Value::Text("==") => "===",
                Value::Text("!=") => "!==",
                _ => return operator,
            };
            Held::Text(builder.tree.add_text(strict))
        });
    }

    /// `=> x` as `{ return x; }`.
    fn function_body(&mut self, body: Held) -> Held {
        match body {
            Held::Node(number) if self.tree.record(number).kind != kind::BLOCK => {
                let range = self.tree.record(number).range.clone();
                let argument = Field {
                    name: field::ARGUMENT,
                    held: body,
                };
                let returned = self.tree.add_node(kind::RETURN, range, &[argument]);
                self.block(returned)
            }
            other => other,
        }
    }

    /// A lone statement as a block of one.
    fn block(&mut self, statement: Held) -> Held {
        match statement {
            Held::Node(number) if self.tree.record(number).kind != kind::BLOCK => {
                let range = self.tree.record(number).range.clone();
                let held = self.tree.add_list(&[statement]);
                let name = field::STMTS;
                self.tree
                    .add_node(kind::BLOCK, range, &[Field { name, held }])
            }
            other => other,
        }
    }

    /// Statements without those that are a mere `;`.
    fn without_empty(&mut self, statements: Held) -> Held {
        let Held::List(run) = statements else {
            return statements;
        };
        let mut kept = run.range().start;
        for at in run.range() {
            let item = self.tree.item(at);
            let empty =
                matches!(item, Held::Node(number) if self.tree.record(number).kind == kind::EMPTY);
            if !empty {
                self.tree.set_item(kept, item);
                kept += 1;
            }
        }
        Held::List(Run {
            start: run.start,
            length: kept as u32 - run.start,
        })
    }

    /// `{a}` as `{a: a}`.
    fn shorthands(&mut self, properties: Held) -> Held {
        let Held::List(run) = properties else {
            return properties;
        };
        for at in run.range() {
            let item = self.tree.item(at);
            let Held::Node(number) = item else { continue };
            let record = self.tree.record(number);
            if record.kind == kind::IDENTIFIER
                && let key @ Held::Text(_) = self.tree.field(record, field::VALUE)
            {
                let range = record.range.clone();
                let property = self.property(key, item, range);
                self.tree.set_item(at, property);
            }
        }
        properties
    }

    /// `{a = 1}` and `{a}` of a pattern as `{a: a}`.
    fn assigned(&mut self, draft: &Draft) -> Held {
        let value = self.only(draft, field::KEY);
        let key = self.name(value);
        self.property(key, value, draft.range.clone())
    }

    /// `{a() {}}` as `{a: function () {}}`.
    fn method(&mut self, mut draft: Draft) -> Held {
        let key = self.take(&draft, field::KEY);
        let range = draft.range.clone();
        draft.kind = kind::FUNCTION;
        self.change(&draft, field::BODY, Self::function_body);
        let function = self.commit(draft);
        self.property(key, function, range)
    }

    fn property(&mut self, key: Held, value: Held, range: Range<u32>) -> Held {
        let fields = [(field::KEY, key), (field::VALUE, value)];
        let fields = fields.map(|(name, held)| Field { name, held });
        self.tree.add_node(kind::PROPERTY, range, &fields)
    }

    /// A property's key: its name as text where it is fixed, and the node of the name given up, which was added last;
    /// the computed expression where it is not.
    pub(super) fn key(&mut self, key: Held) -> Held {
        let name = self.name(key);
        if let (Held::Node(number), Held::Text(_)) = (key, name) {
            self.tree.take_back_node(number);
        }
        name
    }

    fn name(&self, key: Held) -> Held {
        if let Some(name) = self.computed_name(key) {
            return Held::Text(name);
        }
        match key {
            Held::Node(number) => {
                let record = self.tree.record(number);
                match record.kind {
                    kind::IDENTIFIER | kind::STRING => self.tree.field(record, field::VALUE),
                    _ => key,
                }
            }
            _ => key,
        }
    }

    /// `name` where the value is `['name']`.
    fn computed_name(&self, held: Held) -> Option<Run> {
        let tree = &self.tree;
        let Held::Node(number) = held else {
            return None;
        };
        let computed = tree.record(number);
        if computed.kind != kind::COMPUTED {
            return None;
        }
        match tree.field(computed, field::EXPRESSION) {
            Held::Node(inner) if tree.record(inner).kind == kind::STRING => {
                match tree.field(tree.record(inner), field::VALUE) {
                    Held::Text(name) => Some(name),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn plain_template(&self, draft: &Draft) -> Option<Run> {
        let Held::List(parts) = self.get(draft, field::QUASIS) else {
            return None;
        };
        match self.tree.items(parts) {
            [Held::Node(only)] => match self.tree.field(self.tree.record(*only), field::COOKED) {
                Held::Text(text) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }
}

fn text_field(name: Name, text: Run) -> Field {
    let held = Held::Text(text);
    Field { name, held }
}
