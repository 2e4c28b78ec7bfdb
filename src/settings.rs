//! What is meant: the one way from [`Args`](crate::args::Args) and the [`Environment`] to [`Settings`], which
//! commands take. Everything that is wrong with a command line is told at once. Whether a root holds a Ghost is
//! for the search to find out.

use std::path::{Path, PathBuf};

use crate::args;
use crate::catalogue::definition::Profile;
use crate::error::{Error, Result};

mod check;
mod environment;
mod preflight;
mod selection;

pub use check::{Check, From, Upstream, What};
pub use environment::{Environment, Screen};
pub use preflight::{Address, Ask, Connection, FailOn, Preflight};

/// The ids of the catalogue with the profiles that each belongs to, in the catalogue's order.
pub type Known<'a> = &'a [(&'a str, &'a [Profile])];

/// The form of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    Human,
    /// One JSON object
    Json,
    /// Annotations for a GitHub workflow
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Markdown, for a job summary (check)
    Markdown,
    /// One self-contained page (check)
    Html,
    /// JUnit's XML, for CI systems that read nothing else (preflight and verify)
    Junit,
}

/// How much the human form says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verbosity {
    /// The verdict, in one line (`-q`).
    Quiet,
    /// What was done, its diff and its proof in one line.
    #[default]
    Normal,
    /// And every behaviour case, and where was searched (`-v`).
    Verbose,
}

/// What a run is to do, and how to say what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What to do.
    pub command: Command,
    /// How to say it.
    pub output: Output,
}

/// The commands, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `ghostfix patch`
    Patch(Patch),
    /// `ghostfix verify`
    Verify(Verify),
    /// `ghostfix revert`
    Revert(Revert),
    /// `ghostfix check`
    Check(Check),
    /// `ghostfix preflight`
    Preflight(Box<Preflight>),
    /// `ghostfix patches list` and `show`
    Patches(Patches),
    /// `ghostfix completions`
    Completions(clap_complete::Shell),
    /// `ghostfix man`
    Man,
}

/// `ghostfix patch`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// Where Ghost is.
    pub root: Root,
    /// Ids of the selected patches, in the catalogue's order; at least one.
    pub patches: Vec<String>,
    /// How far to search for copies.
    pub reach: Reach,
    /// Stop before the writing.
    pub dry_run: bool,
}

/// `ghostfix verify`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verify {
    /// Where Ghost is, unless it is in an image.
    pub root: Root,
    /// The image, as it was typed.
    pub image: Option<String>,
    /// Ids of the selected patches, in the catalogue's order; at least one.
    pub patches: Vec<String>,
    /// How far to search for copies.
    pub reach: Reach,
}

/// `ghostfix revert`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revert {
    /// Where Ghost is.
    pub root: Root,
    /// Ids of the patches to take out, in the catalogue's order; at least one.
    pub patches: Vec<String>,
}

/// `ghostfix patches`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patches {
    /// All of them, a line each.
    List,
    /// The page of the one with this id, which the catalogue has.
    Show(String),
}

/// How far to search for copies of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Node's resolution, every package-level `node_modules`, `.pnpm`.
    Packages,
    /// Every directory below the installation (`--deep`).
    Everything,
}

/// Where Ghost is, or where it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// Here and nowhere else, says `--root`.
    Given(PathBuf),
    /// Here and nowhere else, says `$GHOST_INSTALL`.
    Installed(PathBuf),
    /// In the first of these that holds one.
    FirstOf(Vec<PathBuf>),
}

/// How to say what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// The form of the result on standard output.
    pub format: Format,
    /// When to colour the human form.
    pub color: anstream::ColorChoice,
    /// How much the human form says.
    pub verbosity: Verbosity,
    /// What the human form is laid out for.
    pub screen: Screen,
    /// Where steps are shown as they are taken; nothing where nobody watches.
    pub stage: Option<Screen>,
}

impl Settings {
    /// Checks what was typed against the patches that exist.
    pub fn new(args: args::Args, environment: &Environment, known: Known<'_>) -> Result<Self> {
        let mut problems = Problems::default();
        if args.output.quiet && args.output.verbose {
            problems.add(
                "--quiet and --verbose contradict each other",
                "give one of them",
            );
        }
        let output = Output::new(&args.output, environment);
        let command = match args.command {
            args::Command::Patch(patch) => Command::Patch(Patch {
                root: Root::new(patch.installation, environment),
                patches: selection::select(&patch.selection, known, &mut problems),
                reach: Reach::new(patch.reach),
                dry_run: patch.dry_run,
            }),
            args::Command::Verify(verify) => Command::Verify(Verify {
                root: Root::new(verify.installation, environment),
                image: verify.image,
                patches: selection::select(&verify.selection, known, &mut problems),
                reach: Reach::new(verify.reach),
            }),
            args::Command::Revert(revert) => Command::Revert(Revert {
                root: Root::new(revert.installation, environment),
                patches: selection::select_for_revert(&revert.only, known, &mut problems),
            }),
            args::Command::Check(check) => {
                Command::Check(Check::new(*check, environment, known, &mut problems))
            }
            args::Command::Preflight(typed) => {
                Command::Preflight(Box::new(Preflight::new(*typed, environment, &mut problems)))
            }
            args::Command::Patches {
                command: args::Patches::List,
            } => Command::Patches(Patches::List),
            args::Command::Patches {
                command: args::Patches::Show { id },
            } => {
                selection::check_id(&id, "", known, &mut problems);
                Command::Patches(Patches::Show(id))
            }
            args::Command::Completions { shell } => Command::Completions(shell),
            args::Command::Man => Command::Man,
        };
        match (output.format, &command) {
            (Format::Junit, Command::Preflight(_) | Command::Verify(_)) => {}
            (Format::Junit, _) => problems.add(
                "--format junit: only preflight and verify have it",
                "give another format",
            ),
            (Format::Markdown | Format::Html, Command::Check(_)) => {}
            (Format::Markdown | Format::Html, _) => problems.add(
                "the forms markdown and html are for `ghostfix check` alone",
                "choose --format human, json, github or sarif",
            ),
            (Format::Human | Format::Json | Format::Github | Format::Sarif, _) => {}
        }
        problems.into_result()?;
        Ok(Self { command, output })
    }
}

