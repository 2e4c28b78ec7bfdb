//! Logged in: statements one by one, each with an end to its wait, each counted and timed. The only place that knows
//! sqlx, and that sends a password.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlSslMode};
use sqlx::{AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Row as _};
use tokio::time::timeout;

use super::errno::ServerError;
use crate::connection::driver::{Address, Target};
use crate::ghost::Secret;

/// Why there is no session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoSession {
    /// The server's words.
    Refused(ServerError),
    /// The password would have to be sent in a way that this program does not know: encrypted by a key of the server's.
    NeedsKeyExchange,
    /// Something else, in words without a secret.
    Failed(String),
    /// Nothing came.
    TimedOut(Duration),
}

/// How a login is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protection {
    /// Not at all.
    Plain,
    /// Encrypted; whoever answers is believed.
    Encrypted,
    /// Encrypted, and the certificate leads to one of these (PEM).
    Verified(String),
}

/// How a session ended that was to be asked more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// The statement that had no answer, or not all of it.
    pub asked: String,
    /// In which words.
    pub words: String,
    /// The connection stood, but the wait was over.
    pub timed_out: bool,
}

/// A login.
pub struct Session {
    connection: MySqlConnection,
    times: Vec<Duration>,
    broken: Option<Break>,
}

/// One row: the columns' names (lower case) and their text.
pub type Row = Vec<(String, Option<String>)>;

/// What a statement came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Its rows.
    Rows(Vec<Row>),
    /// The server's error.
    Error(ServerError),
    /// None: the connection broke, or the wait was over. Nothing more can be asked.
    Lost(String),
}

/// The text of a column.
#[must_use]
pub fn column<'r>(row: &'r Row, name: &str) -> Option<&'r str> {
    row.iter()
        .find(|(known, _)| known == name)
        .and_then(|(_, value)| value.as_deref())
}

/// Options that make sqlx send no statement of its own: Vitess refuses its `SET`.
fn options(target: &Target, protection: &Protection, with_database: bool) -> MySqlConnectOptions {
    let mut options = MySqlConnectOptions::new()
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .set_names(false)
        .statement_cache_capacity(0)
        .disable_statement_logging();
    options = match &target.address {
        Address::Host { host, port } => options.host(host).port(*port),
        Address::Socket(path) => options.host("localhost").socket(path),
    };
    options = options.username(target.user.as_deref().unwrap_or_default());
    if let Some(password) = &target.password {
        options = options.password(Secret::expose(password));
    }
    if let Some(database) = target.database.as_deref().filter(|_| with_database) {
        options = options.database(database);
    }
    options = match protection {
        Protection::Plain => options.ssl_mode(MySqlSslMode::Disabled),
        Protection::Encrypted => options.ssl_mode(MySqlSslMode::Required),
        Protection::Verified(roots) => options
            .ssl_mode(MySqlSslMode::VerifyCa)
            .ssl_ca_from_pem(roots.clone().into_bytes()),
    };
    if let Some(client) = target.tls.as_ref().and_then(|tls| tls.client.as_ref()) {
        options = options
            .ssl_client_cert_from_pem(client.certificate.as_bytes())
            .ssl_client_key_from_pem(client.key.expose().as_bytes());
    }
    options
}

impl Session {
    /// Logs in.
    ///
    /// # Errors
    ///
    /// What the server says against it, or what went wrong on the way.
    pub async fn open(
        target: &Target,
        protection: &Protection,
        with_database: bool,
        limit: Duration,
    ) -> Result<Self, NoSession> {
        let options = options(target, protection, with_database);
        match timeout(limit, options.connect()).await {
            Err(_) => Err(NoSession::TimedOut(limit)),
            Ok(Ok(connection)) => Ok(Self {
                connection,
                times: Vec::new(),
                broken: None,
            }),
            Ok(Err(error)) => Err(why(&error)),
        }
    }

    /// Asks one statement.
    pub async fn ask(&mut self, statement: &str, limit: Duration) -> Answer {
        if let Some(broken) = &self.broken {
            return Answer::Lost(broken.words.clone());
        }
        let begun = Instant::now();
        let asked = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
        let answer = timeout(limit, asked.fetch_all(&mut self.connection)).await;
        self.times.push(begun.elapsed());
        let mut lose = |words: String, timed_out| {
            self.broken = Some(Break {
                asked: statement.to_owned(),
                words: words.clone(),
                timed_out,
            });
            Answer::Lost(words)
        };
        match answer {
            Err(_) => lose(format!("no answer within {} s", limit.as_secs()), true),
            Ok(Ok(rows)) => Answer::Rows(rows.iter().map(row).collect()),
            Ok(Err(error)) => match why(&error) {
                NoSession::Refused(error) => Answer::Error(error),
                NoSession::Failed(words) => lose(words, false),
                NoSession::NeedsKeyExchange | NoSession::TimedOut(_) => {
                    lose(error.to_string(), false)
                }
            },
        }
    }

    /// How it ended, where it ended before its time.
    #[must_use]
    pub fn broken(&self) -> Option<&Break> {
        self.broken.as_ref()
    }

    /// How many statements were sent.
    #[must_use]
    pub fn round_trips(&self) -> usize {
        self.times.len()
    }

    /// The time of a round trip: the lower quartile of what statements took, since some of them are work for the server
    /// and the quickest may have been lucky.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        let mut times = self.times.clone();
        times.sort();
        times.get(times.len() / 4).copied()
    }

    /// Says good-bye; how that goes is of no interest any more.
    pub async fn close(self) {
        let _ = timeout(Duration::from_secs(2), self.connection.close()).await;
    }
}

fn row(row: &sqlx::mysql::MySqlRow) -> Row {
    row.columns()
        .iter()
        .map(|column| {
            let bytes = row
                .try_get_unchecked::<Option<Vec<u8>>, _>(column.ordinal())
                .unwrap_or_default();
            let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            (column.name().to_ascii_lowercase(), text)
        })
        .collect()
}

fn why(error: &sqlx::Error) -> NoSession {
    match error {
        sqlx::Error::Database(database) => {
            let number = database
                .try_downcast_ref::<MySqlDatabaseError>()
                .map_or(0, MySqlDatabaseError::number);
            NoSession::Refused(ServerError {
                number,
                message: database.message().to_owned(),
            })
        }
        other => {
            let words = other.to_string();
            if words.contains("mysql-rsa") || words.to_ascii_lowercase().contains("rsa ") {
                NoSession::NeedsKeyExchange
            } else {
                NoSession::Failed(words)
            }
        }
    }
}
