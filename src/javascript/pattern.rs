//! Patterns over normal-form trees: JavaScript in which `$NAME` stands for any node and `$$$` for any run of nodes.
//!
//! What a pattern does not say, it does not ask: a missing `else` or `finally` matches one that is there, an object
//! matches objects with more properties. Equalities match with their sides exchanged.

use std::ops::Range;

use super::parse::{self, Unreadable};
use super::tree::{self, Kinds, List, Node, Tree, Value, field, kind};
use crate::catalogue::definition::Rule;

/// The name that marks the node to edit.
pub const ANCHOR: &str = "$ANCHOR";

/// What the names of patterns stood for: names as the patterns have them, nodes of the tree that was matched.
#[derive(Debug, Clone, Default)]
pub struct Bindings<'p, 'n>(Vec<(&'p str, Node<'n>)>);

impl<'p, 'n> Bindings<'p, 'n> {
    /// The node bound to `name` (with its `$`).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Node<'n>> {
        self.0
            .iter()
            .find(|(bound, _)| *bound == name)
            .map(|(_, node)| *node)
    }

    /// Every name with the bytes it stands for.
    pub fn ranges(&self) -> impl Iterator<Item = (&'p str, Range<usize>)> {
        self.0.iter().map(|(name, node)| (*name, node.range()))
    }

    /// Binds `name`, or tells whether it is bound to the same code already.
    fn bind(&mut self, name: &'p str, node: Node<'n>) -> bool {
        match self.get(name) {
            Some(bound) => same(bound, node),
            None => {
                self.0.push((name, node));
                true
            }
        }
    }

    /// What `fits` tells; where it tells no, nothing stays bound of what it has tried.
    fn attempt(&mut self, fits: impl FnOnce(&mut Self) -> bool) -> bool {
        let bound = self.0.len();
        let fits = fits(self);
        if !fits {
            self.0.truncate(bound);
        }
        fits
    }
}

/// A [`Rule`], parsed.
#[derive(Debug, Clone)]
pub struct Compiled {
    what: What,
    kinds: Kinds,
    mentions: Option<String>,
}

#[derive(Debug, Clone)]
enum What {
    Anything,
    Pattern(Tree),
    Property { name: String, value: Option<Tree> },
    Text(String),
}

impl What {
    fn kinds(&self) -> Kinds {
        match self {
            Self::Anything => Kinds::ALL,
            Self::Pattern(pattern) => match pattern.root().kind() {
                _ if placeholder(pattern.root()).is_some() => Kinds::ALL,
                kind::FUNCTION => Kinds::of(&[kind::FUNCTION, kind::FUNCTION_DECLARATION]),
                kind => Kinds::of(&[kind]),
            },
            Self::Property { .. } => Kinds::of(&[kind::PROPERTY]),
            Self::Text(_) => Kinds::of(&[kind::STRING, kind::TEMPLATE_ELEMENT, kind::REGEXP]),
        }
    }
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
            mentions: rule.mentions.clone(),
            ..Self::of(what)
        })
    }

    /// A rule that is a pattern and nothing else.
    ///
    /// # Errors
    ///
    /// The parser's, where it is not JavaScript.
    pub fn pattern(source: &str) -> Result<Self, Unreadable> {
        Ok(Self::of(What::Pattern(pattern(source)?)))
    }

    /// A rule that an object's property of this form fits: `name: value`.
    ///
    /// # Errors
    ///
    /// The parser's, where it is not one.
    pub fn property(source: &str) -> Result<Self, Unreadable> {
        let object = pattern(&format!("{{{source}}}"))?;
        let property = object.narrowed(|object| match object.field(field::PROPERTIES) {
            Value::List(list) => only(list).unwrap_or(object),
            _ => object,
        });
        Ok(Self::of(What::Pattern(property)))
    }

    fn of(what: What) -> Self {
        Self {
            kinds: what.kinds(),
            what,
            mentions: None,
        }
    }

    /// The kinds of nodes that the rule may fit: no node of another kind need be asked about.
    #[must_use]
    pub fn kinds(&self) -> Kinds {
        self.kinds
    }

    /// Whether the node fits, with what was bound before; binds more on the way.
    pub fn fits<'p, 'n>(&'p self, node: Node<'n>, bindings: &mut Bindings<'p, 'n>) -> bool {
        if !self.kinds.has(node.kind()) {
            return false;
        }
        let here = match &self.what {
            What::Anything => true,
            What::Pattern(pattern) => {
                bindings.attempt(|bindings| fits(pattern.root(), node, bindings))
            }
            What::Text(text) => node.says(text),
            What::Property { name, value } => {
                matches!(node.field(field::KEY), Value::Text(key) if key == name)
                    && value
                        .as_ref()
                        .is_none_or(|pattern| match node.field(field::VALUE) {
                            Value::Node(value) => fits(pattern.root(), value, bindings),
                            _ => false,
                        })
            }
        };
        here && self
            .mentions
            .as_deref()
            .is_none_or(|text| node.mentions(text))
    }
}

/// The tree of a pattern: an expression where it can be one, else a single statement.
fn pattern(source: &str) -> Result<Tree, Unreadable> {
    let parenthesised = format!("({source}\n)");
    let (parsed, expression) = match parse::parse(&parenthesised) {
        Ok(parsed) => (parsed, true),
        Err(_) => (parse::parse(source)?, false),
    };
    let tree = tree::of(&parsed)?;
    Ok(tree.narrowed(|root| {
        let Value::List(body) = root.field(field::BODY) else {
            return root;
        };
        let statement = only(body).unwrap_or(root);
        match statement.field(field::EXPRESSION) {
            Value::Node(inner) if expression => inner,
            _ => statement,
        }
    }))
}

