//! The numbers of MySQL's errors that mean something for Ghost, and the words that tell apart what Vitess puts into one
//! number: 1105 is a bucket, so it is never judged without its message.

use serde::{Deserialize, Serialize};

/// Too many connections.
pub const TOO_MANY_CONNECTIONS: u16 = 1040;
/// The account may not use this database.
pub const DATABASE_ACCESS_DENIED: u16 = 1044;
/// Wrong user, password or host.
pub const ACCESS_DENIED: u16 = 1045;
/// There is no such database.
pub const UNKNOWN_DATABASE: u16 = 1049;
/// There is such a database already.
pub const DATABASE_EXISTS: u16 = 1007;
/// What was to be dropped is not there.
pub const UNKNOWN_TABLE_TO_DROP: u16 = 1051;
/// What Vitess says where it has no number.
pub const UNKNOWN_ERROR: u16 = 1105;
/// This machine was shut out after too many broken connections.
pub const HOST_BLOCKED: u16 = 1129;
/// No account is allowed in from this machine.
pub const HOST_NOT_PRIVILEGED: u16 = 1130;
/// The account lacks a right on a table.
pub const TABLE_ACCESS_DENIED: u16 = 1142;
/// There is no such table.
pub const NO_SUCH_TABLE: u16 = 1146;
/// The account has too many connections.
pub const USER_LIMIT: u16 = 1203;
/// The account lacks a right.
pub const SPECIFIC_ACCESS_DENIED: u16 = 1227;
/// The server takes no writes.
pub const READ_ONLY: u16 = 1290;
/// Syntax.
pub const PARSE: u16 = 1064;
/// The server takes encrypted connections only.
pub const SECURE_TRANSPORT_REQUIRED: u16 = 3159;

/// An error as a server gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("errno {number}: {message}")]
pub struct ServerError {
    /// Its number.
    pub number: u16,
    /// Its message, as it came.
    pub message: String,
}

/// What an error means, by number and message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The database exists already, in plain MySQL's number.
    DatabaseExists,
    /// The database exists already, in a number that Ghost does not forgive.
    DatabaseExistsUnforgiven,
    /// There is no such database.
    UnknownDatabase,
    /// Foreign keys are not allowed here.
    ForeignKeysNotAllowed,
    /// Foreign keys make a cycle, which Vitess does not write to.
    ForeignKeyCycle,
    /// Schema changes go by deploy requests only.
    DirectDdlDisabled,
    /// The server takes encrypted connections only.
    TlsRequired,
    /// The account may not do this.
    NotAllowed,
    /// What the statement names is not there.
    Absent,
    /// The server takes no writes.
    ReadOnly,
    /// The server does not know the statement.
    Syntax,
    /// Anything else.
    Other,
}

impl ServerError {
    /// What it means for Ghost.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        let message = self.message.to_ascii_lowercase();
        let says = |words: &str| message.contains(words);
        match self.number {
            DATABASE_EXISTS => Meaning::DatabaseExists,
            UNKNOWN_DATABASE => Meaning::UnknownDatabase,
            SECURE_TRANSPORT_REQUIRED => Meaning::TlsRequired,
            _ if says("vt05003") => Meaning::UnknownDatabase,
            _ if says("vt10001") || says("foreign key constraints are not allowed") => {
                Meaning::ForeignKeysNotAllowed
            }
            _ if says("vt09019") || says("cyclic foreign keys") => Meaning::ForeignKeyCycle,
            _ if says("direct ddl is disabled") => Meaning::DirectDdlDisabled,
            _ if says("does not allow insecure connections") => Meaning::TlsRequired,
            UNKNOWN_ERROR if message.trim_end().ends_with("database exists") => {
                Meaning::DatabaseExistsUnforgiven
            }
            READ_ONLY | 1792 | 1836 | 3989 => Meaning::ReadOnly,
            UNKNOWN_ERROR if says("is read only") || says("read-only") => Meaning::ReadOnly,
            DATABASE_ACCESS_DENIED | TABLE_ACCESS_DENIED | SPECIFIC_ACCESS_DENIED | 1370 | 1143 => {
                Meaning::NotAllowed
            }
            UNKNOWN_ERROR if says("command denied to user") || says("permissiondenied") => {
                Meaning::NotAllowed
            }
            NO_SUCH_TABLE | UNKNOWN_TABLE_TO_DROP => Meaning::Absent,
            PARSE => Meaning::Syntax,
            _ => Meaning::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_judged_by_its_number_and_its_words() {
        for (number, message, expected) in [
            (
                1007,
                "Can't create database 'ghost'; database exists",
                Meaning::DatabaseExists,
            ),
            (
                1105,
                "VT06001: cannot create database 'ghost'; database exists",
                Meaning::DatabaseExistsUnforgiven,
            ),
            (
                1105,
                "unknown error: Code: UNAVAILABLE\nserver does not allow insecure connections, client must use SSL/TLS\n",
                Meaning::TlsRequired,
            ),
            (
                1105,
                "VT10001: foreign key constraints are not allowed",
                Meaning::ForeignKeysNotAllowed,
            ),
            (
                1317,
                "VT10001: foreign key constraints are not allowed",
                Meaning::ForeignKeysNotAllowed,
            ),
            (
                1105,
                "VT09019: keyspace 'ghost' has cyclic foreign keys. Cycle exists between [ghost.comments.id]",
                Meaning::ForeignKeyCycle,
            ),
            (1105, "direct DDL is disabled", Meaning::DirectDdlDisabled),
            (
                1105,
                "VT05003: unknown database 'elsewhere' in vschema",
                Meaning::UnknownDatabase,
            ),
            (1049, "Unknown database 'x'", Meaning::UnknownDatabase),
            (
                3989,
                "Schema 'ghost' is in read only mode.",
                Meaning::ReadOnly,
            ),
            (1105, "something else", Meaning::Other),
            (1051, "Unknown table 'x'", Meaning::Absent),
            (1142, "ALTER command denied to user", Meaning::NotAllowed),
        ] {
            let error = ServerError {
                number,
                message: message.to_owned(),
            };
            assert_eq!(error.meaning(), expected, "{message}");
        }
    }
}
