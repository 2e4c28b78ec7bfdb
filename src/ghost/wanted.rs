//! What is wanted of a package: one version, a range, or a tag; told apart as npm does.

use std::fmt;

use nodejs_semver::{Range, Version};

/// A version, a range or a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// `6.65.0`, `v6.65.0`
    Version(Version),
    /// `^6`, `6.x`, `>=5 <6`, `6.65`
    Range {
        /// As it was written.
        text: String,
        /// As it is meant.
        range: Range,
    },
    /// `latest`
    Tag(String),
}

impl Wanted {
    /// Reads a version, a range or a tag; `None` where it is none of them (an address, a path, two words).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text == "*" {
            return Some(Self::Range {
                text: "*".to_owned(),
                range: Range::any(),
            });
        }
        // nodejs-semver reads `=v 1.0.0`, npm does not: a version is digits and dots from its first character on.
        let bare = text.trim_start_matches(['=', 'v', 'V', ' ']);
        let is_version = text.len() - bare.len() <= 2 && bare.split('.').count() >= 3;
        if is_version && let Ok(version) = Version::parse(bare) {
            return Some(Self::Version(version));
        }
        if let Ok(range) = Range::parse(text)
            && text.contains(|character: char| character.is_ascii_digit() || character == '*')
        {
            return Some(Self::Range {
                text: text.to_owned(),
                range,
            });
        }
        let is_tag = text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "-_.!~'()".contains(character))
            && !text.starts_with(['.', '-']);
        is_tag.then(|| Self::Tag(text.to_owned()))
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(formatter),
            Self::Range { text, .. } => formatter.write_str(text),
            Self::Tag(tag) => formatter.write_str(tag),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Wanted;

    #[test]
    fn versions_ranges_and_tags_are_told_apart() {
        for (text, expected) in [
            ("6.65.0", "version 6.65.0"),
            ("v6.65.0", "version 6.65.0"),
            ("=6.65.0", "version 6.65.0"),
            ("5.0.0-rc.1", "version 5.0.0-rc.1"),
            ("6", "range 6"),
            ("6.65", "range 6.65"),
            ("^5.75.1", "range ^5.75.1"),
            (">=5 <6", "range >=5 <6"),
            ("4.x || 5.x", "range 4.x || 5.x"),
            ("*", "range *"),
            ("", "range *"),
            ("latest", "tag latest"),
            ("next-5", "tag next-5"),
            ("lts", "tag lts"),
            ("x", "tag x"),
        ] {
            let found = match Wanted::parse(text) {
                Some(Wanted::Version(version)) => format!("version {version}"),
                Some(Wanted::Range { text, .. }) => format!("range {text}"),
                Some(Wanted::Tag(tag)) => format!("tag {tag}"),
                None => "none".to_owned(),
            };
            assert_eq!(found, expected, "{text:?}");
        }
        for text in [
            "a b",
            "../x",
            "https://a.test/x.tgz",
            "npm:other@1",
            "-x",
            "a@b",
            "ghost:6",
        ] {
            assert_eq!(Wanted::parse(text), None, "{text:?}");
        }
    }
}
