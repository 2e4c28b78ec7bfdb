//! The same configuration, read by Ghost's own loader and driver under the real Node and by ghostfix: the same outcome.
//!
//! Each case also says what that outcome has to be, so that both cannot be wrong alike.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::node;
use super::server::{PASSWORD, SERVER};
use crate::{common, packages, process};

/// Ghost's version with the mysql2 that it has.
const NEW: (&str, &str) = ("6.65.0", "3.24.4");
const OLD: (&str, &str) = ("5.75.1", "3.6.5");

struct Case {
    ghost: (&'static str, &'static str),
    name: &'static str,
    /// What Ghost is started with. Here and below, in place of `{port}`, `{password}`, `{ca}` (as JSON has it),
    /// `{ca-text}`, `{ca-trimmed}`, `{ca-escaped}`, `{ca-file}`, `{dir}`, `{socket}` stands the server's.
    arguments: &'static [&'static str],
    variables: &'static [(&'static str, &'static str)],
    files: &'static [(&'static str, &'static str)],
    /// The check that fails, or `connects`, or that it connects and ghostfix cannot tell.
    expected: &'static str,
}

const BASE: &[(&str, &str)] = &[
    ("NODE_ENV", "production"),
    ("database__connection__host", "localhost"),
    ("database__connection__port", "{port}"),
    ("database__connection__user", "ghost"),
    ("database__connection__password", "{password}"),
    ("database__connection__database", "ghost"),
];

const fn case(
    ghost: (&'static str, &'static str),
    name: &'static str,
    variables: &'static [(&'static str, &'static str)],
    expected: &'static str,
) -> Case {
    Case {
        ghost,
        name,
        arguments: &[],
        variables,
        files: &[],
        expected,
    }
}

const fn started(
    name: &'static str,
    arguments: &'static [&'static str],
    variables: &'static [(&'static str, &'static str)],
    expected: &'static str,
) -> Case {
    Case {
        arguments,
        ..case(NEW, name, variables, expected)
    }
}

const SSL: &str = "database__connection__ssl";
const HOST: &str = "database__connection__host";
const PORT: &str = "database__connection__port";
const USER: &str = "database__connection__user";
const WORD: &str = "database__connection__password";
const NAME: &str = "database__connection__database";

const FILE: &str = r#"{"database": {"client": "mysql", "connection": {"host": "127.0.0.1", "port": {port},
    "user": "ghost", "password": "{password}", "database": "ghost"}}}"#;

/// The key of [`SERVER`]'s client, encrypted in OpenSSL's two ways with the passphrase `canary-of-the-key`.
const SEALED: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiMtUwjtIAl7AICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEGpfTiEY4mVw1eeHCFzTzpUEgZC6
YKc0XmLlGAhylMjw+630+lT6c/oBwNrNdeV9I1LsFuCeggUW8eqTOlgboGUZsuAj
3x18vNGVDM6M19Fg8te6HFE+an/7o8+7cyCt3fRQ7WriCReVUbkPgi813w4yuZkc
hrwYns3OKo9SSFRAheEo1gPpWsvVvYq53HDSV/im1LvQDhSNSfk1zkMolLljznM=
-----END ENCRYPTED PRIVATE KEY-----
";
const SEALED_OLD: &str = "\
-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,A69A0D55CC3FD96CEA585CB73366D9A8

Furdk/tkd7/BehFU8guFI8vv3GuXPBHy+aREVWUb9ggfBtHktEUUcHLi/SSnz1NK
CmX89Pa3IguB+cX4fBpuP7UK1FpD0POn/KKTpb3fy0FlfxGUJtx7mRlBOnXIPO2s
ALUWDGzpiVnLxN+C3sf2O3EYXVANVuRmo3jFA4nxkhE=
-----END EC PRIVATE KEY-----
";

