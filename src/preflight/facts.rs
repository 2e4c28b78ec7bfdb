//! What was asked and what came back, as plain data without a secret in it.
//!
//! What is not known says why: a check never takes it for fine.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::provider::Provider;
use crate::connection::{self, driver};
use crate::mysql::errno::{Meaning, ServerError};
use crate::mysql::greeting::Greeting;
use crate::mysql::session::Break;
use crate::mysql::tls::Handshake;
use crate::report::State;

/// A thing that was found out, or why it was not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact<T> {
    /// Found out.
    Known(T),
    /// Not found out, and why.
    Unknown(String),
    /// Not asked, since something before it failed.
    #[default]
    NotReached,
}

impl<T> Fact<T> {
    /// The thing, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(thing) => Some(thing),
            Self::Unknown(_) | Self::NotReached => None,
        }
    }
}

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Facts {
    /// The ghostfix that asked.
    pub ghostfix: String,
    /// When it asked, in seconds since 1970, by this machine's clock.
    pub asked_at: i64,
    /// What Ghost is told.
    pub configuration: Configuration,
    /// The Ghost that is installed here; nothing where none was looked at.
    pub installation: Option<Installation>,
    /// The addresses of the host.
    pub addresses: Fact<Vec<IpAddr>>,
    /// Each address, and whether somebody listens there.
    pub reached: Vec<Reached>,
    /// What the server said first.
    pub greeting: Fact<Greeting>,
    /// How the handshake of TLS went.
    pub tls: Fact<Handshake>,
    /// How the login went.
    pub login: Fact<Login>,
    /// Which service or server it is.
    pub provider: Provider,
    /// Only SELECT and SHOW were sent.
    pub read_only_run: bool,
    /// The server's own words about itself.
    pub server: Fact<Server>,
    /// The account's rights, as `SHOW GRANTS` has them.
    pub grants: Fact<Vec<String>>,
    /// The connections that the server has at this moment, this one among them.
    #[serde(default)]
    pub connections: Fact<u64>,
    /// Vitess's keyspaces.
    pub keyspaces: Fact<Vec<Keyspace>>,
    /// The tables and views of the database.
    pub tables: Fact<Vec<Table>>,
    /// The foreign keys of the database.
    pub foreign_keys: Fact<Vec<ForeignKey>>,
    /// The collations of the columns that foreign keys lead to, with how many have each.
    pub id_collations: Fact<BTreeMap<String, u64>>,
    /// Whether the lock's table has its primary key.
    pub lock_has_key: Fact<bool>,
    /// The row of `migrations_lock`.
    pub lock: Fact<Option<Lock>>,
    /// The rows of `migrations`.
    pub migrations: Fact<Vec<Migration>>,
    /// The answer to a `CREATE DATABASE` that cannot succeed.
    pub create_database: Fact<Reply>,
    /// The answer to a foreign key between tables that are not there.
    pub add_foreign_key: Fact<Reply>,
    /// The answer to `DROP TABLE` of a table that is not there.
    pub drop_table: Fact<Reply>,
    /// The answer to a recursive query.
    pub recursive: Fact<Reply>,
    /// The answer to `ALTER VIEW` of a view that is not there.
    pub alter_view: Fact<Reply>,
    /// The statement in the middle of which the session ended; nothing where it did not.
    pub broke: Option<Break>,
    /// Statements sent after the login.
    pub round_trips: usize,
    /// The time of a round trip, in microseconds: the lower quartile of what they took.
    pub rtt_us: Option<u64>,
}

/// What Ghost is told about its database.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Configuration {
    /// What stops Ghost before it connects.
    pub problem: Option<connection::Problem>,
    /// What was read, and where.
    pub told: connection::Told,
    /// Whom it would connect to.
    pub target: Option<Target>,
}

/// Whom Ghost would connect to, without any secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The host; the socket's path where it is one.
    pub host: String,
    /// The port; nothing for a socket.
    pub port: Option<u16>,
    /// The account.
    pub user: Option<String>,
    /// Whether there is a password.
    pub password: bool,
    /// The database.
    pub database: Option<String>,
    /// How the connection is encrypted.
    pub tls: Option<TargetTls>,
    /// Connections that Ghost opens at most.
    pub pool: u64,
    /// Connections that it keeps at least.
    #[serde(default)]
    pub pool_min: u64,
    /// The collation that Ghost's tables are made with, where the configuration says one.
    pub collation: Option<String>,
}

