//! Patterns over normal-form trees: JavaScript in which `$NAME` stands for any node and `$$$` for any run of nodes.
//!
//! What a pattern does not say, it does not ask: a missing `else` or `finally` matches one that is there, an object
//! matches objects with more properties. Equalities match with their sides exchanged.

use std::ops::Range;

use super::parse::{self, Unreadable};
use super::tree::{self, Node, Value};
use crate::catalogue::definition::Rule;

/// The name that marks the node to edit.
pub const ANCHOR: &str = "$ANCHOR";

/// What the names of a pattern stood for.
#[derive(Debug, Clone, Default)]
pub struct Bindings<'n>(Vec<(String, &'n Node)>);

impl<'n> Bindings<'n> {
    /// The node bound to `name` (with its `$`).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        self.0
            .iter()
            .find(|(bound, _)| bound == name)
            .map(|(_, node)| *node)
    }

    /// Every name with the bytes it stands for.
    pub fn ranges(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.0
            .iter()
            .map(|(name, node)| (name.as_str(), node.range.clone()))
    }

    /// Binds `name`, or tells whether it is bound to the same code already.
    fn bind(&mut self, name: &str, node: &'n Node) -> bool {
        match self.get(name) {
            Some(bound) => same(bound, node),
            None => {
                self.0.push((name.to_owned(), node));
                true
            }
        }
    }
}

/// A [`Rule`], parsed.
#[derive(Debug, Clone)]
pub struct Compiled {
    what: What,
    mentions: Option<String>,
}

#[derive(Debug, Clone)]
enum What {
    Anything,
    Pattern(Node),
    Property { name: String, value: Option<Node> },
    Text(String),
}

impl Compiled {
    /// Parses the patterns of a rule.
    ///
    /// # Errors
    ///
    /// The parser's, where a pattern is not JavaScript.
    pub fn new(rule: &Rule) -> Result<Self, Unreadable> {
        let value = rule.value.as_deref().map(pattern).transpose()?;
        let what = match (&rule.pattern, &rule.property, &rule.text) {
            (Some(source), _, _) => What::Pattern(pattern(source)?),
            (None, Some(name), _) => What::Property {
                name: name.clone(),
                value,
            },
            (None, None, Some(text)) => What::Text(text.clone()),
            (None, None, None) => What::Anything,
        };
        Ok(Self {
            what,
            mentions: rule.mentions.clone(),
        })
    }

    /// A rule that is a pattern and nothing else.
    ///
    /// # Errors
    ///
    /// The parser's, where it is not JavaScript.
    pub fn pattern(source: &str) -> Result<Self, Unreadable> {
        Ok(Self {
            what: What::Pattern(pattern(source)?),
            mentions: None,
        })
    }

    /// A rule that an object's property of this form fits: `name: value`.
    ///
    /// # Errors
    ///
    /// The parser's, where it is not one.
    pub fn property(source: &str) -> Result<Self, Unreadable> {
        let object = pattern(&format!("{{{source}}}"))?;
        let what = match object.field("properties") {
            Value::List(list) => match list.as_slice() {
                [Value::Node(node)] => What::Pattern(node.clone()),
                _ => What::Pattern(object),
            },
            _ => What::Pattern(object),
        };
        Ok(Self {
            what,
            mentions: None,
        })
    }

    /// Whether the node fits, with what was bound before; binds more on the way.
    pub fn fits<'n>(&self, node: &'n Node, bindings: &mut Bindings<'n>) -> bool {
        let here = match &self.what {
            What::Anything => true,
            What::Pattern(pattern) => {
                let mut tried = bindings.clone();
                let fits = fits(pattern, node, &mut tried);
                if fits {
                    *bindings = tried;
                }
                fits
            }
            What::Text(text) => node.says(text),
            What::Property { name, value } => {
                node.kind == "Property"
                    && matches!(node.field("key"), Value::Text(key) if key == name)
                    && value
                        .as_ref()
                        .is_none_or(|pattern| match node.field("value") {
                            Value::Node(value) => fits(pattern, value, bindings),
                            _ => false,
                        })
            }
        };
        here && self
            .mentions
            .as_deref()
            .is_none_or(|text| node.mentions(text))
    }

    /// Whether the rule fits anywhere in the tree.
    #[must_use]
    pub fn occurs_in(&self, node: &Node) -> bool {
        self.places_in(node).next().is_some()
    }

    /// Every place in the tree where the rule fits.
    pub fn places_in<'t>(&'t self, node: &'t Node) -> impl Iterator<Item = &'t Node> {
        let mut waiting = vec![node];
        std::iter::from_fn(move || {
            while let Some(node) = waiting.pop() {
                waiting.extend(node.children());
                if self.fits(node, &mut Bindings::default()) {
                    return Some(node);
                }
            }
            None
        })
    }
}

