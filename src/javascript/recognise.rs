//! Finds the places in a tree where a patch belongs, and tells for each whether the edit is there already.
//!
//! It decides nothing about behaviour: a place that looks right may not act right, so the proof has the last word.

use std::collections::BTreeMap;
use std::ops::Range;

use super::parse::Unreadable;
use super::pattern::{ANCHOR, Bindings, Compiled};
use super::tree::{Kinds, Node};
use crate::catalogue::definition::{Definition, EditDefinition, Rule, Shape};

/// A patch's rules, parsed; made once for each patch and file.
#[derive(Debug)]
pub struct Recogniser<'d> {
    definition: &'d Definition,
    shapes: Vec<CompiledShape<'d>>,
    edits: Vec<CompiledEdit<'d>>,
    needed: Vec<Compiled>,
    traces: Vec<Compiled>,
    /// What any of the rules may fit that are asked about every node.
    kinds: Kinds,
}

#[derive(Debug)]
struct CompiledShape<'d> {
    shape: &'d Shape,
    anchor: Compiled,
    inside: Vec<Compiled>,
    /// Which of the edits belongs there.
    edit: Option<usize>,
}

#[derive(Debug)]
struct CompiledEdit<'d> {
    edit: &'d EditDefinition,
    /// Whether the template takes the anchor's place, and is not put around it.
    replaces: bool,
    current: Compiled,
    earlier: Vec<(&'d str, Compiled)>,
}

/// A place that a patch is for.
#[derive(Debug, Clone)]
pub struct Site<'d> {
    /// The shape of the code around it.
    pub shape: &'d Shape,
    /// The edit that belongs there.
    pub edit: &'d EditDefinition,
    /// The bytes of the node to edit; for a replacement that is there already, of what took its place.
    pub anchor: Range<usize>,
    /// What the names of the patterns stand for, `$ANCHOR` aside.
    pub bindings: BTreeMap<String, Range<usize>>,
    /// Whether the edit is there.
    pub standing: Standing,
}

/// Whether an edit is in place at a [`Site`]; `whole` is all that it made of the anchor, the anchor included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The code is as published.
    Open,
    /// The edit is there.
    Applied {
        /// What the edit made of the anchor.
        whole: Range<usize>,
    },
    /// The edit is there more than once, one around the other.
    Doubled {
        /// The outermost of them.
        whole: Range<usize>,
    },
    /// What an earlier ghostfix put there.
    Earlier {
        /// What it made of the anchor.
        whole: Range<usize>,
        /// Which revision of the edit.
        revision: String,
    },
}

/// All that was recognised in a file.
#[derive(Debug, Clone)]
pub struct Recognised<'d> {
    /// In source order, each place once.
    pub sites: Vec<Site<'d>>,
    /// What looks like somebody's edit for the same purpose, outside of our own.
    pub traces: Vec<Range<usize>>,
    /// Whether the file has the code that makes the patch necessary.
    pub needed: bool,
    /// Places where an anchor stands in other surroundings than any known shape has.
    pub stray: Vec<Range<usize>>,
}

impl<'d> Recogniser<'d> {
    /// Parses the patch's rules.
    ///
    /// # Errors
    ///
    /// The parser's, where a pattern is not JavaScript.
    pub fn new(definition: &'d Definition) -> Result<Self, Unreadable> {
        let compile = |rules: &[Rule]| {
            rules
                .iter()
                .map(Compiled::new)
                .collect::<Result<Vec<_>, _>>()
        };
        let shapes = definition
            .shapes
            .iter()
            .map(|shape| {
                Ok(CompiledShape {
                    shape,
                    anchor: Compiled::new(&shape.anchor)?,
                    inside: compile(&shape.inside)?,
                    edit: definition
                        .edits
                        .iter()
                        .position(|edit| edit.id == shape.edit),
                })
            })
            .collect::<Result<_, Unreadable>>()?;
        let edits = definition
            .edits
            .iter()
            .map(|edit| {
                Ok(CompiledEdit {
                    edit,
                    replaces: !edit.template.contains(ANCHOR),
                    current: template(definition, edit, &edit.template)?,
                    earlier: edit
                        .earlier
                        .iter()
                        .map(|earlier| {
                            Ok((
                                earlier.revision.as_str(),
                                template(definition, edit, &earlier.template)?,
                            ))
                        })
                        .collect::<Result<_, Unreadable>>()?,
                })
            })
            .collect::<Result<_, Unreadable>>()?;
        let needed = compile(&definition.needed)?;
        let traces = compile(&definition.traces)?;
        let mut recogniser = Self {
            definition,
            shapes,
            edits,
            needed,
            traces,
            kinds: Kinds::default(),
        };
        recogniser.kinds = recogniser
            .rules()
            .fold(Kinds::default(), |kinds, rule| kinds.or(rule.kinds()));
        Ok(recogniser)
    }

