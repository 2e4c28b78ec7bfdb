//! What the program says, and where: every form against its published schema, both streams, closed pipes, full disks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use jsonschema::{Resource, Validator};
use serde_json::Value;

use crate::packages;
use crate::process::{self, Answer};

/// A Ghost with the real knex-migrator beside it, as npm lays them out; gone when dropped.
struct Site(tempfile::TempDir);

impl Site {
    fn new() -> Self {
        let site = tempfile::tempdir().unwrap();
        let package =
            r#"{"name":"ghost","version":"6.65.0","dependencies":{"knex-migrator":"6.2.1"}}"#;
        fs::write(site.path().join("package.json"), package).unwrap();
        let migrator = site.path().join("node_modules/knex-migrator");
        copy(&packages::unpacked("knex-migrator", "6.2.1"), &migrator);
        Self(site)
    }

    /// The same with code that no shape fits.
    fn drifted() -> Self {
        let site = Self::new();
        let file = site
            .0
            .path()
            .join("node_modules/knex-migrator/lib/database.js");
        let code = fs::read_to_string(&file).unwrap();
        assert!(code.contains("err.errno === 1007"));
        fs::write(
            &file,
            code.replace("err.errno === 1007", "isForgivable(err)"),
        )
        .unwrap();
        site
    }

    fn command(&self, words: &str) -> Command {
        let mut command = ghostfix();
        command
            .args(words.split_whitespace())
            .args(["--root".as_ref(), self.0.path()]);
        command
    }

    fn run(&self, words: &str) -> Answer {
        process::bounded(self.command(words), Duration::from_secs(60))
    }
}

