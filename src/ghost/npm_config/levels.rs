//! npm's levels of configuration: where each is, and which of them wins.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use super::credentials::Credentials;
use super::npmrc::{Entries, Value};
use super::{CertificateBundle, Surroundings, registry_address};
use crate::error::{Error, Result};

/// A configuration file larger than this is none.
const FILE_LIMIT: u64 = 4 << 20;

/// The level that a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `--registry`
    Flag,
    /// `npm_config_*`
    Environment,
    /// `.npmrc` beside the project's package.json
    Project(PathBuf),
    /// `~/.npmrc`, or what `userconfig` says
    User(PathBuf),
    /// `etc/npmrc` below Node's prefix, or what `globalconfig` says
    Global(PathBuf),
    /// `npmrc` in npm's own directory: a distribution's settings
    BuiltIn(PathBuf),
    /// `npm config get registry`
    Npm,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => formatter.write_str("--registry"),
            Self::Environment => formatter.write_str("the environment"),
            Self::Project(path) | Self::User(path) | Self::Global(path) | Self::BuiltIn(path) => {
                write!(formatter, "{}", path.display())
            }
            Self::Npm => formatter.write_str("`npm config get registry`"),
        }
    }
}

/// All levels, the one that wins first.
#[derive(Clone)]
pub(super) struct Levels {
    levels: Vec<(Source, Entries)>,
    scoped: BTreeMap<String, Url>,
    credentials: Credentials,
}

impl fmt::Debug for Levels {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the entries: tokens are among them.
        formatter
            .debug_struct("Levels")
            .field(
                "sources",
                &self
                    .levels
                    .iter()
                    .map(|(source, _)| source)
                    .collect::<Vec<_>>(),
            )
            .field("scoped", &self.scoped)
            .finish_non_exhaustive()
    }
}

impl Levels {
    pub(super) fn read(surroundings: &Surroundings) -> Result<Self> {
        let environment = surroundings.environment();
        let mut levels = vec![(Source::Environment, Entries::from_environment(environment))];
        let read = |path: &Path| -> Result<Option<Entries>> {
            Ok(configuration_file(path)?.map(|text| Entries::parse(&text, environment)))
        };

        // A user's file may say where the global one is, a project's where the user's is: hence one after the other.
        let user_file = |levels: &[(Source, Entries)]| {
            setting(levels, "userconfig")
                .map(|path| absolute(surroundings, path))
                .or_else(|| surroundings.home().map(|home| home.join(".npmrc")))
        };
        let is_global = setting(&levels, "global").is_some_and(|value| value == "true")
            || setting(&levels, "location").is_some_and(|value| value == "global");
        if !is_global {
            let file = project_directory(surroundings.working_directory()).join(".npmrc");
            if user_file(&levels).as_ref() != Some(&file)
                && let Some(entries) = read(&file)?
            {
                levels.push((Source::Project(file), entries));
            }
        }
        if let Some(file) = user_file(&levels)
            && let Some(entries) = read(&file)?
        {
            levels.push((Source::User(file), entries));
        }
        if let Some(file) = global_file(surroundings, &levels)
            && let Some(entries) = read(&file)?
        {
            levels.push((Source::Global(file), entries));
        }
        // npm-cli.js is in npm's bin directory; a distribution keeps its own settings one level up.
        if let Some(file) = surroundings
            .program("npm")
            .and_then(|npm| Some(npm.parent()?.parent()?.join("npmrc")))
            && let Some(entries) = read(&file)?
        {
            levels.push((Source::BuiltIn(file), entries));
        }

        let mut scoped = BTreeMap::new();
        let mut credentials = Credentials::default();
        for (source, entries) in levels.iter().rev() {
            for (key, value) in entries.iter() {
                if key.starts_with("//") {
                    let base = match source {
                        Source::Project(path) | Source::User(path) | Source::Global(path) => {
                            path.parent()
                        }
                        _ => None,
                    };
                    credentials.set(
                        key,
                        &value.text(),
                        base.unwrap_or(surroundings.working_directory()),
                    );
                } else if let Some(scope) = key
                    .strip_suffix(":registry")
                    .filter(|scope| scope.starts_with('@'))
                    && let Ok(address) = registry_address(&value.text())
                {
                    scoped.insert(scope.to_owned(), address);
                }
            }
        }
        Ok(Self {
            levels,
            scoped,
            credentials,
        })
    }

