//! `ghostfix preflight`: connects as Ghost would, asks, and judges.

use std::path::Path;
use std::time::{Duration, Instant};

use super::inspection::{Inspection, Inspector};
use crate::catalogue;
use crate::connection::{self, Configuration, Surroundings, Variables, env_file, loader, ssl};
use crate::error::{Error, Result};
use crate::ghost::Files;
use crate::image::copies::{Depth, reached};
use crate::image::installation::{Installation, locate};
use crate::javascript::sandbox::Sandbox;
use crate::migrations;
use crate::migrations::facts::Action;
use crate::migrations::inventory::{self, Inventory, Named};
use crate::preflight::accepted::Accepted;
use crate::preflight::facts::{self, Facts, Migration, Patch};
use crate::preflight::finding::{Finding, Level};
use crate::preflight::layer::{self, Event, Layer};
use crate::preflight::probe::{self, Manner};
use crate::preflight::{check, saved};
use crate::report::{CheckDescription, ChecksReport, PreflightReport, Report};
use crate::settings::{Ask, Connection, FailOn, Preflight, Root};

/// Between two tries of a database that is still starting.
const PAUSE: Duration = Duration::from_millis(1000);

/// A step, as it is shown while the command runs.
pub enum Step {
    /// A part of the way begins.
    Begun(&'static str),
    /// A part is over.
    Ended {
        /// How bad it is; nothing where it cannot be bad.
        level: Level,
        /// The short fact, or what is wrong.
        words: String,
    },
    /// The database is not there yet. It is tried again, until then at the latest.
    Waiting(Instant),
}

/// Told of each step.
pub type Progress<'a> = &'a mut dyn FnMut(Step);

/// Runs the command.
///
/// # Errors
///
/// Where a file that was named cannot be read or written, or an address is none. That a database cannot be reached is a
/// finding, not an error.
pub fn run(
    settings: &Preflight,
    sandbox: &Sandbox,
    variables: &Variables,
    progress: Progress<'_>,
) -> Result<Report> {
    let accepted = match &settings.accepted {
        Some(file) => Accepted::read(file, &check::ids())?,
        None => Accepted::default(),
    };
    let facts = match &settings.ask {
        Ask::Checks => {
            return Ok(ChecksReport::List(check::CHECKS.iter().map(describe).collect()).into());
        }
        Ask::Explanation(id) => return explain(id).map(Into::into),
        Ask::Saved(file) => saved::read(file)?,
        Ask::Database => gather(
            settings,
            sandbox,
            variables,
            &mut Telling::new(settings, &accepted, progress),
        )?,
    };
    if let Some(file) = &settings.facts {
        saved::write(file, &facts)?;
    }
    let (mut findings, not_reached) = check::judge(&facts, &settings.skip);
    accepted.mark(&mut findings, &today());
    let least = match settings.fail_on {
        FailOn::Error => Level::Error,
        FailOn::Warning => Level::Warning,
    };
    Ok(PreflightReport {
        findings,
        not_reached,
        facts,
        least,
    }
    .into())
}

/// Turns what happens into what is shown: a part's worst finding is its mark, unless the team lives with it.
struct Telling<'t> {
    skip: &'t [String],
    accepted: &'t Accepted,
    /// What was bad before is not told twice.
    told: Vec<&'static str>,
    progress: Progress<'t>,
}

impl<'t> Telling<'t> {
    fn new(settings: &'t Preflight, accepted: &'t Accepted, progress: Progress<'t>) -> Self {
        Self {
            skip: &settings.skip,
            accepted,
            told: Vec::new(),
            progress,
        }
    }

    fn tell(&mut self, event: Event<'_>) {
        let step = match event {
            Event::Begun(layer) => Step::Begun(layer.title),
            Event::Ended(layer, facts) => {
                let worst = self.worst(layer, facts);
                Step::Ended {
                    level: worst
                        .as_ref()
                        .map_or(Level::Passed, |finding| finding.level),
                    words: layer.words(facts, worst.as_ref()),
                }
            }
        };
        (self.progress)(step);
    }

    fn worst(&mut self, layer: &Layer, facts: &Facts) -> Option<Finding> {
        let mut findings = layer.findings(facts);
        findings.retain(|finding| {
            !self.skip.iter().any(|id| id == finding.id) && !self.told.contains(&finding.id)
        });
        self.accepted.mark(&mut findings, &today());
        findings.retain(|finding| finding.accepted.is_none());
        let bad = |finding: &&Finding| finding.level > Level::Notice;
        self.told
            .extend(findings.iter().filter(bad).map(|finding| finding.id));
        // The first of the worst: what fails first stands first.
        findings
            .into_iter()
            .rev()
            .max_by_key(|finding| finding.level)
    }
}

