//! For refusals: the code found, the nearest known shape, and the difference between the two.

use std::ops::Range;

use similar::TextDiff;

use super::tree::{Node, kind};
use crate::catalogue::Patch;
use crate::report::Evidence;

/// Below this likeness a function is not worth showing as the drifted code.
const LEAST_LIKENESS: f32 = 0.25;

/// What to show of a drifted file: strays where there are any, else the function most like a known shape.
#[must_use]
pub fn evidence(patch: &Patch, text: &str, root: Node<'_>, strays: &[Range<usize>]) -> Evidence {
    let mut functions = Vec::new();
    collect(root, &mut functions);
    let best = functions
        .iter()
        .filter_map(|range| {
            let found = &text[range.clone()];
            let (likeness, example) = patch
                .examples
                .iter()
                .map(|(id, example)| (likeness(example, found), (*id, *example)))
                .max_by(|one, other| one.0.total_cmp(&other.0))?;
            Some((likeness, range.clone(), example))
        })
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .filter(|(likeness, _, _)| *likeness >= LEAST_LIKENESS);

    let mut labels = strays
        .iter()
        .map(|range| {
            (
                range.clone(),
                "like the known code, but not where it is expected".to_owned(),
            )
        })
        .collect::<Vec<_>>();
    let Some((_, range, (id, example))) = best else {
        return Evidence {
            source: text.to_owned(),
            labels,
            nearest_shape: None,
            shape_diff: String::new(),
        };
    };
    let found = dedented(text, &range);
    if labels.is_empty() {
        let first_line = range.start
            ..text[range.clone()]
                .find(['\n', '\r'])
                .map_or(range.end, |end| range.start + end);
        labels.push((
            first_line,
            format!("nearest to the known shape `{id}`, but not it"),
        ));
    }
    let shape_diff = TextDiff::from_lines(example, found.as_str())
        .unified_diff()
        .context_radius(2)
        .header(&format!("known shape: {id}"), "the code found")
        .to_string();
    Evidence {
        source: text.to_owned(),
        labels,
        nearest_shape: Some((id.to_owned(), example.to_owned())),
        shape_diff,
    }
}

fn collect(node: Node<'_>, functions: &mut Vec<Range<usize>>) {
    if node.is_function() || node.kind() == kind::PROPERTY {
        functions.push(node.range());
    }
    node.children().for_each(|child| collect(child, functions));
}

fn likeness(example: &str, found: &str) -> f32 {
    // Words of very different number cannot be alike; the comparison itself is quadratic.
    let (one, other) = (example.len() as f32, found.len() as f32);
    if one.min(other) * 8.0 < one.max(other) {
        return 0.0;
    }
    TextDiff::from_words(example, found).ratio()
}

/// The code without the indent that it has in common, and with plain line ends.
fn dedented(text: &str, range: &Range<usize>) -> String {
    let base = super::dress::base_at(text, range.start);
    let mut out = text[range.clone()]
        .replace("\r\n", "\n")
        .split('\n')
        .map(|line| line.strip_prefix(base).unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n");
    out.push('\n');
    out
}
