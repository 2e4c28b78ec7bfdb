//! How Ghost would connect: its configuration as the installed version's loader reads it, then the driver's own rules.
//!
//! Nothing here opens a connection. Passwords and keys are [`Secret`](crate::ghost::Secret)s, and of every value
//! is known where it was read.

mod arguments;
pub mod driver;
pub mod env_file;
mod jsonc;
mod layers;
pub mod loader;
mod source;
pub mod ssl;
mod variables;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use arguments::Arguments;
use driver::Target;
use layers::{Layer, Layers};
pub use loader::Surroundings;
pub use source::Source;
pub use variables::Variables;

/// The configuration, as far as the database goes: what it says, where, and what comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// The connection, or what stops Ghost before it makes one.
    pub target: Result<Target, Problem>,
    /// What may be shown of it.
    pub told: Told,
}

/// What stops Ghost, or this program, before there is a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "words")]
pub enum Problem {
    /// Ghost's loader throws these words.
    Loader(String),
    /// Ghost would use SQLite.
    Sqlite,
    /// knex knows no such client.
    Client(String),
    /// The driver throws at an option.
    Driver {
        /// The option.
        option: String,
        /// The words, without the value.
        words: String,
    },
}

/// What may be shown of a configuration: no secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Told {
    /// `NODE_ENV`, as far as the configuration depends on it.
    pub node_env: String,
    /// Each value that was read, and where.
    pub values: Vec<ReadValue>,
    /// The form of `connection.ssl`.
    pub ssl: Option<ssl::Form>,
    /// Whether the value of `ssl` holds what looks like a certificate authority: see [`Authority`].
    pub authority: Option<Authority>,
    /// The address of the site has no `http://` or `https://`, at which Ghost ends.
    pub url_without_protocol: bool,
    /// `…_FILE` variables that this Ghost does not read.
    pub unread_secret_files: Vec<String>,
    /// Options that mysql2 ignores with a warning.
    pub ignored_options: Vec<String>,
    /// The host is written as an address with a protocol, a user or a port in it.
    pub host_is_an_address: bool,
}

/// One value and where it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadValue {
    /// Its key, as Ghost's documentation writes it: `database.connection.host`.
    pub key: String,
    /// The value, where it is none that could be a secret.
    pub value: Option<String>,
    /// Where it was read.
    pub source: Source,
}

/// What a `ca` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authority {
    /// Certificates.
    Certificates,
    /// A text with `\n` in it where lines should end.
    EscapedLines,
    /// The name of a file.
    Path,
    /// Something that holds no certificate.
    Nothing,
}

const SHOWN: [&str; 5] = ["host", "port", "user", "database", "socketPath"];
const HIDDEN: [&str; 3] = ["password", "ssl", "uri"];
/// Options of mysql2 and those that Ghost sets itself.
const KNOWN: [&str; 48] = [
    "authPlugins",
    "authSwitchHandler",
    "bigNumberStrings",
    "charset",
    "charsetNumber",
    "compress",
    "connectAttributes",
    "connectTimeout",
    "database",
    "dateStrings",
    "debug",
    "decimalNumbers",
    "enableKeepAlive",
    "flags",
    "host",
    "insecureAuth",
    "infileStreamFactory",
    "isServer",
    "keepAliveInitialDelay",
    "localAddress",
    "maxPreparedStatements",
    "multipleStatements",
    "namedPlaceholders",
    "nestTables",
    "password",
    "password1",
    "password2",
    "password3",
    "passwordSha1",
    "pool",
    "port",
    "queryFormat",
    "rowsAsArray",
    "socketPath",
    "ssl",
    "stream",
    "stringifyObjects",
    "supportBigNumbers",
    "timezone",
    "trace",
    "typeCast",
    "uri",
    "user",
    "filename",
    "disableEval",
    "jsonStrings",
    "collate",
    "enableCleartextPlugin",
];

/// Reads the configuration of a Ghost.
#[must_use]
pub fn of_ghost(
    surroundings: &Surroundings<'_>,
    rules: loader::Rules,
    driver: ssl::Rules,
) -> Configuration {
    let loaded = match loader::load(surroundings, rules) {
        Ok(loaded) => loaded,
        Err(words) => {
            return Configuration {
                target: Err(Problem::Loader(words)),
                told: Told::default(),
            };
        }
    };
    let mut told = told(&loaded.layers, &loaded.database);
    told.node_env = loaded.node_env;
    told.url_without_protocol = match &loaded.url {
        Some(Value::String(url)) => {
            let start = url.to_ascii_lowercase();
            !start.starts_with("http://") && !start.starts_with("https://")
        }
        _ => true,
    };
    if !rules.secret_files {
        let unread = surroundings.variables.unread_secret_files();
        told.unread_secret_files = unread.into_iter().map(str::to_owned).collect();
    }
    let target = match loaded.client.as_ref().and_then(Value::as_str) {
        Some("mysql" | "mysql2") => {
            driver::read(&loaded.database, driver).map_err(|refusal| Problem::Driver {
                option: refusal.option.to_owned(),
                words: refusal.words,
            })
        }
        Some("sqlite3" | "better-sqlite3") => Err(Problem::Sqlite),
        Some(other) => Err(Problem::Client(other.chars().take(40).collect())),
        None => Err(Problem::Client(String::new())),
    };
    Configuration { target, told }
}

