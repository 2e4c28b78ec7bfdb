use super::*;
use crate::render::tests::fixtures::HOSTILE;
use crate::render::tests::without_colour;
use crate::settings::Screen;

fn evidence(source: &str, labels: &[(Range<usize>, &str)]) -> Evidence {
    Evidence {
        source: source.to_owned(),
        labels: labels
            .iter()
            .map(|(range, label)| (range.clone(), (*label).to_owned()))
            .collect(),
        nearest_shape: None,
        shape_diff: String::new(),
    }
}

fn shown(source: &str, labels: &[(Range<usize>, &str)]) -> String {
    let mut page = Page::new(Screen::LOG);
    show(&evidence(source, labels), "lib/x.js", 0, &mut page);
    without_colour(&page.into_text())
}

fn range_of(source: &str, part: &str) -> Range<usize> {
    let start = source.find(part).unwrap();
    start..start + part.len()
}

#[test]
fn only_the_lines_around_the_place_are_shown() {
    let source: String = (1..=100).map(|line| format!("line {line};\n")).collect();
    assert_eq!(
        shown(&source, &[(range_of(&source, "line 50"), "here")]),
        "  --> lib/x.js:50:1\n   |\n50 | line 50;\n   | ^^^^^^^ here\n"
    );
}

#[test]
fn positions_count_lines_and_characters_from_one() {
    let source = "ab\ncöd\r\n日x";
    for (part, line, column) in [
        ("ab", 1, 1),
        ("b", 1, 2),
        ("c", 2, 1),
        ("d", 2, 3),
        ("日", 3, 1),
        ("x", 3, 2),
    ] {
        let range = range_of(source, part);
        assert_eq!(
            positions(source, &range).0,
            Position { line, column },
            "{part}"
        );
    }
    assert_eq!(
        positions(source, &(0..source.len())).1,
        Position { line: 3, column: 3 }
    );
}

#[test]
fn a_range_that_is_not_in_the_text_is_moved_into_it() {
    let source = "é日\n";
    let ranges = [
        1..1,
        1..4,
        3..4,
        0..99,
        99..100,
        6..6,
        usize::MAX - 1..usize::MAX,
    ];
    for range in ranges {
        assert!(
            shown(source, &[(range.clone(), "x")]).contains("lib/x.js"),
            "{range:?}"
        );
        positions(source, &range);
    }
    // A range that ends before it starts, from a parser that lost its way.
    let backwards = Range { start: 3, end: 1 };
    shown(source, &[(backwards, "x")]);
    for source in ["", "\n", "\u{feff}", "\r\n", "\n\n\n"] {
        shown(source, &[(0..source.len(), "x"), (0..0, "y")]);
    }
    assert_eq!(shown("x", &[]), "");
}

#[test]
fn tabs_and_line_ends_do_not_move_the_caret() {
    assert_eq!(
        shown(
            "a\r\n\tif (x) {\r\n",
            &[(range_of("a\r\n\tif (x) {\r\n", "(x)"), "here")]
        ),
        " --> lib/x.js:2:8\n  |\n2 |     if (x) {\n  |        ^^^ here\n"
    );
}

#[test]
fn hostile_characters_are_spelled_out_and_do_not_move_the_caret() {
    let source = format!("{HOSTILE} catch");
    let shown = shown(&source, &[(range_of(&source, "catch"), HOSTILE)]);
    assert!(
        !shown
            .chars()
            .any(|character| text::is_hidden(character) && character != '\n'),
        "{shown:?}"
    );
    assert!(!shown.contains("##["), "{shown}");
    let lines: Vec<&str> = shown.lines().collect();
    let code = lines
        .iter()
        .position(|line| line.contains("catch"))
        .unwrap();
    let (caret, word) = (
        lines[code + 1].find("^^^^^").unwrap(),
        lines[code].find("catch").unwrap(),
    );
    assert_eq!(caret, word, "{shown}");
}

#[test]
fn two_places_far_apart_are_both_shown() {
    let source: String = (1..=100).map(|line| format!("line {line};\n")).collect();
    let labels = [
        (range_of(&source, "line 20"), "first"),
        (range_of(&source, "line 80"), "second"),
    ];
    assert_eq!(
        shown(&source, &labels),
        "  --> lib/x.js:20:1\n   |\n20 | line 20;\n   | ^^^^^^^ first\n...\n80 | line 80;\n   | ------- second\n"
    );
}

#[test]
fn of_places_that_are_too_far_apart_only_the_first_is_shown() {
    let source = format!("first;\n{}last;\n", "line;\n".repeat(100_000));
    let shown = shown(
        &source,
        &[(0..5, "one"), (range_of(&source, "last"), "two")],
    );
    assert!(shown.contains("one") && !shown.contains("two"), "{shown}");
}

#[test]
fn of_a_line_that_is_too_long_only_a_part_is_shown() {
    let source = format!("{}catch{}", "é;".repeat(1_000_000), "ü;".repeat(1_000_000));
    let started = std::time::Instant::now();
    let shown = shown(&source, &[(range_of(&source, "catch"), "here")]);
    assert!(started.elapsed() < std::time::Duration::from_secs(1));
    assert!(shown.contains("^^^^^ here"), "{shown}");
    assert!(
        shown.ends_with("(part of line 1, from lib/x.js)\n"),
        "{shown}"
    );
    assert!(shown.lines().all(|line| text::width(line) <= 80), "{shown}");
}
