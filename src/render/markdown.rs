//! A patch's page (Markdown, ours) laid out for a terminal: headings, paragraphs, lists, quotes and code.

use anstyle::{Effects, Style};
use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

use super::page::{CALM, FAINT, PLAIN, Page, STRONG};
use super::text;

const CODE: Style = anstyle::AnsiColor::Cyan.on_default();

/// A word: its pieces, each in its style, without space between them.
type Word = Vec<(Style, String)>;

/// Words that are being collected until their block ends, and the blocks that are open around them.
struct Layout<'p> {
    page: &'p mut Page,
    indent: usize,
    words: Vec<Word>,
    /// Whether the next piece belongs to the last word.
    joined: bool,
    styles: Vec<Style>,
    /// What the next line of a list item begins with.
    bullet: Option<String>,
    /// Open lists, with the next number of each ordered one.
    lists: Vec<Option<u64>>,
    /// Open items, with the columns that each is indented by.
    items: Vec<usize>,
    link: String,
    code_block: bool,
    /// Whether something was shown that wants a blank line after it.
    apart: bool,
}

/// Shows the page's text.
pub(super) fn show(markdown: &str, page: &mut Page) {
    let mut layout = Layout {
        page,
        indent: 0,
        words: Vec::new(),
        joined: false,
        styles: vec![PLAIN],
        bullet: None,
        lists: Vec::new(),
        items: Vec::new(),
        link: String::new(),
        code_block: false,
        apart: false,
    };
    for event in Parser::new(markdown) {
        layout.event(event);
    }
}

impl Layout<'_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.code_block => self.code_lines(&text),
            Event::Text(text) => self.text(&text, self.style()),
            // The quotes stay: without colours nothing else tells where code ends. Code that has its own needs none.
            Event::Code(code) if code.contains('`') => self.text(&code, CODE),
            Event::Code(code) => self.text(&format!("`{code}`"), CODE),
            Event::SoftBreak => self.joined = false,
            Event::HardBreak => self.flush(),
            Event::Rule => {
                self.separate();
                let rule = if self.page.is_unicode() { "─" } else { "-" };
                self.page
                    .line(0, &[(FAINT, &rule.repeat(self.page.columns()))]);
                self.apart = true;
            }
            // A comment is for whoever edits the page.
            Event::Html(_) | Event::InlineHtml(_) => {}
            // Extensions, none of which is switched on.
            Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.separate();
                self.styles.push(if level == HeadingLevel::H1 {
                    STRONG.effects(Effects::BOLD | Effects::UNDERLINE)
                } else {
                    STRONG
                });
            }
            Tag::Paragraph => self.separate_items(),
            Tag::List(first) => {
                self.flush();
                if self.lists.is_empty() {
                    self.separate();
                }
                self.lists.push(first);
            }
            Tag::Item => {
                let bullet = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}.", *number - 1)
                    }
                    _ => if self.page.is_unicode() { "•" } else { "-" }.to_owned(),
                };
                self.items.push(text::width(&bullet) + 1);
                self.indent += text::width(&bullet) + 1;
                self.bullet = Some(bullet);
            }
            Tag::CodeBlock(_) => {
                self.flush();
                self.separate();
                self.code_block = true;
            }
            Tag::BlockQuote(_) => {
                self.separate();
                self.indent += 2;
            }
            Tag::Emphasis => self.styles.push(self.style().effects(Effects::ITALIC)),
            Tag::Strong => self.styles.push(self.style() | Effects::BOLD),
            Tag::Link { dest_url, .. } => self.link = dest_url.into_string(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                self.flush();
                self.styles.pop();
                self.apart = true;
            }
            TagEnd::Paragraph => {
                self.flush();
                self.apart = true;
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.apart = true;
            }
            TagEnd::Item => {
                self.flush();
                if let Some(bullet) = self.bullet.take() {
                    self.page
                        .line(self.indent - text::width(&bullet) - 1, &[(CALM, &bullet)]);
                }
                self.indent -= self.items.pop().unwrap_or(0);
            }
            TagEnd::CodeBlock => {
                self.code_block = false;
                self.apart = true;
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.indent -= 2;
            }
            TagEnd::Emphasis | TagEnd::Strong => {
                self.styles.pop();
            }
            TagEnd::Link => {
                let link = std::mem::take(&mut self.link);
                let is_shown = self.words.last().is_some_and(|word| {
                    word.iter()
                        .map(|(_, piece)| piece.as_str())
                        .collect::<String>()
                        .ends_with(&link)
                });
                if !is_shown {
                    self.joined = false;
                    self.text(&format!("({link})"), FAINT);
                }
            }
            _ => {}
        }
    }

    fn style(&self) -> Style {
        self.styles.last().copied().unwrap_or(PLAIN)
    }

    /// Adds words; where the text neither begins nor ends with a space, it joins its neighbours.
    fn text(&mut self, added: &str, style: Style) {
        for (number, word) in added.split(char::is_whitespace).enumerate() {
            if number > 0 {
                self.joined = false;
            }
            if word.is_empty() {
                continue;
            }
            let piece = (style, text::clean(word).into_owned());
            match self.words.last_mut() {
                Some(last) if self.joined => last.push(piece),
                _ => self.words.push(vec![piece]),
            }
            self.joined = true;
        }
    }

    fn code_lines(&mut self, code: &str) {
        for line in code.lines() {
            let indent = self.indent + 4;
            self.page.line(indent, &[(CODE, &text::clean_code(line))]);
        }
    }

    /// A blank line between blocks.
    fn separate(&mut self) {
        if std::mem::take(&mut self.apart) {
            self.page.blank();
        }
    }

    /// As [`Self::separate`], but not between an item's bullet and its words.
    fn separate_items(&mut self) {
        if self.bullet.is_none() {
            self.separate();
        }
    }

    /// Lays out the words collected so far as lines.
    fn flush(&mut self) {
        self.joined = false;
        let words = std::mem::take(&mut self.words);
        if words.is_empty() {
            return;
        }
        let columns = self.page.columns().saturating_sub(self.indent).max(20);
        let mut rows: Vec<(usize, Vec<Word>)> = Vec::new();
        for word in words {
            let width = word
                .iter()
                .map(|(_, piece)| text::width(piece))
                .sum::<usize>();
            match rows.last_mut() {
                Some((taken, row)) if *taken + 1 + width <= columns => {
                    *taken += 1 + width;
                    row.push(word);
                }
                _ => rows.push((width, vec![word])),
            }
        }
        for (_, row) in rows {
            let bullet = self.bullet.take();
            let mut parts: Vec<(Style, &str)> = Vec::new();
            let mut indent = self.indent;
            if let Some(bullet) = &bullet {
                indent -= text::width(bullet) + 1;
                parts.extend([(CALM, bullet.as_str()), (PLAIN, " ")]);
            }
            let pieces = runs(&row);
            parts.extend(pieces.iter().map(|(style, piece)| (*style, piece.as_str())));
            self.page.line(indent, &parts);
        }
    }
}

/// The words of a line as runs of one style, so that an underlined heading is underlined between its words too.
fn runs(row: &[Word]) -> Vec<(Style, String)> {
    let mut runs: Vec<(Style, String)> = Vec::new();
    for (number, word) in row.iter().enumerate() {
        for (place, (style, piece)) in word.iter().enumerate() {
            let space = if number > 0 && place == 0 { " " } else { "" };
            match runs.last_mut() {
                Some((last, run)) if last == style => {
                    run.push_str(space);
                    run.push_str(piece);
                }
                _ => {
                    runs.push((PLAIN, space.to_owned()));
                    runs.push((*style, piece.clone()));
                }
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests;
