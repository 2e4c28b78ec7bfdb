use clap::Parser;

use super::*;
use crate::args::Args;

fn output(typed: &str) -> Output {
    output_despite_errors(
        std::iter::once("ghostfix")
            .chain(typed.split_whitespace())
            .map(OsString::from),
    )
}

fn problem(typed: &str) -> String {
    usage_error(
        &Args::try_parse_from(std::iter::once("ghostfix").chain(typed.split_whitespace()))
            .unwrap_err(),
    )
    .to_string()
}

#[test]
fn the_format_is_heard_whatever_else_is_wrong() {
    for typed in [
        "patch --format json --nope",
        "--format json patch --nope",
        "--format=json nope",
        "patch --nope --format json",
        "verify --format json --profile oracle",
        "patches show --format json",
        "--format json",
    ] {
        assert_eq!(output(typed).format, Format::Json, "{typed}");
    }
    assert_eq!(
        output("patch --color never --nope").color,
        clap::ColorChoice::Never
    );
}

#[test]
fn where_the_flags_are_wrong_themselves_the_defaults_hold() {
    for typed in [
        "patch --format yaml",
        "--format",
        "",
        "nope",
        "nope -- --format json",
    ] {
        assert_eq!(output(typed).format, Format::Human, "{typed}");
    }
}

#[test]
fn the_error_is_the_parsers_first_sentence() {
    assert_eq!(
        problem("patch --nope"),
        "unexpected argument '--nope' found"
    );
    assert_eq!(problem("nope"), "unrecognized subcommand 'nope'");
    assert_eq!(problem(""), "no command was given");
    assert_eq!(problem("patches"), "no command was given");
    assert_eq!(
        problem("patch --profile oracle"),
        "invalid value 'oracle' for '--profile <PROFILE>'\n  [possible values: planetscale, vitess, mysql]"
    );
    assert_eq!(
        usage_error(&Args::try_parse_from(["ghostfix"]).unwrap_err()).exit_code(),
        2
    );
}