    /// The setting of the highest level whose value `parse` accepts; npm drops invalid values level by level.
    pub(super) fn first<T>(
        &self,
        key: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<(T, Source)> {
        self.levels.iter().find_map(|(source, entries)| {
            let value = entries.get(key)?.text();
            parse(&value).map(|parsed| (parsed, source.clone()))
        })
    }

    pub(super) fn scoped_registry(&self, scope: &str) -> Option<&Url> {
        self.scoped.get(scope)
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// `ca` and `cafile`, which fill the same place: the highest level wins, within it the later line.
    pub(super) fn certificate_bundle(
        &self,
        surroundings: &Surroundings,
    ) -> Result<Option<CertificateBundle>> {
        for (source, entries) in &self.levels {
            let mut bundle = None;
            for (key, value) in entries.iter() {
                match key {
                    "ca" => {
                        let pem = match value {
                            Value::Text(text) => text.replace("\\n", "\n"),
                            Value::List(items) => items.join("\n").replace("\\n", "\n"),
                        };
                        if pem != "null" && !pem.is_empty() {
                            bundle = Some(CertificateBundle {
                                pem,
                                origin: format!("`ca` in {source}"),
                            });
                        }
                    }
                    "cafile" => {
                        let text = value.text();
                        if text == "null" || text.is_empty() {
                            continue;
                        }
                        let path = absolute(surroundings, &text);
                        // npm passes over a file that is not there, and so the levels below it count.
                        if let Some(pem) = configuration_file(&path)? {
                            let origin = format!("cafile {} (from {source})", path.display());
                            bundle = Some(CertificateBundle { pem, origin });
                        }
                    }
                    _ => {}
                }
            }
            if bundle.is_some() {
                return Ok(bundle);
            }
        }
        Ok(None)
    }
}

fn setting<'a>(levels: &'a [(Source, Entries)], key: &str) -> Option<&'a str> {
    levels
        .iter()
        .find_map(|(_, entries)| match entries.get(key)? {
            Value::Text(text) => Some(text.as_str()),
            Value::List(items) => items.first().map(String::as_str),
        })
}

fn absolute(surroundings: &Surroundings, path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), surroundings.home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => surroundings.working_directory().join(path),
    }
}

/// The nearest directory with a package.json or a node_modules, going up; npm calls it the local prefix.
fn project_directory(working_directory: &Path) -> PathBuf {
    working_directory
        .ancestors()
        .find(|directory| {
            directory.join("package.json").is_file() || directory.join("node_modules").is_dir()
        })
        .unwrap_or(working_directory)
        .to_owned()
}

fn global_file(surroundings: &Surroundings, levels: &[(Source, Entries)]) -> Option<PathBuf> {
    if let Some(path) = setting(levels, "globalconfig") {
        return Some(absolute(surroundings, path));
    }
    let prefix = match setting(levels, "prefix") {
        Some(prefix) => absolute(surroundings, prefix),
        None => match surroundings
            .variable("PREFIX")
            .filter(|prefix| !prefix.is_empty())
        {
            Some(prefix) => PathBuf::from(prefix),
            None => {
                let prefix = surroundings.program("node")?.parent()?.parent()?.to_owned();
                match surroundings
                    .variable("DESTDIR")
                    .filter(|directory| !directory.is_empty())
                {
                    Some(directory) => {
                        Path::new(directory).join(prefix.strip_prefix("/").unwrap_or(&prefix))
                    }
                    None => prefix,
                }
            }
        },
    };
    Some(prefix.join("etc/npmrc"))
}

/// The text of a configuration file; `None` where there is no such file.
fn configuration_file(path: &Path) -> Result<Option<String>> {
    let failed = |error| {
        Error::FileSystem {
        action: "read",
        path: path.to_owned(),
        next_step: "npm's configuration must be readable: correct its permissions, or point npm_config_userconfig \
                    or npm_config_cafile elsewhere"
            .to_owned(),
        source: error,
    }
    };
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Ok(None),
        Ok(metadata) if metadata.len() > FILE_LIMIT => {
            return Err(failed(std::io::Error::other(format!(
                "{} bytes are no configuration",
                metadata.len()
            ))));
        }
        Ok(_) => {}
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
