//! Where a value of the configuration was read.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One place that a value can come from, in Ghost's own order of precedence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "at")]
pub enum Source {
    /// Ghost's `overrides.json`, which nothing overrides.
    Overrides,
    /// An argument of Ghost's own command line; its name alone.
    Argument(String),
    /// A file that a `…_FILE` variable names.
    SecretFile(PathBuf),
    /// A variable of the environment.
    Variable(String),
    /// A variable in the file that `--env-file` names.
    EnvFile(String),
    /// `config.<env>.json`, `config.local.json`, `config.local.jsonc`, or what `--config` names.
    File(PathBuf),
    /// Ghost's own default for this `NODE_ENV`.
    EnvironmentDefault,
    /// Ghost's own default.
    Defaults,
    /// `--url` and its password.
    Url,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overrides => formatter.write_str("Ghost's overrides"),
            Self::Argument(name) => write!(formatter, "the argument {name}"),
            Self::SecretFile(path) => write!(formatter, "the file {}", path.display()),
            Self::Variable(name) => write!(formatter, "the variable {name}"),
            Self::EnvFile(name) => write!(formatter, "{name} in the env file"),
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::EnvironmentDefault | Self::Defaults => formatter.write_str("Ghost's default"),
            Self::Url => formatter.write_str("--url"),
        }
    }
}