const CASES: &[Case] = &[
    // Sources and their order.
    case(NEW, "all in the environment", &[], "connects"),
    case(OLD, "all in the environment, Ghost 5", &[], "connects"),
    Case {
        files: &[("config.production.json", FILE)],
        ..case(
            NEW,
            "all in the file",
            &[
                (HOST, "-"),
                (PORT, "-"),
                (USER, "-"),
                (WORD, "-"),
                (NAME, "-"),
            ],
            "connects",
        )
    },
    Case {
        files: &[(
            "config.production.json",
            r#"{"database": {"connection": {"host": "nowhere.invalid", "password": "x"}}}"#,
        )],
        ..case(NEW, "the environment wins over the file", &[], "connects")
    },
    Case {
        files: &[("config.production.json", FILE)],
        ..case(
            NEW,
            "the environment wins over the file, wrongly",
            &[(WORD, "wrong")],
            "login",
        )
    },
    Case {
        files: &[(
            "config.local.json",
            r#"{"database": {"connection": {"password": "{password}"}}}"#,
        )],
        ..case(
            NEW,
            "the local file lies below the environment's and above the default",
            &[(WORD, "-")],
            "connects",
        )
    },
    Case {
        files: &[(
            "config.local.jsonc",
            "{ // why\n \"database\": {\"connection\": {\"password\": \"{password}\",}},}",
        )],
        ..case(
            NEW,
            "a local file with comments",
            &[(WORD, "-")],
            "connects",
        )
    },
    Case {
        files: &[(
            "config.local.jsonc",
            "{\"database\": {\"connection\": {\"password\": \"{password}\"}}}",
        )],
        ..case(
            OLD,
            "a local file with comments, which Ghost 5 does not read",
            &[(WORD, "-")],
            "login",
        )
    },
    Case {
        files: &[("secret", "{password}\n")],
        ..case(
            NEW,
            "a secret in a file",
            &[
                (WORD, "-"),
                ("database__connection__password_FILE", "{dir}/secret"),
            ],
            "connects",
        )
    },
    Case {
        files: &[("secret", "{password}")],
        ..case(
            OLD,
            "a secret in a file, which Ghost 5 does not read",
            &[
                (WORD, "-"),
                ("database__connection__password_FILE", "{dir}/secret"),
            ],
            "login",
        )
    },
    Case {
        files: &[("secret", "{password}")],
        ..case(
            NEW,
            "a secret twice",
            &[("database__connection__password_FILE", "{dir}/secret")],
            "config",
        )
    },
    case(
        NEW,
        "a secret in no file",
        &[
            (WORD, "-"),
            ("database__connection__password_FILE", "{dir}/none"),
        ],
        "config",
    ),
    Case {
        files: &[("config.production.json", "{ broken")],
        ..case(NEW, "a file that is no JSON", &[], "config")
    },
    case(
        NEW,
        "development is SQLite",
        &[("NODE_ENV", "development")],
        "config",
    ),
    case(
        NEW,
        "development with a client is MySQL",
        &[("NODE_ENV", "development"), ("database__client", "mysql")],
        "connects",
    ),
    case(
        NEW,
        "the client by its other name",
        &[("database__client", "mysql2")],
        "connects",
    ),
    case(
        NEW,
        "a client that is none",
        &[("database__client", "mariadb")],
        "config",
    ),
    case(
        NEW,
        "all as one JSON object",
        &[
            (HOST, "-"),
            (PORT, "-"),
            (USER, "-"),
            (WORD, "-"),
            (NAME, "-"),
            (
                "database__connection",
                r#"{"host":"localhost","port":{port},"user":"ghost","password":"{password}","database":"ghost"}"#,
            ),
        ],
        "connects",
    ),
    case(
        NEW,
        "a site without a protocol",
        &[("url", "blog.example")],
        "config",
    ),
    // Arguments, which come before all else.
    started(
        "everything in arguments",
        &[
            "--database:connection:host=localhost",
            "--database:connection:port={port}",
            "--database:connection:user=ghost",
            "--database:connection:password={password}",
            "--database:connection:database=ghost",
        ],
        &[
            (HOST, "nowhere.invalid"),
            (PORT, "1"),
            (USER, "x"),
            (WORD, "x"),
            (NAME, "x"),
        ],
        "connects",
    ),
    Case {
        ghost: OLD,
        ..started(
            "an argument wins over the environment, Ghost 5",
            &["--database.connection.host=nowhere.invalid"],
            &[],
            "dns",
        )
    },
    started(
        "an argument with its value behind it",
        &["--database:connection:host", "nowhere.invalid"],
        &[],
        "dns",
    ),
    started(
        "an argument as a variable is written, which leads nowhere",
        &["--database__connection__host=nowhere.invalid"],
        &[],
        "connects",
    ),
    started(
        "an argument with one dash, which leads nowhere",
        &["-database:connection:host=nowhere.invalid"],
        &[],
        "connects",
    ),
    started(
        "arguments behind two dashes, which lead nowhere",
        &["--", "--database:connection:host=nowhere.invalid"],
        &[],
        "connects",
    ),
    Case {
        files: &[("secret", "wrong")],
        ..started(
            "an argument wins over a secret in a file",
            &["--database:connection:password={password}"],
            &[
                (WORD, "-"),
                ("database__connection__password_FILE", "{dir}/secret"),
            ],
            "connects",
        )
    },
    started(
        "dots behind colons take the place of all that was said",
        &[
            "--database:connection:host=nowhere.invalid",
            "--database.connection.user=ghost",
        ],
        &[],
        "connects",
    ),
    started(
        "colons behind dots do not",
        &[
            "--database.connection.user=ghost",
            "--database:connection:host=nowhere.invalid",
        ],
        &[],
        "dns",
    ),
    started(
        "a password of digits in an argument",
        &["--database:connection:password=12345"],
        &[],
        "config",
    ),
    started(
        "a password of digits in an argument, in quotes, which come off",
        &["--database:connection:password=\"12345\""],
        &[],
        "config",
    ),
    started(
        "a password of digits that begin with naught",
        &["--database:connection:password=012345"],
        &[],
        "login",
    ),
    started(
        "a password in quotes, which come off",
        &["--database:connection:password='{password}'"],
        &[(WORD, "wrong")],
        "connects",
    ),
    started(
        "a password with three dashes at its end, which is passed over",
        &["--database:connection:password=wrong---"],
        &[],
        "connects",
    ),
    started(
        "a password twice",
        &[
            "--database:connection:password={password}",
            "--database:connection:password={password}",
        ],
        &[],
        "config",
    ),
    started(
        "an argument without its value",
        &["--database:connection:password"],
        &[],
        "config",
    ),
    started(
        "a port without its value",
        &["--database:connection:port"],
        &[],
        "config",
    ),
    started(
        "a port twice",
        &[
            "--database:connection:port={port}",
            "--database:connection:port={port}",
        ],
        &[],
        "config",
    ),
    started(
        "ssl as JSON in an argument, which stays a text",
        &["--database:connection:ssl={\"rejectUnauthorized\":false}"],
        &[],
        "ssl-value",
    ),
    started(
        "ssl taken back by an argument",
        &["--no-database:connection:ssl"],
        &[(SSL, "true")],
        "connects",
    ),
    started(
        "ssl not verified, by an argument in words",
        &["--database.connection.ssl.rejectUnauthorized=false"],
        &[],
        "tls",
    ),
    started(
        "ssl not verified, by an argument",
        &["--no-database.connection.ssl.rejectUnauthorized"],
        &[],
        "connects",
    ),
    started(
        "ssl not verified, by an argument with a dash for its capital",
        &["--no-database:connection:ssl:reject-unauthorized"],
        &[],
        "connects",
    ),
    started(
        "an authority in an argument",
        &["--database:connection:ssl:ca={ca-text}"],
        &[(SSL, "{}")],
        "connects",
    ),
    started(
        "an authority in an argument without its last line end, which is passed over",
        &["--database:connection:ssl:ca={ca-trimmed}"],
        &[(SSL, "{}")],
        "tls",
    ),
    started(
        "a socket in an argument with a dash",
        &["--database:connection:socket-path={socket}"],
        &[(HOST, "nowhere.invalid")],
        "connects",
    ),
    started(
        "a site without a protocol in an argument",
        &["--url=blog.example"],
        &[],
        "config",
    ),
    started(
        "SQLite by an argument",
        &["--database:client=sqlite3"],
        &[],
        "config",
    ),
    started("an argument that yargs answers", &["--help"], &[], "config"),
    started("another one", &["--version"], &[], "config"),
    started("a word that yargs answers", &["run", "help"], &[], "config"),
    started(
        "a word that it does not",
        &["--no-help", "help", "run"],
        &[],
        "connects",
    ),
    // Kinds of values.
    case(NEW, "a password of digits", &[(WORD, "12345")], "config"),
    case(
        NEW,
        "a password of digits in quotes, which come off",
        &[(WORD, "\"12345\"")],
        "config",
    ),
    case(
        NEW,
        "a password of digits in two pairs of quotes",
        &[(WORD, "\"\\\"12345\\\"\"")],
        "login",
    ),
    case(
        NEW,
        "ssl a list of one word",
        &[(SSL, "[true]")],
        "ssl-value",
    ),
    case(NEW, "a user of digits", &[(USER, "5")], "config"),
    case(
        NEW,
        "a port with quotes",
        &[(PORT, "\"{port}\"")],
        "connects",
    ),
    case(NEW, "a port out of range", &[(PORT, "99999")], "config"),
    case(NEW, "no password", &[(WORD, "")], "login"),
    case(
        NEW,
        "a socket",
        &[
            ("database__connection__socketPath", "{socket}"),
            (HOST, "nowhere.invalid"),
        ],
        "connects",
    ),
    case(
        NEW,
        "a socket that is not there",
        &[("database__connection__socketPath", "/nowhere/s.sock")],
        "tcp",
    ),
    case(
        NEW,
        "a host that is an address",
        &[(HOST, "mysql://ghost@localhost/ghost")],
        "dns",
    ),
    case(
        NEW,
        "a host that nobody knows",
        &[(HOST, "nowhere.invalid")],
        "dns",
    ),
    case(NEW, "a port where nobody listens", &[(PORT, "1")], "tcp"),
    case(
        NEW,
        "a database that is not allowed",
        &[(NAME, "elsewhere")],
        "database",
    ),
    // ssl, in every form that people use.
    case(NEW, "ssl true", &[(SSL, "true")], "ssl-value"),
    case(OLD, "ssl true, Ghost 5", &[(SSL, "true")], "ssl-value"),
    case(NEW, "ssl false", &[(SSL, "false")], "connects"),
    case(NEW, "ssl null", &[(SSL, "null")], "connects"),
    case(NEW, "ssl a number", &[(SSL, "1")], "ssl-value"),
    case(NEW, "ssl a word", &[(SSL, "required")], "ssl-value"),
    case(
        NEW,
        "ssl with quotes around it",
        &[(SSL, "'{\"rejectUnauthorized\":true}'")],
        "ssl-value",
    ),
    case(
        NEW,
        "ssl that is JSON without quotes",
        &[(SSL, "{rejectUnauthorized:true}")],
        "ssl-value",
    ),
    case(NEW, "ssl empty", &[(SSL, "")], "ssl-value"),
    case(NEW, "ssl an empty object", &[(SSL, "{}")], "tls"),
    case(
        NEW,
        "ssl an array",
        &[(SSL, "[{\"rejectUnauthorized\":false}]")],
        "tls",
    ),
    case(
        NEW,
        "ssl the profile of Amazon",
        &[(SSL, "Amazon RDS")],
        "tls",
    ),
    case(
        NEW,
        "ssl not verified",
        &[(SSL, "{\"rejectUnauthorized\":false}")],
        "connects",
    ),
    case(
        NEW,
        "ssl not verified, by its own variable",
        &[("database__connection__ssl__rejectUnauthorized", "false")],
        "connects",
    ),
    case(
        NEW,
        "ssl verified, by its own variable",
        &[("database__connection__ssl__rejectUnauthorized", "true")],
        "tls",
    ),
    case(
        NEW,
        "ssl not verified in words",
        &[(SSL, "{\"rejectUnauthorized\":\"false\"}")],
        "tls",
    ),
    case(
        NEW,
        "ssl with its authority",
        &[(SSL, "{\"ca\":{ca}}")],
        "connects",
    ),
    case(
        NEW,
        "ssl with its authority in a list",
        &[(SSL, "{\"ca\":[{ca}]}")],
        "connects",
    ),
    case(
        NEW,
        "ssl with its authority and identity",
        &[(SSL, "{\"ca\":{ca},\"verifyIdentity\":true}")],
        "connects",
    ),
    case(
        NEW,
        "ssl with identity, host in numbers",
        &[
            (HOST, "127.0.0.1"),
            (SSL, "{\"ca\":{ca},\"verifyIdentity\":true}"),
        ],
        "connects",
    ),
    case(
        OLD,
        "ssl with its authority, Ghost 5",
        &[(SSL, "{\"ca\":{ca}}")],
        "connects",
    ),
    case(
        OLD,
        "ssl with its authority, host in numbers, Ghost 5",
        &[(HOST, "127.0.0.1"), (SSL, "{\"ca\":{ca}}")],
        "tls-identity",
    ),
    case(
        NEW,
        "ssl with its authority, host in numbers",
        &[(HOST, "127.0.0.1"), (SSL, "{\"ca\":{ca}}")],
        "connects",
    ),
    case(
        NEW,
        "ssl with the name of a file",
        &[(SSL, "{\"ca\":\"{ca-file}\"}")],
        "tls",
    ),
    case(
        NEW,
        "ssl with written line ends",
        &[("database__connection__ssl__ca", "{ca-escaped}")],
        "tls",
    ),
    case(
        NEW,
        "ssl with an authority that is none",
        &[(SSL, "{\"ca\":true}")],
        "ssl-value",
    ),
    case(
        NEW,
        "ssl with an empty authority",
        &[(SSL, "{\"ca\":\"\"}")],
        "tls",
    ),
    case(
        NEW,
        "an encrypted key without its passphrase",
        &[(SSL, "{\"ca\":{ca},\"cert\":{cert},\"key\":{sealed}}")],
        "ssl-value",
    ),
    case(
        OLD,
        "an encrypted key without its passphrase, Ghost 5",
        &[(SSL, "{\"ca\":{ca},\"cert\":{cert},\"key\":{sealed}}")],
        "ssl-value",
    ),
    case(
        NEW,
        "an encrypted key of the older form without its passphrase, and no certificate",
        &[(SSL, "{\"ca\":{ca},\"key\":{sealed-old}}")],
        "ssl-value",
    ),
    case(
        NEW,
        "an encrypted key with a number for its passphrase",
        &[(
            SSL,
            "{\"ca\":{ca},\"cert\":{cert},\"key\":{sealed},\"passphrase\":1}",
        )],
        "ssl-value",
    ),
    case(
        NEW,
        "an encrypted key with its passphrase",
        &[(
            SSL,
            "{\"ca\":{ca},\"cert\":{cert},\"key\":{sealed},\"passphrase\":\"canary-of-the-key\"}",
        )],
        "connects, unknown here",
    ),
    case(
        NEW,
        "an encrypted key of the older form with its passphrase",
        &[(
            SSL,
            "{\"ca\":{ca},\"cert\":{cert},\"key\":{sealed-old},\"passphrase\":\"canary-of-the-key\"}",
        )],
        "connects, unknown here",
    ),
    case(
        NEW,
        "ssl of an unknown version",
        &[(SSL, "{\"ca\":{ca},\"minVersion\":\"TLSv9\"}")],
        "ssl-value",
    ),
];

