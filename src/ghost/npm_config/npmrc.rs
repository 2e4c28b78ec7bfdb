//! One `.npmrc` file (or the environment) as npm's own reader sees it: keys in their order, values unquoted,
//! `${VARIABLE}` replaced. Which level wins and what a key means is left to the parent module.
//!
//! General INI readers split `//host/:_authToken=x` at the first `:`; npm splits at the first `=`.

use std::collections::BTreeMap;

/// The value of one key.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// `key=value`, and `true` for a key alone.
    Text(String),
    /// `key[]=value`, repeated.
    List(Vec<String>),
}

impl Value {
    /// The value as one text; a list, as npm writes it into its environment.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(items) => items.join("\n\n"),
        }
    }
}

/// The keys of one level, each once, in the order of their first mention.
#[derive(Clone, Default)]
pub(super) struct Entries(Vec<(String, Value)>);

impl Entries {
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    fn set(&mut self, key: String, value: String, in_list: bool) {
        let place = self.0.iter().position(|(name, _)| *name == key);
        match (place, in_list) {
            (None, false) => self.0.push((key, Value::Text(value))),
            (None, true) => self.0.push((key, Value::List(vec![value]))),
            (Some(index), _) => match (&mut self.0[index].1, in_list) {
                (Value::List(items), _) => items.push(value),
                (text @ Value::Text(_), false) => *text = Value::Text(value),
                (Value::Text(first), true) => {
                    let first = std::mem::take(first);
                    self.0[index].1 = Value::List(vec![first, value]);
                }
            },
        }
    }

    /// The text of an `.npmrc` file.
    pub(super) fn parse(text: &str, environment: &BTreeMap<String, String>) -> Self {
        let mut entries = Self::default();
        // A byte order mark is not white space for npm either, but an editor's habit should not cost a registry.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for line in text.split(['\r', '\n']) {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with([';', '#']) {
                continue;
            }
            if line.starts_with('[') && trimmed.ends_with(']') {
                // npm puts what follows a section under the section's name, where no setting is looked for.
                break;
            }
            let (key, value) = match line.split_once('=') {
                Some((key, value)) => (unquote(key), unquote(value)),
                None => (unquote(line), "true".to_owned()),
            };
            let (key, in_list) = match key.strip_suffix("[]") {
                Some(list) if !list.is_empty() => (list.to_owned(), true),
                _ => (key, false),
            };
            if !key.is_empty() {
                entries.set(
                    expand(&key, environment),
                    expand(value.trim(), environment),
                    in_list,
                );
            }
        }
        entries
    }

    /// The `npm_config_*` variables: case does not count, `_` stands for `-`, nothing empty is a setting.
    pub(super) fn from_environment(environment: &BTreeMap<String, String>) -> Self {
        let mut entries = Self::default();
        for (name, value) in environment {
            let Some((prefix, key)) = name.split_at_checked("npm_config_".len()) else {
                continue;
            };
            if !prefix.eq_ignore_ascii_case("npm_config_") || value.is_empty() || key.is_empty() {
                continue;
            }
            // The keys of one registry, `//host/:_authToken`, are taken to the letter.
            let key = if key.starts_with("//") {
                key.to_owned()
            } else {
                let (first, rest) = key.split_at(key.chars().next().map_or(0, char::len_utf8));
                format!("{first}{}", rest.replace('_', "-")).to_lowercase()
            };
            entries.set(key, expand(value.trim(), environment), false);
        }
        entries
    }
}

/// Quotes and comments of one side of a line, as npm's `ini` takes them off.
fn unquote(raw: &str) -> String {
    let raw = raw.trim();
    let quoted = |quote: char| raw.len() > 1 && raw.starts_with(quote) && raw.ends_with(quote);
    if quoted('\'') {
        let inner = &raw[1..raw.len() - 1];
        // Single quotes may hold a JSON value; mostly they hold plain text.
        return serde_json::from_str::<String>(inner).unwrap_or_else(|_| inner.to_owned());
    }
    if quoted('"') {
        return serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned());
    }
    let mut text = String::with_capacity(raw.len());
    let mut characters = raw.chars();
    while let Some(character) = characters.next() {
        match character {
            ';' | '#' => break,
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ';' | '#')) => text.push(escaped),
                Some(other) => text.extend(['\\', other]),
                None => text.push('\\'),
            },
            other => text.push(other),
        }
    }
    text.trim().to_owned()
}

