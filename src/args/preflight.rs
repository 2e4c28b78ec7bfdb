//! `ghostfix preflight`, as it is typed.

use std::path::PathBuf;
use std::time::Duration;

use super::Installation;
use crate::connection::env_file::Quoting;
use crate::settings::FailOn;

/// `ghostfix preflight`
#[derive(Debug, clap::Args)]
pub struct Preflight {
    /// Where Ghost is.
    #[command(flatten)]
    pub installation: Installation,
    /// Which database.
    #[command(flatten)]
    pub connection: Connection,
    /// Wait this long for a database that is still starting: 60s, 2m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub wait: Option<Duration>,
    /// Send nothing but SELECT and SHOW; what that cannot answer is unknown
    #[arg(long)]
    pub read_only: bool,
    /// Leave this check out (repeatable)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// The least level that counts as no [default: error]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub fail_on: Option<FailOn>,
    /// Findings that you live with, each with its reason [default: ghostfix.toml, where there is one]
    #[arg(long, value_name = "FILE")]
    pub accepted: Option<PathBuf>,
    /// Save what was asked and answered in this file; no secret is in it
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
    /// Ask nothing; judge the facts that --facts saved, here or elsewhere
    #[arg(long, value_name = "FILE")]
    pub judge: Option<PathBuf>,
    /// List the checks
    #[arg(long)]
    pub list_checks: bool,
    /// Explain a check: why it matters, what Ghost would say, how it is fixed
    #[arg(long, value_name = "ID")]
    pub explain: Option<String>,
}

/// Which database, and how Ghost is told of it.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// Ghost's configuration file, in place of config.<NODE_ENV>.json beside `current`
    ///
    /// Without any of these, everything is read that the installed Ghost would read: files named by variables,
    /// the environment, its configuration files, its defaults.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A file of environment variables, in place of this shell's
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// How quotes in that file are read [default: compose]
    #[arg(long, value_enum, value_name = "HOW", requires = "env_file")]
    pub env_quoting: Option<Quoting>,
    /// An address, mysql://USER@HOST/DATABASE, in place of Ghost's configuration
    ///
    /// The password is never part of it: it comes from GHOSTFIX_PASSWORD or from --password-file.
    #[arg(long, value_name = "URL", conflicts_with_all = ["config", "env_file", "arguments"])]
    pub url: Option<String>,
    /// A file with the password for --url
    #[arg(long, value_name = "FILE", requires = "url")]
    pub password_file: Option<PathBuf>,
    /// Behind `--`: the arguments that Ghost is started with, which it puts before its variables and files
    ///
    /// Ghost takes `--database:connection:host=db` and `--database.connection.host=db`. A value is never JSON here.
    #[arg(last = true, value_name = "GHOST_ARGUMENT")]
    pub arguments: Vec<String>,
}

impl Connection {
    /// Whether any of it was typed.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.config.is_some()
            || self.env_file.is_some()
            || self.url.is_some()
            || !self.arguments.is_empty()
    }
}

/// `60s`, `2m`, `500ms`, or seconds as a plain number.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let number: u64 = digits
        .parse()
        .map_err(|_| "a number with s, m or ms, such as 60s".to_owned())?;
    let milliseconds = match &text[digits.len()..] {
        "ms" => Some(number),
        "" | "s" => number.checked_mul(1000),
        "m" => number.checked_mul(60_000),
        _ => None,
    };
    milliseconds
        .filter(|milliseconds| *milliseconds <= 3_600_000)
        .map(Duration::from_millis)
        .ok_or_else(|| "a number with s, m or ms, an hour at most".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_or_are_seconds() {
        for (text, expected) in [
            ("60s", Some(60_000)),
            ("2m", Some(120_000)),
            ("500ms", Some(500)),
            ("5", Some(5_000)),
            ("2h", None),
            ("61m", None),
            ("s", None),
            ("-1s", None),
        ] {
            let found = duration(text).ok().map(|found| found.as_millis());
            assert_eq!(found, expected, "{text}");
        }
    }
}