    /// The rules that are asked about every node.
    fn rules(&self) -> impl Iterator<Item = &Compiled> {
        let shapes = self.shapes.iter().map(|shape| &shape.anchor);
        let replacements = self.edits.iter().flat_map(CompiledEdit::replacements);
        shapes
            .chain(replacements.map(|(template, _)| template))
            .chain(&self.needed)
            .chain(&self.traces)
    }

    /// Looks through a whole tree.
    #[must_use]
    pub fn recognise(&self, root: Node<'_>) -> Recognised<'d> {
        self.look(root, false)
    }

    /// Like [`Self::recognise`], but an anchor counts wherever it stands. Only for tests that show what the
    /// surroundings are asked for.
    #[must_use]
    pub fn recognise_anywhere(&self, root: Node<'_>) -> Recognised<'d> {
        self.look(root, true)
    }

    fn look(&self, root: Node<'_>, anywhere: bool) -> Recognised<'d> {
        let mut found = Found {
            sites: Vec::new(),
            stray: Vec::new(),
            traces: Vec::new(),
            needed: vec![false; self.needed.len()],
        };
        self.walk(root, &mut Vec::new(), anywhere, &mut found);
        let Found {
            mut sites,
            mut stray,
            mut traces,
            needed,
        } = found;
        sites.sort_by_key(|site| (site.anchor.start, site.anchor.end));
        sites.dedup_by(|later, first| later.anchor == first.anchor);
        // An edit's own code may look like a place for it: a `return` within a wrapper, a `throw` within a replacement.
        let made = sites.iter().filter_map(Site::made).collect::<Vec<_>>();
        sites.retain(|site| {
            !made.iter().any(|(whole, anchor)| {
                *anchor != site.anchor
                    && whole.start <= site.anchor.start
                    && site.anchor.end <= whole.end
            })
        });
        stray.retain(|range| !sites.iter().any(|site| site.anchor == *range));
        stray.dedup();

        let ours = |range: &Range<usize>| {
            made.iter()
                .any(|(whole, _)| whole.start <= range.start && range.end <= whole.end)
        };
        traces.retain(|range| !ours(range));
        traces.sort_by_key(|range| (range.start, range.end));
        traces.dedup();
        Recognised {
            sites,
            traces,
            needed: needed.into_iter().all(|occurs| occurs),
            stray,
        }
    }

    fn walk<'n>(
        &self,
        node: Node<'n>,
        above: &mut Vec<Node<'n>>,
        anywhere: bool,
        found: &mut Found<'d>,
    ) {
        if self.kinds.has(node.kind()) {
            self.ask(node, above, anywhere, found);
        }
        above.push(node);
        for child in node.children() {
            self.walk(child, above, anywhere, found);
        }
        above.pop();
    }

    /// Tries every rule on a node.
    fn ask<'n>(&self, node: Node<'n>, above: &[Node<'n>], anywhere: bool, found: &mut Found<'d>) {
        for shape in &self.shapes {
            let Some(edit) = shape.edit.map(|number| &self.edits[number]) else {
                continue;
            };
            let mut bindings = Bindings::default();
            if shape.anchor.fits(node, &mut bindings) {
                let surrounded = shape.surrounded(above, &mut bindings);
                let anchor = bindings.get(ANCHOR).unwrap_or(node);
                if surrounded || anywhere {
                    let (anchor, standing) = edit.standing(anchor, above);
                    found
                        .sites
                        .push(site(shape.shape, edit.edit, anchor, &bindings, standing));
                } else {
                    found.stray.push(anchor.range());
                }
            }
            for (template, revision) in edit.replacements() {
                let mut bindings = Bindings::default();
                if template.fits(node, &mut bindings) && shape.surrounded(above, &mut bindings) {
                    let whole = node.range();
                    let standing = match revision {
                        None => Standing::Applied { whole },
                        Some(revision) => Standing::Earlier {
                            whole,
                            revision: revision.to_owned(),
                        },
                    };
                    found
                        .sites
                        .push(site(shape.shape, edit.edit, node, &bindings, standing));
                }
            }
        }
        for trace in &self.traces {
            if trace.fits(node, &mut Bindings::default()) {
                found.traces.push(node.range());
            }
        }
        for (rule, occurs) in self.needed.iter().zip(&mut found.needed) {
            *occurs = *occurs || rule.fits(node, &mut Bindings::default());
        }
    }

    /// The patch that this recogniser is for.
    #[must_use]
    pub fn definition(&self) -> &'d Definition {
        self.definition
    }
}

struct Found<'d> {
    sites: Vec<Site<'d>>,
    stray: Vec<Range<usize>>,
    traces: Vec<Range<usize>>,
    /// For each of the rules for what makes the patch necessary, whether it fits somewhere.
    needed: Vec<bool>,
}