/// The tree of a pattern: an expression where it can be one, else a single statement.
fn pattern(source: &str) -> Result<Node, Unreadable> {
    let parenthesised = format!("({source}\n)");
    let (text, expression) = match parse::parse(&parenthesised) {
        Ok(_) => (parenthesised.as_str(), true),
        Err(_) => (source, false),
    };
    let root = tree::of(&parse::parse(text)?)?;
    let Value::List(mut body) = root.field("body").clone() else {
        return Ok(root);
    };
    let statement = match body.len() {
        1 => body.swap_remove(0),
        _ => return Ok(root),
    };
    match statement {
        Value::Node(statement) if expression => match statement.field("expression") {
            Value::Node(inner) => Ok(inner.clone()),
            _ => Ok(statement),
        },
        Value::Node(statement) => Ok(statement),
        _ => Ok(root),
    }
}

/// The name of a placeholder: an identifier that begins with `$`, also as a statement of its own.
fn placeholder(node: &Node) -> Option<&str> {
    let node = match node.kind.as_ref() {
        "ExpressionStatement" => match node.field("expression") {
            Value::Node(inner) => inner,
            _ => return None,
        },
        _ => node,
    };
    node.identifier()
        .filter(|name| name.starts_with('$') && name.len() > 1)
}

fn is_run(value: &Value) -> bool {
    matches!(value, Value::Node(node) if placeholder(node).is_some_and(|name| name.starts_with("$$$")))
}

fn fits<'n>(pattern: &Node, node: &'n Node, bindings: &mut Bindings<'n>) -> bool {
    if let Some(name) = placeholder(pattern) {
        return bindings.bind(name, node);
    }
    let kinds = pattern.kind == node.kind || (pattern.kind == "Function" && node.is_function());
    if !kinds {
        return false;
    }
    let symmetric = || matches!(pattern.field("operator"), Value::Text(operator) if matches!(operator.as_str(), "===" | "!=="));
    if pattern.kind == "BinaryExpression" && symmetric() {
        if pattern.field("operator") != node.field("operator") {
            return false;
        }
        let sides = (pattern.field("left"), pattern.field("right"));
        for (left, right) in [
            (node.field("left"), node.field("right")),
            (node.field("right"), node.field("left")),
        ] {
            let mut tried = bindings.clone();
            if value_fits(sides.0, left, &mut tried) && value_fits(sides.1, right, &mut tried) {
                *bindings = tried;
                return true;
            }
        }
        return false;
    }
    pattern.fields.iter().all(|(name, wanted)| {
        if name == "properties"
            && let (Value::List(wanted), Value::List(found)) = (wanted, node.field(name))
        {
            return has_properties(wanted, found, bindings);
        }
        value_fits(wanted, node.field(name), bindings)
    })
}

fn value_fits<'n>(wanted: &Value, found: &'n Value, bindings: &mut Bindings<'n>) -> bool {
    match (wanted, found) {
        (Value::Null | Value::Bool(false), _) => true,
        (Value::Node(wanted), Value::Node(found)) => fits(wanted, found, bindings),
        (Value::List(wanted), Value::List(found)) => list_fits(wanted, found, bindings),
        _ => wanted == found,
    }
}

/// Each wanted property is there, in any order, among others.
fn has_properties<'n>(wanted: &[Value], found: &'n [Value], bindings: &mut Bindings<'n>) -> bool {
    wanted.iter().all(|wanted| {
        found.iter().any(|found| {
            let mut tried = bindings.clone();
            let fits = value_fits(wanted, found, &mut tried);
            if fits {
                *bindings = tried;
            }
            fits
        })
    })
}

