//! The contract's table of exit codes, row by row, for the commands that there are.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::{PATCH, command, ghostfix, run};
use crate::installation::{GHOST_6, Installation, Layout};
use crate::process;

/// Every state that each command answers with, and the code that the contract gives it.
#[test]
fn zero_yes_or_nothing_left_to_do() {
    let installation = Installation::small("6.2.1");
    assert_eq!(
        (
            installation.dry_run().code(),
            installation.dry_run().state()
        ),
        (0, "would-apply")
    );
    assert_eq!(
        (installation.patch().code(), installation.patch().state()),
        (0, "already-applied")
    );
    assert_eq!(installation.verify().code(), 0);
    assert_eq!(
        (
            installation.dry_run().code(),
            installation.dry_run().state()
        ),
        (0, "already-applied")
    );
    assert_eq!(
        (installation.revert().code(), installation.revert().code()),
        (0, 0)
    );
    for arguments in [
        &["patches", "list"][..],
        &["patches", "show", PATCH],
        &["--help"],
        &["--version"],
        &["patch", "--help"],
    ] {
        assert_eq!(ghostfix(arguments).code(), 0, "{arguments:?}");
    }
}

#[test]
fn one_asked_and_answered_no() {
    let installation = Installation::small("6.2.1");
    assert_eq!(
        (installation.verify().code(), installation.verify().state()),
        (1, "not-applied")
    );
    // What patch would refuse is a no to verify, too.
    let broken = fs::read_to_string(installation.database())
        .unwrap()
        .replace("1007", "1008");
    fs::write(installation.database(), broken).unwrap();
    assert_eq!(
        (installation.verify().code(), installation.verify().state()),
        (1, "drifted")
    );
}

#[test]
fn two_usage() {
    for arguments in [
        &["patch", "--nonsense"][..],
        &["nonsense"],
        &["patch", "--only", "no-such-patch"],
        &["patch", "--only", PATCH, "--with", PATCH],
        &["patch", "--with", PATCH, "--without", PATCH],
        &["patch", "--profile", "oracle"],
        &["patch", "--format", "xml"],
        &["patch", "-q", "-v"],
        &["check", ""],
        &["check", "6.65.0", ""],
        &["check", "6.65.0", "--from", ""],
        &["patches", "show", "no-such-patch"],
        &["patches", "show"],
        &["verify", "--dry-run"],
        &["revert", "--profile", "mysql"],
    ] {
        let answer = ghostfix(arguments);
        assert_eq!(answer.code(), 2, "{answer}");
        assert_eq!(answer.stdout, "", "{answer}");
        assert!(!answer.stderr.is_empty(), "{answer}");
    }
    // And without anything, where help is shown for want of a question.
    assert_eq!(ghostfix([""; 0]).code(), 2);
}

#[test]
fn a_usage_error_is_json_where_json_was_asked_for() {
    let answer = ghostfix(["patch", "--only", "no-such-patch", "--format", "json"]);
    assert_eq!(answer.code(), 2, "{answer}");
    let json: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(
        (json["schema"].as_str(), json["exit_code"].as_u64()),
        (Some("ghostfix.error.v1"), Some(2))
    );
    assert!(json["error"].as_str().unwrap().contains("no-such-patch"));
}

#[test]
fn three_nothing_to_work_on() {
    let empty = Installation::empty();
    for command in ["patch", "verify", "revert"] {
        assert_eq!(run(command, &empty.root, &[]).code(), 3);
    }
    let without = Installation::small("6.2.1");
    fs::remove_dir_all(without.package()).unwrap();
    assert_eq!(
        (without.patch().code(), without.verify().code()),
        (3, 3),
        "Ghost is there, the package is not"
    );
    // The same with every patch selected: that those of Ghost's own files can be made is no comfort.
    let complete = Installation::real(Layout::OfficialImage, GHOST_6);
    assert_eq!(run("patch", &complete.root, &[]).code(), 0);
    fs::remove_dir_all(complete.ghost.join("node_modules")).unwrap();
    for arguments in [&["patch"][..], &["patch", "--dry-run"], &["verify"]] {
        let report = run(arguments[0], &complete.root, &arguments[1..]);
        assert_eq!(report.code(), 3, "{}", report.answer);
        let words = report.json["error"].as_str().unwrap();
        assert!(
            words
                .starts_with("Ghost 6.65.0 depends on knex-migrator 6.2.1, which is not installed"),
            "{words}"
        );
    }
    // Who asks about Ghost's own files alone is answered.
    let own = run("verify", &complete.root, &["--only", "comments-parent"]);
    assert_eq!(own.code(), 0, "{}", own.answer);
}

#[test]
fn four_refused_to_patch() {
    let published = |edit: &dyn Fn(String) -> String| {
        let installation = Installation::small("6.2.1");
        let text = edit(fs::read_to_string(installation.database()).unwrap());
        fs::write(installation.database(), text).unwrap();
        installation
    };
    for (state, installation) in [
        (
            "drifted",
            published(&|text| text.replace("=== 1007", "=== 1008")),
        ),
        (
            "ambiguous",
            published(&|text| {
                let check = "        if (err.errno === 1007) {\n            return;\n        }\n";
                text.replace(check, &check.repeat(2))
            }),
        ),
        (
            "broken-by-hand",
            published(&|text| {
                text.replace(
                    "err.errno === 1007",
                    "err.errno === 1007 || err.errno === 1105",
                )
            }),
        ),
        (
            "proof-failed",
            published(&|text| text.replace("await destroyConnection(connection);", "")),
        ),
    ] {
        for command in ["patch", "patch --dry-run"] {
            let report = if command == "patch" {
                installation.patch()
            } else {
                installation.dry_run()
            };
            assert_eq!(
                (report.code(), report.state()),
                (4, state),
                "{command}: {}",
                report.answer
            );
        }
    }
    let installation = Installation::small("6.2.1");
    fs::remove_file(installation.database()).unwrap();
    assert_eq!(
        (installation.patch().code(), installation.patch().state()),
        (4, "missing")
    );
}

