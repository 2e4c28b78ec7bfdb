//! The arguments that Ghost would be started with. Its loader gives them to yargs and takes what comes of it, unparsed:
//! the same from Ghost 5.0 to 6.65 (nconf 0.12 and 0.13 without options, yargs-parser 20).
//!
//! Two forms of a name lead to the database, `--database:connection:host` and `--database.connection.host`; that of
//! variables, with `__`, leads nowhere. A value is a text, or a number where it looks like one, and never JSON.

use std::collections::HashMap;
use std::fmt;

use serde_json::{Map, Number, Value};

use super::Source;
use super::layers::Layer;

/// Arguments in their order. Any of them may hold a secret, so none is ever printed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Arguments(Vec<String>);

impl fmt::Debug for Arguments {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} arguments", self.0.len())
    }
}

impl Arguments {
    /// These very arguments: what stands behind Ghost's `index.js`.
    #[must_use]
    pub fn new(all: Vec<String>) -> Self {
        Self(all)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that have a part in the database or the site, as a store.
    ///
    /// # Errors
    ///
    /// Where Ghost answers the arguments and ends: yargs has `--help` and `--version` of its own.
    pub(super) fn layer(&self) -> Result<Layer, String> {
        let mut parser = Parser::default();
        let (options, last_word) = options(&self.0);
        for (name, value) in options {
            parser.take(&name, value);
        }
        if last_word == Some("help") {
            parser.all.insert("help".to_owned(), Value::Bool(true));
        }
        for (name, does) in [
            ("help", "shows a list of options"),
            ("version", "shows a version"),
        ] {
            if parser.all.get(name).is_some_and(is_on) {
                return Err(format!("the argument {name}: Ghost {does} and ends"));
            }
        }
        let mut layer = Layer::empty(Source::Argument(String::new()));
        for (name, value) in parser.all {
            if is_ours(&name) {
                layer.set(&name, value);
            }
        }
        layer.parts = parser.parts;
        Ok(layer)
    }
}

/// What yargs takes for its two switches being on: `--no-help`, `--help=no` and `--help=false` are not.
fn is_on(value: &Value) -> bool {
    match value {
        Value::Array(several) => several.last().is_some_and(is_on),
        Value::Bool(on) => *on,
        other => other == "true",
    }
}

fn is_ours(name: &str) -> bool {
    matches!(name.split([':', '.']).next(), Some("database" | "url"))
}

/// Names with their values, as yargs-parser pairs them, and the last word that is neither. Short ones (`-x`) are passed
/// over: none can name the database.
fn options(arguments: &[String]) -> (Vec<(String, Value)>, Option<&str>) {
    let mut found = Vec::new();
    let mut last_word = None;
    let mut rest = arguments.iter().peekable();
    while let Some(argument) = rest.next() {
        if argument == "--" {
            break;
        }
        let Some(option) = argument.strip_prefix("--") else {
            if !argument.starts_with('-') {
                last_word = Some(argument.as_str());
            }
            continue;
        };
        if option.is_empty() || option.starts_with('-') || has_loose_dashes(argument) {
            continue;
        }
        let assigned = option.split_once('=').filter(|(name, _)| !name.is_empty());
        let (name, value) = if let Some((name, value)) = assigned {
            (name, text(value))
        } else if let Some(name) = option.strip_prefix("no-").filter(|name| !name.is_empty()) {
            (name, Value::Bool(false))
        } else {
            let value = rest.next_if(|next| {
                // A switch of yargs's own takes no other word for its value.
                let is_switch = option == "help" || option == "version";
                match is_switch {
                    true => *next == "true" || *next == "false",
                    false => !next.starts_with('-') || is_negative(next),
                }
            });
            (option, value.map_or(Value::Bool(true), |value| text(value)))
        };
        found.push((name.to_owned(), value));
    }
    (found, last_word)
}

/// Three dashes or more before a `=` or at the end, and be it at the end of the value, make yargs-parser pass over all of
/// it: so the text of a certificate whose last line end is missing.
fn has_loose_dashes(argument: &str) -> bool {
    argument.ends_with("---") || argument.contains("---=")
}

/// `-5`, `-0.5`, `-.5`: a value, and not the next option.
fn is_negative(argument: &str) -> bool {
    argument.strip_prefix('-').is_some_and(|number| {
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        digits(whole)
            && digits(fraction)
            && !fraction.is_empty()
            && (!whole.is_empty() || number.starts_with('.'))
    })
}

/// A value: without the quotes around it, and as a number where it looks like one, which `01234` does not.
fn text(value: &str) -> Value {
    let quoted = ['\'', '"']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let value = quoted.unwrap_or(value);
    number(value).map_or_else(|| Value::String(value.to_owned()), Value::Number)
}

fn number(text: &str) -> Option<Number> {
    const SAFE: f64 = 9_007_199_254_740_991.0;
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    if let Some(digits) = hexadecimal.filter(|digits| !digits.starts_with('+')) {
        return u64::from_str_radix(digits, 16).ok().map(Number::from);
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let mut characters = text.chars();
    if characters.next() == Some('0') && characters.next().is_some_and(|next| next != '.') {
        return None;
    }
    let (mantissa, exponent) = match unsigned.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    let sound = |exponent: &str| {
        let unsigned = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !unsigned.is_empty() && digits(unsigned)
    };
    if !has_digits || !digits(whole) || !digits(fraction) || !exponent.is_none_or(sound) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    if value.floor().abs() > SAFE {
        return None;
    }
    if value.fract() == 0.0 {
        // Whole and in range, as just seen.
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

/// yargs-parser's result as it grows, and who wrote what.
#[derive(Default)]
struct Parser {
    all: Map<String, Value>,
    /// Names with a dash have another without: `socket-path` is `socketPath` too, and from then on the other way round.
    others: HashMap<String, String>,
    parts: Vec<Layer>,
}

impl Parser {
    fn take(&mut self, name: &str, value: Value) {
        if name.contains('-') {
            let parts: Vec<String> = name.split('.').map(camel_case).collect();
            let other = parts.join(".");
            self.others
                .entry(name.to_owned())
                .or_insert_with(|| other.clone());
            self.others.entry(other).or_insert_with(|| name.to_owned());
        }
        let other = self.others.get(name).cloned();
        for name in std::iter::once(name.to_owned()).chain(other) {
            let path: Vec<&str> = name.split('.').collect();
            put(&mut self.all, &path, value.clone());
            let mut part = Layer::empty(Source::Argument(format!("--{name}")));
            part.set(&path.join(":"), value.clone());
            if is_ours(&name) {
                self.parts.push(part);
            }
        }
    }
}

/// Puts a value at a place; a second value there makes a list of both.
fn put(values: &mut Map<String, Value>, path: &[&str], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        match values.get_mut(*first) {
            None => {
                values.insert((*first).to_owned(), value);
            }
            Some(Value::Array(several)) => several.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
        return;
    }
    let at = values
        .entry((*first).to_owned())
        .or_insert_with(|| Value::Object(Map::new()));
    let object = match at {
        Value::Object(object) => object,
        other => {
            let mut several = match other.take() {
                Value::Array(several) => several,
                one => vec![one],
            };
            several.push(Value::Object(Map::new()));
            *other = Value::Array(several);
            let last = other.as_array_mut().and_then(|several| several.last_mut());
            match last {
                Some(Value::Object(object)) => object,
                // One was just put there.
                _ => return,
            }
        }
    };
    put(object, rest, value);
}

fn camel_case(text: &str) -> String {
    let mixed = text != text.to_lowercase() && text != text.to_uppercase();
    let text = if mixed {
        text.to_owned()
    } else {
        text.to_lowercase()
    };
    if !text.contains(['-', '_']) {
        return text;
    }
    let mut camel = String::new();
    let mut upper = false;
    for (number, character) in text.trim_start_matches('-').chars().enumerate() {
        match character {
            '-' | '_' => upper |= number > 0 || text.starts_with('-'),
            other if upper => {
                camel.extend(other.to_uppercase());
                upper = false;
            }
            other => camel.push(other),
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(arguments: &[&str]) -> Value {
        let all = arguments.iter().map(|one| (*one).to_owned()).collect();
        Arguments::new(all).layer().unwrap().values
    }

    #[test]
    fn colons_and_dots_lead_to_the_database_and_underscores_do_not() {
        for arguments in [
            &["--database:connection:host=db.example"][..],
            &["--database:connection:host", "db.example"],
            &["--database.connection.host=db.example"],
            &[
                "node",
                "index.js",
                "--database.connection.host",
                "db.example",
            ],
        ] {
            assert_eq!(
                read(arguments),
                json!({"database": {"connection": {"host": "db.example"}}}),
                "{arguments:?}"
            );
        }
        assert_eq!(read(&["--database__connection__host=db"]), json!({}));
        assert_eq!(read(&["--", "--database:connection:host=db"]), json!({}));
        assert_eq!(read(&["-database:connection:host=db"]), json!({}));
        assert_eq!(
            read(&["--database:x=-----BEGIN X-----\n-----END X-----"]),
            json!({})
        );
    }

    #[test]
    fn a_value_is_a_text_or_a_number_and_never_json() {
        for (written, expected) in [
            ("12345", json!(12345)),
            ("\"12345\"", json!(12345)),
            ("012345", json!("012345")),
            ("'x y'", json!("x y")),
            ("\"", json!("\"")),
            ("''", json!("")),
            ("-5", json!(-5)),
            ("1.50", json!(1.5)),
            ("5.", json!(5)),
            (".5", json!(0.5)),
            ("1e3", json!(1000)),
            ("1E3", json!("1E3")),
            ("0x1F", json!(31)),
            ("0", json!(0)),
            ("99999999999999999999", json!("99999999999999999999")),
            ("false", json!("false")),
            ("{\"a\":1}", json!("{\"a\":1}")),
            ("", json!("")),
        ] {
            let found = read(&[&format!("--database:x={written}")]);
            assert_eq!(found, json!({"database": {"x": expected}}), "{written}");
        }
    }

    #[test]
    fn without_a_value_it_is_true_with_no_false_and_twice_a_list() {
        for (arguments, expected) in [
            (&["--database.x"][..], json!(true)),
            (&["--database.x", "--other"], json!(true)),
            (&["--database.x", "-5"], json!(-5)),
            (&["--no-database.x"], json!(false)),
            (&["--database.x=a", "--database.x=b"], json!(["a", "b"])),
        ] {
            assert_eq!(
                read(arguments),
                json!({"database": {"x": expected}}),
                "{arguments:?}"
            );
        }
    }

    #[test]
    fn a_dash_has_its_other_form() {
        assert_eq!(
            read(&["--database:connection:socket-path=/s"]),
            json!({"database": {"connection": {"socket-path": "/s", "socketPath": "/s"}}})
        );
        assert_eq!(
            read(&["--no-database.connection.ssl.reject-unauthorized"])["database"]["connection"]["ssl"]
                ["rejectUnauthorized"],
            json!(false)
        );
    }

    #[test]
    fn dots_after_colons_take_the_place_of_all_that_was_said() {
        assert_eq!(
            read(&[
                "--database:connection:host=a",
                "--database.connection.user=b"
            ]),
            json!({"database": {"connection": {"user": "b"}}})
        );
        assert_eq!(
            read(&[
                "--database.connection.user=b",
                "--database:connection:host=a"
            ]),
            json!({"database": {"connection": {"user": "b", "host": "a"}}})
        );
    }

    #[test]
    fn yargs_answers_two_itself() {
        let refused = |argument: &str| Arguments::new(vec![argument.to_owned()]).layer().is_err();
        assert!(refused("--help") && refused("--version") && refused("help"));
        assert!(!refused("--no-help") && !refused("--help=false"));
    }

    #[test]
    fn nothing_prints_an_argument() {
        let arguments = Arguments::new(vec!["canary".to_owned()]);
        assert_eq!(format!("{arguments:?}"), "1 arguments");
    }
}
