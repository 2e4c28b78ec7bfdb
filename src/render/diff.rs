//! A unified diff as people read it: line numbers, the changed words marked, long lines broken below themselves.

use anstyle::{Effects, Style};
use similar::{ChangeTag, InlineChangeOptions, TextDiff};
use unicode_width::UnicodeWidthChar;

use super::page::{ADDED, FAINT, PLAIN, Page, REMOVED};
use super::text;

/// Longer lines than this are cut: minified code is nothing to read.
const LONGEST_LINE: usize = 2_000;
/// More lines than this are left out: the diff to the nearest shape of an entirely different file.
const MOST_LINES: usize = 400;

/// One `@@` part of a diff.
#[derive(Debug, PartialEq)]
struct Hunk<'d> {
    old_start: usize,
    new_start: usize,
    lines: Vec<(ChangeTag, &'d str)>,
}

/// A line as shown: its words, each marked or not.
struct Shown {
    tag: ChangeTag,
    number: usize,
    words: Vec<(bool, String)>,
}

/// The first line that the diff changes, as the file after it counts them.
pub(super) fn first_changed_line(diff: &str) -> Option<usize> {
    let hunks = parse(diff);
    let hunk = hunks.first()?;
    let before = hunk
        .lines
        .iter()
        .take_while(|(tag, _)| *tag == ChangeTag::Equal)
        .count();
    (before < hunk.lines.len()).then_some(hunk.new_start + before)
}

/// Shows the diff; nothing where it is empty.
pub(super) fn show(diff: &str, indent: usize, page: &mut Page) {
    let hunks = parse(diff);
    let last = hunks
        .iter()
        .map(|hunk| hunk.old_start.max(hunk.new_start) + hunk.lines.len())
        .max()
        .unwrap_or(0);
    let gutter = last.to_string().len();
    let mut left = MOST_LINES;
    for (number, hunk) in hunks.iter().enumerate() {
        if number > 0 {
            page.line(
                indent,
                &[(
                    FAINT,
                    &format!(
                        "{:>gutter$} {}",
                        "",
                        if page.is_unicode() { "┊" } else { ":" }
                    ),
                )],
            );
        }
        let (lines, rest) = hunk.lines.split_at(left.min(hunk.lines.len()));
        for line in shown_lines(hunk, lines) {
            show_line(&line, gutter, indent, page);
        }
        if !rest.is_empty() {
            page.line(
                indent,
                &[(
                    FAINT,
                    "the rest of the diff is left out here; --format json has it whole",
                )],
            );
            return;
        }
        left -= lines.len();
    }
}

fn show_line(line: &Shown, gutter: usize, indent: usize, page: &mut Page) {
    let (sign, style) = match line.tag {
        ChangeTag::Equal => (" ", PLAIN),
        ChangeTag::Delete => ("-", REMOVED),
        ChangeTag::Insert => ("+", ADDED),
    };
    let rule = if page.is_unicode() { "│" } else { "|" };
    let number = format!("{:>gutter$} {rule} ", line.number);
    let continued = format!("{:>gutter$} {rule} ", "");
    let room = page
        .code_columns()
        .map(|columns| columns.saturating_sub(indent + gutter + 5).max(20));
    let hang = hang(&line.words, room);
    for (row, words) in break_line(&line.words, room, hang.len()).iter().enumerate() {
        let mut parts = if row == 0 {
            vec![(FAINT, number.as_str()), (style, sign), (PLAIN, " ")]
        } else {
            vec![
                (FAINT, continued.as_str()),
                (PLAIN, "  "),
                (PLAIN, hang.as_str()),
            ]
        };
        for (marked, word) in words {
            parts.push((if *marked { emphasised(style) } else { style }, word));
        }
        page.line(indent, &parts);
    }
}

fn emphasised(style: Style) -> Style {
    style.effects(Effects::BOLD | Effects::UNDERLINE)
}

