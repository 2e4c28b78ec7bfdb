//! Makes the edit: prints the new node with swc's code generator, dresses it like its neighbours and says which bytes
//! go where. All other bytes of the file stay.

use std::collections::BTreeMap;
use std::ops::Range;

use swc_common::SourceMap;
use swc_common::sync::Lrc;
use swc_ecma_ast::{Expr, Lit, Program, PropOrSpread, Stmt, Str};
use swc_ecma_codegen::text_writer::JsWriter;
use swc_ecma_codegen::{Config, Emitter, Node as _};
use swc_ecma_visit::{VisitMut, VisitMutWith as _};

use super::dress::{self, Dress};
use super::parse::{self, Unreadable};
use super::pattern::ANCHOR;
use super::recognise::Site;

/// Bytes that take the place of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splice {
    /// Which bytes of the text before; empty where something is only put in.
    pub at: Range<usize>,
    /// What stands there afterwards.
    pub text: String,
}

/// The text with all splices made; they are in order and do not overlap.
#[must_use]
pub fn apply(text: &str, splices: &[Splice]) -> String {
    let mut out = String::with_capacity(
        text.len()
            + splices
                .iter()
                .map(|splice| splice.text.len())
                .sum::<usize>(),
    );
    let mut done = 0;
    for splice in splices {
        out.push_str(&text[done..splice.at.start]);
        out.push_str(&splice.text);
        done = splice.at.end;
    }
    out.push_str(&text[done..]);
    out
}

/// The new node of an edit as swc has it.
#[derive(Debug, Clone)]
pub enum Fragment {
    /// An expression.
    Expression(Box<Expr>),
    /// An object's property.
    Property(PropOrSpread),
    /// A statement.
    Statement(Stmt),
}

/// Whether an inserted expression stands in parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parentheses {
    /// As the template has it.
    Without,
    /// Around the whole, where its neighbours would bind more tightly.
    Around,
}

/// Parses a template.
///
/// # Errors
///
/// The parser's, where it is not JavaScript.
pub fn fragment(template: &str, property: bool) -> Result<Fragment, Unreadable> {
    if property {
        let object = format!("({{{template}}})");
        let parsed = parse::parse(&object)?;
        if let Some(Expr::Object(mut object)) = only_expression(parsed.program)
            && object.props.len() == 1
        {
            return Ok(Fragment::Property(object.props.swap_remove(0)));
        }
    }
    let parenthesised = format!("({template}\n)");
    if let Ok(parsed) = parse::parse(&parenthesised)
        && let Some(expression) = only_expression(parsed.program)
    {
        return Ok(Fragment::Expression(Box::new(expression)));
    }
    match parse::parse(template)?.program {
        Program::Script(mut script) if script.body.len() == 1 => {
            Ok(Fragment::Statement(script.body.swap_remove(0)))
        }
        _ => Err(Unreadable::Syntax {
            at: 0..template.len(),
            message: "a template is one node".to_owned(),
        }),
    }
}

fn only_expression(program: Program) -> Option<Expr> {
    // A module is what a template with `await` parses as.
    let only = match program {
        Program::Script(mut script) if script.body.len() == 1 => script.body.swap_remove(0),
        Program::Module(mut module) if module.body.len() == 1 => {
            module.body.swap_remove(0).stmt()?
        }
        Program::Script(_) | Program::Module(_) => return None,
    };
    match only {
        Stmt::Expr(statement) => match *statement.expr {
            Expr::Paren(inner) => Some(*inner.expr),
            other => Some(other),
        },
        _ => None,
    }
}

/// The bytes that an edit puts around or in place of a site's anchor; `node` is its template's.
#[must_use]
pub fn splices(
    text: &str,
    site: &Site<'_>,
    mut node: Fragment,
    parentheses: Parentheses,
) -> Vec<Splice> {
    let dress = Dress::of(text);
    requote(&mut node, dress.quote);
    let printed = print(&node);
    let dressed = dress.put_on(&printed, dress::base_at(text, site.anchor.start));
    let dressed = match parentheses {
        Parentheses::Without => dressed,
        Parentheses::Around => format!("({dressed})"),
    };
    let filled = fill(&dressed, text, &site.bindings);
    let splices = match filled.split_once(ANCHOR) {
        Some((before, behind)) => vec![
            Splice {
                at: site.anchor.start..site.anchor.start,
                text: before.to_owned(),
            },
            Splice {
                at: site.anchor.end..site.anchor.end,
                text: behind.to_owned(),
            },
        ],
        None => vec![trimmed(text, site.anchor.clone(), &filled)],
    };
    splices
        .into_iter()
        .filter(|splice| !splice.at.is_empty() || !splice.text.is_empty())
        .collect()
}

