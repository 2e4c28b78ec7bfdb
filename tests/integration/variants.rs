//! The drifted variants of `tests/corpus/variants/`: what each says, and the file that it makes of a published one.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use ghostfix::report::State;
use serde::Deserialize;

use crate::packages;

/// The file that all variants are variants of.
pub(crate) const DATABASE: &str = "lib/database.js";

/// An edit of a published file, with the verdict that it must get.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Variant {
    pub(crate) name: String,
    /// The published version of knex-migrator that is edited.
    pub(crate) base: String,
    /// What package.json says instead.
    pub(crate) version: Option<String>,
    /// Why the verdict is what it is.
    pub(crate) why: String,
    /// What `patch` must answer.
    pub(crate) state: State,
    /// The guards that refuse it; with all of these off it is patched, with any of them on it is not.
    #[serde(default)]
    pub(crate) stopped_by: Vec<Guard>,
    /// There is nothing to attach an edit to, whichever guard is off.
    #[serde(default)]
    pub(crate) no_place: bool,
    #[serde(default)]
    edits: Vec<Edit>,
    /// A module of our own in place of the published file.
    whole: Option<String>,
    /// Put before this line, as `sed` does it.
    line: Option<usize>,
    insert: Option<String>,
    append: Option<String>,
    #[serde(default)]
    transform: Vec<Transform>,
    /// The name of the file that it is in, without extension.
    #[serde(skip)]
    pub(crate) family: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Guard {
    Recognition,
    Proof,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    find: String,
    put: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Transform {
    Bom,
    Crlf,
    Hashbang,
    NoFinalNewline,
    OneLine,
    Tabs,
}

static VARIANTS: LazyLock<Vec<Variant>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        variant: Vec<Variant>,
    }
    let mut files: Vec<PathBuf> = fs::read_dir(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/corpus/variants"
    ))
    .unwrap()
    .map(|entry| entry.unwrap().path())
    .collect();
    files.sort();
    files
        .iter()
        .flat_map(|path| {
            let file: File = toml::from_str(&fs::read_to_string(path).unwrap())
                .unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
            let family = path.file_stem().unwrap().to_str().unwrap().to_owned();
            file.variant.into_iter().map(move |variant| Variant {
                family: family.clone(),
                ..variant
            })
        })
        .collect()
});

pub(crate) fn all() -> &'static [Variant] {
    &VARIANTS
}

impl Variant {
    /// The text of the drifted file.
    pub(crate) fn text(&self) -> String {
        let mut text = match &self.whole {
            Some(whole) => whole.clone(),
            None => self.published(),
        };
        for Edit { find, put } in &self.edits {
            let found = text.matches(find.as_str()).count();
            assert_eq!(
                found, 1,
                "{}: the text to replace must occur once:\n{find}",
                self.name
            );
            text = text.replacen(find.as_str(), put, 1);
        }
        if let (Some(line), Some(insert)) = (self.line, &self.insert) {
            let before: usize = text
                .split_inclusive('\n')
                .take(line - 1)
                .map(str::len)
                .sum();
            text.insert_str(before, insert);
        }
        if let Some(append) = &self.append {
            text.push_str(append);
        }
        self.transform
            .iter()
            .fold(text, |text, transform| transform.apply(&text))
    }

    /// The file as published, before any edit.
    pub(crate) fn published(&self) -> String {
        String::from_utf8(packages::published("knex-migrator", &self.base, DATABASE)).unwrap()
    }

    /// What package.json says.
    pub(crate) fn package_version(&self) -> &str {
        self.version.as_deref().unwrap_or(&self.base)
    }
}

impl Transform {
    fn apply(self, text: &str) -> String {
        match self {
            Self::Bom => format!("\u{feff}{text}"),
            Self::Crlf => text.replace('\n', "\r\n"),
            Self::Hashbang => format!("#!/usr/bin/env node\n{text}"),
            Self::NoFinalNewline => text.trim_end_matches('\n').to_owned(),
            Self::OneLine => one_line(text),
            Self::Tabs => text.split_inclusive('\n').map(tabs).collect(),
        }
    }
}

fn tabs(line: &str) -> String {
    let code = line.trim_start_matches("    ");
    "\t".repeat((line.len() - code.len()) / 4) + code
}

/// Works for these files, whose comments stand on lines of their own and whose statements all end in a semicolon.
fn one_line(text: &str) -> String {
    let comment = |line: &&str| {
        ["//", "/*", "* ", "*/"]
            .iter()
            .any(|start| line.starts_with(start))
            || *line == "*"
    };
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !comment(line))
        .collect::<Vec<_>>()
        .join(" ")
}