/// The first lines of a hunk with their numbers, and the changed words of replaced lines marked.
fn shown_lines(hunk: &Hunk<'_>, lines: &[(ChangeTag, &str)]) -> Vec<Shown> {
    // Where all lines end the same way the ends are no part of the change.
    let strip = lines.iter().all(|(_, line)| line.ends_with('\r'));
    let code = |line: &str| {
        let line = if strip {
            line.strip_suffix('\r').unwrap_or(line)
        } else {
            line
        };
        match line.char_indices().nth(LONGEST_LINE) {
            Some((end, _)) => format!(
                "{} [{} more bytes]",
                text::clean_code(&line[..end]),
                line.len() - end
            ),
            None => text::clean_code(line).into_owned(),
        }
    };
    // Our edits make one line much longer: mark what is new in it even where little of it is old.
    let mut marking = InlineChangeOptions::new();
    marking.min_ratio(0.3).semantic_cleanup(true);
    let (mut old, mut new) = (hunk.old_start, hunk.new_start);
    let mut shown = Vec::new();
    let mut rest = lines;
    while let Some((tag, line)) = rest.first() {
        if *tag == ChangeTag::Equal {
            shown.push(Shown {
                tag: *tag,
                number: new,
                words: vec![(false, code(line))],
            });
            (old, new) = (old + 1, new + 1);
            rest = &rest[1..];
            continue;
        }
        let end = rest
            .iter()
            .position(|(tag, _)| *tag == ChangeTag::Equal)
            .unwrap_or(rest.len());
        let of = |tag| {
            rest[..end]
                .iter()
                .filter(move |line| line.0 == tag)
                .map(|line| code(line.1))
                .collect::<Vec<_>>()
        };
        let (removed, added) = (of(ChangeTag::Delete), of(ChangeTag::Insert));
        rest = &rest[end..];
        let (first_old, first_new) = (old, new);
        (old, new) = (old + removed.len(), new + added.len());
        let (before, after): (Vec<&str>, Vec<&str>) = (
            removed.iter().map(String::as_str).collect(),
            added.iter().map(String::as_str).collect(),
        );
        let changes = TextDiff::from_slices(&before, &after);
        for change in changes.iter_all_inline_changes_with_options(marking) {
            let number = match (change.tag(), change.old_index(), change.new_index()) {
                (ChangeTag::Delete, Some(index), _) => first_old + index,
                (_, _, index) => first_new + index.unwrap_or(0),
            };
            let words = change
                .iter_strings_lossy()
                .map(|(marked, word)| (marked, word.into_owned()))
                .collect();
            shown.push(Shown {
                tag: change.tag(),
                number,
                words,
            });
        }
    }
    shown
}

/// The indent of the further rows of a broken line: one step deeper than the line itself, where there is room for it.
fn hang(words: &[(bool, String)], room: Option<usize>) -> String {
    let spaces = words
        .iter()
        .flat_map(|(_, word)| word.chars())
        .take_while(|character| *character == ' ')
        .count();
    " ".repeat((spaces + 4).min(room.unwrap_or(0) / 2))
}

/// Breaks a line to the room there is, after a space where the last third has one; further rows have `hang` less.
fn break_line(
    words: &[(bool, String)],
    room: Option<usize>,
    hang: usize,
) -> Vec<Vec<(bool, String)>> {
    let cells: Vec<(bool, char)> = words
        .iter()
        .flat_map(|(marked, word)| word.chars().map(|character| (*marked, character)))
        .collect();
    let Some(mut room) = room else {
        return vec![join(&cells)];
    };
    let mut rows = Vec::new();
    let mut rest = cells.as_slice();
    loop {
        let mut columns = 0;
        let fits = rest.iter().take_while(|(_, character)| {
            columns += character.width().unwrap_or(0);
            columns <= room
        });
        let fits = fits.count();
        if fits == rest.len() {
            rows.push(join(rest));
            return rows;
        }
        let at_space = rest[..fits]
            .iter()
            .rposition(|(_, character)| *character == ' ')
            .map(|space| space + 1);
        let end = at_space
            .filter(|end| *end > fits * 2 / 3)
            .unwrap_or(fits)
            .max(1);
        if rows.is_empty() {
            room -= hang;
        }
        rows.push(join(&rest[..end]));
        rest = &rest[end..];
    }
}

fn join(cells: &[(bool, char)]) -> Vec<(bool, String)> {
    cells
        .chunk_by(|(left, _), (right, _)| left == right)
        .map(|chunk| {
            (
                chunk[0].0,
                chunk.iter().map(|(_, character)| *character).collect(),
            )
        })
        .collect()
}

/// Reads a unified diff. A line that belongs to no hunk (file names, a missing line end) is not for people.
fn parse(diff: &str) -> Vec<Hunk<'_>> {
    let mut hunks: Vec<Hunk<'_>> = Vec::new();
    for line in diff.split_terminator('\n') {
        if let Some((old_start, new_start)) = parse_header(line) {
            hunks.push(Hunk {
                old_start,
                new_start,
                lines: Vec::new(),
            });
            continue;
        }
        let Some(hunk) = hunks.last_mut() else {
            continue;
        };
        let tagged = match line.as_bytes().first() {
            Some(b'+') => (ChangeTag::Insert, &line[1..]),
            Some(b'-') => (ChangeTag::Delete, &line[1..]),
            Some(b' ') => (ChangeTag::Equal, &line[1..]),
            // An empty line of context, its space taken off by an editor.
            None => (ChangeTag::Equal, line),
            Some(_) => continue,
        };
        hunk.lines.push(tagged);
    }
    hunks
}

/// `@@ -183,7 +183,8 @@`: where the hunk starts, before and after.
fn parse_header(line: &str) -> Option<(usize, usize)> {
    let (ranges, _) = line.strip_prefix("@@ -")?.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let start = |range: &str| range.split(',').next()?.parse().ok();
    Some((start(old)?, start(new)?))
}

#[cfg(test)]
mod tests;
