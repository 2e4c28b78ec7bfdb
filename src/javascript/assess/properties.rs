//! For any spelling of the code: the edit is made, recognised again, and taken out to the very same bytes.

use proptest::prelude::*;

use super::*;

/// A way of writing what `database-exists` is made in.
#[derive(Debug, Clone)]
struct Spelling {
    error: String,
    test: &'static str,
    quote: char,
    line_end: &'static str,
    indent: &'static str,
    lead: &'static str,
    promise: bool,
    comment: String,
}

fn spelling() -> impl Strategy<Value = Spelling> {
    (
        "[a-z_][A-Za-z0-9_]{0,8}".prop_map(|name| format!("{name}E")),
        prop::sample::select(vec![
            "ERR.errno === 1007",
            "1007 === ERR.errno",
            "ERR.errno == 0x3ef",
            "ERR && ERR.errno === 1007",
            "ERR['errno'] === 1007",
            "(ERR.errno) === (1007)",
            "ERR.errno === 1007 || ERR.errno === 1007007",
            "!!(ERR.errno === 1007)",
            "ERR instanceof Error && (ERR.errno === 1007)",
            "ERR.errno === /* exists */ 1007",
        ]),
        prop::sample::select(vec!['\'', '"']),
        prop::sample::select(vec!["\n", "\r\n", "\r"]),
        prop::sample::select(vec!["  ", "    ", "\t"]),
        prop::sample::select(vec![
            "",
            "\u{feff}",
            "#!/usr/bin/env node",
            "\u{feff}#!/usr/bin/env node",
            "// ünïcödé \u{2028}",
        ]),
        any::<bool>(),
        "[^*/\\r\\n]{0,20}",
    )
        .prop_map(
            |(error, test, quote, line_end, indent, lead, promise, comment)| Spelling {
                error,
                test,
                quote,
                line_end,
                indent,
                lead,
                promise,
                comment,
            },
        )
}

impl Spelling {
    fn text(&self) -> String {
        let patch = catalogue::patch("database-exists").unwrap();
        let wanted = if self.promise {
            "promise-catch"
        } else {
            "try-catch"
        };
        let (_, example) = patch.examples.iter().find(|(id, _)| *id == wanted).unwrap();
        let test = self.test.replace("ERR", "err");
        let text = example
            .replace("err.errno === 1007", &test)
            .replace("require('", &format!("/*{}*/ require('", self.comment))
            .replace("err:", "ERR:")
            .replace("errors", "ERRORS")
            .replace("err", &self.error)
            .replace(&format!("{}no", self.error), "errno")
            .replace("ERRORS", "errors")
            .replace("ERR:", "err:")
            .replace("    ", self.indent)
            .replace('\'', &self.quote.to_string())
            .replace('\n', self.line_end);
        format!("{}{}{text}", self.lead, self.line_end)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn an_edit_that_is_taken_out_again_gives_the_original(spelling in spelling()) {
        let patch = catalogue::patch("database-exists").unwrap();
        let text = spelling.text();
        let judge = |text: &str| {
            assess(patch, text.as_bytes(), Origin::Unknown, &Sandbox::ThisProcess, Guards::default())
        };
        let verdict = judge(&text);
        prop_assert_eq!(verdict.state, State::NotApplied, "{}: {:#?}", &text, &verdict);
        let change = verdict.change.unwrap();
        prop_assert_eq!(&edit::apply(&text, &change.splices), &change.after);
        prop_assert_eq!(judge(&change.after).state, State::AlreadyApplied, "{}", &change.after);

        // Backwards, each splice's own text is found where it was put, and nothing else is touched.
        let mut restored = change.after.clone();
        for splice in change.splices.iter().rev() {
            let shift: isize = change
                .splices
                .iter()
                .filter(|other| other.at.start < splice.at.start)
                .map(|other| other.text.len() as isize - other.at.len() as isize)
                .sum();
            let start = (splice.at.start as isize + shift) as usize;
            prop_assert_eq!(&restored[start..start + splice.text.len()], splice.text.as_str());
            restored.replace_range(start..start + splice.text.len(), &text[splice.at.clone()]);
        }
        prop_assert_eq!(restored, text);
    }

    #[test]
    fn no_text_whatever_makes_it_panic(text in "\\PC{0,200}") {
        for patch in catalogue::patches() {
            let verdict = assess(patch, text.as_bytes(), Origin::Unknown, &Sandbox::ThisProcess, Guards::default());
            prop_assert_ne!(verdict.state, State::AlreadyApplied);
        }
    }
}