/// How Ghost would encrypt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetTls {
    /// Whether a certificate that leads to nobody trusted ends the connection.
    pub reject_unauthorized: bool,
    /// The name that the certificate has to be for; nothing where it is not looked at.
    pub name: Option<String>,
    /// How many certificates `ca` holds; nothing where there is no `ca`.
    pub authorities: Option<usize>,
    /// Whether Ghost has a certificate of its own.
    pub client_certificate: bool,
    /// Whether its key is encrypted, so that nobody but Ghost can show it.
    #[serde(default)]
    pub sealed_key: bool,
}

/// An address, and what it answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// The address, or the socket's path.
    pub address: String,
    /// Milliseconds until it answered; nothing where it did not.
    pub milliseconds: Option<u64>,
    /// Why not.
    pub failure: Option<String>,
}

/// How a login went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "went")]
pub enum Login {
    /// In, and into the database.
    In {
        /// The login was made encrypted though Ghost's would not be, to spare the password.
        encrypted_here_only: bool,
    },
    /// In, but the database is not there or not for this account.
    WithoutDatabase {
        /// What the server said about the database.
        refused: ServerError,
    },
    /// Not in.
    Refused(ServerError),
    /// The connection broke.
    Broken {
        /// In which words.
        words: String,
    },
}

/// The server about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Server {
    /// `VERSION()`.
    pub version: String,
    /// `DATABASE()`.
    pub database: Option<String>,
    /// `CURRENT_USER()`.
    pub user: Option<String>,
    /// Its clock less this machine's, in milliseconds.
    pub clock_ms: Option<i64>,
    /// Its settings, by name.
    pub variables: BTreeMap<String, String>,
}

/// A keyspace of Vitess.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyspace {
    /// Its name.
    pub name: String,
    /// Whether it is sharded.
    pub sharded: bool,
    /// `disallow`, `unmanaged` or `managed`.
    pub foreign_keys: String,
    /// What Vitess holds against it.
    pub comment: String,
}

/// A table or a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Whether it is a view.
    pub view: bool,
    /// Its collation.
    pub collation: Option<String>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Its name.
    pub name: String,
    /// The table that has it.
    pub table: String,
    /// The table that it leads to.
    pub parent: String,
    /// What happens when the row there is deleted.
    pub on_delete: String,
}

/// The row of `migrations_lock`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Whether it is held.
    pub locked: bool,
    /// Since when, in the local time of the container that took it.
    pub acquired_at: Option<String>,
    /// When it was released the last time.
    pub released_at: Option<String>,
}

/// A row of `migrations`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Migration {
    /// The version whose folder it is in, or `init`.
    pub version: String,
    /// The file.
    pub name: String,
}

/// What a statement was answered, that cannot succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The statement.
    pub asked: String,
    /// The error; nothing where it succeeded.
    pub error: Option<ServerError>,
}

impl Reply {
    /// What the answer means; nothing where there was no error.
    #[must_use]
    pub fn meaning(&self) -> Option<Meaning> {
        self.error.as_ref().map(ServerError::meaning)
    }

    /// The statement, with what makes it harmless: somebody may take fright at it.
    #[must_use]
    pub fn question(&self) -> String {
        if self.asked.contains("ghostfix_absent_") {
            format!("{} (there is no such table)", self.asked)
        } else {
            self.asked.clone()
        }
    }

    /// The answer in words.
    #[must_use]
    pub fn answered(&self) -> String {
        self.error
            .as_ref()
            .map_or_else(|| "done".to_owned(), ToString::to_string)
    }
}

/// The Ghost that is installed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Installation {
    /// Ghost's version.
    pub ghost: String,
    /// Where it is.
    pub directory: String,
    /// knex-migrator's version.
    pub knex_migrator: Option<String>,
    /// mysql2's version.
    pub mysql2: Option<String>,
    /// What Ghost declares and cannot load: without it no Ghost starts, whatever the database.
    #[serde(default)]
    pub absent: Vec<Absent>,
    /// The patches and whether each is in place.
    pub patches: Vec<Patch>,
    /// The migration files; nothing where they cannot be read.
    pub migrations: Option<Vec<Migration>>,
    /// Migrations, of those that this Ghost would run here, whose new tables refer to tables that are there.
    pub referencing: Vec<Migration>,
    /// Whether Ghost makes views.
    pub makes_views: bool,
}