fn describe(check: &check::Check) -> CheckDescription {
    CheckDescription {
        id: check.id,
        question: check.question,
        explanation: check.explanation,
    }
}

fn explain(id: &str) -> Result<ChecksReport> {
    let check = check::CHECKS.iter().find(|check| check.id == id);
    check
        .map(|check| ChecksReport::Page(describe(check)))
        .ok_or_else(|| Error::Bug {
            problem: format!("the list has lost the check {id}"),
        })
}

fn gather(
    settings: &Preflight,
    sandbox: &Sandbox,
    variables: &Variables,
    telling: &mut Telling<'_>,
) -> Result<Facts> {
    telling.tell(Event::Begun(&layer::CONFIGURATION));
    let found = find(&settings.root)?;
    let installation = found
        .as_ref()
        .map(|installation| inspect(installation, sandbox))
        .transpose()?;
    let driver = ssl::Rules::of(installation.as_ref().and_then(|one| one.mysql2.as_deref()));
    let configuration = configuration(&settings.connection, found.as_ref(), variables, driver)?;
    let before = Facts {
        ghostfix: env!("CARGO_PKG_VERSION").to_owned(),
        asked_at: probe::now(),
        configuration: facts::Configuration {
            problem: configuration.target.as_ref().err().cloned(),
            told: configuration.told.clone(),
            target: configuration.target.as_ref().ok().map(Into::into),
        },
        installation,
        ..Facts::default()
    };
    telling.tell(Event::Ended(&layer::CONFIGURATION, &before));
    let Ok(target) = configuration.target else {
        return Ok(before);
    };
    let manner = Manner {
        read_only: settings.read_only,
        extra_roots: variables.get("NODE_EXTRA_CA_CERTS").map(Into::into),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::file_system("start", "the runtime", error))?;
    let mut facts = runtime.block_on(async {
        let end = Instant::now() + settings.wait;
        loop {
            telling.told.clear();
            let facts = probe::gather(before.clone(), &target, &manner, &mut |event| {
                telling.tell(event);
            })
            .await;
            if !probe::may_pass(&facts) || Instant::now() + PAUSE > end {
                return facts;
            }
            (telling.progress)(Step::Waiting(end));
            tokio::time::sleep(PAUSE).await;
        }
    });
    if let Some(found) = &found {
        let referencing = referencing(&facts, &found.ghost.directory);
        if let Some(installation) = &mut facts.installation {
            installation.referencing = referencing;
        }
    }
    Ok(facts)
}

