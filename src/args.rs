//! What was typed: the commands, their flags and their help. Reads no environment and opens nothing; what the
//! flags amount to together is for [`settings`](crate::settings) to say.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::catalogue::definition::Profile;
use crate::settings::Format;

mod check;
mod help;
mod mistakes;
mod pages;
mod preflight;
mod values;

pub use check::{Check, Upstream};
pub use mistakes::{output_despite_errors, usage_error};
pub use pages::{completions, manual};
pub use preflight::{Connection, Preflight};

/// Make self-hosted Ghost run on PlanetScale and other Vitess.
///
/// Ghost as published does not start there. ghostfix finds the few lines that stop it, changes them in the
/// syntax tree, proves the result by running it, and only then replaces the file. Where the code is not what it
/// knows, it refuses, says what is different, and touches nothing.
#[derive(Debug, Parser)]
#[command(
    name = "ghostfix",
    version,
    styles = help::STYLES,
    max_term_width = 80,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = help::EXAMPLES,
    after_long_help = help::with_exit_codes(help::EXAMPLES, help::EXIT_CODES),
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How to say what was found.
    #[command(flatten)]
    pub output: Output,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Patch a Ghost installation, or refuse and fail the build
    ///
    /// Every selected file is patched, or none. Each is parsed, changed in its syntax tree, and proved by running
    /// it before and after; then it is replaced in one step. A second run finds nothing left to do and writes
    /// nothing.
    #[command(after_help = help::PATCH_EXAMPLES, after_long_help = help::with_exit_codes(help::PATCH_EXAMPLES, help::PATCH_EXIT_CODES))]
    Patch(Patch),

    /// Prove that the patches are in place; writes nothing
    ///
    /// Both proofs are made again on the files as they are. What an earlier run wrote down about them counts for
    /// nothing. A patch that this version of the code does not need counts as in place.
    #[command(after_help = help::VERIFY_EXAMPLES, after_long_help = help::with_exit_codes(help::VERIFY_EXAMPLES, help::VERIFY_EXIT_CODES))]
    Verify(Verify),

    /// Take the patches out again, byte for byte
    ///
    /// Gives back the identical bytes that patch found. Refuses where a file was changed by somebody else since.
    #[command(after_help = help::REVERT_EXAMPLES, after_long_help = help::with_exit_codes(help::REVERT_EXAMPLES, help::REVERT_EXIT_CODES))]
    Revert(Revert),

    /// Say whether a Ghost can be patched, before anyone pulls it
    ///
    /// Nothing is installed: Ghost's package and the exact knex-migrator that it would bring along are read as they
    /// stream by, every selected patch is made in memory, and both proofs are run. Each target gets a verdict: ok,
    /// refused, not-applicable (nothing in it to patch), or unknown.
    #[command(visible_alias = "dry-run", after_help = help::CHECK_EXAMPLES, after_long_help = help::with_exit_codes(help::CHECK_EXAMPLES, help::CHECK_EXIT_CODES))]
    Check(Box<Check>),
    /// Tell what will stop Ghost on its database, before it starts; writes nothing
    ///
    /// Connects as Ghost would, with Ghost's own configuration, and asks the database everything that Ghost depends
    /// on. What it finds comes with the fix. Every statement is a read, or one that cannot succeed.
    #[command(after_help = help::PREFLIGHT_EXAMPLES, after_long_help = help::with_exit_codes(help::PREFLIGHT_EXAMPLES, help::PREFLIGHT_EXIT_CODES))]
    Preflight(Box<Preflight>),

    /// List the patches, or explain one
    #[command(arg_required_else_help = true, disable_help_subcommand = true, after_help = help::PATCHES_EXAMPLES)]
    Patches {
        /// What to show.
        #[command(subcommand)]
        command: Patches,
    },

    /// Print a completion script for a shell
    #[command(after_help = help::COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },

    /// Print the manual page, in troff
    #[command(after_help = help::MAN_EXAMPLES)]
    Man,
}

/// `ghostfix patch`
#[derive(Debug, clap::Args)]
pub struct Patch {
    /// Where Ghost is.
    #[command(flatten)]
    pub installation: Installation,
    /// Do everything but write: show the diffs and the proofs
    #[arg(long)]
    pub dry_run: bool,
    /// How far to search.
    #[command(flatten)]
    pub reach: Reach,
    /// Which patches.
    #[command(flatten)]
    pub selection: Selection,
}

/// `ghostfix verify`
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// Where Ghost is.
    #[command(flatten)]
    pub installation: Installation,
    /// An image instead: an archive, or docker://REGISTRY/REPOSITORY:TAG
    ///
    /// What `docker save` or `skopeo copy` wrote, packed or not, or an image on a registry, with the credentials of
    /// Docker's configuration. Only what is needed of its layers is kept, and every digest is verified.
    #[arg(long, value_name = "ARCHIVE|docker://…", conflicts_with = "root")]
    pub image: Option<String>,
    /// How far to search.
    #[command(flatten)]
    pub reach: Reach,
    /// Which patches.
    #[command(flatten)]
    pub selection: Selection,
}

/// `ghostfix revert`
#[derive(Debug, clap::Args)]
pub struct Revert {
    /// Where Ghost is.
    #[command(flatten)]
    pub installation: Installation,
    /// Take out only this patch (repeatable)
    ///
    /// Without it, every patch that ghostfix put in is taken out, whatever the profile.
    #[arg(
        long,
        value_name = "ID",
        value_delimiter = ',',
        help_heading = "Selection"
    )]
    pub only: Vec<String>,
}

/// `ghostfix patches`
#[derive(Debug, Subcommand)]
pub enum Patches {
    /// List the patches, with what each changes and for whom
    List,
    /// Show one patch's page: what breaks without it, what it changes, what it costs
    Show {
        /// The patch's id, as `ghostfix patches list` has it
        id: String,
    },
}

/// Where Ghost is.
#[derive(Debug, clap::Args)]
pub struct Installation {
    /// The Ghost installation
    ///
    /// What ghost-cli or the official image made (/var/lib/ghost), a directory that holds `current`, or the
    /// directory of Ghost's own package.json. Without it: $GHOST_INSTALL, then the working directory, then
    /// /var/lib/ghost.
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

/// Which patches.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Selection")]
pub struct Selection {
    /// The database that Ghost will run on [default: planetscale]
    #[arg(long, value_parser = values::profile())]
    pub profile: Option<Profile>,
    /// Exactly this patch, whatever the profile (repeatable)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub only: Vec<String>,
    /// This patch too, beyond the profile's (repeatable)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub with: Vec<String>,
    /// Not this patch of the profile's (repeatable)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub without: Vec<String>,
}

/// How far to search.
#[derive(Debug, clap::Args)]
pub struct Reach {
    /// Search every directory for further copies
    ///
    /// Without it the search covers what Node's resolution finds from Ghost, every package-level node_modules,
    /// and .pnpm. The result says which was covered.
    #[arg(long)]
    pub deep: bool,
}

/// How to say what was found.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Form of the result
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub format: Format,
    /// When to use colour
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = clap::ColorChoice::Auto)]
    pub color: clap::ColorChoice,
    /// Only the verdict, in one line
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Every behaviour case, and where was searched
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

#[cfg(test)]
mod tests;
