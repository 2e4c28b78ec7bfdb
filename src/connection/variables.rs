//! The environment that Ghost would be started with, and what its loaders make of it.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::Source;
use super::layers::Layer;

const SEPARATOR: &str = "__";
const FILE_SUFFIX: &str = "_file";

/// Variables in their order. Any of them may be a secret, so none is ever printed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Variables {
    all: Vec<(String, String)>,
    from_file: bool,
}

impl fmt::Debug for Variables {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} variables", self.all.len())
    }
}

impl Variables {
    /// The variables of this process. Bytes that are no text become what Node makes of them.
    #[must_use]
    pub fn of_this_process() -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Self {
            all: std::env::vars_os()
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
            from_file: false,
        }
    }

    /// The variables of an env file.
    #[must_use]
    pub fn of_file(all: Vec<(String, String)>) -> Self {
        Self {
            all,
            from_file: true,
        }
    }

    /// These very variables.
    #[must_use]
    pub fn new(all: &[(&str, &str)]) -> Self {
        Self {
            all: all
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            from_file: false,
        }
    }

    /// The value of one, where it is set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn source(&self, name: &str) -> Source {
        if self.from_file {
            Source::EnvFile(name.to_owned())
        } else {
            Source::Variable(name.to_owned())
        }
    }

    /// The variables that have a part in the database or the site, as a store. `secret_files` leaves the `…_FILE`
    /// variables out.
    pub(super) fn layer(&self, secret_files: bool) -> Layer {
        let mut layer = Layer::empty(Source::Variable(String::new()));
        for (name, value) in &self.all {
            if secret_files && is_secret_file(name) {
                continue;
            }
            let key = name.split(SEPARATOR).collect::<Vec<_>>().join(":");
            if matches!(key.split(':').next(), Some("database" | "url")) {
                layer.set_by(self.source(name), &key, parse_twice(value));
            }
        }
        layer
    }

    /// What the `…_FILE` variables name, unparsed, as Ghost 6 reads them.
    pub(super) fn secrets(&self) -> Result<Layer, String> {
        let mut layer = Layer::empty(Source::SecretFile(PathBuf::new()));
        let mut seen: HashMap<&str, (&str, &str)> = HashMap::new();
        for (name, path) in &self.all {
            if !is_secret_file(name) || path.is_empty() {
                continue;
            }
            let variable = &name[..name.len() - FILE_SUFFIX.len()];
            if self.get(variable).is_some() {
                return Err(format!(
                    "Cannot set both {variable} and {name} - use one or the other."
                ));
            }
            if let Some((other, other_path)) = seen.insert(variable, (name, path)) {
                if other_path != path {
                    return Err(format!(
                        "Cannot set both {other} and {name} to different files - they resolve to the same config key."
                    ));
                }
                continue;
            }
            let Ok(contents) = fs::read(path) else {
                return Err(format!(
                    "Could not read the secret file referenced by {name}: {path}"
                ));
            };
            let contents = String::from_utf8_lossy(&contents);
            let value = contents
                .strip_suffix("\r\n")
                .or_else(|| contents.strip_suffix('\n'))
                .unwrap_or(&contents);
            layer.set_by(
                Source::SecretFile(PathBuf::from(path)),
                &variable.split(SEPARATOR).collect::<Vec<_>>().join(":"),
                Value::String(value.to_owned()),
            );
        }
        Ok(layer)
    }

    /// The `…_FILE` variables of the database, for a Ghost that does not know them.
    pub(super) fn unread_secret_files(&self) -> Vec<&str> {
        self.all
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| name.starts_with("database__") && is_secret_file(name))
            .collect()
    }
}

/// Whether a variable names a file with a secret in it: `database__connection__password_FILE`, not `SSL_CERT_FILE`.
fn is_secret_file(name: &str) -> bool {
    let Some(at) = name.len().checked_sub(FILE_SUFFIX.len()) else {
        return false;
    };
    if !name.is_char_boundary(at) || !name[at..].eq_ignore_ascii_case(FILE_SUFFIX) {
        return false;
    }
    let segments: Vec<&str> = name[..at].split(SEPARATOR).collect();
    segments.len() >= 2 && segments.iter().all(|segment| !segment.is_empty())
}

/// What nconf makes of a variable. It parses each twice, once as it reads the environment and once as it stores the
/// value: `"1234"`, quotes and all, becomes a number all the same.
fn parse_twice(value: &str) -> Value {
    match parse(value) {
        Value::String(text) => parse(&text),
        // JavaScript writes a list out with commas before it parses it: that of one number becomes a number.
        Value::Array(several) => match serde_json::from_str(&written_out(&several)) {
            Ok(parsed) => parsed,
            Err(_) => Value::Array(several),
        },
        other => other,
    }
}

/// A list as JavaScript turns it into a text.
fn written_out(several: &[Value]) -> String {
    let one = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(several) => written_out(several),
        Value::Object(_) => "[object Object]".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    };
    several.iter().map(one).collect::<Vec<_>>().join(",")
}

/// nconf's `parseValues`: JSON where it is JSON.
fn parse(value: &str) -> Value {
    match serde_json::from_str(value) {
        Ok(parsed) => parsed,
        Err(_) if value == "undefined" => Value::Null,
        Err(_) => Value::String(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nested_keys_name_secret_files() {
        for (name, expected) in [
            ("database__connection__password_FILE", true),
            ("database__connection__password_file", true),
            ("SSL_CERT_FILE", false),
            ("__password_FILE", false),
            ("a__b_FIL", false),
            ("_file", false),
        ] {
            assert_eq!(is_secret_file(name), expected, "{name}");
        }
    }

    #[test]
    fn values_are_json_where_they_are_json() {
        for (text, expected) in [
            ("1234", serde_json::json!(1234)),
            ("01234", serde_json::json!("01234")),
            ("true", serde_json::json!(true)),
            ("{\"a\":1}", serde_json::json!({"a": 1})),
            ("{a:1}", serde_json::json!("{a:1}")),
            ("undefined", Value::Null),
            ("", serde_json::json!("")),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_parsed_twice_needs_quotes_twice_to_stay_a_text() {
        for (text, expected) in [
            ("\"1234\"", serde_json::json!(1234)),
            ("\"\\\"1234\\\"\"", serde_json::json!("1234")),
            ("\"secret\"", serde_json::json!("secret")),
            ("[true]", serde_json::json!(true)),
            ("[{\"a\":1}]", serde_json::json!([{"a": 1}])),
            ("{\"a\":\"1\"}", serde_json::json!({"a": "1"})),
        ] {
            assert_eq!(parse_twice(text), expected, "{text}");
        }
    }

    #[test]
    fn nothing_prints_a_variable() {
        let variables = Variables::new(&[("a", "canary")]);
        assert_eq!(format!("{variables:?}"), "1 variables");
    }
}
