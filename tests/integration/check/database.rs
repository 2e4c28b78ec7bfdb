//! `--from database`: what a live database says, on a real server, with rows as knex-migrator writes them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;

use crate::check::{at, ghost, knex_migrator, run, said};
use crate::ghost::fake_registry::FakeRegistry;
use crate::output;
use crate::preflight::server::{PASSWORD, Server};
use crate::process::{Answer, bounded};

/// A server apart from preflight's tests, which look at every statement that theirs was sent.
static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

const MIGRATIONS: &str = "core/server/data/migrations";
const NOTHING: &str = "module.exports.up = async () => {};\n";
const WRITES: &str = "
    module.exports = {
        config: {transaction: true},
        async up({transacting: knex}) { await knex('members').update({status: 'free'}); }
    };
";
const STEPS: [&str; 2] = ["1-create-tables.js", "2-create-fixtures.js"];

fn registry() -> FakeRegistry {
    let target = ghost("6.65.0", "6.2.1")
        .file(&format!("{MIGRATIONS}/init/{}", STEPS[0]), NOTHING)
        .file(&format!("{MIGRATIONS}/versions/5.75/01-first.js"), NOTHING)
        .file(&format!("{MIGRATIONS}/versions/6.0/01-second.js"), NOTHING)
        .file(&format!("{MIGRATIONS}/versions/6.64/02-third.js"), WRITES);
    FakeRegistry::start(vec![target, knex_migrator("6.2.1")])
}

/// A row: version, name, and the Ghost that wrote it.
type Row<'a> = (&'a str, &'a str, &'a str);

