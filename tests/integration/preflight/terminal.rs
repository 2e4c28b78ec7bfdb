//! What somebody sees who watches, in a terminal of 80 columns, and what an interrupt leaves of it.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::server::{PASSWORD, SERVER};
use crate::common::PROGRAM;
use crate::process;

/// ghostfix in a terminal of its own; `script` makes it, and answers with the program's exit code. Where the tests run in
/// the background of a shell, they are deaf to interrupts, and what they start would be too.
fn watched(arguments: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new("script");
    command
        .args(["--quiet", "--return", "--command"])
        .arg(format!(
            "stty cols 80 rows 40; exec env --default-signal=INT {} preflight {arguments}",
            PROGRAM.display()
        ))
        .arg("/dev/null")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("SHELL", "/bin/sh")
        .env("TERM", "xterm-256color")
        .env("GHOSTFIX_PASSWORD", PASSWORD)
        .envs(variables.iter().copied())
        .current_dir("/");
    command
}

/// The lines that are on the screen in the end: only what is used of a terminal is known here, all else is a panic.
fn screen(output: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let (mut row, mut column) = (0, 0);
    let mut characters = output.chars();
    while let Some(character) = characters.next() {
        match character {
            '\r' => column = 0,
            '\n' => {
                row += 1;
                if row == lines.len() {
                    lines.push(String::new());
                }
            }
            '\u{1b}' => {
                assert_eq!(characters.next(), Some('['), "{output:?}");
                let mut number = String::new();
                let last = loop {
                    match characters.next().unwrap() {
                        digit if digit.is_ascii_digit() || digit == ';' => number.push(digit),
                        last => break last,
                    }
                };
                match last {
                    'm' => {}
                    'A' => row -= number.parse::<usize>().unwrap(),
                    'J' => {
                        lines.truncate(row + 1);
                        lines[row] = lines[row].chars().take(column).collect();
                    }
                    other => panic!("{other}: {output:?}"),
                }
            }
            other => {
                assert_eq!(lines[row].chars().count(), column, "{output:?}");
                lines[row].push(other);
                column += 1;
                assert!(column <= 80, "{:?}", lines[row]);
            }
        }
    }
    lines
}

fn url() -> String {
    format!("--url mysql://ghost@127.0.0.1:{}/ghost", SERVER.port)
}

#[test]
fn the_list_fills_and_the_findings_follow() {
    let answer = process::bounded(watched(&url(), &[]), Duration::from_secs(60));
    assert_eq!(answer.code(), 0, "{answer}");
    let lines = screen(&answer.stdout);
    let begins: Vec<&str> = lines
        .iter()
        .take_while(|line| !line.is_empty())
        .map(|line| line.split("  ").next().unwrap())
        .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>())
        .map(|words| match words.as_slice() {
            [_, name] => *name,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        begins,
        [
            "configuration",
            "name",
            "connection",
            "greeting",
            "login",
            "settings",
            "tables",
            "rehearsal",
            "patches"
        ]
    );
    assert!(lines[1].starts_with("✓ name          127.0.0.1"));
    assert!(lines[6].contains(" tables        ghost: "), "{lines:?}");
    let rest = lines.join("\n");
    assert!(
        rest.contains("checks have passed (-v shows them)")
            && rest.contains("Nothing was found that will stop Ghost")
            && !rest.contains("✓ dns"),
        "{rest}"
    );
}

#[test]
fn a_failed_step_is_marked_and_ends_the_list() {
    let answer = process::bounded(
        watched("--url mysql://ghost@127.0.0.1:1/ghost --wait 2s", &[]),
        Duration::from_secs(60),
    );
    assert_eq!(answer.code(), 1, "{answer}");
    let lines = screen(&answer.stdout);
    assert_eq!(
        lines[2..5],
        [
            "✗ connection    127.0.0.1 is there, but nothing listens on port 1.",
            "",
            "· ssl-value: The connection is not encrypted: right only inside of one machine",
        ]
    );
    assert!(answer.stdout.contains("waiting"), "{answer}");
    assert!(!lines.join("\n").contains("waiting"), "{lines:?}");
}

#[test]
fn colours_and_signs_are_as_wanted() {
    let colour = "\u{1b}[1m";
    for (arguments, variables, coloured, sign) in [
        ("", &[][..], true, "✓ name"),
        ("", &[("NO_COLOR", "1")], false, "✓ name"),
        ("--color never", &[], false, "✓ name"),
        ("--color always", &[("NO_COLOR", "1")], true, "✓ name"),
        ("", &[("LANG", "C")], true, "[+] name"),
    ] {
        let command = watched(&format!("{} {arguments}", url()), variables);
        let answer = process::bounded(command, Duration::from_secs(60));
        assert_eq!(answer.stdout.contains(colour), coloured, "{answer}");
        assert!(screen(&answer.stdout)[1].starts_with(sign), "{answer}");
        assert!(sign.starts_with('✓') || answer.stdout.is_ascii());
    }
}

#[test]
fn who_does_not_watch_sees_no_list() {
    for (arguments, variables) in [
        ("-q", &[][..]),
        ("--format json", &[]),
        ("", &[("TERM", "dumb")]),
        ("2>/dev/null", &[]),
    ] {
        let command = watched(&format!("{} {arguments}", url()), variables);
        let answer = process::bounded(command, Duration::from_secs(60));
        assert!(
            !answer.stdout.contains("rehearsal") && !answer.stdout.contains("\u{1b}[J"),
            "{answer}"
        );
        assert!(!answer.stdout.contains("checks have passed"), "{answer}");
    }
    // The result goes elsewhere: then it is whole, and the list is on the screen.
    let command = watched(&format!("{} | cat", url()), &[]);
    let answer = process::bounded(command, Duration::from_secs(60));
    assert!(
        answer.stdout.contains("rehearsal") && answer.stdout.contains("[+] dns:"),
        "{answer}"
    );
}

#[test]
fn an_interrupt_leaves_whole_lines_and_a_cursor() {
    // Takes the connection, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    for after in [Duration::from_millis(300), Duration::from_millis(2500)] {
        let mut child = watched(&format!("--url mysql://ghost@127.0.0.1:{port}/ghost"), &[])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let _accepted = silent.accept().unwrap();
        // However busy the machine is, the interrupt comes while the greeting is waited for.
        let mut stdout = child.stdout.take().unwrap();
        let mut written = Vec::new();
        while !String::from_utf8_lossy(&written).contains("greeting") {
            let mut more = [0; 4096];
            let read = stdout.read(&mut more).unwrap();
            assert!(read > 0, "it ended too soon");
            written.extend(&more[..read]);
        }
        std::thread::sleep(after);
        child.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
        stdout.read_to_end(&mut written).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let text = String::from_utf8(written).unwrap();
        assert!(!text.contains("?25l"), "{text:?}");
        let lines = screen(&text.replace("^C", ""));
        assert!(lines[2].starts_with("✓ connection"), "{lines:?}");
        assert!(lines[3].contains("greeting"), "{lines:?}");
        assert!(lines[4..].iter().all(|line| line.trim().is_empty()));
    }
}