#[test]
fn ghost_and_ghostfix_come_to_the_same() {
    assert!(CASES.len() >= 30);
    let mut wrong = Vec::new();
    for case in CASES {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        process::open_to_all(root);
        install(case, root);
        let variables = variables(case, root);
        let arguments: Vec<String> = case
            .arguments
            .iter()
            .map(|argument| filled(argument, root))
            .collect();
        let real = node::connect(root, case.ghost.1, &arguments, &variables);
        let by_node = outcome_of_node(&real);
        let report = preflight(root, &arguments, &variables);
        let by_ghostfix = outcome_of_ghostfix(&report);
        let (expected_of_node, expected_of_ghostfix) = match case.expected {
            "connects, unknown here" => ("connects", "unknown"),
            same => (same, same),
        };
        if by_node != expected_of_node || by_ghostfix != expected_of_ghostfix {
            wrong.push(format!(
                "{}: expected {}, Node {by_node} ({real}), ghostfix {by_ghostfix}",
                case.name, case.expected
            ));
        } else if let Some(difference) = differs(&real, &report) {
            wrong.push(format!("{}: {difference}", case.name));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        CASES.len(),
        wrong.join("\n")
    );
}

fn install(case: &Case, root: &Path) {
    let (ghost, mysql2) = case.ghost;
    let package = packages::unpacked("ghost", ghost);
    fs::write(
        root.join("package.json"),
        fs::read(package.join("package.json")).unwrap(),
    )
    .unwrap();
    let config = root.join("core/shared/config");
    fs::create_dir_all(config.join("env")).unwrap();
    for inside in ["", "env"] {
        for entry in fs::read_dir(package.join("core/shared/config").join(inside)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, config.join(inside).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    fs::create_dir_all(root.join("content")).unwrap();
    let driver = root.join("node_modules/mysql2");
    fs::create_dir_all(&driver).unwrap();
    fs::write(
        driver.join("package.json"),
        format!("{{\"name\":\"mysql2\",\"version\":\"{mysql2}\"}}"),
    )
    .unwrap();
    for (name, text) in case.files {
        fs::write(root.join(name), filled(text, root)).unwrap();
    }
}

fn filled(text: &str, root: &Path) -> String {
    let server = &*SERVER;
    let json = |text: &str| serde_json::to_string(text).unwrap();
    let ca = json(&server.authority);
    text.replace("{port}", &server.port.to_string())
        .replace("{password}", PASSWORD)
        .replace("{ca}", &ca)
        .replace("{cert}", &json(&server.client))
        .replace("{sealed}", &json(SEALED))
        .replace("{sealed-old}", &json(SEALED_OLD))
        .replace("{ca-text}", &server.authority)
        .replace("{ca-trimmed}", server.authority.trim_end())
        .replace("{ca-escaped}", &server.authority.replace('\n', "\\n"))
        .replace("{ca-file}", server.authority_file.to_str().unwrap())
        .replace("{socket}", server.socket.to_str().unwrap())
        .replace("{dir}", root.to_str().unwrap())
}

/// The base with the case's own, `-` for none.
fn variables(case: &Case, root: &Path) -> Vec<(String, String)> {
    let own = |name: &str| case.variables.iter().any(|(known, _)| *known == name);
    BASE.iter()
        .filter(|(name, _)| !own(name))
        .chain(case.variables)
        .filter(|(_, value)| *value != "-")
        .map(|(name, value)| ((*name).to_owned(), filled(value, root)))
        .collect()
}

fn preflight(root: &Path, arguments: &[String], variables: &[(String, String)]) -> Value {
    let mut command = common::command(["preflight", "--format", "json", "--root"]);
    command
        .arg(root)
        .arg("--")
        .args(arguments)
        .envs(variables.iter().map(|(name, value)| (name, value)));
    let answer = process::bounded(command, std::time::Duration::from_secs(60));
    serde_json::from_str(&answer.stdout).unwrap_or_else(|problem| panic!("{problem}: {answer}"))
}

/// The check that stands for what stopped the real driver.
fn outcome_of_node(real: &Value) -> &'static str {
    let words = real["words"].as_str().unwrap_or_default();
    match real["stops"].as_str() {
        None => "connects",
        Some("loader" | "client") => "config",
        Some("ENOTFOUND" | "EAI_AGAIN") => "dns",
        Some("ECONNREFUSED" | "ENOENT" | "ETIMEDOUT") => "tcp",
        Some("ER_ACCESS_DENIED_ERROR") => "login",
        Some("ER_DBACCESS_DENIED_ERROR" | "ER_BAD_DB_ERROR") => "database",
        Some("HANDSHAKE_SSL_ERROR") if words.contains("altnames") || words.contains("IP: ") => {
            "tls-identity"
        }
        Some("HANDSHAKE_SSL_ERROR") => "tls",
        Some(_)
            if words.contains("SSL")
                || words.contains("options.ca")
                || words.contains("options.passphrase")
                || words.contains("bad decrypt")
                || words.contains("protocol version") =>
        {
            "ssl-value"
        }
        Some(_) => "config",
    }
}

/// The first check that makes the answer a no.
fn outcome_of_ghostfix(report: &Value) -> String {
    let failed: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["level"] == "error")
        .map(|finding| finding["id"].as_str().unwrap())
        .collect();
    // That a `ca` holds nothing is said beside what comes of it; a host that is an address beside its not being found.
    match failed.as_slice() {
        ["ssl-value", "tls", ..] => "tls".to_owned(),
        ["config", "dns", ..] => "dns".to_owned(),
        [first, ..] if !["patches", "privileges"].contains(first) => (*first).to_owned(),
        _ if is_unknown(report, "login") => "unknown".to_owned(),
        _ => "connects".to_owned(),
    }
}

fn is_unknown(report: &Value, id: &str) -> bool {
    let mut findings = report["findings"].as_array().unwrap().iter();
    findings.any(|finding| finding["id"] == id && finding["level"] == "unknown")
}

/// Whether both read the same host, port, user and database.
fn differs(real: &Value, report: &Value) -> Option<String> {
    let target = &report["facts"]["configuration"]["target"];
    if real["port"].is_null() || target.is_null() {
        return None;
    }
    let mut pairs = vec![
        ("user", &real["user"], &target["user"]),
        ("database", &real["database"], &target["database"]),
    ];
    if real["socketPath"].is_null() {
        pairs.push(("host", &real["host"], &target["host"]));
        pairs.push(("port", &real["port"], &target["port"]));
    } else {
        pairs.push(("socket", &real["socketPath"], &target["host"]));
    }
    let empty = |value: &Value| value.is_null() || value == "";
    pairs
        .into_iter()
        // One that is written as an address is never shown, since it may hold a password.
        .filter(|(_, _, read)| **read != "(an address)")
        .find(|(_, real, read)| real != read && !(empty(real) && empty(read)))
        .map(|(name, real, read)| format!("{name}: Node {real}, ghostfix {read}"))
}