/// A database of its own for each test, with these tables beside knex-migrator's, these rows and this lock.
fn make(name: &str, tables: &[&str], rows: Option<&[Row<'_>]>, lock: Option<&str>) {
    let mut statements = vec![
        format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"),
        format!("GRANT ALL ON {name}.* TO 'ghost'@'%'"),
    ];
    for table in tables {
        statements.push(format!(
            "CREATE TABLE {name}.{table} (id VARCHAR(24) PRIMARY KEY)"
        ));
    }
    if let Some(rows) = rows {
        statements.push(format!(
            "CREATE TABLE {name}.migrations (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(120) NOT NULL, version VARCHAR(70) NOT NULL, currentVersion VARCHAR(255))"
        ));
        statements.extend(rows.iter().map(|(version, file, by)| {
            format!("INSERT INTO {name}.migrations (name, version, currentVersion) VALUES ('{file}', '{version}', '{by}')")
        }));
    }
    if let Some(lock) = lock {
        statements.push(format!(
            "CREATE TABLE {name}.migrations_lock (lock_key VARCHAR(191) NOT NULL PRIMARY KEY, locked BOOLEAN DEFAULT 0, acquired_at DATETIME, released_at DATETIME)"
        ));
        if !lock.is_empty() {
            statements.push(format!(
                "INSERT INTO {name}.migrations_lock VALUES ('km01', {lock}, '2026-11-21 10:25:00', NULL)"
            ));
        }
    }
    for statement in statements {
        SERVER.sql(&statement);
    }
}

const FREE: Option<&str> = Some("0");
const OF_GHOST: &[&str] = &["posts", "settings", "users", "comments"];

/// What a Ghost 5.75 that was once a 4.x has recorded.
const OLDER: &[Row<'_>] = &[
    ("init", STEPS[0], "4.0"),
    ("init", STEPS[1], "4.0"),
    ("4.9", "00-long-gone.js", "4.9"),
    ("5.75", "01-first.js", "5.75"),
];

fn url(name: &str) -> String {
    format!("mysql://ghost@127.0.0.1:{}/{name}", SERVER.port)
}

fn command(home: &Path, registry: &str, more: &[&str]) -> Command {
    let arguments = [
        "check",
        "6.65.0",
        "--only",
        "database-exists",
        "--registry",
        registry,
    ];
    let mut command = at(home, &[&arguments[..], more].concat());
    command.env("GHOSTFIX_PASSWORD", PASSWORD);
    command
}

fn ask(home: &Path, registry: &str, more: &[&str]) -> Answer {
    let more = [&["--from", "database"], more].concat();
    bounded(command(home, registry, &more), Duration::from_secs(120))
}

/// The target's report.
fn of_database(home: &Path, registry: &str, name: &str) -> Value {
    let answer = ask(home, registry, &["--url", &url(name), "--format", "json"]);
    assert_eq!(answer.code(), 0, "{name}: {answer}");
    output::validate("check", &answer.stdout);
    let mut report: Value = serde_json::from_str(&answer.stdout).unwrap();
    report["targets"][0].take()
}

fn names(target: &Value) -> Vec<String> {
    let migrations = target["migrations"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    migrations
        .map(|one| format!("{}/{}", text(&one["version"]), text(&one["name"])))
        .collect()
}

/// Id and level of what stands in the database's way.
fn hazards(target: &Value) -> Vec<(&str, &str)> {
    let hazards = target["upgrade"]["hazards"].as_array().unwrap().iter();
    hazards
        .map(|one| (one["id"].as_str().unwrap(), one["level"].as_str().unwrap()))
        .collect()
}

#[test]
fn what_is_not_recorded_runs_and_only_reads_are_sent() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    make("from_older", OF_GHOST, Some(OLDER), FREE);
    let before = SERVER.statements().len();
    let target = of_database(home.path(), &registry.url(), "from_older");
    assert_eq!(names(&target), ["6.0/01-second.js", "6.64/02-third.js"]);
    assert_eq!(hazards(&target), []);
    let upgrade = &target["upgrade"];
    assert_eq!(upgrade["from"], "database");
    assert_eq!(upgrade["resolved_via"], "database");
    assert_eq!(upgrade["ghost"], "5.75");
    let database = &upgrade["database"];
    let address = format!("127.0.0.1:{}/from_older", SERVER.port);
    assert_eq!(database["address"], address);
    assert_eq!(database["state"], "pending");
    assert_eq!(database["migrated_by"], "5.75");
    assert_eq!(database["rows"], 4);
    assert_eq!(database["lock"], "free");
    assert_eq!(database["not_in_target"][0]["name"], "00-long-gone.js");
    let not_known = database["not_known"].as_array().unwrap();
    assert_eq!(not_known.len(), 2, "{not_known:?}");

    // Other tests use the server meanwhile: those of the connections to this database count.
    let log = SERVER.statements()[before..].to_owned();
    let own: BTreeSet<&str> = log
        .lines()
        .filter(|line| line.contains(" on from_older "))
        .filter_map(|line| line.split("Connect").next()?.split_whitespace().last())
        .collect();
    assert_eq!(own.len(), 1, "one login: {log}");
    let asked: Vec<&str> = log
        .lines()
        .filter_map(|line| {
            let (head, statement) = line.split_once(" Query\t")?;
            let id = head.split_whitespace().last()?;
            own.contains(id).then_some(statement)
        })
        .collect();
    assert!(asked.len() > 3, "{log}");
    for statement in asked {
        let reads = statement.starts_with("SELECT") || statement.starts_with("SHOW");
        assert!(reads, "{statement}");
    }
}

#[test]
fn an_upgrade_that_was_stopped_goes_on_where_it_stopped() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let rows = [OLDER, &[("6.0", "01-second.js", "6.65")]].concat();
    make("from_stopped", OF_GHOST, Some(&rows), Some("1"));
    let target = of_database(home.path(), &registry.url(), "from_stopped");
    assert_eq!(names(&target), ["6.64/02-third.js"]);
    assert_eq!(
        hazards(&target),
        [
            ("migration-lock", "error"),
            ("upgrade-unfinished", "warning")
        ]
    );
    assert_eq!(target["upgrade"]["ghost"], "6.65");
    assert_eq!(target["upgrade"]["database"]["lock"], "held");
    let reason = target["upgrade"]["hazards"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("since 2026-11-21 10:25:00"), "{reason}");
}

#[test]
fn collations_are_compared_where_foreign_keys_lead_to_what_is_there() {
    let home = tempfile::tempdir().unwrap();
    let add_table = "
        module.exports.up = async ({connection}) => {
            await connection.schema.createTable('gifts', (table) => {
                table.string('post_id', 24).references('posts.id');
            });
        };
    ";
    let target = ghost("6.65.0", "6.2.1")
        .file(&format!("{MIGRATIONS}/init/{}", STEPS[0]), NOTHING)
        .file(&format!("{MIGRATIONS}/versions/6.0/01-gifts.js"), add_table);
    let registry = FakeRegistry::start(vec![target, knex_migrator("6.2.1")]);
    let of_step = |target: &Value| {
        let hazards = target["migrations"][0]["hazards"].as_array().unwrap();
        hazards.first().map(|hazard| hazard["level"].clone())
    };
    make("from_fitting", OF_GHOST, Some(OLDER), FREE);
    let fitting = of_database(home.path(), &registry.url(), "from_fitting");
    assert_eq!(fitting["upgrade"]["database"]["collations"], "fit");
    assert_eq!(of_step(&fitting), None, "{fitting}");

    make("from_differing", OF_GHOST, Some(OLDER), FREE);
    for table in OF_GHOST {
        SERVER.sql(&format!(
            "ALTER TABLE from_differing.{table} CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
        ));
    }
    let differing = of_database(home.path(), &registry.url(), "from_differing");
    assert_eq!(differing["upgrade"]["database"]["collations"], "differ");
    assert_eq!(of_step(&differing), Some("error".into()), "{differing}");
    assert_eq!(hazards(&differing)[0], ("foreign-key-collation", "error"));
}

