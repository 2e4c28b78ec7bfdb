//! Canaries in every place where a secret can stand: none may come out anywhere.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::server::SERVER;
use crate::{common, process};

const CANARY: &str = "canary7f3a";

/// Options, and variables of the environment.
type Run<'a> = (Vec<String>, Vec<(&'a str, String)>);

#[test]
fn no_secret_comes_out_of_any_place_in_any_form() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let port = SERVER.port;
    let config = |connection: String| {
        format!(
            "{{\"database\":{{\"client\":\"mysql\",\"connection\":{{\"host\":\"127.0.0.1\",\"port\":{port},\"user\":\"ghost\",\"database\":\"ghost\",{connection}}}}}}}"
        )
    };
    let facts = directory
        .path()
        .join("facts.json")
        .to_str()
        .unwrap()
        .to_owned();
    let secret = file("secret", format!("{CANARY}\n"));
    let runs: Vec<Run<'_>> = vec![
        // The password, right kind and wrong, by each way.
        (
            vec![
                "--config".into(),
                file("a.json", config(format!("\"password\":\"{CANARY}\""))),
            ],
            vec![],
        ),
        (
            vec![
                "--config".into(),
                file("b.json", config(format!("\"password\":[\"{CANARY}\"]"))),
            ],
            vec![],
        ),
        (
            vec![
                "--config".into(),
                file("c.json", format!("{{\"database\": \"{CANARY}\" broken")),
            ],
            vec![],
        ),
        (
            vec![
                "--url".into(),
                format!("mysql://ghost@127.0.0.1:{port}/ghost"),
            ],
            vec![("GHOSTFIX_PASSWORD", CANARY.to_owned())],
        ),
        (
            vec![
                "--url".into(),
                format!("mysql://ghost:{CANARY}@127.0.0.1:{port}/ghost"),
            ],
            vec![],
        ),
        (vec!["--url".into(), format!("nonsense:{CANARY}")], vec![]),
        (
            vec![
                "--url".into(),
                format!("mysql://ghost@127.0.0.1:{port}/ghost"),
                "--password-file".into(),
                secret.clone(),
            ],
            vec![],
        ),
        (
            vec![
                "--env-file".into(),
                file(
                    "d.env",
                    format!(
                        "database__connection__password={CANARY}\ndatabase__connection__host=127.0.0.1\n"
                    ),
                ),
            ],
            vec![],
        ),
        (
            vec![
                "--env-file".into(),
                file("e.env", format!("no name={CANARY}\n")),
            ],
            vec![],
        ),
        (
            vec![],
            vec![("database__connection__password", CANARY.to_owned())],
        ),
        (
            vec![],
            vec![("database__connection__password_FILE", secret)],
        ),
        (
            vec![],
            vec![(
                "database__connection__password",
                format!("{{\"{CANARY}\":1}}"),
            )],
        ),
        (
            vec![],
            vec![(
                "database__connection",
                format!("mysql://ghost:{CANARY}@127.0.0.1/ghost"),
            )],
        ),
        (
            vec![],
            vec![(
                "database__connection__uri",
                format!("mysql://ghost:{CANARY}@127.0.0.1/ghost"),
            )],
        ),
        (
            vec![],
            vec![("database__connection__uri", format!("::{CANARY}"))],
        ),
        (
            vec![],
            vec![(
                "database__connection__host",
                format!("mysql://ghost:{CANARY}@127.0.0.1/ghost"),
            )],
        ),
        // What Ghost is started with.
        (
            vec![
                "--".into(),
                format!("--database:connection:password={CANARY}"),
                "--database:client=mysql".into(),
                "--database:connection:host=127.0.0.1".into(),
                format!("--database:connection:port={port}"),
            ],
            vec![],
        ),
        (
            vec![
                "--".into(),
                format!("--database.connection.password={CANARY}"),
                format!("--database.connection.password={CANARY}"),
                format!("--{CANARY}"),
                CANARY.into(),
            ],
            vec![],
        ),
        (
            vec![
                "--".into(),
                format!("--database.client={CANARY}"),
                "--help".into(),
            ],
            vec![],
        ),
        // The keys of TLS, and what is written in place of them.
        (
            vec![],
            vec![("database__connection__ssl", CANARY.to_owned())],
        ),
        (
            vec![],
            vec![(
                "database__connection__ssl",
                format!("{{passphrase:'{CANARY}'}}"),
            )],
        ),
        (
            vec![],
            vec![(
                "database__connection__ssl",
                format!(
                    "{{\"key\":\"{CANARY}\",\"cert\":\"{CANARY}\",\"passphrase\":\"{CANARY}\",\"ca\":\"{CANARY}\"}}"
                ),
            )],
        ),
        (
            vec![],
            vec![(
                "database__connection__ssl",
                format!("{{\"minVersion\":\"{CANARY}\"}}"),
            )],
        ),
    ];
    for (options, variables) in runs {
        for format in ["human", "json", "github", "sarif", "junit"] {
            let mut command =
                common::command(["preflight", "-v", "--facts", &facts, "--format", format]);
            command
                .args(&options)
                .env("NODE_ENV", "production")
                .env("RUST_BACKTRACE", "1")
                .env("RUST_LOG", "trace")
                .envs(variables.iter().map(|(name, value)| (name, value)))
                .current_dir(directory.path());
            let answer = process::bounded(command, Duration::from_secs(60));
            assert_ne!(answer.code(), 70);
            assert_ne!(answer.code(), 101);
            let saved = fs::read_to_string(&facts).unwrap_or_default();
            for text in [&answer.stdout, &answer.stderr, &saved] {
                assert!(
                    !text.contains(CANARY),
                    "{options:?} {variables:?} {format}:\n{text}"
                );
            }
            let _ = fs::remove_file(&facts);
        }
    }
}

#[test]
fn the_list_of_processes_shows_no_password() {
    // A port that takes the connection and says nothing keeps the program waiting.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "mysql://ghost@127.0.0.1:{}/ghost",
        listener.local_addr().unwrap().port()
    );
    let mut command: Command = common::command(["preflight", "--url", &url]);
    let mut child = command
        .env("GHOSTFIX_PASSWORD", CANARY)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let _accepted = listener.accept().unwrap();
    let line = fs::read_to_string(format!("/proc/{}/cmdline", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.contains("preflight") && !line.contains(CANARY));
}
