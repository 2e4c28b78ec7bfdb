use clap::ValueEnum;

use super::*;

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    for shell in clap_complete::Shell::value_variants() {
        let script = String::from_utf8(completions(*shell)).unwrap();
        for word in [
            "patch",
            "verify",
            "revert",
            "patches",
            "profile",
            "planetscale",
        ] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn the_manual_has_a_section_for_every_command() {
    let page = String::from_utf8(manual()).unwrap();
    let sections: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with(".SH "))
        .collect();
    assert_eq!(
        sections,
        [
            ".SH NAME",
            ".SH SYNOPSIS",
            ".SH DESCRIPTION",
            ".SH OPTIONS",
            ".SH OUTPUT",
            ".SH \"PATCH\"",
            ".SH \"VERIFY\"",
            ".SH \"REVERT\"",
            ".SH \"CHECK\"",
            ".SH \"PREFLIGHT\"",
            ".SH \"PATCHES LIST\"",
            ".SH \"PATCHES SHOW\"",
            ".SH \"COMPLETIONS\"",
            ".SH \"MAN\"",
            ".SH \"EXAMPLES\"",
            ".SH \"EXIT STATUS\"",
        ]
    );
}