fn site<'d>(
    shape: &'d Shape,
    edit: &'d EditDefinition,
    anchor: Node<'_>,
    bindings: &Bindings<'_, '_>,
    standing: Standing,
) -> Site<'d> {
    let bindings = bindings
        .ranges()
        .filter(|(name, _)| *name != ANCHOR)
        .map(|(name, range)| (name.to_owned(), range))
        .collect();
    Site {
        shape,
        edit,
        anchor: anchor.range(),
        bindings,
        standing,
    }
}

impl CompiledShape<'_> {
    /// Whether the rules for the surroundings hold, each further out than the one before.
    fn surrounded<'p, 'n>(&'p self, above: &[Node<'n>], bindings: &mut Bindings<'p, 'n>) -> bool {
        let mut outwards = above.iter().rev();
        self.inside
            .iter()
            .all(|rule| outwards.any(|node| rule.fits(*node, bindings)))
    }
}

impl Recognised<'_> {
    /// Leaves out the traces that are another patch's own code, and not somebody's.
    pub fn forgive(&mut self, other: &Recognised<'_>) {
        let made = other
            .sites
            .iter()
            .filter_map(Site::made)
            .collect::<Vec<_>>();
        self.traces.retain(|trace| {
            !made
                .iter()
                .any(|(whole, _)| whole.start <= trace.start && trace.end <= whole.end)
        });
    }
}

impl Site<'_> {
    /// What an edit made here, and of which anchor.
    fn made(&self) -> Option<(Range<usize>, Range<usize>)> {
        match &self.standing {
            Standing::Open => None,
            Standing::Applied { whole }
            | Standing::Doubled { whole }
            | Standing::Earlier { whole, .. } => Some((whole.clone(), self.anchor.clone())),
        }
    }
}

impl CompiledEdit<'_> {
    /// The anchor proper, and whether the edit stands around it: above the node that fits the shape, or, where the
    /// shape asks for "whatever stands here", in that node itself.
    fn standing<'n>(&self, anchor: Node<'n>, above: &[Node<'n>]) -> (Node<'n>, Standing) {
        if self.replaces {
            return (anchor, Standing::Open);
        }
        let templates = std::iter::once((None, &self.current)).chain(
            self.earlier
                .iter()
                .map(|(revision, template)| (Some(*revision), template)),
        );
        for (revision, template) in templates {
            let applied = |whole: Range<usize>| match revision {
                None => Standing::Applied { whole },
                Some(revision) => Standing::Earlier {
                    whole,
                    revision: revision.to_owned(),
                },
            };
            if let Some(inner) = within(template, anchor) {
                let whole = anchor.range();
                return match within(template, inner) {
                    Some(_) => (inner, Standing::Doubled { whole }),
                    None => (inner, applied(whole)),
                };
            }
            if let Some(whole) = around(template, &anchor.range(), above) {
                return match around(template, &whole, above) {
                    Some(outer) => (anchor, Standing::Doubled { whole: outer }),
                    None => (anchor, applied(whole)),
                };
            }
        }
        (anchor, Standing::Open)
    }

    /// The templates that take the anchor's place, each with its revision where it is an earlier one.
    fn replacements(&self) -> impl Iterator<Item = (&Compiled, Option<&str>)> {
        let current = self.replaces.then_some((&self.current, None));
        let earlier = self
            .earlier
            .iter()
            .filter(move |_| self.replaces)
            .map(|(revision, template)| (template, Some(*revision)));
        current.into_iter().chain(earlier)
    }
}

/// The node that a template was made around, where `node` is what it made.
fn within<'n>(template: &Compiled, node: Node<'n>) -> Option<Node<'n>> {
    let mut bindings = Bindings::default();
    template
        .fits(node, &mut bindings)
        .then(|| bindings.get(ANCHOR))
        .flatten()
}

/// What a template made of the node with that range, looked for in the nodes above it.
fn around(template: &Compiled, inner: &Range<usize>, above: &[Node<'_>]) -> Option<Range<usize>> {
    above
        .iter()
        .rev()
        .filter(|node| {
            let range = node.range();
            range.start <= inner.start && inner.end <= range.end
        })
        .take(DEEPEST_EDIT)
        .find(|node| within(template, **node).is_some_and(|bound| bound.range() == *inner))
        .map(|node| node.range())
}

/// How many nodes above an anchor an edit's own code may reach: a call within a call within an operand, with room.
const DEEPEST_EDIT: usize = 24;

/// A template as a pattern: an object's property where the anchor is one, else an expression or statement.
fn template(
    definition: &Definition,
    edit: &EditDefinition,
    source: &str,
) -> Result<Compiled, Unreadable> {
    if of_property(definition, edit) {
        Compiled::property(source)
    } else {
        Compiled::pattern(source)
    }
}

/// Whether an edit is one of an object's property.
#[must_use]
pub fn of_property(definition: &Definition, edit: &EditDefinition) -> bool {
    definition
        .shapes
        .iter()
        .any(|shape| shape.edit == edit.id && shape.anchor.property.is_some())
}