/// Replaces `${NAME}` and `${NAME?}`; a name that is not set stays as it stands, with `?` it is nothing.
pub(super) fn expand(text: &str, environment: &BTreeMap<String, String>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let after = &rest[start + 2..];
        let name_length = after.find(['$', '{', '}', '?']).unwrap_or(after.len());
        let (name, tail) = after.split_at(name_length);
        let (optional, tail) = match tail.strip_prefix('?') {
            Some(tail) => (true, tail),
            None => (false, tail),
        };
        let before = &rest[..start];
        let Some(tail) = tail.strip_prefix('}').filter(|_| !name.is_empty()) else {
            expanded.push_str(&rest[..start + 2]);
            rest = after;
            continue;
        };
        let escapes = before.len() - before.trim_end_matches('\\').len();
        let whole = &rest[start..rest.len() - tail.len()];
        expanded.push_str(&before[..before.len() - escapes]);
        if escapes % 2 == 1 {
            expanded.push_str(&"\\".repeat((escapes - 1) / 2));
            expanded.push_str(whole);
        } else {
            expanded.push_str(&"\\".repeat(escapes / 2));
            match environment.get(name) {
                Some(value) => expanded.push_str(value),
                None if optional => {}
                None => expanded.push_str(&format!("${{{name}}}")),
            }
        }
        rest = tail;
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::{Entries, Value, expand};
    use std::collections::BTreeMap;

    fn environment() -> BTreeMap<String, String> {
        [("HOST", "packages.test"), ("EMPTY", "")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    #[test]
    fn variables_are_replaced_as_npm_replaces_them() {
        for (text, expected) in [
            ("https://${HOST}/", "https://packages.test/"),
            ("${HOST}${HOST}", "packages.testpackages.test"),
            ("a${EMPTY}b", "ab"),
            ("${MISSING}", "${MISSING}"),
            ("a${MISSING?}b", "ab"),
            (r"\${HOST}", "${HOST}"),
            (r"\\${HOST}", r"\packages.test"),
            (r"\\\${HOST}", r"\${HOST}"),
            ("${HOST", "${HOST"),
            ("${}", "${}"),
            ("$HOST {HOST}", "$HOST {HOST}"),
            ("${a${HOST}}", "${apackages.test}"),
        ] {
            assert_eq!(expand(text, &environment()), expected, "{text}");
        }
    }

    #[test]
    fn a_line_is_split_at_its_first_equals_sign() {
        let text = "\u{feff}; comment\r\n# comment\r\nregistry = https://a.test/?x=1\r\n//a.test/:_authToken=to=ken==\n\
                    quoted=\"a;b\\n\"\nsingle='x y'\nplain=value ; comment\nescaped=a\\;b\nflag\nca[]=one\nca[]=two\n\
                    registry=https://b.test/\n[section]\nregistry=https://c.test/\n";
        let entries = Entries::parse(text, &environment());
        let found: Vec<(String, String)> = entries
            .iter()
            .map(|(key, value)| (key.to_owned(), value.text()))
            .collect();
        let expected = [
            ("registry", "https://b.test/"),
            ("//a.test/:_authToken", "to=ken=="),
            ("quoted", "a;b"),
            ("single", "x y"),
            ("plain", "value"),
            ("escaped", "a;b"),
            ("flag", "true"),
            ("ca", "one\n\ntwo"),
        ];
        assert_eq!(
            found,
            expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
        assert!(matches!(entries.get("ca"), Some(Value::List(items)) if items.len() == 2));
    }

    #[test]
    fn environment_names_lose_case_and_underscores() {
        let environment: BTreeMap<String, String> = [
            ("NPM_CONFIG_REGISTRY", "https://a.test/"),
            ("npm_config_strict_ssl", "false"),
            ("npm_config_//a.test/:_authToken", "t"),
            ("npm_config_cafile", ""),
            ("npm_config_", "x"),
            ("npm_configuration", "x"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        let entries = Entries::from_environment(&environment);
        let found: Vec<(&str, String)> = entries
            .iter()
            .map(|(key, value)| (key, value.text()))
            .collect();
        assert_eq!(
            found,
            [
                ("registry", "https://a.test/".to_owned()),
                ("//a.test/:_authToken", "t".to_owned()),
                ("strict-ssl", "false".to_owned()),
            ]
        );
    }
}
