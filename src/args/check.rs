//! `ghostfix check`, as it is typed.

use std::path::PathBuf;

use super::{Connection, Installation, Selection};

/// `ghostfix check`
#[derive(Debug, clap::Args)]
pub struct Check {
    /// What to check [default: latest]
    ///
    /// A version (6.65.0), a range (^6), an npm tag (latest), ghost:TAG (looked up on npm: the image may differ), a
    /// directory, Ghost's .tgz, an image archive, or docker://REGISTRY/REPOSITORY:TAG.
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Every published Ghost
    #[arg(long, conflicts_with_all = ["targets", "since"])]
    pub all: bool,
    /// Every published Ghost from this version on
    #[arg(long, value_name = "VERSION", conflicts_with = "targets")]
    pub since: Option<String>,
    /// Say what the upgrade from this Ghost does to the database
    ///
    /// The version you run, or where it is installed: every migration that would run, in order, what each of them
    /// touches, and what may go wrong with it on PlanetScale and other Vitess. Nothing is asked of the database.
    ///
    /// `database` asks it: Ghost's own, or the one that the options under Connection name. What it has recorded is
    /// read, and exactly what is missing would run. Only SELECT and SHOW are sent.
    #[arg(long, value_name = "VERSION|DIR|database", conflicts_with_all = ["all", "since"])]
    pub from: Option<String>,
    /// Fail only where a verdict is worse than in this report
    ///
    /// What `ghostfix check --format json` printed before, committed to the repository. A target that it does not
    /// have is judged as without it; one that cannot be checked fails (6) whatever it says.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Where Ghost is, whose configuration names the database.
    #[command(flatten)]
    pub installation: Installation,
    /// Which database.
    #[command(flatten)]
    pub connection: Connection,
    /// Where packages come from.
    #[command(flatten)]
    pub upstream: Upstream,
    /// Which patches.
    #[command(flatten)]
    pub selection: Selection,
}

/// Where packages come from.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Upstream")]
pub struct Upstream {
    /// Ask nobody: use what earlier runs have cached
    #[arg(long)]
    pub offline: bool,
    /// The npm registry [default: what npm is configured for]
    #[arg(long, value_name = "URL")]
    pub registry: Option<String>,
    /// Where to keep the few files that matter [default: the user's cache]
    #[arg(long, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,
}