impl Output {
    /// How to say something before, or without, settings: an error on the way to them.
    #[must_use]
    pub fn new(args: &args::Output, environment: &Environment) -> Self {
        Self {
            format: args.format,
            color: match args.color {
                clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
                clap::ColorChoice::Always => anstream::ColorChoice::Always,
                clap::ColorChoice::Never => anstream::ColorChoice::Never,
            },
            verbosity: match (args.quiet, args.verbose) {
                (true, _) => Verbosity::Quiet,
                (false, true) => Verbosity::Verbose,
                (false, false) => Verbosity::Normal,
            },
            screen: environment.screen,
            stage: environment
                .stage
                .filter(|_| args.format == Format::Human && !args.quiet),
        }
    }

    /// Whether somebody has seen the steps where the result comes now, so that it need not repeat them.
    #[must_use]
    pub fn follows_steps(&self) -> bool {
        self.stage.is_some() && self.screen.columns.is_some()
    }
}

impl Reach {
    fn new(args: args::Reach) -> Self {
        if args.deep {
            Self::Everything
        } else {
            Self::Packages
        }
    }
}

impl Root {
    /// `--root`, else `$GHOST_INSTALL`, else the working directory and then the official image's place.
    fn new(args: args::Installation, environment: &Environment) -> Self {
        if let Some(given) = args.root {
            return Self::Given(given);
        }
        if let Some(installed) = &environment.ghost_install {
            return Self::Installed(installed.clone());
        }
        let mut candidates: Vec<PathBuf> = environment.working_directory.iter().cloned().collect();
        let official = Path::new("/var/lib/ghost");
        if !candidates.iter().any(|candidate| candidate == official) {
            candidates.push(official.to_owned());
        }
        Self::FirstOf(candidates)
    }

    /// Applies `locate` to each place, in order, until one is not simply without a Ghost.
    ///
    /// A place that cannot be read, or whose Ghost is broken in another way, ends the search: going on would work
    /// on another Ghost than the one that was meant.
    pub fn locate<T>(&self, locate: impl Fn(&Path) -> Result<T>) -> Result<(PathBuf, T)> {
        let candidates = match self {
            Self::Given(root) => return Ok((root.clone(), locate(root)?)),
            Self::Installed(root) => {
                return match locate(root) {
                    Ok(found) => Ok((root.clone(), found)),
                    Err(Error::NothingToWorkOn { problem, next_step }) => {
                        Err(Error::NothingToWorkOn {
                            problem: format!("{problem} (which is what GHOST_INSTALL says)"),
                            next_step,
                        })
                    }
                    Err(other) => Err(other),
                };
            }
            Self::FirstOf(candidates) => candidates,
        };
        let mut answers = Vec::new();
        for candidate in candidates {
            match locate(candidate) {
                Ok(found) => return Ok((candidate.clone(), found)),
                Err(Error::NothingToWorkOn { problem, .. }) => answers.push(problem),
                Err(other) => return Err(other),
            }
        }
        Err(Error::NothingToWorkOn {
            problem: format!("no Ghost found\n{}", answers.join("\n")),
            next_step: "say where Ghost is with --root DIR, or set GHOST_INSTALL".to_owned(),
        })
    }
}

/// What is wrong with a command line, all of it.
#[derive(Debug, Default)]
struct Problems {
    found: Vec<(String, String)>,
}

impl Problems {
    fn add(&mut self, problem: impl Into<String>, next_step: impl Into<String>) {
        self.found.push((problem.into(), next_step.into()));
    }

    fn into_result(self) -> Result<()> {
        if self.found.is_empty() {
            return Ok(());
        }
        let mut steps: Vec<String> = Vec::new();
        let mut problems = Vec::new();
        for (problem, step) in self.found {
            problems.push(problem);
            if !steps.contains(&step) {
                steps.push(step);
            }
        }
        Err(Error::Usage {
            problem: problems.join("\n"),
            next_step: steps.join("\n"),
        })
    }
}

#[cfg(test)]
mod tests;
