//! What npm's configuration depends on besides its files: environment, working directory, and where Node and npm are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use url::Url;

use super::registry_address;
use crate::error::{Error, Result};

/// How long npm may take to name its registry: it is started cold, possibly from a slow disk.
const NPM_TIMEOUT: Duration = Duration::from_secs(20);

/// The process's surroundings, gathered once so that what is read from them can be tested with literals.
#[derive(Clone)]
pub struct Surroundings {
    /// Variables whose names and values are Unicode; npm sees no others either.
    environment: BTreeMap<String, String>,
    working_directory: PathBuf,
}

impl Surroundings {
    /// The surroundings of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            environment,
            working_directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
        }
    }

    /// Surroundings made up of the given variables and directory.
    #[must_use]
    pub fn new(
        environment: impl IntoIterator<Item = (String, String)>,
        working_directory: impl Into<PathBuf>,
    ) -> Self {
        Self {
            environment: environment.into_iter().collect(),
            working_directory: working_directory.into(),
        }
    }

    /// The value of a variable.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    pub(super) fn variable_ignoring_case(&self, name: &str) -> Option<&str> {
        self.variable(name).or_else(|| {
            self.environment
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str())
        })
    }

    pub(in crate::ghost) fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// The directory that relative paths are meant from.
    #[must_use]
    pub fn working_directory(&self) -> &Path {
        &self.working_directory
    }

    /// The user's home directory.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        self.variable("HOME")
            .filter(|home| !home.is_empty())
            .map(PathBuf::from)
            .or_else(std::env::home_dir)
    }

    /// A program on `PATH`, every link resolved: where Node says that it is.
    #[must_use]
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        std::env::split_paths(self.variable("PATH")?)
            .map(|directory| self.working_directory.join(directory).join(name))
            .find(|candidate| candidate.is_file())
            .and_then(|found| found.canonicalize().ok())
    }

    /// Runs `npm config get registry`: the last resort, since npm takes longer to start than a check to run.
    ///
    /// `Ok(None)`: there is no npm to ask.
    pub fn ask_npm_for_registry(&self) -> Result<Option<Url>> {
        let Some(npm) = self.program("npm") else {
            return Ok(None);
        };
        let failed = |why: String| {
            Error::Upstream {
            problem: format!("npm's configuration names no registry, and `npm config get registry` {why}"),
            next_step: "name one with --registry URL, in npm_config_registry, or as `registry=` in an .npmrc"
                .to_owned(),
        }
        };
        let mut child = Command::new(npm)
            .args(["config", "get", "registry"])
            .current_dir(&self.working_directory)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed(format!("could not be run: {error}")))?;
        let started = Instant::now();
        // One address fits any pipe: npm never has to wait for us to read it.
        while child
            .try_wait()
            .map_err(|error| failed(format!("could not be awaited: {error}")))?
            .is_none()
        {
            if started.elapsed() > NPM_TIMEOUT {
                // Both fail only when it has just ended by itself.
                let _ = child.kill();
                let _ = child.wait();
                return Err(failed(format!(
                    "did not answer within {} s",
                    NPM_TIMEOUT.as_secs()
                )));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = child
            .wait_with_output()
            .map_err(|error| failed(format!("could not be read: {error}")))?;
        if !output.status.success() {
            return Err(failed(format!("failed ({})", output.status)));
        }
        let answer = String::from_utf8_lossy(&output.stdout);
        registry_address(answer.trim())
            .map(Some)
            .map_err(|_| failed("answered with no address".to_owned()))
    }
}
