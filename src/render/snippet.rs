//! The place in the code that a refusal is about, with a caret under it: annotate-snippets draws, this module hands
//! it only the lines around the place, cleaned, and never trusts a byte range.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::page::{FAINT, Page};
use super::text;
use crate::report::Evidence;

/// Lines shown before the first and after the last place.
const AROUND: usize = 2;
/// More than this between the places, and only the first is shown.
const MOST_BYTES: usize = 64 * 1024;
/// Of a line that is too long to be looked at, this much around the place.
const LINE_PART: usize = 400;

/// Line and column of a byte, both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Where a byte offset is; an offset beyond the text is its end.
fn position(source: &str, offset: usize) -> Position {
    let before = &source[..source.floor_char_boundary(offset)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Position {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

/// Where a range starts and ends, wherever in the text it claims to be.
pub(super) fn positions(source: &str, range: &Range<usize>) -> (Position, Position) {
    let range = within(source, range);
    (position(source, range.start), position(source, range.end))
}

/// A part of the source, cleaned, with the places in it.
struct Window {
    text: String,
    first_line: usize,
    labels: Vec<(Range<usize>, String)>,
    whole_lines: bool,
}

/// Shows the places of the evidence in their lines; nothing where it has none.
pub(super) fn show(evidence: &Evidence, path: &str, indent: usize, page: &mut Page) {
    let Some(window) = window(evidence) else {
        return;
    };
    let columns = page.code_columns().unwrap_or(page.columns());
    let renderer = Renderer::styled()
        .term_width(columns.saturating_sub(indent))
        .decor_style(if page.is_unicode() {
            DecorStyle::Unicode
        } else {
            DecorStyle::Ascii
        });
    let annotations = window
        .labels
        .iter()
        .enumerate()
        .map(|(number, (range, label))| {
            let kind = if number == 0 {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            kind.span(range.clone()).label(label.as_str())
        });
    let path = text::clean(path);
    let snippet = Snippet::source(window.text.as_str())
        .line_start(window.first_line)
        .annotations(annotations);
    let snippet = if window.whole_lines {
        snippet.path(path.as_ref())
    } else {
        snippet
    };
    let drawn = renderer.render(&[Group::with_level(Level::ERROR).element(snippet)]);
    page.block(indent, &drawn);
    if !window.whole_lines {
        let place = position(&evidence.source, evidence.labels[0].0.start);
        page.line(
            indent,
            &[(
                FAINT,
                &format!("(part of line {}, from {path})", place.line),
            )],
        );
    }
}

fn window(evidence: &Evidence) -> Option<Window> {
    let source = evidence.source.as_str();
    let mut places: Vec<(Range<usize>, &str)> = evidence
        .labels
        .iter()
        .map(|(range, label)| (within(source, range), label.as_str()))
        .collect();
    let first = places.first()?.0.clone();
    let reach = |places: &[(Range<usize>, &str)]| {
        let start = places
            .iter()
            .map(|(range, _)| range.start)
            .min()
            .unwrap_or(first.start);
        let end = places
            .iter()
            .map(|(range, _)| range.end)
            .max()
            .unwrap_or(first.end);
        lines_around(source, start..end)
    };
    let mut shown = reach(&places);
    if shown.len() > MOST_BYTES {
        places.truncate(1);
        shown = reach(&places);
    }
    let whole_lines = shown.len() <= MOST_BYTES;
    if !whole_lines {
        // Minified code, or a place that is most of a large file.
        let start = source.floor_char_boundary(first.start.saturating_sub(LINE_PART / 2));
        shown = start..source.floor_char_boundary(start + LINE_PART);
        places[0].0.end = places[0].0.end.min(shown.end);
    }
    let (text, offsets) = clean_lines(&source[shown.clone()]);
    let labels = places
        .into_iter()
        .map(|(range, label)| {
            let moved = offsets[range.start - shown.start]..offsets[range.end - shown.start];
            (moved, text::clean(label).into_owned())
        })
        .collect();
    Some(Window {
        text,
        first_line: position(source, shown.start).line,
        labels,
        whole_lines,
    })
}

/// A range made to lie within the text, on whole characters.
fn within(source: &str, range: &Range<usize>) -> Range<usize> {
    let start = source.floor_char_boundary(range.start);
    start..source.ceil_char_boundary(range.end).max(start)
}

/// The range, made wider to whole lines and a few more on both sides.
fn lines_around(source: &str, range: Range<usize>) -> Range<usize> {
    let start = source[..range.start]
        .rmatch_indices('\n')
        .nth(AROUND)
        .map_or(0, |(newline, _)| newline + 1);
    let end = source[range.end..]
        .match_indices('\n')
        .nth(AROUND)
        .map_or(source.len(), |(newline, _)| range.end + newline);
    start..end
}

/// Lines of code made fit to be shown, and for each byte of the original where it is now.
fn clean_lines(source: &str) -> (String, Vec<usize>) {
    let mut cleaned = String::with_capacity(source.len());
    let mut offsets = Vec::with_capacity(source.len() + 1);
    let mut characters = source.chars().peekable();
    while let Some(character) = characters.next() {
        let start = cleaned.len();
        match character {
            '\n' => cleaned.push('\n'),
            '\t' => cleaned.push_str("    "),
            // The end of a CRLF line is no news.
            '\r' if characters.peek() == Some(&'\n') => {}
            '[' if cleaned.ends_with("##") => text::push_escaped(&mut cleaned, '['),
            hidden if text::is_hidden(hidden) => text::push_escaped(&mut cleaned, hidden),
            shown => cleaned.push(shown),
        }
        offsets.extend(std::iter::repeat_n(start, character.len_utf8()));
    }
    offsets.push(cleaned.len());
    (cleaned, offsets)
}

#[cfg(test)]
mod tests;
