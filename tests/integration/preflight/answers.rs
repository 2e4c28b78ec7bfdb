//! What preflight answers on a real server, and that nothing is written to it.

use std::time::Duration;

use serde_json::Value;

use super::server::{PASSWORD, SERVER};
use crate::process::{self, Answer};
use crate::{common, output};

fn ask(url: &str, more: &[&str]) -> Answer {
    let mut command = common::command(["preflight", "--url"]);
    command
        .arg(url)
        .args(more)
        .env("GHOSTFIX_PASSWORD", PASSWORD);
    process::bounded(command, Duration::from_secs(60))
}

fn url() -> String {
    format!("mysql://ghost@127.0.0.1:{}/ghost", SERVER.port)
}

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.stdout).unwrap_or_else(|problem| panic!("{problem}: {answer}"))
}

fn level<'r>(report: &'r Value, id: &str) -> &'r str {
    let found = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["id"] == id);
    found.map_or("not reached", |finding| finding["level"].as_str().unwrap())
}

#[test]
fn a_healthy_server_passes_with_few_statements_and_stays_as_it_is() {
    let before = SERVER.statements().len();
    let answer = ask(&url(), &["--format", "json", "--skip", "patches"]);
    let report = json(&answer);
    assert_eq!(answer.code(), 0, "{answer}");
    for finding in report["findings"].as_array().unwrap() {
        let level = finding["level"].as_str().unwrap();
        assert!(["passed", "notice"].contains(&level), "{finding}");
    }
    assert!(report["round_trips"].as_u64().unwrap() <= 15);
    output::validate("preflight", &answer.stdout);

    // Of all that was sent, only what cannot succeed is no read; the driver itself sends nothing.
    let own = |line: &&str| line.contains("Query") && !line.contains("GRANT ");
    let log = SERVER.statements()[before..].to_owned();
    let mut writing: Vec<&str> = log
        .lines()
        .filter(own)
        .filter_map(|line| line.split_once("Query\t").map(|(_, statement)| statement))
        .filter(|statement| {
            !["SELECT", "SHOW", "WITH"]
                .iter()
                .any(|read| statement.starts_with(read))
        })
        .map(|statement| statement.split("ghostfix_absent").next().unwrap())
        .collect();
    writing.sort_unstable();
    writing.dedup();
    assert_eq!(
        writing,
        [
            "ALTER TABLE ",
            "ALTER VIEW ",
            "CREATE DATABASE `ghost` CHARACTER SET utf8mb4",
            "DROP TABLE "
        ]
    );
}

#[test]
fn a_read_only_run_reads_only_and_says_what_it_does_not_know() {
    let report = json(&ask(&url(), &["--format", "json", "--read-only"]));
    for id in ["create-database", "views", "recursive-cte"] {
        assert_eq!(level(&report, id), "unknown", "{id}");
    }
    assert!(report["round_trips"].as_u64().unwrap() > 4);
}

#[test]
fn each_failure_is_told_at_its_own_layer() {
    let port = SERVER.port;
    for (url, expected) in [
        (format!("mysql://nobody@127.0.0.1:{port}/ghost"), "login"),
        (
            format!("mysql://ghost@127.0.0.1:{port}/elsewhere"),
            "database",
        ),
        ("mysql://ghost@127.0.0.1:1/ghost".to_owned(), "tcp"),
        (format!("mysql://ghost@nowhere.invalid:{port}/ghost"), "dns"),
        (
            format!("mysql://ghost@localhost:{port}/ghost?ssl={{}}"),
            "tls",
        ),
        (
            format!("mysql://ghost@localhost:{port}/ghost?ssl=true"),
            "ssl-value",
        ),
        (
            format!("mysql://writer@localhost:{port}/ghost"),
            "privileges",
        ),
    ] {
        let answer = ask(&url, &["--format", "json"]);
        let report = json(&answer);
        assert_eq!(answer.code(), 1, "{answer}");
        let failed = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["level"] == "error");
        assert_eq!(failed.unwrap()["id"], expected, "{url}");
        assert!(
            !failed.unwrap()["fix"].as_str().unwrap().is_empty(),
            "{url}"
        );
        output::validate("preflight", &answer.stdout);
    }
}

#[test]
fn facts_are_judged_again_elsewhere_to_the_same_end() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("facts.json");
    let file = file.to_str().unwrap();
    let first = json(&ask(&url(), &["--format", "json", "--facts", file]));
    let mut command = common::command(["preflight", "--judge", file, "--format", "json"]);
    command.env("PATH", "/nowhere");
    let again = json(&process::bounded(command, Duration::from_secs(30)));
    assert_eq!(first["findings"], again["findings"]);
    assert!(!std::fs::read_to_string(file).unwrap().contains(PASSWORD));
}

#[test]
fn waiting_ends_when_its_time_is_over() {
    let begun = std::time::Instant::now();
    let answer = ask("mysql://ghost@127.0.0.1:1/ghost", &["--wait", "3s", "-q"]);
    assert_eq!(answer.code(), 1);
    let took = begun.elapsed();
    assert!(
        took >= Duration::from_millis(1500) && took < Duration::from_secs(30),
        "{took:?}"
    );
}

#[test]
fn what_a_team_lives_with_is_not_counted() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ghostfix.toml");
    std::fs::write(
        &file,
        "[[accepted]]\nid = \"tcp\"\nreason = \"it is off at night\"\n",
    )
    .unwrap();
    let answer = ask(
        "mysql://ghost@127.0.0.1:1/ghost",
        &["--accepted", file.to_str().unwrap()],
    );
    assert_eq!(answer.code(), 0, "{answer}");
    assert!(
        answer.stdout.contains("accepted: it is off at night"),
        "{answer}"
    );
}

#[test]
fn checks_are_listed_and_explained() {
    let list = common::ghostfix(["preflight", "--list-checks", "-q"]);
    let ids: Vec<&str> = list.stdout.lines().collect();
    assert!(ids.len() >= 25);
    for id in ids {
        let page = common::ghostfix(["preflight", "--explain", id]);
        assert_eq!(page.code(), 0);
        assert!(page.stdout.contains("Fix"), "{id}");
    }
    assert_eq!(
        common::ghostfix(["preflight", "--explain", "nope"]).code(),
        2
    );
    assert_eq!(common::ghostfix(["preflight", "--skip", "nope"]).code(), 2);
}

#[test]
fn ci_systems_get_their_forms() {
    let junit = ask(&url(), &["--format", "junit"]).stdout;
    assert!(
        junit.starts_with("<?xml") && junit.contains("<testcase name=\"dns\""),
        "{junit}"
    );
    let github = ask("mysql://ghost@127.0.0.1:1/ghost", &["--format", "github"]).stdout;
    assert!(github.starts_with("::error title=tcp"), "{github}");
    let sarif = ask("mysql://ghost@127.0.0.1:1/ghost", &["--format", "sarif"]).stdout;
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    assert_eq!(sarif["runs"][0]["results"][1]["ruleId"], "tcp");
}
