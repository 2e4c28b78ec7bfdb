//! Text that others wrote (paths, code, messages), made fit to be shown: a file of a Ghost installation must not be
//! able to move the cursor, turn the reading direction, hide characters, or give a CI runner commands.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

use unicode_width::UnicodeWidthChar;

/// The text in one line, with every character that does not show itself written as `\u{…}`.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) && !text.contains("##[") {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        // GitHub's runner obeys `##[error]` anywhere in a line of output.
        if is_hidden(character) || (character == '[' && cleaned.ends_with("##")) {
            push_escaped(&mut cleaned, character);
        } else {
            cleaned.push(character);
        }
    }
    Cow::Owned(cleaned)
}

/// As [`clean`], for a line of code: a tab becomes four spaces.
pub(super) fn clean_code(line: &str) -> Cow<'_, str> {
    if line.contains('\t') {
        Cow::Owned(clean(&line.replace('\t', "    ")).into_owned())
    } else {
        clean(line)
    }
}

/// A character as `\u{…}`.
pub(super) fn push_escaped(text: &mut String, character: char) {
    write!(text, "\\u{{{:x}}}", u32::from(character)).expect("writing to a string does not fail");
}

/// Whether a character does something else than show itself: control characters, those that turn the reading
/// direction or break the line, and those without any width.
pub(super) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A path as text: bytes that are not UTF-8 become `\xNN`, so that two paths never look the same.
pub(super) fn path_text(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            write!(text, "\\x{byte:02x}").expect("writing to a string does not fail");
        }
    }
    text
}

/// How many columns a cleaned text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars()
        .map(|character| character.width().unwrap_or(0))
        .sum()
}

/// Breaks prose into lines of at most `columns`, at spaces; a word that is longer stays whole, since it is mostly a
/// path or a command that is to be copied. The text is cleaned; its own line ends are kept.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            let word = clean(word);
            if !line.is_empty() && width(&line) + 1 + width(&word) > columns {
                lines.push(std::mem::take(&mut line));
            }
            if line.is_empty() {
                line.push_str(&defuse(&word));
            } else {
                line.push(' ');
                line.push_str(&word);
            }
        }
        lines.push(line);
    }
    lines
}

/// GitHub's runner obeys a line that begins with `::`, spaces before it or not.
fn defuse(word: &str) -> Cow<'_, str> {
    match word.strip_prefix("::") {
        Some(rest) => Cow::Owned(format!("\\u{{3a}}:{rest}")),
        None => Cow::Borrowed(word),
    }
}

/// `1 patch`, `2 patches`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {many}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_show_itself_is_spelled_out() {
        for (text, expected) in [
            ("plain, größer, 日本", "plain, größer, 日本"),
            (
                "\u{1b}[2J\u{1b}]0;title\u{7}",
                "\\u{1b}[2J\\u{1b}]0;title\\u{7}",
            ),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\r\nb\u{7f}", "a\\u{d}\\u{a}b\\u{7f}"),
            (
                "if (isAdmin\u{202e}\u{2066}) {",
                "if (isAdmin\\u{202e}\\u{2066}) {",
            ),
            (
                "err\u{200b}no\u{2028}\u{feff}",
                "err\\u{200b}no\\u{2028}\\u{feff}",
            ),
            ("\u{e0041}\u{fe0f}\u{3164}", "\\u{e0041}\\u{fe0f}\\u{3164}"),
            ("a ##[error]b ##[", "a ##\\u{5b}error]b ##\\u{5b}"),
        ] {
            assert_eq!(clean(text), expected);
        }
    }

    #[test]
    fn cleaning_twice_changes_nothing_more() {
        let text: String = (0..0x3000).filter_map(char::from_u32).collect();
        let once = clean(&text).into_owned();
        assert_eq!(clean(&once), once);
        assert!(!once.chars().any(is_hidden));
    }

    #[test]
    fn prose_is_broken_at_spaces_and_words_stay_whole() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(
            wrap("see /a/very/long/path now", 8),
            ["see", "/a/very/long/path", "now"]
        );
        assert_eq!(wrap("日本 日本", 5), ["日本", "日本"]);
        assert_eq!(wrap("a\n\nb", 5), ["a", "", "b"]);
    }

    #[test]
    fn no_line_begins_with_a_command_for_a_ci_runner() {
        assert_eq!(wrap("see ::error::x", 5), ["see", "\\u{3a}:error::x"]);
        assert_eq!(
            wrap("   ::set-env name=A::b", 80),
            ["\\u{3a}:set-env name=A::b"]
        );
        assert_eq!(wrap("std::fmt ::x", 80), ["std::fmt ::x"]);
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_text_stay_distinct() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"caf\xe9/\xff\xfe/x"));
        assert_eq!(path_text(path), "caf\\xe9/\\xff\\xfe/x");
    }
}