fn list_fits<'n>(wanted: &[Value], found: &'n [Value], bindings: &mut Bindings<'n>) -> bool {
    match wanted.split_first() {
        None => found.is_empty(),
        Some((run, rest)) if is_run(run) => (0..=found.len()).any(|skipped| {
            let mut tried = bindings.clone();
            let fits = list_fits(rest, &found[skipped..], &mut tried);
            if fits {
                *bindings = tried;
            }
            fits
        }),
        Some((first, rest)) => found.split_first().is_some_and(|(found, others)| {
            value_fits(first, found, bindings) && list_fits(rest, others, bindings)
        }),
    }
}

/// Whether two nodes are the same code, wherever they stand.
#[must_use]
pub fn same(one: &Node, other: &Node) -> bool {
    fn same_value(one: &Value, other: &Value) -> bool {
        match (one, other) {
            (Value::Node(one), Value::Node(other)) => same(one, other),
            (Value::List(one), Value::List(other)) => {
                one.len() == other.len()
                    && one
                        .iter()
                        .zip(other)
                        .all(|(one, other)| same_value(one, other))
            }
            _ => one == other,
        }
    }
    one.kind == other.kind
        && one.fields.len() == other.fields.len()
        && one
            .fields
            .iter()
            .all(|(name, value)| same_value(value, other.field(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occurs(source: &str, text: &str) -> bool {
        let parsed = parse::parse(text).unwrap();
        Compiled::pattern(source)
            .unwrap()
            .occurs_in(&tree::of(&parsed).unwrap())
    }

    #[test]
    fn one_meaning_in_many_spellings() {
        let pattern = "$ERR.errno === 1007";
        for text in [
            "if (e.errno === 1007) {}",
            "if (1007 === error.errno) {}",
            "if (e && ((e?.errno)) == 0x3ef) {}",
            "x = e['errno'] === 1007",
            "x = e[`errno`] === 1007.0",
            "x = e.inner.errno === 1007",
        ] {
            assert!(occurs(pattern, text), "{text}");
        }
        for text in [
            "e.errno === 1008",
            "e.errno !== 1007",
            "e.code === 1007",
            "e.errno === '1007'",
            "e[errno] === 1007",
            "errno === 1007",
        ] {
            assert!(!occurs(pattern, text), "{text}");
        }
    }

    #[test]
    fn functions_of_all_kinds_and_runs_of_statements() {
        let pattern = "$CHAIN.catch(function ($ERR) { $$$; if ($ERR.errno) { $$$ } $$$ })";
        for text in [
            "p.catch(function (e) { if (e.errno) return; })",
            "p.then(f).catch(async (e) => { log(e); if (e.errno) { return; } else { a() } throw e; })",
        ] {
            assert!(occurs(pattern, text), "{text}");
        }
        assert!(
            !occurs(pattern, "p.catch(function (e) { if (f.errno) return; })"),
            "another variable"
        );
        assert!(!occurs(
            pattern,
            "p.catch(function (e) { return e.errno; })"
        ));
        assert!(occurs(
            "function ($OPTIONS, $$$) { $$$; return $X; }",
            "exports.a = function b(options) { return knex(options); }"
        ));
    }

    #[test]
    fn objects_by_the_properties_that_are_asked_for() {
        let pattern = "{comments: {parent_id: {cascadeDelete: true}}}";
        assert!(occurs(
            pattern,
            "x = {'comments': {id: 1, parent_id: {type: 's', cascadeDelete: true}}, b() {}}"
        ));
        assert!(!occurs(
            pattern,
            "x = {comments: {parent_id: {cascadeDelete: false}}}"
        ));
        assert!(!occurs(
            pattern,
            "x = {comments: {post_id: {cascadeDelete: true}}}"
        ));
    }

    #[test]
    fn a_try_without_finally_is_asked_for_and_one_with_it_is_found() {
        let text = "async function f() { try { await q('x'); } catch (oops) { if (oops.errno === 1007) { return; } throw oops; } finally { d(); } }";
        assert!(occurs(
            "try { $$$ } catch ($ERR) { $$$; if ($ERR.errno === 1007) { $$$ } $$$ }",
            text
        ));
    }
}