/// The program, with nothing of the tester's own environment that would change what it says.
fn ghostfix() -> Command {
    let mut command = Command::new(&*crate::common::PROGRAM);
    for variable in [
        "GHOST_INSTALL",
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "CI",
        "TERM",
    ] {
        command.env_remove(variable);
    }
    command
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

fn schema(name: &str) -> Value {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/render/schema/{name}.v1.json"));
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

fn our_validator(name: &str) -> Validator {
    let common = Resource::from_contents(schema("common")).unwrap();
    jsonschema::options()
        .with_resource("json-schema:///common.v1.json", common)
        .build(&schema(name))
        .unwrap()
}

fn assert_valid(validator: &Validator, text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap();
    let problems: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(problems.is_empty(), "{problems:#?}\n{text}");
    value
}

/// Panics where a result is not as its schema says.
pub(crate) fn validate(name: &str, text: &str) {
    assert_valid(&our_validator(name), text);
}

#[test]
fn json_is_as_its_schema_says_and_says_the_exit_code() {
    let (sound, drifted) = (Site::new(), Site::drifted());
    for (site, words, name, code, outcome) in [
        (&sound, "verify --profile mysql", "verify", 1, "no"),
        (&sound, "patch --profile mysql --dry-run", "patch", 0, "yes"),
        (&sound, "patch --profile mysql", "patch", 0, "yes"),
        (&sound, "patch --profile mysql", "patch", 0, "yes"),
        (&sound, "verify --profile mysql --deep", "verify", 0, "yes"),
        (&sound, "revert", "revert", 0, "yes"),
        (&drifted, "patch --profile mysql", "patch", 4, "refused"),
        (&drifted, "verify --profile mysql", "verify", 1, "no"),
    ] {
        let answer = site.run(&format!("{words} --format json"));
        assert_eq!(answer.code(), code, "{answer}");
        assert_eq!(answer.stderr, "", "{answer}");
        let value = assert_valid(&our_validator(name), &answer.stdout);
        assert_eq!(value["schema"], format!("ghostfix.{name}.v1"));
        assert_eq!(value["exit_code"], code);
        assert_eq!(value["outcome"], outcome);
        assert_eq!(value["root"], site.0.path().to_str().unwrap());
    }
}

#[test]
fn paths_lead_from_the_root_to_the_file() {
    let whole = Site::new();
    let root = tempfile::tempdir().unwrap();
    copy(whole.0.path(), &root.path().join("versions/6.65.0"));
    std::os::unix::fs::symlink("versions/6.65.0", root.path().join("current")).unwrap();
    for below in [".", "current", "versions/6.65.0"] {
        let directory = root.path().join(below);
        for command in ["verify", "patch", "verify", "revert"] {
            let mut command_line = ghostfix();
            command_line
                .args([
                    command,
                    "--only",
                    "database-exists",
                    "--format",
                    "json",
                    "--root",
                ])
                .arg(&directory);
            let answer = process::bounded(command_line, Duration::from_secs(60));
            let value = assert_valid(&our_validator(command), &answer.stdout);
            let path = value["patches"][0]["path"].as_str().unwrap();
            assert!(directory.join(path).is_file(), "{answer}");
        }
    }
}

#[test]
fn patches_are_listed_and_shown_as_their_schema_says() {
    let run = |words: &str| {
        let mut command = ghostfix();
        command.args(words.split_whitespace());
        process::bounded(command, Duration::from_secs(10))
    };
    let list = assert_valid(
        &our_validator("patches"),
        &run("patches list --format json").stdout,
    );
    let patches = list["patches"].as_array().unwrap();
    assert_eq!(patches[0]["id"], "database-exists");
    for patch in patches {
        let id = patch["id"].as_str().unwrap();
        let shown = assert_valid(
            &our_validator("patches"),
            &run(&format!("patches show {id} --format json")).stdout,
        );
        assert_eq!(shown["patches"][0]["id"], id);
        let page = run(&format!("patches show {id}"));
        assert!(page.stdout.starts_with(&format!("{id}\n")), "{page}");
    }
}

#[test]
fn an_error_is_an_object_on_standard_output_and_words_on_standard_error() {
    let empty = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        let mut command = ghostfix();
        command
            .args(words)
            .args(["--format", "json"])
            .current_dir(&empty)
            .env("GHOST_INSTALL", empty.path());
        process::bounded(command, Duration::from_secs(10))
    };
    for (words, code) in [
        (&["verify"][..], 3),
        (&["patch", "--only", "no-such-patch"], 2),
        (&["patch", "--no-such-flag"], 2),
        (&["no-such-command"], 2),
        (&[], 2),
    ] {
        let answer = run(words);
        assert_eq!(answer.code(), code, "{answer}");
        let value = assert_valid(&our_validator("error"), &answer.stdout);
        assert_eq!(value["exit_code"], code);
        assert!(
            !answer.stderr.is_empty() && !answer.stderr.contains('\u{1b}'),
            "{answer}"
        );
    }
}

#[test]
fn sarif_is_as_the_standards_schema_says() {
    let package = packages::unpacked("@microsoft/jest-sarif", "1.0.0-beta.0");
    let schema = fs::read_to_string(package.join("lib/schemas/sarif-2.1.0-rtm.5.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    assert!(
        !validator.is_valid(&serde_json::json!({ "version": "2.1.0", "runs": [{}] })),
        "the schema checks nothing"
    );
    let (sound, drifted) = (Site::new(), Site::drifted());
    for (site, words, results) in [
        (&sound, "verify --profile mysql", 2),
        (&sound, "patch --profile mysql --dry-run", 2),
        (&sound, "patch --profile mysql", 0),
        (&drifted, "patch --profile mysql", 2),
        (&drifted, "verify --root /nonexistent", 0),
        (&sound, "patches list", 0),
    ] {
        let mut command = ghostfix();
        command
            .args(words.split_whitespace())
            .args(["--format", "sarif"]);
        if !words.contains("--root") && !words.starts_with("patches") {
            command.arg("--root").arg(site.0.path());
        }
        let answer = process::bounded(command, Duration::from_secs(60));
        let value = assert_valid(&validator, &answer.stdout);
        assert_eq!(
            value["runs"][0]["results"].as_array().unwrap().len(),
            results,
            "{answer}"
        );
        assert_eq!(
            value["runs"][0]["invocations"][0]["exitCode"],
            answer.code(),
            "{answer}"
        );
    }
}

#[test]
fn a_closed_pipe_is_a_quiet_end_and_changes_no_exit_code() {
    let site = Site::new();
    for (words, code) in [
        ("verify --profile mysql", 1),
        ("patch --profile mysql --dry-run -v", 0),
    ] {
        for format in ["human", "json", "github", "sarif"] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let mut command = site.command(&format!("{words} --format {format}"));
            let output = command
                .stdout(writer)
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
                .wait_with_output()
                .unwrap();
            assert_eq!(output.status.code(), Some(code), "{words} {format}");
            assert_eq!(
                String::from_utf8(output.stderr).unwrap(),
                "",
                "{words} {format}"
            );
        }
    }
}

#[test]
fn a_result_that_cannot_be_delivered_is_an_error() {
    let full = PathBuf::from("/dev/full");
    let site = Site::new();
    let mut command = site.command("patch --profile mysql --dry-run");
    command
        .stdout(fs::File::create(full).unwrap())
        .stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(
        words.starts_with("error: write the result to standard output: No space left on device"),
        "{words}"
    );
}

#[test]
fn colour_is_for_terminals_or_for_who_asks() {
    let site = Site::new();
    for (words, variable, coloured) in [
        ("verify --profile mysql", None, false),
        ("verify --profile mysql --color always", None, true),
        (
            "verify --profile mysql --color always",
            Some(("NO_COLOR", "1")),
            true,
        ),
        (
            "verify --profile mysql",
            Some(("CLICOLOR_FORCE", "1")),
            true,
        ),
        (
            "verify --profile mysql --color never",
            Some(("CLICOLOR_FORCE", "1")),
            false,
        ),
        (
            "verify --profile mysql --color always --format json",
            None,
            false,
        ),
        (
            "verify --profile mysql --color always --format github",
            None,
            false,
        ),
    ] {
        let mut command = site.command(words);
        command.envs(variable);
        let answer = process::bounded(command, Duration::from_secs(60));
        assert_eq!(
            answer.stdout.contains('\u{1b}'),
            coloured,
            "{words} {variable:?}"
        );
    }
}

#[test]
fn help_and_version_are_results() {
    for words in [
        &["--help"][..],
        &["-h"],
        &["patch", "--help"],
        &["--version"],
        &["man"],
        &["completions", "bash"],
    ] {
        let mut command = ghostfix();
        command.args(words);
        let answer = process::bounded(command, Duration::from_secs(10));
        assert_eq!(answer.code(), 0, "{answer}");
        assert!(
            !answer.stdout.is_empty() && answer.stderr.is_empty(),
            "{answer}"
        );
    }
}
