//! Ghost's configuration, read as the loader of the installed version reads it: which places count, in which order, and
//! what stops Ghost right there.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::layers::{Layer, Layers};
use super::variables::Variables;
use super::{Source, jsonc};

/// What the loader of a version knows; it differs between versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// `…_FILE` variables.
    pub secret_files: bool,
    /// `config.local.jsonc`.
    pub local_jsonc: bool,
    /// `sqlite3` means `better-sqlite3`.
    pub better_sqlite: bool,
}

impl Rules {
    /// The newest that are known: Ghost 6.65.0.
    pub const NEWEST: Self = Self {
        secret_files: true,
        local_jsonc: true,
        better_sqlite: true,
    };

    /// Those of an installed Ghost, told by the files of its loader.
    #[must_use]
    pub fn of(ghost: &Path) -> Self {
        let config = ghost.join("core/shared/config");
        let says = |file: &str, word: &str| {
            fs::read_to_string(config.join(file)).is_ok_and(|text| text.contains(word))
        };
        Self {
            secret_files: config.join("secrets.js").is_file(),
            local_jsonc: says("loader.js", "config.local.jsonc"),
            better_sqlite: says("utils.js", "better-sqlite3"),
        }
    }
}

/// Where Ghost would be started, and with what.
pub struct Surroundings<'a> {
    /// Ghost's own package, where there is one.
    pub ghost: Option<&'a Path>,
    /// Where `config.<env>.json` lies: Ghost's working directory.
    pub directory: &'a Path,
    /// This file in place of `config.<env>.json`.
    pub config: Option<&'a Path>,
    /// What stands behind `index.js` on its command line.
    pub arguments: &'a Arguments,
    /// The environment.
    pub variables: &'a Variables,
    /// `NODE_ENV` where the variables do not say.
    pub node_env: &'a str,
}

/// What the loader gives, before the driver reads it.
pub(super) struct Loaded {
    pub(super) layers: Layers,
    pub(super) node_env: String,
    pub(super) database: Value,
    pub(super) url: Option<Value>,
    pub(super) client: Option<Value>,
}

/// Reads all places.
///
/// # Errors
///
/// What Ghost itself would end with, in its words where they hold no secret.
pub(super) fn load(surroundings: &Surroundings<'_>, rules: Rules) -> Result<Loaded, String> {
    let variables = surroundings.variables;
    let node_env = match (surroundings.config, variables.get("NODE_ENV")) {
        (_, Some(env)) if !env.is_empty() => env.to_owned(),
        (Some(config), _) => environment_of(config).unwrap_or(surroundings.node_env.to_owned()),
        (None, _) => surroundings.node_env.to_owned(),
    };
    let own = surroundings
        .ghost
        .map(|ghost| ghost.join("core/shared/config"));
    let mut layers = Layers::default();
    if let Some(own) = &own {
        let overrides = own.join("overrides.json");
        layers.0.push(file(&overrides, Source::Overrides, false)?);
    }
    layers.0.push(surroundings.arguments.layer()?);
    if rules.secret_files {
        layers.0.push(variables.secrets()?);
    }
    layers.0.push(variables.layer(rules.secret_files));
    let custom = surroundings.config.map_or_else(
        || {
            surroundings
                .directory
                .join(format!("config.{node_env}.json"))
        },
        Path::to_owned,
    );
    layers
        .0
        .push(file(&custom, Source::File(custom.clone()), false)?);
    if !node_env.starts_with("testing") {
        let local = surroundings.directory.join("config.local.json");
        layers
            .0
            .push(file(&local, Source::File(local.clone()), false)?);
        if rules.local_jsonc {
            let local = surroundings.directory.join("config.local.jsonc");
            layers
                .0
                .push(file(&local, Source::File(local.clone()), true)?);
        }
    }
    match &own {
        Some(own) => {
            let default = own.join(format!("env/config.{node_env}.json"));
            layers
                .0
                .push(file(&default, Source::EnvironmentDefault, false)?);
            layers
                .0
                .push(file(&own.join("defaults.json"), Source::Defaults, false)?);
        }
        None => layers.0.push(Layer::new(
            Source::EnvironmentDefault,
            defaults(&node_env, rules),
        )),
    }
    Ok(Loaded {
        database: layers.get("database").unwrap_or(Value::Null),
        url: layers.get("url"),
        client: layers.get("database:client"),
        node_env,
        layers,
    })
}

/// `config.production.json` is read where NODE_ENV is `production`.
fn environment_of(config: &Path) -> Option<String> {
    let name = config.file_name()?.to_str()?;
    let env = name.strip_prefix("config.")?.strip_suffix(".json")?;
    (env != "local").then(|| env.to_owned())
}

fn file(path: &PathBuf, source: Source, comments: bool) -> Result<Layer, String> {
    let text = match fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Layer::empty(source));
        }
        Err(error) => return Err(format!("{} cannot be read: {error}", path.display())),
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let parsed = if comments {
        jsonc::parse(text)
    } else {
        match serde_json::from_str(text) {
            Ok(value) => Some(value),
            Err(error) => {
                return Err(format!(
                    "Error parsing your configuration file: [{}]: no JSON at line {}, column {}",
                    path.display(),
                    error.line(),
                    error.column()
                ));
            }
        }
    };
    match parsed {
        Some(values) => Ok(Layer::new(source, values)),
        None => Err(format!(
            "{} is no JSON with comments; what Ghost makes of it is not known",
            path.display()
        )),
    }
}

/// What Ghost ships for an environment, where there is no installation to read it from.
fn defaults(node_env: &str, rules: Rules) -> Value {
    let sqlite = if rules.better_sqlite {
        "better-sqlite3"
    } else {
        "sqlite3"
    };
    match node_env {
        "production" => json!({
            "url": "http://localhost:2368",
            "database": {"client": "mysql", "connection":
                {"host": "127.0.0.1", "user": "root", "password": "", "database": "ghost"}},
        }),
        "development" => json!({
            "url": "http://localhost:2368",
            "database": {"client": sqlite, "connection": {"filename": "content/data/ghost-dev.db"}},
        }),
        _ => json!({"url": "http://localhost:2368"}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_tells_its_environment() {
        for (name, expected) in [
            ("config.production.json", Some("production")),
            ("/x/config.staging.json", Some("staging")),
            ("config.local.json", None),
            ("ghost.json", None),
        ] {
            assert_eq!(environment_of(Path::new(name)).as_deref(), expected);
        }
    }
}
