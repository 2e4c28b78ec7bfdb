//! `ghostfix preflight`, checked.

use std::path::PathBuf;
use std::time::Duration;

use super::{Environment, Problems, Root};
use crate::args;
use crate::connection::Arguments;
use crate::connection::env_file::Quoting;
use crate::preflight::{accepted, check};

/// `ghostfix preflight`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preflight {
    /// What is wanted.
    pub ask: Ask,
    /// Where Ghost is; it need not be there.
    pub root: Root,
    /// Which database.
    pub connection: Connection,
    /// How long to wait for it.
    pub wait: Duration,
    /// Nothing but SELECT and SHOW.
    pub read_only: bool,
    /// Ids of checks to leave out.
    pub skip: Vec<String>,
    /// The least level that counts as no.
    pub fail_on: FailOn,
    /// Findings that a team lives with; the file has to be there where it was named.
    pub accepted: Option<PathBuf>,
    /// Where the facts are saved.
    pub facts: Option<PathBuf>,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Ask the database, and judge.
    Database,
    /// Judge the facts in this file.
    Saved(PathBuf),
    /// The list of checks.
    Checks,
    /// The explanation of the check with this id, which there is.
    Explanation(String),
}

/// Where the connection is described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// In Ghost's own configuration.
    Configuration {
        /// This file in place of its own.
        config: Option<PathBuf>,
        /// These variables in place of the environment, with their quotes read so.
        env_file: Option<(PathBuf, Quoting)>,
        /// What Ghost is started with.
        arguments: Arguments,
    },
    /// In an address.
    Url {
        /// The address, without a password in it.
        url: Address,
        /// Where the password is; else in GHOSTFIX_PASSWORD.
        password_file: Option<PathBuf>,
    },
}

impl Connection {
    /// What the options say.
    pub(super) fn new(typed: args::Connection) -> Self {
        match typed.url {
            Some(url) => Self::Url {
                url: Address(url),
                password_file: typed.password_file,
            },
            None => Self::Configuration {
                config: typed.config,
                env_file: typed
                    .env_file
                    .map(|file| (file, typed.env_quoting.unwrap_or(Quoting::Compose))),
                arguments: Arguments::new(typed.arguments),
            },
        }
    }
}

/// An address as it was typed. It may hold a password by mistake, so it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(pub String);

impl std::fmt::Debug for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("…")
    }
}

/// The least level that counts as no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum FailOn {
    /// Ghost will not start, or fails in use
    #[default]
    Error,
    /// Or works, but not well
    Warning,
}

const LIST: &str = "`ghostfix preflight --list-checks` shows the ids";

impl Preflight {
    pub(super) fn new(
        typed: args::Preflight,
        environment: &Environment,
        problems: &mut Problems,
    ) -> Self {
        let ids = check::ids();
        for id in typed.skip.iter().chain(&typed.explain) {
            if ids.contains(&id.as_str()) {
                continue;
            }
            let near = similar::get_close_matches(id.as_str(), &ids, 1, 0.6);
            let near = near.first().map(|near| format!(" (did you mean {near}?)"));
            problems.add(
                format!("{id}: no check has this id{}", near.unwrap_or_default()),
                LIST,
            );
        }
        if typed.judge.is_some() && typed.facts.is_some() {
            problems.add(
                "--facts and --judge contradict each other: one saves what the other reads",
                "give one of them",
            );
        }
        let ask = match (typed.explain, typed.list_checks, typed.judge) {
            (Some(id), ..) => Ask::Explanation(id),
            (None, true, _) => Ask::Checks,
            (None, false, Some(file)) => Ask::Saved(file),
            (None, false, None) => Ask::Database,
        };
        let here = environment.working_directory.as_ref();
        let accepted = typed.accepted.or_else(|| {
            let file = here?.join(accepted::FILE);
            file.is_file().then_some(file)
        });
        Self {
            ask,
            root: Root::new(typed.installation, environment),
            connection: Connection::new(typed.connection),
            wait: typed.wait.unwrap_or_default(),
            read_only: typed.read_only,
            skip: typed.skip,
            fail_on: typed.fail_on.unwrap_or_default(),
            accepted,
            facts: typed.facts,
        }
    }
}
