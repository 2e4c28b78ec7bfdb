//! The syntax proof: the edited text parses, and its tree is the original tree with exactly the intended change.
//!
//! The intended tree is made without the edited text: swc's mutable visitor puts the template's node into the original
//! tree. swc's comparison ignores positions, quotes and the spelling of numbers, and comments are outside of the tree,
//! so the bytes are compared too: the file without the splices must be the original to the last byte.

use std::collections::BTreeMap;
use std::ops::Range;

use swc_common::util::take::Take as _;
use swc_common::{EqIgnoreSpan as _, Spanned as _};
use swc_ecma_ast::{Expr, Program, PropOrSpread, Stmt};
use swc_ecma_visit::{Visit, VisitMut, VisitMutWith as _, VisitWith as _};

use super::edit::{self, Fragment, Parentheses, Splice};
use super::parse::{self, Parsed, Positions, Unreadable};
use super::pattern::ANCHOR;
use super::recognise::Site;

/// Why the syntax proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The edited text is not JavaScript.
    #[error("the edited file does not parse: {0}")]
    Unparsable(String),
    /// The edited text's tree is another than the intended one.
    #[error("the edited file's syntax tree is not the original with exactly the intended change")]
    OtherTree,
    /// The template could not be put into the original tree exactly once.
    #[error("the place to edit was found {0} times in the syntax tree instead of once")]
    NotOnce(usize),
    /// The bytes around the splices changed.
    #[error("bytes outside of the edit changed")]
    OtherBytes,
}

/// An edit that was made, and is to be proved.
#[derive(Debug, Clone)]
pub struct Made {
    /// The text with the edit.
    pub after: String,
    /// What led there.
    pub splices: Vec<Splice>,
    /// The template's node, as it is to stand in the tree.
    node: Fragment,
}

/// Makes the edit that belongs at a site; `is_property` where that is an object's property.
///
/// An expression whose neighbours would bind its parts more tightly needs parentheses: the proof tells.
///
/// # Errors
///
/// [`Flaw::Unparsable`], where the template is not JavaScript.
pub fn make(
    text: &str,
    site: &Site<'_>,
    is_property: bool,
    parentheses: Parentheses,
) -> Result<Made, Flaw> {
    let node = edit::fragment(&site.edit.template, is_property).map_err(unparsable)?;
    let splices = edit::splices(text, site, node.clone(), parentheses);
    Ok(Made {
        after: edit::apply(text, &splices),
        splices,
        node,
    })
}

/// Proves an edit against the text before (parsed, and changed into what is intended); gives the text afterwards, parsed,
/// but for parentheses, which the tree shows without them.
///
/// # Errors
///
/// The first [`Flaw`] found.
pub fn prove<'m>(before: Parsed<'_>, site: &Site<'_>, made: &'m Made) -> Result<Parsed<'m>, Flaw> {
    if taken_out(&made.after, before.text, &made.splices).as_deref() != Some(before.text) {
        return Err(Flaw::OtherBytes);
    }
    let mut edited = parse::parse(&made.after).map_err(unparsable)?;
    let mut intended = intended(before, site, &made.node)?;
    without_parentheses(&mut intended);
    without_parentheses(&mut edited.program);
    if intended.eq_ignore_span(&edited.program) {
        Ok(edited)
    } else {
        Err(Flaw::OtherTree)
    }
}

/// The edit at a site, made and proved, with parentheses where it needs them.
///
/// # Errors
///
/// The [`Flaw`] of the attempt with parentheses.
pub fn edit(before: Parsed<'_>, site: &Site<'_>, is_property: bool) -> Result<Made, Flaw> {
    let text = before.text;
    let made = make(text, site, is_property, Parentheses::Without)?;
    if prove(before, site, &made).is_ok() {
        return Ok(made);
    }
    let made = make(text, site, is_property, Parentheses::Around)?;
    prove(parse::parse(text).map_err(unparsable)?, site, &made)?;
    Ok(made)
}

#[allow(clippy::needless_pass_by_value)] // As it comes out of an error.
fn unparsable(error: Unreadable) -> Flaw {
    Flaw::Unparsable(error.to_string())
}

/// Whether two texts have the same tree, positions, parentheses and spelling of literals aside.
#[must_use]
pub fn same_tree(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let (Ok(one), Ok(other)) = (parse::parse(one), parse::parse(other)) else {
        return false;
    };
    let (mut one, mut other) = (one.program, other.program);
    without_parentheses(&mut one);
    without_parentheses(&mut other);
    one.eq_ignore_span(&other)
}

/// The text before, got back from the text after.
fn taken_out(after: &str, before: &str, splices: &[Splice]) -> Option<String> {
    let mut out = String::with_capacity(before.len());
    let (mut read, mut written_before) = (0, 0);
    for splice in splices {
        let kept = splice.at.start.checked_sub(written_before)?;
        out.push_str(after.get(read..read + kept)?);
        read += kept;
        if after.get(read..read + splice.text.len())? != splice.text {
            return None;
        }
        read += splice.text.len();
        out.push_str(before.get(splice.at.clone())?);
        written_before = splice.at.end;
    }
    out.push_str(after.get(read..)?);
    Some(out)
}