#[test]
fn every_state_of_a_database_is_told_apart() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let all = [
        OLDER,
        &[
            ("6.0", "01-second.js", "6.65"),
            ("6.64", "02-third.js", "6.65"),
        ],
    ]
    .concat();
    let newer = [&all[..], &[("6.70", "03-fourth.js", "6.70")]].concat();
    let more = [OLDER, &[("5.75", "02-own.js", "5.75")]].concat();
    let begun = [("init", STEPS[0], "5.75")];
    let without = [("5.75", "01-first.js", "5.75")];
    let (error, warning, notice) = ("error", "warning", "notice");
    type State<'a> = (
        &'a str,
        &'a [&'a str],
        Option<&'a [Row<'a>]>,
        Option<&'a str>,
        &'a str,
        &'a str,
        Vec<(&'a str, &'a str)>,
    );
    let states: Vec<State<'_>> = vec![
        (
            "empty",
            &[],
            None,
            None,
            "not-initialised",
            "table-missing",
            vec![("first-boot", notice)],
        ),
        (
            "foreign",
            &["wp_posts"],
            None,
            None,
            "not-initialised",
            "table-missing",
            vec![("first-boot", warning)],
        ),
        (
            "killed",
            &["posts"],
            Some(&[]),
            FREE,
            "not-initialised",
            "free",
            vec![("init-unfinished", warning)],
        ),
        (
            "begun",
            OF_GHOST,
            Some(&begun),
            FREE,
            "not-initialised",
            "free",
            vec![("init-unfinished", error)],
        ),
        (
            "dumped",
            OF_GHOST,
            None,
            None,
            "init-rows-missing",
            "table-missing",
            vec![("init-rows-missing", error)],
        ),
        (
            "cleaned",
            OF_GHOST,
            Some(&without),
            FREE,
            "init-rows-missing",
            "free",
            vec![("init-rows-missing", error)],
        ),
        (
            "current",
            OF_GHOST,
            Some(&all),
            FREE,
            "up-to-date",
            "free",
            vec![],
        ),
        (
            "newer",
            OF_GHOST,
            Some(&newer),
            FREE,
            "newer-than-code",
            "free",
            vec![("newer-database", error)],
        ),
        (
            "more",
            OF_GHOST,
            Some(&more),
            FREE,
            "newer-than-code",
            "free",
            vec![("more-rows-than-files", error)],
        ),
        (
            "rowless",
            OF_GHOST,
            Some(&all),
            Some(""),
            "up-to-date",
            "row-missing",
            vec![("migration-lock", error)],
        ),
        (
            "lockless",
            OF_GHOST,
            Some(&all),
            None,
            "up-to-date",
            "table-missing",
            vec![],
        ),
    ];
    for (name, tables, rows, lock, state, lock_state, expected) in states {
        let name = format!("from_{name}");
        make(&name, tables, rows, lock);
        let target = of_database(home.path(), &registry.url(), &name);
        let database = &target["upgrade"]["database"];
        assert_eq!(database["state"], state, "{name}");
        assert_eq!(database["lock"], lock_state, "{name}");
        assert_eq!(hazards(&target), expected, "{name}");
        assert_eq!(names(&target), [""; 0], "{name}");
    }
    // One that Ghost would make.
    SERVER.sql("GRANT ALL ON from_nothing.* TO 'ghost'@'%'");
    let target = of_database(home.path(), &registry.url(), "from_nothing");
    assert_eq!(hazards(&target), [("first-boot", notice)]);
}

