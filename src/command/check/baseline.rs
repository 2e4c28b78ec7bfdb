//! The report of an earlier run, as far as a verdict can be worse than it: what `--format json` printed.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::report::CheckReport;
use crate::report::check::{Comparison, Verdict, VerdictChange};

const SCHEMA: &str = "ghostfix.check.v1";

/// What is read of it; the rest may change.
#[derive(Deserialize)]
struct Document {
    schema: String,
    #[serde(default)]
    targets: Vec<Known>,
}

#[derive(Deserialize)]
struct Known {
    target: String,
    ghost: Option<String>,
    verdict: Verdict,
}

/// Verdicts by target.
pub(super) struct Baseline {
    file: String,
    known: BTreeMap<String, (Verdict, Option<String>)>,
}

/// Reads a baseline.
pub(super) fn read(path: &Path) -> Result<Baseline> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            return Error::FileSystem {
                action: "read the baseline",
                path: path.to_owned(),
                next_step:
                    "check the path; `ghostfix check TARGET --format json > FILE` writes one"
                        .to_owned(),
                source: error,
            };
        }
        Error::file_system("read the baseline", path, error)
    })?;
    let unusable = |problem: String| Error::Unusable {
        path: path.to_owned(),
        problem,
        next_step: "write it anew with `ghostfix check TARGET --format json > FILE`".to_owned(),
    };
    let document: Document = serde_json::from_str(&text)
        .map_err(|error| unusable(format!("it is no report of `ghostfix check` ({error})")))?;
    if document.schema != SCHEMA {
        return Err(unusable(format!(
            "its schema is `{}`, not `{SCHEMA}`",
            document.schema
        )));
    }
    let known = document
        .targets
        .into_iter()
        .map(|known| (known.target, (known.verdict, known.ghost)))
        .collect();
    Ok(Baseline {
        file: path.display().to_string(),
        known,
    })
}

impl Baseline {
    /// Says in the report what is different.
    pub(super) fn compare(&self, report: &mut CheckReport) {
        let mut comparison = Comparison {
            baseline: self.file.clone(),
            changes: Vec::new(),
            added: Vec::new(),
        };
        for target in &report.targets {
            match self.known.get(&target.target) {
                None => comparison.added.push(target.target.clone()),
                Some(before) if before.0 != target.verdict => {
                    comparison.changes.push(VerdictChange {
                        target: target.target.clone(),
                        before: before.clone(),
                        after: target.verdict,
                    });
                }
                Some(_) => {}
            }
        }
        report.comparison = Some(comparison);
    }
}