/// A replacement without the bytes that both sides begin and end with.
fn trimmed(text: &str, at: Range<usize>, new: &str) -> Splice {
    let old = &text[at.clone()];
    let common = |pairs: &mut dyn Iterator<Item = (char, char)>| {
        pairs
            .take_while(|(one, other)| one == other)
            .map(|(one, _)| one.len_utf8())
            .sum::<usize>()
    };
    let front = common(&mut old.chars().zip(new.chars()));
    let back = common(&mut old[front..].chars().rev().zip(new[front..].chars().rev()));
    Splice {
        at: at.start + front..at.end - back,
        text: new[front..new.len() - back].to_owned(),
    }
}

/// Puts the code that each name stands for in the name's place, `$ANCHOR` aside.
#[must_use]
pub fn fill(printed: &str, text: &str, bindings: &BTreeMap<String, Range<usize>>) -> String {
    let mut out = String::with_capacity(printed.len());
    let mut rest = printed;
    while let Some(start) = rest.find('$') {
        let name_end = rest[start + 1..]
            .find(|c: char| !c.is_ascii_uppercase() && c != '_')
            .map_or(rest.len(), |length| start + 1 + length);
        out.push_str(&rest[..start]);
        let name = &rest[start..name_end];
        match bindings.get(name) {
            Some(range) => out.push_str(&text[range.clone()]),
            None => out.push_str(name),
        }
        rest = &rest[name_end..];
    }
    out.push_str(rest);
    out
}

/// The node in swc's own layout: four spaces a step, no semicolon behind an expression.
fn print(node: &Fragment) -> String {
    let sources: Lrc<SourceMap> = Lrc::default();
    let mut bytes = Vec::new();
    let writer = JsWriter::new(Lrc::clone(&sources), "\n", &mut bytes, None);
    let mut emitter = Emitter {
        cfg: Config::default(),
        cm: sources,
        comments: None,
        wr: writer,
    };
    let printed = match node {
        Fragment::Expression(expression) => expression.emit_with(&mut emitter),
        Fragment::Property(property) => property.emit_with(&mut emitter),
        Fragment::Statement(statement) => statement.emit_with(&mut emitter),
    };
    // The writer is a Vec: it cannot fail.
    drop(printed);
    String::from_utf8_lossy(&bytes).trim_end().to_owned()
}

/// Gives the node's strings the file's quotes.
fn requote(node: &mut Fragment, quote: char) {
    struct Requote(char);
    impl VisitMut for Requote {
        fn visit_mut_lit(&mut self, literal: &mut Lit) {
            if let Lit::Str(Str { value, raw, .. }) = literal {
                let text = value.to_string_lossy();
                let plain = !text.contains(['\'', '"', '\\', '\n', '\r', '\u{2028}', '\u{2029}']);
                *raw = plain.then(|| format!("{0}{text}{0}", self.0).into());
            }
        }
    }
    let mut requote = Requote(quote);
    match node {
        Fragment::Expression(expression) => expression.visit_mut_with(&mut requote),
        Fragment::Property(property) => property.visit_mut_with(&mut requote),
        Fragment::Statement(statement) => statement.visit_mut_with(&mut requote),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_keeps_what_both_sides_share() {
        let splice = trimmed("x.truncate();", 0..12, "x.del()");
        assert_eq!(
            splice,
            Splice {
                at: 2..10,
                text: "del".into()
            }
        );
        let splice = trimmed("aaa", 0..3, "aa");
        assert_eq!(apply("aaa", &[splice]), "aa");
    }

    #[test]
    fn names_are_filled_with_the_file_s_own_code() {
        let bindings = BTreeMap::from([("$ERR".to_owned(), 0..1)]);
        assert_eq!(
            fill("$ANCHOR || $ERR.errno === $ERR.x", "é", &BTreeMap::new()),
            "$ANCHOR || $ERR.errno === $ERR.x"
        );
        assert_eq!(
            fill("$ANCHOR || $ERR.errno", "e", &bindings),
            "$ANCHOR || e.errno"
        );
    }
}