/// Reads the address of a database, and its password from elsewhere.
///
/// # Errors
///
/// Where it is no address of a MySQL, without saying it: it may hold a password.
pub fn of_url(
    url: &str,
    password: Option<&str>,
    driver: ssl::Rules,
) -> Result<Configuration, &'static str> {
    if !url.starts_with("mysql://") && !url.starts_with("mysql2://") {
        return Err("it does not begin with mysql://");
    }
    let Ok(options) = driver::from_uri(url) else {
        return Err("it is no address");
    };
    let mut connection = serde_json::Map::new();
    for (name, value) in options {
        // What Prisma's form of PlanetScale's address says, in mysql2's words.
        if name == "sslaccept" && value == "strict" {
            connection.insert(
                "ssl".to_owned(),
                serde_json::json!({"rejectUnauthorized": true, "verifyIdentity": true}),
            );
        } else if value != "" {
            connection.insert(name, value);
        }
    }
    if connection.contains_key("password") {
        return Err("it holds a password, which other users of this machine can read");
    }
    if let Some(password) = password {
        connection.insert("password".to_owned(), Value::String(password.to_owned()));
    }
    let database = serde_json::json!({"client": "mysql2", "connection": connection});
    let layers = Layers(vec![Layer::new(
        Source::Url,
        serde_json::json!({ "database": database }),
    )]);
    let told = told(&layers, &database);
    let target = driver::read(&database, driver).map_err(|refusal| Problem::Driver {
        option: refusal.option.to_owned(),
        words: refusal.words,
    });
    Ok(Configuration { target, told })
}

fn told(layers: &Layers, database: &Value) -> Told {
    let connection = database.get("connection");
    let option = |name: &str| connection.and_then(|connection| connection.get(name));
    let mut values = Vec::new();
    let mut tell = |key: &str, value: Option<String>| {
        if let Some(source) = layers.source(&key.replace('.', ":")) {
            values.push(ReadValue {
                key: key.to_owned(),
                value,
                source: source.clone(),
            });
        }
    };
    tell("database.client", database.get("client").map(plain));
    let host = option("host").and_then(Value::as_str).unwrap_or_default();
    let host_is_an_address = is_an_address(host);
    for name in SHOWN {
        let value = option(name).map(plain);
        let shown = value.filter(|_| name != "host" || !host_is_an_address);
        if option(name).is_some() {
            tell(&format!("database.connection.{name}"), shown);
        }
    }
    for name in HIDDEN {
        if option(name).is_some() {
            tell(&format!("database.connection.{name}"), None);
        }
    }
    let ignored = connection
        .and_then(Value::as_object)
        .map(|options| {
            options
                .keys()
                .filter(|name| !KNOWN.contains(&name.as_str()))
                .map(|name| name.chars().take(40).collect())
                .collect()
        })
        .unwrap_or_default();
    Told {
        values,
        ssl: option("ssl").map(ssl::form),
        authority: option("ssl").and_then(|ssl| ssl.get("ca")).map(authority),
        host_is_an_address,
        ignored_options: ignored,
        ..Told::default()
    }
}

/// Whether a host is more than a name: with a protocol, a user or a port in it.
#[must_use]
pub fn is_an_address(host: &str) -> bool {
    host.contains("://") || host.contains('@') || host.contains('/') || has_port(host)
}

fn has_port(host: &str) -> bool {
    host.split_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(_) | Value::Array(_) => "(not a plain value)".to_owned(),
        other => other.to_string(),
    }
}

fn authority(value: &Value) -> Authority {
    let text = match value {
        Value::String(text) => text.as_str(),
        Value::Array(several) => several.first().and_then(Value::as_str).unwrap_or_default(),
        _ => return Authority::Nothing,
    };
    if crate::mysql::roots::certificates(text).is_empty() {
        if text.contains("-----BEGIN") && text.contains("\\n") {
            Authority::EscapedLines
        } else if !text.contains("-----BEGIN")
            && (text.contains('/') || text.ends_with(".pem") || text.ends_with(".crt"))
        {
            Authority::Path
        } else {
            Authority::Nothing
        }
    } else {
        Authority::Certificates
    }
}
