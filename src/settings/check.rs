//! What `check` is to do, once it is checked.

use std::path::PathBuf;

use super::{Connection, Environment, Known, Problems, Root, selection};
use crate::args;

/// `ghostfix check`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What to check.
    pub what: What,
    /// Ids of the selected patches, in the catalogue's order; at least one.
    pub patches: Vec<String>,
    /// Where the upgrade begins.
    pub from: Option<From>,
    /// A report of before.
    pub baseline: Option<PathBuf>,
    /// Where packages come from.
    pub upstream: Upstream,
}

/// Where an upgrade begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// With a Ghost, as it was typed.
    Ghost(String),
    /// With a live database.
    Database {
        /// Where Ghost is; it need not be there.
        root: Root,
        /// Which database.
        connection: Connection,
    },
}

/// The word of `--from` that is no Ghost. A directory of that name is `./database`.
const DATABASE: &str = "database";

/// What to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// These targets, as they were typed; at least one.
    Targets(Vec<String>),
    /// Every published Ghost.
    All,
    /// Every published Ghost from this version on, as it was typed.
    Since(String),
}

/// Where packages come from, as far as the command line says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Upstream {
    /// The cache alone.
    pub offline: bool,
    /// The npm registry, in place of the configured one.
    pub registry: Option<String>,
    /// The cache's directory, in place of the user's.
    pub cache_directory: Option<PathBuf>,
}

impl Check {
    pub(super) fn new(
        args: args::Check,
        environment: &Environment,
        known: Known<'_>,
        problems: &mut Problems,
    ) -> Self {
        let asks = args.from.as_deref() == Some(DATABASE);
        if !asks && (args.installation.root.is_some() || args.connection.is_any()) {
            problems.add(
                "--root, --config, --env-file, --url and what stands behind -- say where the database is, which only --from database asks",
                "add --from database, or leave them out; a Ghost that lies in a directory is a target: `ghostfix check DIR`",
            );
        }
        let from = args.from.map(|from| {
            if asks {
                From::Database {
                    root: Root::new(args.installation, environment),
                    connection: Connection::new(args.connection),
                }
            } else {
                From::Ghost(from)
            }
        });
        let what = match (args.all, args.since) {
            (true, _) => What::All,
            (false, Some(version)) => What::Since(version),
            // Who asks about Ghost without saying which means the one that would be pulled.
            (false, None) if args.targets.is_empty() => What::Targets(vec!["latest".to_owned()]),
            (false, None) => What::Targets(args.targets),
        };
        Self {
            what,
            patches: selection::select(&args.selection, known, problems),
            from,
            baseline: args.baseline,
            upstream: Upstream {
                offline: args.upstream.offline,
                registry: args.upstream.registry,
                cache_directory: args.upstream.cache_dir,
            },
        }
    }
}
