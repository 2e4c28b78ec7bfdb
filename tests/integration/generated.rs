//! Variants made by machine, ten on each run, from a seed that is printed: what must come of each is known from how it
//! was made. `GHOSTFIX_SEED=N cargo test --test integration generated` makes the same ones again.

use std::fs;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::installation::Installation;
use crate::packages;
use crate::variants::DATABASE;
use crate::witness;

/// Half of these are harmless, half are not.
const EACH_RUN: usize = 10;

/// The comparison that everything is about, as every release has it.
const TEST: &str = "err.errno === 1007";

/// A small generator (SplitMix64): all that is asked of it is that one seed gives one list.
struct Chance(u64);

impl Chance {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() % limit as u64).unwrap()
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A file in the making: the text around the handler of CREATE DATABASE, the handler's inside, and the test within it,
/// kept apart so that every change finds its place whatever was changed before.
#[derive(Clone)]
struct File {
    before: String,
    /// What opens the handler: `catch (err) {` or `.catch(function (err) {`.
    opening: String,
    /// From the opening to the test, with `if (` at its end.
    leading: String,
    test: String,
    /// From the test to the end of the handler.
    trailing: String,
    after: String,
}

impl File {
    fn published(version: &str) -> Self {
        let text =
            String::from_utf8(packages::published("knex-migrator", version, DATABASE)).unwrap();
        let at = text.find(TEST).unwrap();
        let opening_at = text[..at].rfind("catch").unwrap();
        let opened = opening_at + text[opening_at..at].find('{').unwrap() + 1;
        let mut depth = 1;
        let closed = text[opened..]
            .char_indices()
            .find(|(_, character)| {
                match character {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                depth == 0
            })
            .unwrap()
            .0
            + opened;
        Self {
            before: text[..opening_at].to_owned(),
            opening: text[opening_at..opened].to_owned(),
            leading: text[opened..at].to_owned(),
            test: TEST.to_owned(),
            trailing: text[at + TEST.len()..closed].to_owned(),
            after: text[closed..].to_owned(),
        }
    }

    fn text(&self) -> String {
        [
            &self.before,
            &self.opening,
            &self.leading,
            &self.test,
            &self.trailing,
            &self.after,
        ]
        .map(String::as_str)
        .concat()
    }

    /// Replaces what must be there, exactly where the change is meant.
    fn swap(part: &mut String, from: &str, to: &str) {
        assert!(part.contains(from), "{from:?} is not in {part:?}");
        *part = part.replacen(from, to, 1);
    }
}

/// A change that leaves the meaning alone, made in the file's parts.
type Mutation = (&'static str, fn(&mut File, &mut Chance));

const HARMLESS: &[Mutation] = &[
    ("the error has another name", |file, chance| {
        let name = *chance.one_of(&["error", "e", "reason", "$err", "błąd"]);
        for part in [
            &mut file.opening,
            &mut file.leading,
            &mut file.test,
            &mut file.trailing,
        ] {
            *part = renamed(part, name);
        }
    }),
    ("the sides of the comparison are exchanged", |file, _| {
        if let Some((left, right)) = file.test.clone().split_once(" === ") {
            file.test = format!("{right} === {left}");
        }
    }),
    ("a loose comparison", |file, _| {
        file.test = file.test.replace("===", "==")
    }),
    ("the property in brackets", |file, chance| {
        let brackets = *chance.one_of(&["['errno']", "[\"errno\"]", "[`errno`]"]);
        file.test = file.test.replace(".errno", brackets);
    }),
    ("the number is written otherwise", |file, chance| {
        let number = *chance.one_of(&[
            "0x3ef",
            "0X3EF",
            "1007.0",
            "1_007",
            "0o1757",
            "0b1111101111",
            "1.007e3",
        ]);
        file.test = file.test.replace("1007", number);
    }),
    ("more parentheses", |file, chance| {
        for _ in 0..=chance.below(3) {
            file.test = format!("({})", file.test);
        }
    }),
    ("a comment in the test", |file, chance| {
        file.test = format!("/* {} */ {}", chance.number(), file.test)
    }),
    ("a statement that does nothing", |file, chance| {
        file.leading = format!("\n            void {};{}", chance.below(9999), file.leading);
    }),
    ("comments around", |file, chance| {
        file.leading = format!(
            " // {}\u{2014}{}\n{}",
            chance.number(),
            "é".repeat(chance.below(5)),
            file.leading
        );
    }),
    ("an arrow function", |file, _| {
        if file.opening.contains("function") {
            file.opening = file
                .opening
                .replace("function (", "(")
                .replace(") {", ") => {");
        }
    }),
    ("other quotes", |file, _| {
        file.trailing = file
            .trailing
            .replace("'DATABASE_CREATION_FAILED'", "\"DATABASE_CREATION_FAILED\"")
    }),
    ("a new function behind", |file, chance| {
        file.after.push_str(&format!(
            "\nexports.added{0} = function () {{\n    return {0};\n}};\n",
            chance.below(9999)
        ));
    }),
    ("new lines before", |file, chance| {
        file.before
            .insert_str(0, &"\n".repeat(1 + chance.below(200)))
    }),
    ("a directive", |file, _| {
        file.before.insert_str(0, "'use strict';\n")
    }),
];

/// A change of the whole text, made last.
type Layout = (&'static str, fn(&str) -> String);

const LAYOUT: &[Layout] = &[
    ("as it is", str::to_owned),
    ("as it is", str::to_owned),
    ("CRLF", |text| text.replace('\n', "\r\n")),
    ("a byte order mark", |text| format!("\u{feff}{text}")),
    ("tabs", |text| text.replace("    ", "\t")),
    ("spaces at the ends of lines", |text| {
        text.replace(";\n", ";  \n")
    }),
    ("no last newline", |text| text.trim_end().to_owned()),
];

const HARMFUL: &[Mutation] = &[
    ("another number", |file, chance| {
        let number = 1008 + chance.below(90);
        File::swap(&mut file.test, "1007", &number.to_string());
    }),
    ("the comparison is turned round", |file, _| {
        File::swap(&mut file.test, "===", "!==")
    }),
    ("a not before the test", |file, _| {
        file.test = format!("!({})", file.test)
    }),
    ("never true", |file, _| {
        file.test = format!("{} && false", file.test)
    }),
    ("always true", |file, _| {
        file.test = format!("{} || true", file.test)
    }),
    ("another property", |file, chance| {
        let property = *chance.one_of(&[".code", ".number", ".errNo", ".cause"]);
        File::swap(&mut file.test, ".errno", property);
    }),
    ("another object", |file, _| {
        File::swap(&mut file.test, "err.", "exports.")
    }),
    ("the error is replaced", |file, _| {
        file.leading
            .insert_str(0, "\n            err = new Error(err.message);")
    }),
    ("everything is forgiven", |file, _| {
        file.leading.insert_str(0, "\n            return;")
    }),
    ("nothing is forgiven", |file, _| {
        file.leading.insert_str(0, "\n            throw err;")
    }),
    ("the return is gone", |file, _| {
        let start = file.trailing.find("return").unwrap();
        let end = start + file.trailing[start..].find(';').unwrap() + 1;
        file.trailing.replace_range(start..end, "");
    }),
    ("what is thrown is dropped", |file, _| {
        File::swap(&mut file.trailing, "throw new", "void new")
    }),
    ("the statement hides its error", |file, _| {
        let at = file.before.rfind("CREATE DATABASE").unwrap();
        let end = at + file.before[at..].find("';')").unwrap() + "';')".len();
        file.before.insert_str(end, ".catch(function () {})");
    }),
    ("the connection is never closed", |file, _| {
        let text = if file.after.contains("await destroyConnection(connection);") {
            "await destroyConnection(connection);"
        } else {
            "connection.destroy("
        };
        let instead = if text.ends_with(';') {
            ""
        } else {
            "(function (done) { done(); })("
        };
        File::swap(&mut file.after, text, instead);
    }),
    ("the test is there twice", |file, _| {
        let end = file.trailing.find('}').unwrap() + 1;
        let again = format!("{}{}{}", file.leading, file.test, &file.trailing[..end]);
        file.trailing.insert_str(end, &again);
    }),
];

/// Every `err` that is a variable: not a property after a dot, not a key before a colon.
fn renamed(part: &str, name: &str) -> String {
    let word =
        |character: char| character.is_alphanumeric() || character == '_' || character == '$';
    let mut renamed = String::new();
    let mut rest = part;
    while let Some(at) = rest.find("err") {
        let (head, tail) = (&rest[..at], &rest[at + 3..]);
        renamed.push_str(head);
        let inside = head.ends_with(word)
            || head.ends_with('.')
            || tail.starts_with(word)
            || tail.starts_with(':');
        renamed.push_str(if inside { "err" } else { name });
        rest = tail;
    }
    renamed + rest
}

/// One variant: what was done to which release, and the text that came of it.
fn make(chance: &mut Chance, harmful: bool) -> (String, String, String) {
    let version = *chance.one_of(&packages::knex_migrators());
    let mut file = File::published(version);
    let published = file.text();
    let mut done = vec![format!("knex-migrator {version}")];
    if harmful {
        let (what, mutate) = chance.one_of(HARMFUL);
        mutate(&mut file, chance);
        done.push((*what).to_owned());
    }
    for _ in 0..=chance.below(4) {
        let (what, mutate) = chance.one_of(HARMLESS);
        // A comparison that was turned round is not to be turned back, nor a fresh name to be renamed.
        mutate(&mut file, chance);
        done.push((*what).to_owned());
    }
    let (what, layout) = chance.one_of(LAYOUT);
    done.push((*what).to_owned());
    (done.join(", "), layout(&file.text()), published)
}

#[test]
fn what_is_made_by_machine_gets_the_verdict_that_it_was_made_for() {
    let seed = match std::env::var("GHOSTFIX_SEED") {
        Ok(seed) => seed
            .parse()
            .unwrap_or_else(|_| panic!("GHOSTFIX_SEED={seed} is no number")),
        Err(_) => u64::from(
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .subsec_nanos(),
        ),
    };
    // Past the harness, which would keep it to itself where all goes well.
    writeln!(
        std::io::stderr(),
        "generated variants: GHOSTFIX_SEED={seed}"
    )
    .unwrap();
    let rounds =
        std::env::var("GHOSTFIX_VARIANTS").map_or(EACH_RUN, |count| count.parse().unwrap());
    let mut chance = Chance(seed);
    for number in 0..rounds {
        let harmful = number % 2 == 1;
        let (made, text, published) = make(&mut chance, harmful);
        let story = format!("GHOSTFIX_SEED={seed}, variant {number}: {made}");
        judge(&story, &text, &published, harmful);
    }
}

fn judge(story: &str, text: &str, published: &str, harmful: bool) {
    let installation = Installation::small("6.2.1");
    fs::write(installation.database(), text).unwrap();
    let report = installation.patch();
    let after = fs::read_to_string(installation.database()).unwrap();
    let seen = witness::watch(text);
    if harmful {
        assert_eq!(report.code(), 4, "{story}\n{}\n{text}", report.answer);
        assert_eq!(after, text, "{story}: a refused file was written");
        let changed = *seen != *witness::watch(published) || story.contains("twice");
        assert!(changed, "{story}: Node finds no harm in it\n{text}");
    } else {
        assert_eq!(
            (report.code(), report.state()),
            (0, "applied"),
            "{story}\n{}\n{text}",
            report.answer
        );
        let flaws = witness::flaws(&seen, &witness::watch(&after));
        assert!(flaws.is_empty(), "{story}: {flaws:#?}\n{after}");
        assert_eq!(installation.patch().state(), "already-applied", "{story}");
        assert_eq!(installation.revert().code(), 0, "{story}");
        assert_eq!(
            fs::read_to_string(installation.database()).unwrap(),
            text,
            "{story}: not given back as it was"
        );
    }
}
