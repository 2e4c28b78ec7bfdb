//! `ghostfix preflight`: connects as Ghost would, asks, and judges.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::connection::{self, Configuration, Surroundings, Variables, env_file, loader, ssl};
use crate::error::{Error, Result};
use crate::image::installation::{Installation, locate};
use crate::javascript::sandbox::Sandbox;
use crate::preflight::accepted::Accepted;
use crate::preflight::facts::{self, Fact, Facts};
use crate::preflight::finding::Level;
use crate::preflight::layer::{self, Event};
use crate::preflight::probe::{self, Manner};
use crate::preflight::{check, saved};
use crate::report::{CheckDescription, ChecksReport, PreflightReport, Report};
use crate::settings::{Ask, Connection, FailOn, Preflight, Root};

mod ghost_facts;
mod telling;

use telling::Telling;
pub use telling::{Progress, Step};

/// Between two tries of a database that is still starting.
const PAUSE: Duration = Duration::from_millis(1000);

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
    let kept = match &settings.ask {
        Ask::Checks => {
            let checks = check::CHECKS.iter().map(describe).collect();
            return Ok(ChecksReport::List(checks).into());
        }
        Ask::Explanation(id) => return explain(id).map(Into::into),
        Ask::Saved(file) => Some(file),
        Ask::Database => None,
    };
    let accepted = match &settings.accepted {
        Some(file) => Accepted::read(file, &check::ids())?,
        None => Accepted::default(),
    };
    let facts = match kept {
        Some(file) => saved::read(file)?,
        None => {
            let mut telling = Telling::new(settings, &accepted, today(), progress);
            gather(settings, sandbox, variables, &mut telling)?
        }
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
    // Whether the patches are in place takes a moment to prove: the database is asked meanwhile.
    std::thread::scope(|scope| {
        let proof = found
            .as_ref()
            .map(|found| scope.spawn(|| ghost_facts::patches(found, sandbox)));
        let mut facts = ask(settings, found.as_ref(), variables, telling)?;
        if let (Some(proof), Some(installation)) = (proof, &mut facts.installation) {
            let proved = proof.join();
            installation.patches = proved.unwrap_or_else(|bug| std::panic::resume_unwind(bug))?;
        }
        if !matches!(facts.create_database, Fact::NotReached) {
            telling.tell(Event::Ended(&layer::REHEARSAL, &facts));
            telling.tell(Event::Begun(&layer::PATCHES));
            telling.tell(Event::Ended(&layer::PATCHES, &facts));
        }
        Ok(facts)
    })
}

/// Asks the database; which patches are in place is left open.
fn ask(
    settings: &Preflight,
    found: Option<&Installation>,
    variables: &Variables,
    telling: &mut Telling<'_>,
) -> Result<Facts> {
    let installation = found.map(ghost_facts::read);
    let driver = ssl::Rules::of(installation.as_ref().and_then(|one| one.mysql2.as_deref()));
    let configuration = configuration(&settings.connection, found, variables, driver)?;
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
            let facts = probe::gather(before.clone(), &target, &manner, &mut |event| {
                telling.tell(event);
            })
            .await;
            if !probe::may_pass(&facts) || Instant::now() + PAUSE > end {
                return facts;
            }
            telling.wait(end);
            tokio::time::sleep(PAUSE).await;
        }
    });
    if let Some(found) = found {
        let referencing = ghost_facts::referencing(&facts, &found.ghost.directory);
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
