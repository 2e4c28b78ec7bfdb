//! mysql2's rules for everything but `ssl`: which options it takes, what it makes of numbers and texts, and which values
//! it throws at.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use super::ssl::{self, Tls, is_truthy};
use crate::ghost::Secret;

/// Whom Ghost would connect to, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where the server is.
    pub address: Address,
    /// The account.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// The database.
    pub database: Option<String>,
    /// How the connection is encrypted; nothing where it is not.
    pub tls: Option<Tls>,
    /// How long Ghost would wait for the server.
    pub connect_timeout: Duration,
    /// How many connections Ghost opens at most.
    pub pool: u64,
    /// How many it keeps at least: knex throws where that is more than the most.
    pub pool_min: u64,
    /// The collation that knex makes tables with; nothing where the server decides.
    pub collation: Option<String>,
}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// By name or number, and port.
    Host {
        /// The name, or an address in numbers.
        host: String,
        /// The port.
        port: u16,
    },
    /// By a socket on this machine.
    Socket(PathBuf),
}

impl Target {
    /// The name that the certificate is compared with.
    #[must_use]
    pub fn host(&self) -> &str {
        match &self.address {
            Address::Host { host, .. } => host,
            Address::Socket(_) => "localhost",
        }
    }
}

/// A value that the driver, or the tool above it, throws at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The option.
    pub option: &'static str,
    /// The words, without the value.
    pub words: String,
}

fn refusal<T>(option: &'static str, words: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal {
        option,
        words: words.into(),
    })
}

/// What mysql2 makes of `database.connection`.
///
/// # Errors
///
/// The first value that it throws at.
pub fn read(database: &Value, rules: ssl::Rules) -> Result<Target, Refusal> {
    let nothing = Map::new();
    let mut options = match database.get("connection") {
        Some(Value::Object(options)) => options.clone(),
        Some(Value::String(_)) => {
            return refusal(
                "connection",
                "database.connection is one text; Ghost needs host, user, password and database each for itself",
            );
        }
        _ => nothing,
    };
    if let Some(Value::String(uri)) = options.get("uri").filter(|uri| is_truthy(uri)) {
        for (name, value) in from_uri(uri)? {
            if !options.get(&name).is_some_and(is_truthy) {
                options.insert(name, value);
            }
        }
    }
    let port = port(options.get("port"))?;
    let host = match options.get("host") {
        Some(Value::String(host)) if !host.is_empty() => host.clone(),
        // Node takes a host that is no text for none.
        _ => "localhost".to_owned(),
    };
    let address = match options.get("socketPath") {
        Some(Value::String(path)) if !path.is_empty() => Address::Socket(PathBuf::from(path)),
        _ => Address::Host {
            host: host.clone(),
            port,
        },
    };
    let tls = match options.get("ssl") {
        None => None,
        Some(value) => ssl::read(value, &host, rules).or_else(|words| refusal("ssl", words))?,
    };
    let password = match options.get("password").filter(|value| is_truthy(value)) {
        None => None,
        Some(Value::String(password)) => Some(Secret::new(password.clone())),
        Some(other) => {
            return refusal(
                "password",
                format!(
                    "The \"data\" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received {}",
                    kind(other)
                ),
            );
        }
    };
    Ok(Target {
        address,
        user: text("user", options.get("user"))?,
        password,
        database: text("database", options.get("database"))?,
        tls,
        connect_timeout: connect_timeout(options.get("connectTimeout")),
        pool: database
            .pointer("/pool/max")
            .and_then(Value::as_u64)
            .unwrap_or(10),
        pool_min: database
            .pointer("/pool/min")
            .and_then(Value::as_u64)
            .unwrap_or(2),
        collation: options
            .get("collate")
            .and_then(Value::as_str)
            .filter(|name| !name.is_empty())
            .map(str::to_owned),
    })
}

fn text(option: &'static str, value: Option<&Value>) -> Result<Option<String>, Refusal> {
    match value.filter(|value| is_truthy(value)) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => refusal(
            option,
            format!("\"{option}\" connection config property must be a string"),
        ),
    }
}

