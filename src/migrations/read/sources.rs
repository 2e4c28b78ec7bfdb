//! The files of one Ghost that migrations consist of, parsed: each, and what it requires of those that are kept.

use std::collections::{BTreeMap, BTreeSet};

use swc_ecma_ast::{CallExpr, Callee, Expr, Lit, Program};
use swc_ecma_visit::{Visit, VisitWith as _};

use crate::error::Result;
use crate::ghost::Files;
use crate::javascript::parse;

/// Files by their path in Ghost's package.
#[derive(Default)]
pub(super) struct Sources {
    files: BTreeMap<String, Source>,
}

/// A file as it was read.
pub(super) enum Source {
    Code(Box<Program>),
    Json(serde_json::Value),
    /// It is there, and cannot be read: why.
    Unreadable(String),
}

/// The texts of some files and of all that they require, as far as it is kept.
pub(super) struct Texts(BTreeMap<String, Vec<u8>>);

impl Texts {
    /// Every kept file of Ghost's database code: there are few, but for the migrations, which are read as wanted.
    pub(super) fn read(files: &Files, wanted: &[String]) -> Result<Self> {
        let mut texts = BTreeMap::new();
        let mut shared: BTreeSet<String> = files
            .paths_below("core/server/data/migrations")?
            .into_iter()
            .filter(|path| !path.starts_with("core/server/data/migrations/versions/"))
            .collect();
        shared.extend(files.paths_below("core/server/data/schema")?);
        shared.extend(wanted.iter().cloned());
        for path in shared {
            if (path.ends_with(".js") || path.ends_with(".json"))
                && let Some(bytes) = files.read(&path)?
            {
                texts.insert(path, bytes);
            }
        }
        Ok(Self(texts))
    }

    /// The length of the longest, in bytes: the stack that walking them takes is in proportion.
    pub(super) fn longest(&self) -> usize {
        self.0.values().map(Vec::len).max().unwrap_or_default()
    }
}

impl Sources {
    /// Parses the wanted files and, in turn, what they require.
    pub(super) fn parse(texts: &Texts, wanted: &[String]) -> Self {
        let mut sources = Self::default();
        let mut open: Vec<String> = wanted.to_vec();
        while let Some(path) = open.pop() {
            if sources.files.contains_key(&path) {
                continue;
            }
            let Some(bytes) = texts.0.get(&path) else {
                continue;
            };
            let source = read(&path, bytes);
            if let Source::Code(program) = &source {
                let mut required = Required::default();
                program.visit_with(&mut required);
                open.extend(
                    required
                        .0
                        .iter()
                        .filter_map(|name| resolve(&path, name, |path| texts.0.contains_key(path))),
                );
            }
            sources.files.insert(path, source);
        }
        sources
    }

    pub(super) fn get(&self, path: &str) -> Option<&Source> {
        self.files.get(path)
    }

    /// The file that `require(name)` in `from` means; `Err` with the path where it is not among those that are read.
    pub(super) fn resolve(&self, from: &str, name: &str) -> std::result::Result<String, String> {
        resolve(from, name, |path| self.files.contains_key(path))
            .ok_or_else(|| joined(from, name).unwrap_or_else(|| name.to_owned()))
    }
}

fn read(path: &str, bytes: &[u8]) -> Source {
    if path.ends_with(".json") {
        return match serde_json::from_slice(bytes) {
            Ok(value) => Source::Json(value),
            Err(error) => Source::Unreadable(error.to_string()),
        };
    }
    match parse::text(bytes).and_then(parse::parse) {
        Ok(parsed) => Source::Code(Box::new(parsed.program)),
        Err(problem) => Source::Unreadable(problem.to_string()),
    }
}

/// As Node does: the file itself, then with its endings, then as a directory.
fn resolve(from: &str, name: &str, exists: impl Fn(&str) -> bool) -> Option<String> {
    let path = joined(from, name)?;
    ["", ".js", ".json", "/index.js"]
        .iter()
        .map(|ending| format!("{path}{ending}"))
        .find(|path| exists(path))
}

/// A relative name as a path from Ghost's root; `None` for a package, and for what leads out of Ghost.
fn joined(from: &str, name: &str) -> Option<String> {
    if !name.starts_with('.') {
        return None;
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The names in `require('…')`.
#[derive(Default)]
struct Required(Vec<String>);

impl Visit for Required {
    fn visit_call_expr(&mut self, call: &CallExpr) {
        if let Callee::Expr(callee) = &call.callee
            && let Expr::Ident(callee) = &**callee
            && callee.sym == *"require"
            && let [argument] = call.args.as_slice()
            && let Expr::Lit(Lit::Str(name)) = &*argument.expr
        {
            self.0.push(name.value.to_string_lossy().into_owned());
        }
        call.visit_children_with(self);
    }
}

#[cfg(test)]
mod tests {
    use super::{joined, resolve};

    #[test]
    fn names_are_resolved_as_node_does() {
        let from = "core/server/data/migrations/versions/5.0/x.js";
        let there = [
            "core/server/data/migrations/utils/index.js",
            "core/server/data/migrations/utils.js",
            "core/server/data/schema/fixtures/fixtures.json",
        ];
        for (name, expected) in [
            ("../../utils", Some(there[1])),
            ("../../utils/", Some(there[1])),
            ("../../utils/index", Some(there[0])),
            ("../../../schema/fixtures/fixtures", Some(there[2])),
            ("../../../../models", None),
            ("lodash", None),
        ] {
            assert_eq!(
                resolve(from, name, |path| there.contains(&path)).as_deref(),
                expected,
                "{name}"
            );
        }
        assert_eq!(
            joined(from, "../../../../models").as_deref(),
            Some("core/server/models")
        );
        assert_eq!(joined("x.js", "../../y"), None);
    }
}