/// A package that is not installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    /// Which, and where it was looked for, in one sentence without a full stop.
    pub problem: String,
    /// What to do about it.
    pub next_step: String,
}

/// A patch of the catalogue in the installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    /// Its id.
    pub id: String,
    /// How it was found.
    pub state: State,
}

impl Facts {
    /// Whether the database has had Ghost's first boot, as Ghost itself decides: all rows of `init` are there.
    #[must_use]
    pub fn is_initialised(&self) -> Option<bool> {
        let rows = self.migrations.known()?;
        let here = rows.iter().filter(|row| row.version == "init").count();
        let expected = self
            .installation
            .as_ref()
            .and_then(|installation| installation.migrations.as_ref())
            .map(|files| files.iter().filter(|file| file.version == "init").count());
        Some(here >= expected.unwrap_or(1).max(1))
    }

    /// Whether there is no table of Ghost's.
    #[must_use]
    pub fn is_empty(&self) -> Option<bool> {
        let own = |table: &Table| !table.name.starts_with("migrations");
        self.tables.known().map(|tables| !tables.iter().any(own))
    }

    /// Whether a table is there.
    #[must_use]
    pub fn has_table(&self, name: &str) -> Option<bool> {
        let tables = self.tables.known()?;
        Some(tables.iter().any(|table| table.name == name))
    }

    /// A patch's state in the installation.
    #[must_use]
    pub fn patch(&self, id: &str) -> Option<State> {
        let installation = self.installation.as_ref()?;
        let mut states = installation
            .patches
            .iter()
            .filter(|patch| patch.id == id)
            .map(|patch| patch.state);
        let first = states.next()?;
        // Several copies of one file: the one that is not in place counts.
        Some(states.find(|state| !state.is_satisfied()).unwrap_or(first))
    }

    /// The keyspace that the session is in.
    #[must_use]
    pub fn keyspace(&self) -> Option<&Keyspace> {
        let keyspaces = self.keyspaces.known()?;
        let name = self.server.known()?.database.as_ref()?;
        keyspaces.iter().find(|keyspace| keyspace.name == *name)
    }

    /// Whether Vitess stands before the database.
    #[must_use]
    pub fn is_vitess(&self) -> bool {
        self.provider.is_vitess()
    }

    /// A setting of the server's.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        let server = self.server.known()?;
        server.variables.get(name).map(String::as_str)
    }

    /// Migrations that are files here and no rows there.
    #[must_use]
    pub fn pending(&self) -> Option<Vec<&Migration>> {
        let files = self.installation.as_ref()?.migrations.as_ref()?;
        let rows = self.migrations.known()?;
        let new = |file: &&Migration| file.version != "init" && !rows.contains(file);
        Some(files.iter().filter(new).collect())
    }
}

/// A host as it may be shown: one that is written as an address may hold a password.
fn shown(host: &str) -> String {
    if connection::is_an_address(host) {
        "(an address)".to_owned()
    } else {
        host.to_owned()
    }
}

impl From<&driver::Target> for Target {
    fn from(target: &driver::Target) -> Self {
        let (host, port) = match &target.address {
            driver::Address::Host { host, port } => (shown(host), Some(*port)),
            driver::Address::Socket(path) => (path.display().to_string(), None),
        };
        let tls = target.tls.as_ref().map(|tls| TargetTls {
            reject_unauthorized: tls.reject_unauthorized,
            name: match tls.identity {
                connection::ssl::Identity::NotChecked => None,
                connection::ssl::Identity::Host => Some(shown(target.host())),
                connection::ssl::Identity::Localhost => Some("localhost".to_owned()),
            },
            authorities: tls.ca.as_ref().map(|texts| {
                texts
                    .iter()
                    .map(|text| crate::mysql::roots::certificates(text).len())
                    .sum()
            }),
            client_certificate: tls.client.is_some(),
            sealed_key: tls.client.as_ref().is_some_and(|client| client.is_sealed()),
        });
        Self {
            host,
            port,
            user: target.user.clone(),
            password: target.password.is_some(),
            database: target.database.clone(),
            tls,
            pool: target.pool,
            pool_min: target.pool_min,
            collation: target.collation.clone(),
        }
    }
}