#[test]
fn a_database_that_cannot_be_asked_is_seven() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    let port = SERVER.port;
    for (url, words) in [
        ("mysql://ghost@127.0.0.1:1/ghost".to_owned(), "preflight"),
        (
            format!("mysql://ghost@nowhere.invalid:{port}/ghost"),
            "nowhere.invalid",
        ),
        (
            format!("mysql://nobody@127.0.0.1:{port}/ghost"),
            "Access denied",
        ),
        (
            format!("mysql://ghost@127.0.0.1:{port}/mysql"),
            "Access denied",
        ),
        (
            format!("mysql://ghost@localhost:{port}/ghost?ssl={{}}"),
            "certificate",
        ),
    ] {
        let answer = ask(home.path(), &registry.url(), &["--url", &url]);
        assert_eq!(answer.code(), 7, "{url}: {answer}");
        let said = said(&answer);
        assert!(
            said.contains("the database cannot be asked"),
            "{url}: {said}"
        );
        assert!(said.contains(words), "{url}: {said}");
        assert_eq!(answer.stdout, "", "{url}");
    }
    let config = home.path().join("config.json");
    fs::write(&config, r#"{"database": {"client": "sqlite3"}}"#).unwrap();
    let config = config.to_str().unwrap();
    let answer = ask(home.path(), &registry.url(), &["--config", config]);
    assert_eq!(answer.code(), 7, "{answer}");
    let answer = ask(home.path(), &registry.url(), &["--config", "/nowhere"]);
    assert_eq!(answer.code(), 5, "{answer}");
}

#[test]
fn a_connection_is_given_as_to_preflight() {
    let (registry, home) = (registry(), tempfile::tempdir().unwrap());
    make("from_options", OF_GHOST, Some(OLDER), FREE);
    let file = |name: &str, text: String| {
        let path = home.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let port = SERVER.port;
    let config = file(
        "config.json",
        format!(
            r#"{{"database": {{"client": "mysql", "connection": {{"host": "127.0.0.1", "port": {port}, "user": "ghost", "password": "{PASSWORD}", "database": "from_options"}}}}}}"#
        ),
    );
    let variables = [
        ("client", "mysql".to_owned()),
        ("connection__host", "127.0.0.1".to_owned()),
        ("connection__port", port.to_string()),
        ("connection__user", "ghost".to_owned()),
        ("connection__password", PASSWORD.to_owned()),
        ("connection__database", "from_options".to_owned()),
    ]
    .map(|(name, value)| (format!("database__{name}"), value));
    let lines: Vec<String> = variables
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    let env_file = file(".env", lines.concat());
    let password = file("password", format!("{PASSWORD}\n"));
    let url = url("from_options");
    let ways: [(&[&str], bool); 4] = [
        (&["--config", &config], false),
        (&["--env-file", &env_file], false),
        (&["--url", &url, "--password-file", &password], false),
        (&[], true),
    ];
    for (way, in_environment) in ways {
        for format in ["human", "json", "github", "sarif", "markdown", "html"] {
            let more = [&["--from", "database", "-v", "--format", format], way].concat();
            let mut command = command(home.path(), &registry.url(), &more);
            command.env_remove("GHOSTFIX_PASSWORD");
            if in_environment {
                command.envs(variables.iter().map(|(name, value)| (name, value)));
            }
            let answer = bounded(command, Duration::from_secs(120));
            assert_eq!(answer.code(), 0, "{way:?}: {answer}");
            assert!(
                !answer.stdout.contains(PASSWORD) && !answer.stderr.contains(PASSWORD),
                "{way:?} {format}: {answer}"
            );
            if matches!(format, "human" | "json" | "markdown" | "html") {
                assert!(
                    answer.stdout.contains("02-third.js"),
                    "{way:?} {format}: {answer}"
                );
            }
        }
    }
}

#[test]
fn options_that_say_nothing_are_mistakes() {
    let home = tempfile::tempdir().unwrap();
    for (arguments, words) in [
        (
            &["check", "--url", "mysql://ghost@h/d"][..],
            "--from database",
        ),
        (
            &["check", "--root", "/x", "--from", "5.75.1"],
            "--from database",
        ),
        (&["check", "--all", "--from", "database"], "--all"),
        (
            &["check", "--from", "database", "--url", "mysql://u:p4ss@h/d"],
            "password",
        ),
    ] {
        let answer = run(home.path(), arguments);
        assert_eq!(answer.code(), 2, "{arguments:?}: {answer}");
        assert!(said(&answer).contains(words), "{arguments:?}: {answer}");
        assert!(!said(&answer).contains("p4ss"), "{answer}");
    }
    // A directory of that name is not the word.
    let answer = run(home.path(), &["check", "6.65.0", "--from", "./database"]);
    assert_eq!(answer.code(), 3, "{answer}");
}