/// The node in a list of one.
fn only(list: List<'_>) -> Option<Node<'_>> {
    match list.split_first() {
        Some((Value::Node(node), rest)) if rest.is_empty() => Some(node),
        _ => None,
    }
}

/// The name of a placeholder: an identifier that begins with `$`, also as a statement of its own.
fn placeholder(node: Node<'_>) -> Option<&str> {
    let node = match node.kind() {
        kind::EXPRESSION_STATEMENT => match node.field(field::EXPRESSION) {
            Value::Node(inner) => inner,
            _ => return None,
        },
        _ => node,
    };
    node.identifier()
        .filter(|name| name.starts_with('$') && name.len() > 1)
}

fn is_run(value: Value<'_>) -> bool {
    matches!(value, Value::Node(node) if placeholder(node).is_some_and(|name| name.starts_with("$$$")))
}

fn fits<'p, 'n>(pattern: Node<'p>, node: Node<'n>, bindings: &mut Bindings<'p, 'n>) -> bool {
    if let Some(name) = placeholder(pattern) {
        return bindings.bind(name, node);
    }
    let (kind, found) = (pattern.kind(), node.kind());
    if kind != found && !(kind == kind::FUNCTION && node.is_function()) {
        return false;
    }
    if kind == kind::BINARY
        && let operator @ Value::Text("===" | "!==") = pattern.field(field::OPERATOR)
    {
        if !equal(operator, node.field(field::OPERATOR)) {
            return false;
        }
        let wanted = (pattern.field(field::LEFT), pattern.field(field::RIGHT));
        let (left, right) = (node.field(field::LEFT), node.field(field::RIGHT));
        return [(left, right), (right, left)].into_iter().any(|found| {
            bindings.attempt(|bindings| {
                value_fits(wanted.0, found.0, bindings) && value_fits(wanted.1, found.1, bindings)
            })
        });
    }
    pattern
        .fields()
        .all(|(name, wanted)| match (wanted, node.field(name)) {
            (Value::List(wanted), Value::List(found)) if name == field::PROPERTIES => {
                has_properties(wanted, found, bindings)
            }
            (wanted, found) => value_fits(wanted, found, bindings),
        })
}

fn value_fits<'p, 'n>(
    wanted: Value<'p>,
    found: Value<'n>,
    bindings: &mut Bindings<'p, 'n>,
) -> bool {
    match (wanted, found) {
        (Value::Null | Value::Bool(false), _) => true,
        (Value::Node(wanted), Value::Node(found)) => fits(wanted, found, bindings),
        (Value::List(wanted), Value::List(found)) => list_fits(wanted, found, bindings),
        _ => equal(wanted, found),
    }
}

/// Each wanted property is there, in any order, among others.
fn has_properties<'p, 'n>(
    wanted: List<'p>,
    found: List<'n>,
    bindings: &mut Bindings<'p, 'n>,
) -> bool {
    wanted.iter().all(|wanted| {
        let key = fixed_key(wanted);
        found.iter().any(|found| {
            // Most are other properties, which their keys tell at once.
            let other = key.is_some_and(|key| fixed_key(found).is_some_and(|found| found != key));
            !other && bindings.attempt(|bindings| value_fits(wanted, found, bindings))
        })
    })
}

/// The key of a property, where it is not computed.
fn fixed_key(value: Value<'_>) -> Option<&str> {
    match value {
        Value::Node(node) if node.kind() == kind::PROPERTY => match node.field(field::KEY) {
            Value::Text(key) => Some(key),
            _ => None,
        },
        _ => None,
    }
}

fn list_fits<'p, 'n>(wanted: List<'p>, found: List<'n>, bindings: &mut Bindings<'p, 'n>) -> bool {
    match wanted.split_first() {
        None => found.is_empty(),
        Some((run, rest)) if is_run(run) => (0..=found.len()).any(|skipped| {
            bindings.attempt(|bindings| list_fits(rest, found.skip(skipped), bindings))
        }),
        Some((first, rest)) => found.split_first().is_some_and(|(found, others)| {
            value_fits(first, found, bindings) && list_fits(rest, others, bindings)
        }),
    }
}

/// Whether two nodes are the same code, wherever they stand.
#[must_use]
pub fn same(one: Node<'_>, other: Node<'_>) -> bool {
    fn same_value(one: Value<'_>, other: Value<'_>) -> bool {
        match (one, other) {
            (Value::Node(one), Value::Node(other)) => same(one, other),
            (Value::List(one), Value::List(other)) => {
                one.len() == other.len()
                    && one
                        .iter()
                        .zip(other.iter())
                        .all(|(one, other)| same_value(one, other))
            }
            _ => equal(one, other),
        }
    }
    one.kind() == other.kind()
        && one.fields().len() == other.fields().len()
        && one
            .fields()
            .all(|(name, value)| same_value(value, other.field(name)))
}

/// Whether two values that are neither nodes nor lists are the same.
fn equal(one: Value<'_>, other: Value<'_>) -> bool {
    match (one, other) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Number(one), Value::Number(other)) => one == other,
        (Value::Text(one), Value::Text(other)) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occurs(source: &str, text: &str) -> bool {
        fn anywhere(rule: &Compiled, node: Node<'_>) -> bool {
            rule.fits(node, &mut Bindings::default())
                || node.children().any(|child| anywhere(rule, child))
        }
        let rule = Compiled::pattern(source).unwrap();
        let tree = tree::of(&parse::parse(text).unwrap()).unwrap();
        anywhere(&rule, tree.root())
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