fn port(value: Option<&Value>) -> Result<u16, Refusal> {
    let number = match value {
        Some(Value::Number(number)) => number.as_f64(),
        // JavaScript's parseInt: what stands before the first character that is no digit.
        Some(Value::String(text)) => {
            let text = text.trim_start();
            let (sign, digits) = match text.strip_prefix('-') {
                Some(digits) => (-1.0, digits),
                None => (1.0, text.strip_prefix('+').unwrap_or(text)),
            };
            let end = digits
                .find(|character: char| !character.is_ascii_digit())
                .unwrap_or(digits.len());
            digits[..end]
                .parse::<f64>()
                .ok()
                .map(|number| sign * number)
        }
        Some(Value::Bool(true)) => {
            return refusal(
                "port",
                "The \"options.port\" property must be one of type number or string. Received type boolean (true)",
            );
        }
        // mysql2 hands it on, and Node takes it for all the options of a connection.
        Some(Value::Array(_) | Value::Object(_)) => {
            return refusal(
                "port",
                "The \"options\" or \"port\" or \"path\" argument must be specified",
            );
        }
        _ => None,
    };
    match number.filter(|number| *number != 0.0) {
        None => Ok(3306),
        Some(number) if (0.0..65536.0).contains(&number) && number.fract() == 0.0 => {
            // In range and whole, as just seen.
            Ok(number as u16)
        }
        Some(number) => refusal(
            "port",
            format!("Port should be >= 0 and < 65536. Received type number ({number})."),
        ),
    }
}

fn connect_timeout(value: Option<&Value>) -> Duration {
    let milliseconds = match value {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    // None at all counts as Node's default here: nothing waits for ever.
    match milliseconds {
        Some(milliseconds) if milliseconds > 0.0 && milliseconds < 600_000.0 => {
            Duration::from_secs_f64(milliseconds / 1000.0)
        }
        _ => Duration::from_secs(10),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Number(_) => "type number",
        Value::Bool(_) => "type boolean",
        Value::Array(_) => "an instance of Array",
        _ => "an instance of Object",
    }
}

/// The options that an address stands for.
pub(super) fn from_uri(uri: &str) -> Result<Vec<(String, Value)>, Refusal> {
    let Ok(url) = Url::parse(uri) else {
        return refusal("uri", "Invalid URL");
    };
    let decoded = |text: &str| percent_decoded(text);
    let mut options = vec![
        (
            "host".to_owned(),
            Value::String(decoded(url.host_str().unwrap_or_default())),
        ),
        (
            "database".to_owned(),
            Value::String(decoded(url.path().strip_prefix('/').unwrap_or_default())),
        ),
        ("user".to_owned(), Value::String(decoded(url.username()))),
        (
            "password".to_owned(),
            Value::String(decoded(url.password().unwrap_or_default())),
        ),
    ];
    if let Some(port) = url.port() {
        options.push(("port".to_owned(), Value::from(port)));
    }
    for (name, value) in url.query_pairs() {
        if options.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let parsed = serde_json::from_str(&value);
        options.push((
            name.into_owned(),
            parsed.unwrap_or_else(|_| Value::String(value.into_owned())),
        ));
    }
    Ok(options)
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(hex.unwrap_or(bytes[at]));
        at += if hex.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn target(connection: Value) -> Result<Target, Refusal> {
        read(&json!({ "connection": connection }), ssl::Rules::NEWEST)
    }

    #[test]
    fn what_is_not_said_is_mysql2s_default() {
        let target = target(json!({})).unwrap();
        assert_eq!(
            target,
            Target {
                address: Address::Host {
                    host: "localhost".to_owned(),
                    port: 3306
                },
                user: None,
                password: None,
                database: None,
                tls: None,
                connect_timeout: Duration::from_secs(10),
                pool: 10,
                pool_min: 2,
                collation: None,
            }
        );
    }

    #[test]
    fn ports_are_read_as_javascript_reads_them() {
        for (value, expected) in [
            (json!("3307"), Some(3307)),
            (json!("3307x"), Some(3307)),
            (json!("abc"), Some(3306)),
            (json!(0), Some(3306)),
            (json!(99999), None),
            (json!("-1"), None),
        ] {
            assert_eq!(port(Some(&value)).ok(), expected, "{value}");
        }
    }

    #[test]
    fn a_number_is_no_password_user_or_database() {
        for (option, value) in [
            ("password", json!(1234)),
            ("user", json!(5)),
            ("database", json!(5)),
        ] {
            let refusal = target(json!({ option: value })).unwrap_err();
            assert_eq!(refusal.option, option);
            assert!(!refusal.words.contains("1234"));
        }
        assert!(target(json!({"password": 0})).unwrap().password.is_none());
    }

    #[test]
    fn an_address_fills_what_is_not_said_otherwise() {
        let target = target(json!({
            "uri": "mysql://gh%40st:p%2Fw@db.example:3307/blog?ssl={\"rejectUnauthorized\":true}",
            "host": "other",
        }))
        .unwrap();
        assert_eq!(target.host(), "other");
        assert_eq!(target.user.as_deref(), Some("gh@st"));
        assert_eq!(target.password.unwrap().expose(), "p/w");
        assert_eq!(target.database.as_deref(), Some("blog"));
        assert!(target.tls.is_some());
    }
}
