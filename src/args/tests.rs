use clap::{CommandFactory, Parser};

use super::*;

fn help(words: &[&str]) -> String {
    let error =
        Args::try_parse_from(std::iter::once("ghostfix").chain(words.iter().copied())).unwrap_err();
    error.render().to_string()
}

#[test]
fn the_definition_is_sound() {
    Args::command().debug_assert();
}

#[test]
fn help_fits_80_columns_and_is_what_we_read() {
    for command in [
        "",
        "patch",
        "verify",
        "revert",
        "check",
        "patches",
        "patches list",
        "patches show",
        "completions",
        "man",
    ] {
        for flag in ["-h", "--help"] {
            let words: Vec<&str> = command.split_whitespace().chain([flag]).collect();
            let shown = help(&words);
            for line in shown.lines() {
                assert!(line.chars().count() <= 80, "{words:?}: {line}");
            }
            let name = if command.is_empty() {
                "ghostfix".to_owned()
            } else {
                command.replace(' ', "-")
            };
            let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("src/args/snapshots")
                .join(format!(
                    "{name}{}.txt",
                    if flag == "-h" { "" } else { "-long" }
                ));
            snapbox::Assert::new()
                .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
                .eq(
                    snapbox::Data::text(shown).raw(),
                    snapbox::Data::read_from(&file, None).raw(),
                );
        }
    }
}

#[test]
fn what_does_not_exist_yet_is_unknown() {
    for words in [
        &["lock"][..],
        &["run"],
        &["check", "--from", "5.75.1", "--all"],
        &["revert", "--deep"],
    ] {
        let error = Args::try_parse_from(std::iter::once("ghostfix").chain(words.iter().copied()))
            .unwrap_err();
        assert_eq!(error.exit_code(), 2, "{words:?}");
    }
}

#[test]
fn every_option_has_a_sentence() {
    fn look(command: &clap::Command) {
        assert!(
            command.get_about().is_some(),
            "{} has no sentence",
            command.get_name()
        );
        for argument in command.get_arguments() {
            assert!(
                argument.get_help().is_some(),
                "{} {} has no sentence",
                command.get_name(),
                argument.get_id()
            );
        }
        command.get_subcommands().for_each(look);
    }
    look(&Args::command());
}
