//! A page for people: lines of styled text, at most 80 columns of prose, wider only for code on a wide terminal.
//! Styles are always written; the stream that takes the page drops them where they are not wanted.

use anstyle::{AnsiColor, Effects, Style};

use super::text;
use crate::settings::Screen;

pub(super) const PLAIN: Style = Style::new();
pub(super) const STRONG: Style = Style::new().effects(Effects::BOLD);
pub(super) const FAINT: Style = Style::new().effects(Effects::DIMMED);
pub(super) const GOOD: Style = AnsiColor::Green.on_default().effects(Effects::BOLD);
pub(super) const BAD: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
pub(super) const WARN: Style = AnsiColor::Yellow.on_default().effects(Effects::BOLD);
pub(super) const CALM: Style = AnsiColor::Cyan.on_default().effects(Effects::BOLD);
pub(super) const ADDED: Style = AnsiColor::Green.on_default();
pub(super) const REMOVED: Style = AnsiColor::Red.on_default();

/// Longest line of prose, however wide the terminal: longer ones are hard to read.
const PROSE: usize = 80;
/// Narrower than this, breaking lines makes them no more readable.
const NARROWEST: usize = 40;

/// Text that grows line by line.
pub(super) struct Page {
    text: String,
    screen: Screen,
}

impl Page {
    pub(super) fn new(screen: Screen) -> Self {
        Self {
            text: String::new(),
            screen,
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    pub(super) fn is_unicode(&self) -> bool {
        self.screen.unicode
    }

    /// Columns for prose.
    pub(super) fn columns(&self) -> usize {
        self.code_columns()
            .map_or(PROSE, |columns| columns.min(PROSE))
    }

    /// Columns for code; `None` where its lines are to stay whole.
    pub(super) fn code_columns(&self) -> Option<usize> {
        self.screen
            .columns
            .map(|columns| usize::from(columns).max(NARROWEST))
    }

    /// A blank line, unless there is one.
    pub(super) fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// One line of parts that are already clean.
    pub(super) fn line(&mut self, indent: usize, parts: &[(Style, &str)]) {
        let mut line = " ".repeat(indent);
        for (style, part) in parts {
            if *style == PLAIN || part.trim().is_empty() {
                line.push_str(part);
            } else {
                line.push_str(&format!("{style}{part}{style:#}"));
            }
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// A paragraph of anybody's words.
    pub(super) fn prose(&mut self, indent: usize, style: Style, words: &str) {
        for line in text::wrap(words, self.columns() - indent) {
            self.line(indent, &[(style, &line)]);
        }
    }

    /// A paragraph behind a label, its further lines below its first.
    pub(super) fn labelled(&mut self, indent: usize, label: (Style, &str), words: &str) {
        let hang = indent + text::width(label.1) + 1;
        for (number, line) in text::wrap(words, self.columns().saturating_sub(hang).max(20))
            .iter()
            .enumerate()
        {
            if number == 0 {
                self.line(indent, &[label, (PLAIN, " "), (PLAIN, line)]);
            } else {
                self.line(hang, &[(PLAIN, line)]);
            }
        }
    }

    /// Text that is laid out already, indented.
    pub(super) fn block(&mut self, indent: usize, block: &str) {
        for line in block.lines() {
            self.line(indent, &[(PLAIN, line)]);
        }
    }
}
