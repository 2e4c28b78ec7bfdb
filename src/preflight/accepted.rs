//! Findings that a team lives with, each with its reason, in a small file of their repository:
//!
//! ```toml
//! [[accepted]]
//! id = "tls-identity"
//! reason = "the database is in the same private network"
//! until = "2027-06-30"
//! ```

use std::path::Path;

use serde::Deserialize;

use super::finding::{Finding, Level};
use crate::error::{Error, Result};

/// The file's name where none is named.
pub const FILE: &str = "ghostfix.toml";

/// What a team lives with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// One by one.
    #[serde(default)]
    pub accepted: Vec<Acceptance>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// The check's id.
    pub id: String,
    /// Why.
    pub reason: String,
    /// The last day on which it counts, as `2027-06-30`.
    pub until: Option<String>,
}

impl Accepted {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// Where it cannot be read or is not of this form.
    pub fn read(path: &Path, known: &[&str]) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::file_system("read", path, error))?;
        Self::parse(&text, known).map_err(|problem| Error::Unusable {
            path: path.to_owned(),
            problem,
            next_step: "each [[accepted]] needs an id (`ghostfix preflight --list-checks`) and a reason, and may have until = \"2027-06-30\"".to_owned(),
        })
    }

    fn parse(text: &str, known: &[&str]) -> std::result::Result<Self, String> {
        let read: Self = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        for one in &read.accepted {
            if !known.contains(&one.id.as_str()) {
                return Err(format!("no check has the id {}", one.id));
            }
            if one.reason.trim().is_empty() {
                return Err(format!("{} has no reason", one.id));
            }
            if one.until.as_deref().is_some_and(|day| !is_day(day)) {
                return Err(format!("until of {} is no day like 2027-06-30", one.id));
            }
        }
        Ok(read)
    }

    /// Marks the findings that are accepted on this day.
    pub fn mark(&self, findings: &mut [Finding], today: &str) {
        for finding in findings
            .iter_mut()
            .filter(|found| found.level >= Level::Warning)
        {
            let holds = |one: &&Acceptance| {
                one.id == finding.id && one.until.as_deref().is_none_or(|day| today <= day)
            };
            finding.accepted = self
                .accepted
                .iter()
                .find(holds)
                .map(|one| one.reason.clone());
        }
    }
}

fn is_day(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["tls-identity", "clock"];

    fn finding(id: &'static str, level: Level) -> Finding {
        Finding {
            id,
            ..Finding::new(level, "x")
        }
    }

    #[test]
    fn a_reason_takes_a_finding_out_until_its_day() {
        let accepted = Accepted::parse(
            "[[accepted]]\nid = \"clock\"\nreason = \"we know\"\nuntil = \"2026-12-31\"\n",
            KNOWN,
        )
        .unwrap();
        for (today, expected) in [("2026-12-31", Some("we know")), ("2027-01-01", None)] {
            let mut findings = [
                finding("clock", Level::Error),
                finding("tls-identity", Level::Error),
            ];
            accepted.mark(&mut findings, today);
            assert_eq!(findings[0].accepted.as_deref(), expected);
            assert_eq!(findings[1].accepted, None);
        }
    }

    #[test]
    fn what_is_fine_needs_no_reason() {
        let accepted =
            Accepted::parse("[[accepted]]\nid = \"clock\"\nreason = \"x\"", KNOWN).unwrap();
        let mut findings = [finding("clock", Level::Passed)];
        accepted.mark(&mut findings, "2026-01-01");
        assert_eq!(findings[0].accepted, None);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, problem) in [
            (
                "[[accepted]]\nid = \"nope\"\nreason = \"x\"",
                "no check has the id nope",
            ),
            (
                "[[accepted]]\nid = \"clock\"\nreason = \" \"",
                "clock has no reason",
            ),
            (
                "[[accepted]]\nid = \"clock\"\nreason = \"x\"\nuntil = \"soon\"",
                "until of clock is no day like 2027-06-30",
            ),
        ] {
            assert_eq!(Accepted::parse(text, KNOWN).unwrap_err(), problem);
        }
        assert!(Accepted::parse("[[accepted]]\nid = \"clock\"", KNOWN).is_err());
        assert!(Accepted::parse("other = 1", KNOWN).is_err());
    }
}
