use super::*;
use crate::render::tests::without_colour;
use crate::settings::Screen;

fn shown(markdown: &str) -> String {
    let mut page = Page::new(Screen::LOG);
    show(markdown, &mut page);
    without_colour(&page.into_text())
}

#[test]
fn blocks_stand_apart() {
    assert_eq!(
        shown("# A\n\nb\n\nc\n\n- d\n- e\n\nf\n\n    g\n\n> h\n\ni"),
        "\
A

b

c

- d
- e

f

    g

  h

i
"
    );
}

#[test]
fn inline_styles_join_words_and_do_not_break_them() {
    assert_eq!(
        shown("The `a`, (*b*) and **c**`d`e."),
        "The `a`, (b) and c`d`e.\n"
    );
    assert_eq!(shown("``a `b` ``"), "a `b`\n");
    assert_eq!(shown("one\ntwo  \nthree"), "one two\nthree\n");
}

#[test]
fn lists_nest_and_their_lines_hang() {
    let long = "word ".repeat(20);
    assert_eq!(
        shown(&format!("9. {long}\n10. x\n    - y\n\nz")),
        "\
9. word word word word word word word word word word word word word word word
   word word word word word
10. x
    - y

z
"
    );
}

#[test]
fn a_loose_list_is_shown_as_a_tight_one() {
    assert_eq!(shown("- a\n\n- b\n"), "- a\n- b\n");
}

#[test]
fn a_link_shows_where_it_goes() {
    assert_eq!(
        shown("see [here](https://example.org/x)."),
        "see here (https://example.org/x).\n"
    );
    assert_eq!(shown("<https://example.org>"), "https://example.org\n");
}

#[test]
fn nothing_of_the_page_reaches_the_terminal_as_a_command() {
    assert_eq!(
        shown("a \u{1b}[2J b\n\n    \u{1b}c"),
        "a \\u{1b}[2J b\n\n    \\u{1b}c\n"
    );
}

#[test]
fn an_empty_item_keeps_its_bullet() {
    assert_eq!(shown("- a\n-\n- b"), "- a\n-\n- b\n");
}
