//! What `check` found out: a verdict for each target, and what stands behind it.

use super::{Outcome, PatchDescription, PatchEntry, State};
use crate::ghost::release::ResolvedVia;
use crate::migrations::Plan;
use crate::migrations::database::Outlook;

/// The answer of `check`.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckReport {
    /// What was asked about.
    pub scope: Scope,
    /// The patches that were selected, in the catalogue's order.
    pub selected: Vec<PatchDescription>,
    /// In the order in which they were asked for; of many versions, the oldest first.
    pub targets: Vec<TargetReport>,
    /// What is different from a report of before, where one was given.
    pub comparison: Option<Comparison>,
    /// Things worth a line that change no verdict.
    pub notes: Vec<String>,
}

/// What was asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Named targets; one of them alone is told in full.
    Named,
    /// Every published version.
    All,
    /// This version and every later one.
    Since(String),
}

/// One target.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetReport {
    /// As it was asked for: `latest`, `6.65.0`, `docker://…`.
    pub target: String,
    /// Where its version and files come from.
    pub resolved_via: ResolvedVia,
    /// The digest of an image's manifest.
    pub image: Option<String>,
    /// Ghost's version; `None` where not even that could be found out.
    pub ghost: Option<String>,
    /// `engines.node`
    pub node: Option<String>,
    /// The migration library that it would install, or has installed.
    pub knex_migrator: Option<Dependency>,
    /// The driver since Ghost 4.40.
    pub mysql2: Option<Dependency>,
    /// The driver before.
    pub mysql: Option<Dependency>,
    /// The answer.
    pub verdict: Verdict,
    /// Why, in one sentence.
    pub reason: String,
    /// What to do now; `None` where there is nothing to do.
    pub next_step: Option<String>,
    /// One entry for each selected patch and each copy of its file.
    pub patches: Vec<PatchEntry>,
    /// What the upgrade to it does to the database, where it was asked from which Ghost.
    pub upgrade: Option<Upgrade>,
    /// Things worth a line that change no verdict.
    pub notes: Vec<String>,
}

/// An upgrade of the database.
#[derive(Debug, Clone, PartialEq)]
pub struct Upgrade {
    /// Where it begins, as it was asked for.
    pub from: String,
    /// Who said what the database has.
    pub told_by: ToldBy,
    /// What would run.
    pub plan: Plan,
}

/// Who said what a database has.
#[derive(Debug, Clone, PartialEq)]
pub enum ToldBy {
    /// The files of the Ghost that it has had.
    Ghost(ResolvedVia),
    /// The database itself.
    Database(Box<Asked>),
}

/// A database that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which: server, port and database, or the socket.
    pub address: String,
    /// What the target makes of it.
    pub outlook: Outlook,
}

/// A package that Ghost brings along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Its name on the registry.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Who settled the version: a lock file, package.json, the registry, the installation.
    pub settled_by: String,
}

/// Whether a Ghost can be patched.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every selected patch can be made and is proved, or is not needed.
    Ok,
    /// This Ghost has nothing that the patches are about.
    NotApplicable,
    /// It could not be found out.
    Unknown,
    /// At least one selected patch cannot be made.
    Refused,
}

impl Verdict {
    /// The word of the contract.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotApplicable => "not-applicable",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
        }
    }

    /// The verdict that follows from the entries of a Ghost which has a knex-migrator or none.
    #[must_use]
    pub fn of(patches: &[PatchEntry], has_knex_migrator: bool) -> Self {
        let stops = |state: State| state.is_refusal() || state == State::Interrupted;
        if patches.iter().any(|entry| stops(entry.state)) {
            return Self::Refused;
        }
        let needs_none = patches.iter().all(|entry| entry.state == State::NotNeeded);
        if patches.is_empty() || (needs_none && !has_knex_migrator) {
            Self::NotApplicable
        } else {
            Self::Ok
        }
    }
}

/// A report of before, against this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The file that the report of before is in.
    pub baseline: String,
    /// Targets whose verdict is another one now, in the order of the targets.
    pub changes: Vec<VerdictChange>,
    /// Targets that the report of before does not have.
    pub added: Vec<String>,
}

/// A verdict that is another one now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictChange {
    /// The target, as it was asked for.
    pub target: String,
    /// The verdict of before, and the Ghost that it was about.
    pub before: (Verdict, Option<String>),
    /// The verdict of now.
    pub after: Verdict,
}

impl VerdictChange {
    /// Whether it was better before.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.after > self.before.0
    }
}

impl CheckReport {
    /// The only target, where one was named and is to be told in full.
    #[must_use]
    pub fn single(&self) -> Option<&TargetReport> {
        match (&self.scope, self.targets.as_slice()) {
            (Scope::Named, [target]) => Some(target),
            _ => None,
        }
    }

    /// Whether a verdict is worse than in the baseline.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        let changes = self
            .comparison
            .iter()
            .flat_map(|comparison| &comparison.changes);
        changes.into_iter().any(VerdictChange::is_worse)
    }

    /// Whether a refusal is no news: the baseline has it, too.
    #[must_use]
    pub fn is_known(&self, target: &TargetReport) -> bool {
        self.comparison.as_ref().is_some_and(|comparison| {
            !comparison.added.contains(&target.target)
                && !comparison
                    .changes
                    .iter()
                    .any(|change| change.target == target.target && change.is_worse())
        })
    }

    /// The answer of the whole report. What is unknown outweighs a refusal: nobody knows what hides behind it.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let is = |verdict| self.targets.iter().any(|target| target.verdict == verdict);
        if is(Verdict::Unknown) {
            Outcome::Unknown
        } else if self.is_worse()
            || self
                .targets
                .iter()
                .any(|target| target.verdict == Verdict::Refused && !self.is_known(target))
        {
            Outcome::No
        } else if self.comparison.is_none()
            && self
                .single()
                .is_some_and(|target| target.verdict == Verdict::NotApplicable)
        {
            Outcome::NothingToWorkOn
        } else {
            Outcome::Yes
        }
    }
}
