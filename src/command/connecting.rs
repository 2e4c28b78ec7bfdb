//! The way to a database: which Ghost is there, what its configuration says, and what is known before anybody connects.

use std::path::Path;

use crate::connection::driver::Target;
use crate::connection::{self, Configuration, Surroundings, Variables, env_file, loader, ssl};
use crate::error::{Error, Result};
use crate::image::installation::{Installation, locate};
use crate::preflight::facts::{self, Facts};
use crate::preflight::probe;
use crate::settings::{Connection, Root};

/// The Ghost that is installed, if there is one: a database can be asked without.
pub(super) fn find(root: &Root) -> Result<Option<Installation>> {
    match root.locate(locate) {
        Ok((_, installation)) => Ok(Some(installation)),
        Err(Error::NothingToWorkOn { .. }) if matches!(root, Root::FirstOf(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is known before anybody connects, and where to; nowhere, where the facts say why not.
pub(super) fn approach(
    connection: &Connection,
    installation: Option<&Installation>,
    variables: &Variables,
    driver: ssl::Rules,
) -> Result<(Facts, Option<Target>)> {
    let configuration = configuration(connection, installation, variables, driver)?;
    let facts = Facts {
        ghostfix: env!("CARGO_PKG_VERSION").to_owned(),
        asked_at: probe::now(),
        configuration: facts::Configuration {
            problem: configuration.target.as_ref().err().cloned(),
            told: configuration.told,
            target: configuration.target.as_ref().ok().map(Into::into),
        },
        ..Facts::default()
    };
    Ok((facts, configuration.target.ok()))
}

/// Waits for everything that is asked of a database.
pub(super) fn wait_for<T>(asking: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::file_system("start", "the runtime", error))?;
    Ok(runtime.block_on(asking))
}

fn configuration(
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
