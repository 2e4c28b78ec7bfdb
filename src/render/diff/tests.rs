use super::*;
use crate::render::tests::fixtures::DIFF;
use crate::render::tests::without_colour;
use crate::settings::Screen;

fn shown_on(screen: Screen, diff: &str) -> String {
    let mut page = Page::new(screen);
    show(diff, 2, &mut page);
    page.into_text()
}

fn shown(diff: &str) -> String {
    without_colour(&shown_on(Screen::LOG, diff))
}

#[test]
fn numbers_are_those_of_the_file_that_a_line_is_in() {
    assert_eq!(
        shown(
            "--- a\n+++ b\n@@ -9,4 +9,5 @@\n a\n-b\n-c\n+B\n+C\n+D\n e\n@@ -99 +100 @@\n-x\n+y\n"
        ),
        "    9 |   a
   10 | - b
   11 | - c
   10 | + B
   11 | + C
   12 | + D
   13 |   e
      :
   99 | - x
  100 | + y
"
    );
}

#[test]
fn similars_own_diffs_are_understood() {
    let before = "a\nb\nc\nd\ne\nf\ng\nh\ni\nno line end";
    let after = before
        .replace("e\n", "E\nE\n")
        .replace("no line", "another");
    let diff = TextDiff::from_lines(before, after.as_str());
    let unified = diff
        .unified_diff()
        .header("a/x", "b/x")
        .context_radius(1)
        .to_string();
    assert_eq!(
        shown(&unified),
        "   4 |   d
   5 | - e
   5 | + E
   6 | + E
   7 |   f
     :
  10 |   i
  10 | - no line end
  11 | + another end
"
    );
}

#[test]
fn lines_that_look_like_headers_are_lines() {
    assert_eq!(
        shown(
            "--- a\n+++ b\n@@ -1,3 +1,3 @@\n--- x\n+++ y\n @@ -5 +5 @@\n\\ No newline at end of file\n"
        ),
        "  1 | - -- x\n  1 | + ++ y\n  2 |   @@ -5 +5 @@\n"
    );
}

#[test]
fn nothing_is_shown_of_what_is_no_diff() {
    for text in ["", "\n\n", "plain words", "--- a\n+++ b\n", "@@ x @@\n-a\n"] {
        assert_eq!(shown(text), "", "{text:?}");
    }
}

#[test]
fn line_ends_show_only_where_they_differ() {
    assert_eq!(
        shown("@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n"),
        "  1 |   a\n  2 | - b\n  2 | + c\n"
    );
    assert_eq!(
        shown("@@ -1,1 +1,1 @@\n-b\r\n+b\n"),
        "  1 | - b\\u{d}\n  1 | + b\n"
    );
}

#[test]
fn the_changed_words_are_marked() {
    let screen = Screen {
        columns: Some(80),
        unicode: true,
    };
    let shown = shown_on(
        screen,
        "@@ -1 +1 @@\n-if (a === 1) {\n+if (a === 1 || b) {\n",
    );
    assert_eq!(
        shown.replace('\u{1b}', "␛"),
        "  ␛[2m1 │ ␛[0m␛[31m-␛[0m ␛[31mif (a === 1) {␛[0m\n  \
         ␛[2m1 │ ␛[0m␛[32m+␛[0m ␛[32mif (a === 1␛[0m␛[1m␛[4m␛[32m || b␛[0m␛[32m) {␛[0m\n"
    );
}

#[test]
fn a_long_line_is_broken_on_a_terminal_and_whole_in_a_log() {
    for columns in [40, 60, 80, 120] {
        let screen = Screen {
            columns: Some(columns),
            unicode: false,
        };
        let broken = without_colour(&shown_on(screen, DIFF));
        assert!(
            broken
                .lines()
                .all(|line| line.len() <= usize::from(columns)),
            "{broken}"
        );
        let spaceless = |text: &str| text.replace(['\n', ' ', '|'], "");
        assert_eq!(
            spaceless(&broken),
            spaceless(&shown(DIFF)),
            "nothing is lost at {columns} columns"
        );
    }
    assert!(shown(DIFF).lines().any(|line| line.len() > 120));
}

#[test]
fn a_line_without_spaces_is_broken_anywhere() {
    let screen = Screen {
        columns: Some(40),
        unicode: false,
    };
    let diff = format!("@@ -1 +1 @@\n-\n+{}\n", "日".repeat(100));
    let broken = without_colour(&shown_on(screen, &diff));
    assert!(
        broken.lines().all(|line| text::width(line) <= 40),
        "{broken}"
    );
    assert_eq!(broken.matches('日').count(), 100);
}

#[test]
fn huge_diffs_and_huge_lines_are_cut() {
    let many: String = (0..100_000)
        .map(|number| format!("-a{number}\n+b{number}\n"))
        .collect();
    let lines = shown(&format!("@@ -1,100000 +1,100000 @@\n{many}"));
    assert_eq!(lines.lines().count(), MOST_LINES + 1);
    assert!(lines.ends_with("the rest of the diff is left out here; --format json has it whole\n"));

    let wide = shown(&format!("@@ -1 +1 @@\n-{}\n+b\n", "é".repeat(1_000_000)));
    assert!(wide.len() < 2 * LONGEST_LINE + 200);
    assert!(wide.contains(" [1996000 more bytes]"));
}

#[test]
fn hostile_lines_do_nothing() {
    assert_eq!(
        shown("@@ -1 +1 @@\n-\u{1b}[2Jx\u{202e}\n+::error::x##[error]\t\n"),
        "  1 | - \\u{1b}[2Jx\\u{202e}\n  1 | + ::error::x##\\u{5b}error]    \n"
    );
}

#[test]
fn the_first_changed_line_is_that_of_the_file_afterwards() {
    assert_eq!(first_changed_line(DIFF), Some(44));
    assert_eq!(first_changed_line("@@ -5,2 +9,1 @@\n-x\n y\n"), Some(9));
    assert_eq!(first_changed_line(""), None);
    assert_eq!(first_changed_line("@@ -5 +5 @@\n x\n"), None);
}
