//! The page's small parts: words that are never markup, signs and badges, and a diff in colours.

use crate::render::check::groups::Cell;
use crate::render::text;
use crate::report::check::Verdict;
use crate::report::{PatchDescription, State};

pub(super) fn badge(verdict: Verdict) -> String {
    format!("<span class=\"badge {0}\">{0}</span>", verdict.word())
}

/// What colour a state has.
pub(super) fn kind(state: Option<State>) -> &'static str {
    match state {
        None | Some(State::NotNeeded) => "none",
        Some(State::WouldApply | State::Applied) => "made",
        Some(State::AlreadyApplied | State::ByHand | State::FixedUpstream | State::Reverted) => {
            "there"
        }
        Some(
            State::NotApplied
            | State::Outdated
            | State::Interrupted
            | State::Drifted
            | State::Ambiguous
            | State::BrokenByHand
            | State::Missing
            | State::ProofFailed,
        ) => "stops",
    }
}

pub(super) fn chip(patch: &PatchDescription, cell: &Cell) -> String {
    let sign = match kind(cell.state) {
        "made" => "●",
        "there" => "✓",
        "stops" => "✗",
        _ => "–",
    };
    let word = cell.state.map_or("no such package", State::word);
    format!(
        "<span class=\"chip {}\" title=\"{1}: {word}\" aria-label=\"{1}: {word}\">{sign}</span>",
        kind(cell.state),
        escaped(&patch.id),
    )
}

pub(super) fn diff(diff: &str) -> String {
    let mut block = String::from("<pre class=\"diff\">");
    for line in diff.lines() {
        if line.starts_with("--- ") || line.starts_with("+++ ") {
            continue;
        }
        let class = match line.as_bytes().first() {
            Some(b'+') => "added",
            Some(b'-') => "removed",
            Some(b'@') => "place",
            _ => "",
        };
        block.push_str(&format!(
            "<span class=\"{class}\">{}</span>\n",
            escaped(&text::clean_code(line))
        ));
    }
    block.push_str("</pre>");
    block
}

/// Our own words, whose code stands between backticks.
pub(in crate::render::check) fn with_code(words: &str) -> String {
    let parts = words.split('`').enumerate();
    parts
        .map(|(number, part)| match number % 2 {
            0 => escaped(part),
            _ => format!("<code>{}</code>", escaped(part)),
        })
        .collect()
}

/// Anybody's words as text of an element or a quoted attribute.
pub(in crate::render::check) fn escaped(words: &str) -> String {
    let mut escaped = String::with_capacity(words.len());
    for character in text::clean(words).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_never_markup() {
        assert_eq!(
            escaped("<script>'\"&\u{202e}"),
            "&lt;script&gt;&#39;&quot;&amp;\\u{202e}"
        );
        assert!(diff("-a\n+<b>\n").contains("<span class=\"added\">+&lt;b&gt;</span>"));
    }
}