/// The original tree with the template's node at the site.
fn intended(before: Parsed<'_>, site: &Site<'_>, node: &Fragment) -> Result<Program, Flaw> {
    let mut names = site.bindings.clone();
    names.insert(ANCHOR.to_owned(), site.anchor.clone());
    let bound = names
        .into_iter()
        .filter_map(|(name, range)| Some((name, find(&before, &range)?)))
        .collect::<BTreeMap<_, _>>();
    let mut node = node.clone();
    let mut put_in = PutIn { bound };
    match &mut node {
        Fragment::Expression(expression) => expression.visit_mut_with(&mut put_in),
        Fragment::Property(property) => property.visit_mut_with(&mut put_in),
        Fragment::Statement(statement) => statement.visit_mut_with(&mut put_in),
    }
    let mut program = before.program;
    let mut put = Put {
        positions: before.positions,
        at: &site.anchor,
        node: &node,
        times: 0,
    };
    program.visit_mut_with(&mut put);
    if put.times == 1 {
        Ok(program)
    } else {
        Err(Flaw::NotOnce(put.times))
    }
}

/// The original's expression with exactly that range; the innermost where parentheses make two.
fn find(parsed: &Parsed<'_>, range: &Range<usize>) -> Option<Expr> {
    struct Find<'p> {
        parsed: &'p Parsed<'p>,
        range: &'p Range<usize>,
        found: Option<Expr>,
    }
    impl Visit for Find<'_> {
        fn visit_stmt(&mut self, statement: &Stmt) {
            if holds(&self.parsed.positions.range(statement.span()), self.range) {
                statement.visit_children_with(self);
            }
        }
        fn visit_expr(&mut self, expression: &Expr) {
            let range = self.parsed.positions.range(expression.span());
            if range == *self.range {
                self.found = Some(expression.clone());
            }
            if holds(&range, self.range) {
                expression.visit_children_with(self);
            }
        }
        // A parameter or a caught error: bound as a name, used as an expression.
        fn visit_binding_ident(&mut self, binding: &swc_ecma_ast::BindingIdent) {
            if self.parsed.positions.range(binding.id.span) == *self.range {
                self.found = Some(Expr::Ident(binding.id.clone()));
            }
        }
    }
    let mut find = Find {
        parsed,
        range,
        found: None,
    };
    parsed.program.visit_with(&mut find);
    find.found
}

/// Whether a part of the tree may hold what has that range: the others, nearly all of a file, need not be looked through.
fn holds(part: &Range<usize>, range: &Range<usize>) -> bool {
    part.start <= range.start && range.end <= part.end
}

/// Puts the original's expressions in the place of a template's names.
struct PutIn {
    bound: BTreeMap<String, Expr>,
}

impl VisitMut for PutIn {
    fn visit_mut_expr(&mut self, expression: &mut Expr) {
        if let Expr::Ident(identifier) = expression
            && let Some(bound) = self.bound.get(identifier.sym.as_str())
        {
            *expression = bound.clone();
            return;
        }
        expression.visit_mut_children_with(self);
    }
}

/// Puts a node in the place of the one with that range.
struct Put<'p> {
    positions: Positions,
    at: &'p Range<usize>,
    node: &'p Fragment,
    times: usize,
}

impl VisitMut for Put<'_> {
    fn visit_mut_expr(&mut self, expression: &mut Expr) {
        let range = self.positions.range(expression.span());
        if let Fragment::Expression(node) = self.node
            && range == *self.at
        {
            *expression = (**node).clone();
            self.times += 1;
        } else if holds(&range, self.at) {
            expression.visit_mut_children_with(self);
        }
    }

    fn visit_mut_prop_or_spread(&mut self, property: &mut PropOrSpread) {
        let range = self.positions.range(property.span());
        if let Fragment::Property(node) = self.node
            && range == *self.at
        {
            *property = node.clone();
            self.times += 1;
        } else if holds(&range, self.at) {
            property.visit_mut_children_with(self);
        }
    }

    fn visit_mut_stmt(&mut self, statement: &mut Stmt) {
        let range = self.positions.range(statement.span());
        if let Fragment::Statement(node) = self.node
            && range == *self.at
        {
            *statement = node.clone();
            self.times += 1;
        } else if holds(&range, self.at) {
            statement.visit_mut_children_with(self);
        }
    }
}

fn without_parentheses(program: &mut Program) {
    struct Without;
    impl VisitMut for Without {
        fn visit_mut_expr(&mut self, expression: &mut Expr) {
            while let Expr::Paren(inner) = expression {
                *expression = *inner.expr.take();
            }
            expression.visit_mut_children_with(self);
        }
    }
    program.visit_mut_with(&mut Without);
}