#[test]
fn five_file_system() {
    let installation = Installation::small("6.2.1");
    fs::write(installation.package().join("package.json"), "{").unwrap();
    for command in ["patch", "verify", "revert"] {
        let report = run(command, &installation.root, &["--only", PATCH]);
        assert_eq!(report.code(), 5, "{}", report.answer);
    }
}

#[test]
fn six_upstream() {
    let home = tempfile::tempdir().unwrap();
    // Nothing listens there.
    for arguments in [
        &["check", "6.65.0", "--registry", "http://127.0.0.1:9/"][..],
        &[
            "check",
            "6.65.0",
            "6.64.0",
            "--registry",
            "http://127.0.0.1:9/",
        ],
        &[
            "check",
            "6.65.0",
            "--offline",
            "--registry",
            "http://127.0.0.1:9/",
        ],
        &["verify", "--image", "docker://127.0.0.1:9/ghost:6"],
    ] {
        let mut command = command(arguments);
        command
            .env("HOME", home.path())
            .env("XDG_CACHE_HOME", home.path());
        let answer = process::bounded(command, Duration::from_secs(60));
        assert_eq!(answer.code(), 6, "{answer}");
    }
}

#[test]
fn seven_a_database_that_cannot_be_asked() {
    let home = tempfile::tempdir().unwrap();
    // Nothing listens there.
    let url = "mysql://ghost@127.0.0.1:9/ghost";
    let mut command = command(["check", "6.65.0", "--from", "database", "--url", url]);
    command
        .env("HOME", home.path())
        .env("XDG_CACHE_HOME", home.path());
    let answer = process::bounded(command, Duration::from_secs(60));
    assert_eq!(answer.code(), 7, "{answer}");
}

#[test]
fn five_a_full_disk_leaves_all_as_it_was() {
    // A size limit on what the process writes: the kernel's nearest thing to a disk that is full.
    let installation = Installation::small("6.2.1");
    let before = fs::read(installation.database()).unwrap();
    let mut limited = Command::new("bash");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "bash"])
        .arg(&*crate::common::PROGRAM)
        .args(["patch", "--only", PATCH, "--format", "json", "--root"])
        .arg(&installation.root);
    let answer = process::bounded(limited, Duration::from_secs(60));
    assert_eq!(answer.code(), 5, "{answer}");
    assert_eq!(fs::read(installation.database()).unwrap(), before);
    assert_eq!(
        installation.patch().state(),
        "applied",
        "and the next run finds nothing in its way"
    );
}

#[test]
fn a_hundred_and_thirty_interrupted() {
    let installation = Installation::small("6.2.1");
    // Kept waiting by another ghostfix, so that the signal comes in the middle of a run.
    let lock = fs::File::open(&installation.ghost).unwrap();
    lock.lock().unwrap();
    // A shell's background job ignores the signal, and what it starts inherits that.
    let mut child = Command::new("env")
        .arg("--default-signal=INT")
        .arg(&*crate::common::PROGRAM)
        .args(["patch", "--root"])
        .arg(&installation.root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let opened = format!("/proc/{}/fd", child.id());
    let waits = || {
        fs::read_dir(&opened).is_ok_and(|all| {
            all.flatten()
                .any(|fd| fs::read_link(fd.path()).is_ok_and(|path| path == installation.ghost))
        })
    };
    while !waits() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it must wait for the lock"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&child),
        rustix::process::Signal::INT,
    )
    .unwrap();
    // Its own death by SIGINT: every shell makes 130 of it.
    assert_eq!(child.wait().unwrap().signal(), Some(2));
    drop(lock);
    assert_eq!(installation.verify().state(), "not-applied");
    assert_eq!(installation.patch().state(), "applied");
}

#[test]
fn a_closed_pipe_is_a_quiet_end() {
    for arguments in [
        &["patches", "list"][..],
        &["patches", "show", PATCH],
        &["--help"],
        &["completions", "bash"],
        &["man"],
    ] {
        let mut child = command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        assert_ne!(output.status.code(), Some(70), "{arguments:?}");
        assert_ne!(output.status.code(), Some(101), "{arguments:?}");
    }
}

#[test]
fn commands_that_do_not_exist_yet_are_absent() {
    let help = ghostfix(["--help"]).stdout;
    for absent in [
        "check",
        "preflight",
        "migrations",
        "schema",
        "lock",
        "explain",
        "run",
    ] {
        let listed = help
            .lines()
            .any(|line| line.trim_start().starts_with(&format!("{absent} ")));
        let exists = ghostfix([absent, "--help"]).code() == 0;
        assert_eq!(listed, exists, "{absent}: help and program must agree");
    }
}