/// The Ghost that is installed, if there is one: a database can be asked without.
pub(super) fn find(root: &Root) -> Result<Option<Installation>> {
    match root.locate(locate) {
        Ok((_, installation)) => Ok(Some(installation)),
        Err(Error::NothingToWorkOn { .. }) if matches!(root, Root::FirstOf(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn inspect(installation: &Installation, sandbox: &Sandbox) -> Result<facts::Installation> {
    let inspector = Inspector {
        installation,
        depth: Depth::PackageDirectories,
        sandbox,
        receipt: None,
    };
    let all: Vec<&'static catalogue::Patch> = catalogue::patches().iter().collect();
    let Inspection { entries, .. } = inspector.inspect(&all)?;
    let version = |package: &str| {
        let found = reached(installation, &[package]).ok()?;
        let copy = found.first()?.found.first()?;
        Some(copy.version.clone())
    };
    let ghost = &installation.ghost.directory;
    Ok(facts::Installation {
        ghost: installation.ghost.version.clone(),
        directory: ghost.display().to_string(),
        knex_migrator: version("knex-migrator"),
        mysql2: version("mysql2"),
        patches: entries
            .iter()
            .map(|entry| Patch {
                id: entry.id.clone(),
                state: entry.state,
            })
            .collect(),
        migrations: migration_files(&Files::in_directory(ghost), &installation.ghost.version),
        referencing: Vec::new(),
        makes_views: ghost.join("core/server/data/schema/views.js").is_file(),
    })
}

/// The files that knex-migrator counts, by the version whose folder they are in; nothing where they cannot be listed.
fn migration_files(files: &Files, ghost: &str) -> Option<Vec<Migration>> {
    const INIT: &str = "core/server/data/migrations/init";
    let inventory = inventory::read(files).ok()?;
    let ghost = nodejs_semver::Version::parse(ghost).ok()?;
    let mut init: Vec<String> = files
        .paths_below(INIT)
        .ok()?
        .iter()
        .filter_map(|path| path.strip_prefix(INIT)?.strip_prefix('/'))
        .filter(|name| !name.starts_with('.') && !name.contains('/'))
        .map(str::to_owned)
        .collect();
    init.sort();
    let init = init.into_iter().map(|name| Migration {
        version: "init".to_owned(),
        name,
    });
    let later = |named: &Named| Inventory::is_later(&named.version, &ghost);
    let versions = inventory.all().filter(|named| !later(named));
    let versions = versions.map(|Named { version, name }| Migration { version, name });
    Some(init.chain(versions).collect())
}

/// The migrations that this Ghost would run here whose new tables refer to tables that are there.
fn referencing(facts: &Facts, ghost: &Path) -> Vec<Migration> {
    if facts.is_initialised() != Some(true) {
        return Vec::new();
    }
    let pending: Vec<Named> = facts
        .pending()
        .unwrap_or_default()
        .into_iter()
        .map(|Migration { version, name }| Named {
            version: version.clone(),
            name: name.clone(),
        })
        .collect();
    // What cannot be read is not certain to fail.
    let read = migrations::read::read(&Files::in_directory(ghost), &pending).unwrap_or_default();
    let refers = |migration: &&migrations::Migration| {
        let new: Vec<&str> = migration
            .operations
            .iter()
            .filter(|operation| operation.action == Action::CreateTable)
            .filter_map(|operation| operation.table.as_deref())
            .collect();
        migration.operations.iter().any(|operation| {
            let own = operation.table.as_deref();
            matches!(&operation.action, Action::AddForeignKey(key)
                if own.is_some_and(|table| new.contains(&table))
                    && facts.has_table(&key.parent) == Some(true))
        })
    };
    read.iter()
        .filter(refers)
        .map(|migration| Migration {
            version: migration.version.clone(),
            name: migration.name.clone(),
        })
        .collect()
}

pub(super) fn configuration(
    connection: &Connection,
    installation: Option<&Installation>,
    variables: &Variables,
    driver: ssl::Rules,
) -> Result<Configuration> {
    let (config, env_file, arguments) = match connection {
        Connection::Url { url, password_file } => {
            let from_file = password_file.as_ref().map(|file| read(file)).transpose()?;
            let password = match &from_file {
                Some(text) => Some(
                    text.strip_suffix('\n')
                        .unwrap_or(text)
                        .trim_end_matches('\r'),
                ),
                None => variables.get("GHOSTFIX_PASSWORD"),
            };
            return connection::of_url(&url.0, password, driver).map_err(|problem| Error::Usage {
                problem: format!("--url: {problem}"),
                next_step: "mysql://USER@HOST/DATABASE, and the password in GHOSTFIX_PASSWORD or in a file (--password-file)".to_owned(),
            });
        }
        Connection::Configuration {
            config,
            env_file,
            arguments,
        } => (config, env_file, arguments),
    };
    let of_file = match env_file {
        None => None,
        Some((file, quoting)) => {
            let text = read(file)?;
            let parsed = env_file::parse(&text, *quoting).map_err(|bad| Error::Unusable {
                path: file.clone(),
                problem: format!("line {}: {}", bad.line, bad.problem),
                next_step: "each line is NAME=VALUE".to_owned(),
            })?;
            Some(Variables::of_file(parsed))
        }
    };
    if let Some(config) = config {
        // A file that was named has to be there; Ghost itself takes one that is not for empty.
        read(config)?;
    }
    let here = std::path::PathBuf::from(".");
    let surroundings = Surroundings {
        ghost: installation.map(|installation| installation.ghost.directory.as_path()),
        directory: installation.map_or(here.as_path(), |installation| &installation.real_root),
        config: config.as_deref(),
        arguments,
        variables: of_file.as_ref().unwrap_or(variables),
        node_env: if config.is_some() || of_file.is_some() {
            "production"
        } else {
            "development"
        },
    };
    let rules = installation.map_or(loader::Rules::NEWEST, |installation| {
        loader::Rules::of(&installation.ghost.directory)
    });
    Ok(connection::of_ghost(&surroundings, rules, driver))
}

fn read(file: &Path) -> Result<String> {
    let bytes = std::fs::read(file).map_err(|error| Error::file_system("read", file, error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The day, as `2026-11-21`, in UTC.
fn today() -> String {
    // A clock that is out of all bounds lets every acceptance be over.
    chrono::DateTime::from_timestamp(probe::now(), 0).map_or_else(
        || "9999-12-31".to_owned(),
        |now| now.format("%Y-%m-%d").to_string(),
    )
}
