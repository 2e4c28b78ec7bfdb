//! Files that are too deep, too long, too large, or no JavaScript at all.

use std::fs;

use super::{file, loading, published};
use crate::installation::Installation;

#[test]
fn nesting_of_any_kind_is_no_crash() {
    const DEEP: usize = 100_000;
    let nested = |open: &str, inner: &str, close: &str| {
        format!(
            "{}\nx = {}{inner}{};\n",
            published(),
            open.repeat(DEEP),
            close.repeat(DEEP)
        )
    };
    for (what, text) in [
        ("parentheses", nested("(", "1", ")")),
        ("brackets", nested("[", "1", "]")),
        (
            "braces",
            format!("{}{}", "{".repeat(DEEP), "}".repeat(DEEP)),
        ),
        ("parentheses that never close", nested("(", "1", "")),
        ("templates", nested("`${", "1", "}`")),
        ("nots", nested("!", "1", "")),
        ("arrows", nested("a=>", "1", "")),
        ("conditionals", nested("a?1:", "1", "")),
        ("calls", nested("f(", "1", ")")),
    ] {
        let (state, reason) = file(what, text.as_bytes());
        // What the parser takes, the engine may not.
        assert!(
            ["drifted", "proof-failed"].contains(&state.as_str()),
            "{what}: {state}: {reason}"
        );
    }
}

#[test]
fn long_chains_are_no_crash() {
    // No brackets at all, and a tree as deep as the file is long: either verdict will do, a crash will not.
    const LONG: usize = 50_000;
    for (what, text) in [
        (
            "sums",
            loading(&format!("const x = {}1;", "1+".repeat(LONG))),
        ),
        (
            "members",
            loading(&format!("const x = () => a{};", ".b".repeat(LONG))),
        ),
        (
            "else ifs",
            loading(&format!("{}{{}}", "if (0) {} else ".repeat(LONG / 10))),
        ),
        ("labels", loading(&format!("{};", "a:".repeat(3)))),
        ("statements", loading(&";".repeat(LONG))),
    ] {
        let installation = Installation::small("6.2.1");
        fs::write(installation.database(), &text).unwrap();
        let report = installation.patch();
        assert!([0, 4].contains(&report.code()), "{what}: {}", report.answer);
        let written = fs::read_to_string(installation.database()).unwrap() != text;
        assert_eq!(written, report.code() == 0, "{what}");
        assert!(
            !report.answer.stderr.contains("panicked"),
            "{what}: {}",
            report.answer
        );
    }
}

#[test]
fn a_file_of_50_megabytes_is_not_even_read() {
    let mut large = published().into_bytes();
    large.resize(50 * 1024 * 1024, b' ');
    let (state, reason) = file("50 MB", &large);
    assert_eq!(state, "drifted");
    assert!(reason.contains("52428800"), "{reason}");
}

#[test]
fn what_is_no_text_says_where() {
    let mut latin = published().into_bytes();
    let place = latin.len();
    latin.extend(b"// caf\xe9\n");
    let (state, reason) = file("Latin-1", &latin);
    assert_eq!(state, "drifted");
    assert!(reason.contains(&(place + 6).to_string()), "{reason}");

    let noise: Vec<u8> = (0u32..60_000)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0])
        .collect();
    for (what, bytes) in [
        ("noise", noise),
        ("an ELF header", b"\x7fELF\x02\x01\x01\0\0\0\0\0".to_vec()),
        ("zeros", vec![0; 4096]),
        ("half a character", b"\xf0\x9f".to_vec()),
        (
            "UTF-16",
            published()
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
        ),
    ] {
        assert_eq!(file(what, &bytes).0, "drifted", "{what}");
    }
}

#[test]
fn what_is_empty_or_no_program_is_drifted() {
    for (what, text) in [
        ("nothing", ""),
        ("a space", " "),
        ("a byte order mark", "\u{feff}"),
        ("a comment", "// moved"),
        ("JSON", r#"{"moved": true}"#),
        ("HTML", "<!doctype html><title>404</title>"),
        (
            "a merge conflict",
            "<<<<<<< HEAD\nexports.x = 1;\n=======\nexports.x = 2;\n>>>>>>> other\n",
        ),
    ] {
        assert_eq!(file(what, text.as_bytes()).0, "drifted", "{what}");
    }
}
