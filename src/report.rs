//! What a command found or did, as plain data. Commands return it, `render` shows it, nobody prints on the way.

use std::path::PathBuf;

use crate::catalogue::definition::Profile;
use crate::preflight::facts::Facts;
use crate::preflight::finding::{Finding, Level};

pub mod check;

pub use check::CheckReport;

/// What any command answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// `patch`, `verify`, `revert`
    Patch(PatchReport),
    /// `patches list`, `patches show`
    Patches(PatchesReport),
    /// `check`
    Check(CheckReport),
    /// `preflight`
    Preflight(Box<PreflightReport>),
    /// `preflight --list-checks`, `preflight --explain`
    Checks(ChecksReport),
}

impl Report {
    /// The answer of the whole report.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Patch(report) => report.outcome(),
            Self::Check(report) => report.outcome(),
            Self::Patches(_) | Self::Checks(_) => Outcome::Yes,
            Self::Preflight(report) => report.outcome(),
        }
    }
}

impl From<PatchReport> for Report {
    fn from(report: PatchReport) -> Self {
        Self::Patch(report)
    }
}

impl From<CheckReport> for Report {
    fn from(report: CheckReport) -> Self {
        Self::Check(report)
    }
}

impl From<PatchesReport> for Report {
    fn from(report: PatchesReport) -> Self {
        Self::Patches(report)
    }
}

impl From<PreflightReport> for Report {
    fn from(report: PreflightReport) -> Self {
        Self::Preflight(Box::new(report))
    }
}

impl From<ChecksReport> for Report {
    fn from(report: ChecksReport) -> Self {
        Self::Checks(report)
    }
}

/// The answer of `preflight`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreflightReport {
    /// In the order of the checks.
    pub findings: Vec<Finding>,
    /// Ids of checks that say nothing, since something before them failed.
    pub not_reached: Vec<&'static str>,
    /// What was asked and answered.
    pub facts: Facts,
    /// The least level that counts as no.
    pub least: Level,
}

impl PreflightReport {
    /// The findings that make the answer a no.
    pub fn counted(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.level >= self.least && finding.accepted.is_none())
    }

    /// The answer of the whole report.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.counted().next().is_some() {
            Outcome::No
        } else {
            Outcome::Yes
        }
    }
}

/// The answer of `preflight --list-checks` and `--explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChecksReport {
    /// All of them, in their order.
    List(Vec<CheckDescription>),
    /// One of them, explained.
    Page(CheckDescription),
}

/// A check, as it introduces itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckDescription {
    /// The id that `--skip` and `--explain` take.
    pub id: &'static str,
    /// The question it answers.
    pub question: &'static str,
    /// Why it matters, what Ghost would say, how it is fixed.
    pub explanation: &'static str,
}

/// The answer of `patches`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatchesReport {
    /// All of them, in the catalogue's order.
    List(Vec<PatchDescription>),
    /// One of them, with its page.
    Page {
        /// The patch.
        patch: PatchDescription,
        /// What breaks without it, what it changes, what it costs and who does not want it: Markdown.
        page: String,
    },
}

/// A patch of the catalogue, as it introduces itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchDescription {
    /// The id that `--only`, `--with` and `--without` take.
    pub id: String,
    /// What it does, in one line.
    pub title: String,
    /// The npm package that it changes.
    pub package: String,
    /// The file that it changes, relative to the package; where versions differ, each path, newest first.
    pub files: Vec<String>,
    /// The databases that it is for.
    pub profiles: Vec<Profile>,
    /// The ids of the shapes of the code that it knows.
    pub shapes: Vec<String>,
}

/// The answer of `patch`, `verify` and `revert`: one entry for each selected patch and each copy of its file.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchReport {
    /// Which command made it.
    pub command: PatchCommand,
    /// The root as the user gave it (or as the defaults found it).
    pub root: PathBuf,
    /// The Ghost that was found.
    pub ghost: GhostFound,
    /// Where copies of the packages were looked for.
    pub coverage: Coverage,
    /// In the order of the catalogue, then of the path.
    pub patches: Vec<PatchEntry>,
    /// Things worth a line that change no verdict: an interrupted run that was finished, a directory that could not be read.
    pub notes: Vec<String>,
}

/// The three commands that share [`PatchReport`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchCommand {
    /// `ghostfix patch`
    Patch,
    /// `ghostfix patch --dry-run`
    PatchDryRun,
    /// `ghostfix verify`
    Verify,
    /// `ghostfix revert`
    Revert,
}

/// Ghost's own package, as its package.json tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GhostFound {
    /// `version` in Ghost's package.json.
    pub version: String,
    /// The real directory of Ghost's package.json, every link resolved.
    pub directory: PathBuf,
}

/// How far the search for copies of the packages went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Node's resolution from Ghost's own directory was followed. Always so.
    pub node_resolution: bool,
    /// Every package-level `node_modules` and `.pnpm` was looked through. Always so.
    pub package_directories: bool,
    /// Every directory below the installation was looked through (`--deep`).
    pub everything: bool,
    /// Directories that could not be read, so nothing is known of what they hold.
    pub unreadable: Vec<PathBuf>,
}

/// One patch on one copy of its file.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PatchEntry {
    /// The patch's id, as in the catalogue.
    pub id: String,
    /// The npm package that the file belongs to.
    pub package: String,
    /// That package's version, as its package.json tells.
    pub version: String,
    /// The file, relative to the root.
    pub path: PathBuf,
    /// What was found or done.
    pub state: State,
    /// The id of the known shape of the code, where one was recognised.
    pub shape: Option<String>,
    /// What was proved about the file as it is (or would be) afterwards.
    pub proof: Proof,
    /// Unified diff between the file before and after; empty where nothing changes.
    pub diff: String,
    /// Why the state is what it is, in one or two sentences.
    pub reason: String,
    /// What the user can do now; `None` where there is nothing to do.
    pub next_step: Option<String>,
    /// For refusals: the place in the code and what was expected there.
    pub evidence: Option<Evidence>,
}

/// The states of the contract, in its words.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Written just now.
    Applied,
    /// Would be written (dry run, check).
    WouldApply,
    /// Was there already, and is proved.
    AlreadyApplied,
    /// Not there (verify).
    NotApplied,
    /// Taken out just now.
    Reverted,
    /// Put there by an earlier ghostfix whose edit has changed since.
    Outdated,
    /// Somebody's own edit gives the same behaviour, proved.
    ByHand,
    /// The code as published handles it already, proved.
    FixedUpstream,
    /// This version has no such code.
    NotNeeded,
    /// A run was interrupted and this file is in the middle of it.
    Interrupted,
    /// The code is none of the known shapes.
    Drifted,
    /// Two or more places fit.
    Ambiguous,
    /// A hand edit that is misplaced, doubled or accepts too much.
    BrokenByHand,
    /// The package is there, the file is not.
    Missing,
    /// The edit was made in memory, and the proof did not hold.
    ProofFailed,
}

impl State {
    /// The word of the contract, in kebab-case.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::WouldApply => "would-apply",
            Self::AlreadyApplied => "already-applied",
            Self::NotApplied => "not-applied",
            Self::Reverted => "reverted",
            Self::Outdated => "outdated",
            Self::ByHand => "by-hand",
            Self::FixedUpstream => "fixed-upstream",
            Self::NotNeeded => "not-needed",
            Self::Interrupted => "interrupted",
            Self::Drifted => "drifted",
            Self::Ambiguous => "ambiguous",
            Self::BrokenByHand => "broken-by-hand",
            Self::Missing => "missing",
            Self::ProofFailed => "proof-failed",
        }
    }

    /// Whether ghostfix refuses to touch a file in this state.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        match self {
            Self::Drifted
            | Self::Ambiguous
            | Self::BrokenByHand
            | Self::Missing
            | Self::ProofFailed => true,
            Self::Applied
            | Self::WouldApply
            | Self::AlreadyApplied
            | Self::NotApplied
            | Self::Reverted
            | Self::Outdated
            | Self::ByHand
            | Self::FixedUpstream
            | Self::NotNeeded
            | Self::Interrupted => false,
        }
    }

    /// Whether the behaviour that the patch is for is there (or was never needed), proved.
    #[must_use]
    pub fn is_satisfied(self) -> bool {
        matches!(
            self,
            Self::Applied
                | Self::AlreadyApplied
                | Self::ByHand
                | Self::FixedUpstream
                | Self::NotNeeded
        )
    }
}

/// Both proofs of one file.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Proof {
    /// Parsed again, equal to the original tree with exactly the intended change, all other bytes the same.
    pub syntax: ProofResult,
    /// Ran before and after in the embedded engine, case by case.
    pub behaviour: ProofResult,
    /// The behaviour cases, in the catalogue's order.
    pub cases: Vec<CaseResult>,
}

impl Proof {
    /// The proof of an edit whose syntax holds or not, from the cases that were run.
    #[must_use]
    pub fn of(syntax: bool, cases: Vec<CaseResult>) -> Self {
        let passed = |case: &CaseResult| case.result == ProofResult::Passed;
        let behaviour = !cases.is_empty() && cases.iter().all(passed);
        Self {
            syntax: ProofResult::from(syntax),
            behaviour: ProofResult::from(behaviour),
            cases,
        }
    }

    /// How many of the cases passed.
    #[must_use]
    pub fn passed(&self) -> usize {
        let passed = |case: &&CaseResult| case.result == ProofResult::Passed;
        self.cases.iter().filter(passed).count()
    }

    /// Whether both proofs hold.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.syntax == ProofResult::Passed && self.behaviour == ProofResult::Passed
    }
}

impl From<bool> for ProofResult {
    fn from(holds: bool) -> Self {
        if holds { Self::Passed } else { Self::Failed }
    }
}

/// Whether a proof holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProofResult {
    /// It holds.
    Passed,
    /// It does not hold.
    Failed,
    /// It was not tried, or could not be.
    #[default]
    NotRun,
}

/// One behaviour case.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CaseResult {
    /// The case's name in `cases.toml`.
    pub name: String,
    /// Whether the file does what the case wants.
    pub result: ProofResult,
    /// What was wanted and what was seen, in words; empty where it passed.
    pub detail: String,
}

/// The place in the code that a refusal is about.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Evidence {
    /// The source text of the file.
    pub source: String,
    /// Byte range of the place within `source`, and what to say there.
    pub labels: Vec<(std::ops::Range<usize>, String)>,
    /// The id of the nearest known shape and its source form.
    pub nearest_shape: Option<(String, String)>,
    /// Unified diff from the nearest known shape to the code found.
    pub shape_diff: String,
}

/// What a report amounts to; `main` turns it into the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Yes, or nothing left to do. Exit code 0.
    Yes,
    /// Asked and answered: no. Exit code 1.
    No,
    /// The package is absent. Exit code 3.
    NothingToWorkOn,
    /// Refused to patch; no file was touched. Exit code 4.
    Refused,
    /// It could not be found out: a registry or an image could not be had. Exit code 6.
    Unknown,
}

impl Outcome {
    /// The process exit code, as the contract's table has it.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::No => 1,
            Self::NothingToWorkOn => 3,
            Self::Refused => 4,
            Self::Unknown => 6,
        }
    }
}

impl PatchReport {
    /// The answer of the whole report.
    ///
    /// For `verify` everything short of "there, or never needed" is a no (1), refusals included: they are what
    /// `patch` would answer. For `revert` a file that ghostfix did not write is a refusal.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.patches.is_empty() {
            return Outcome::NothingToWorkOn;
        }
        let all = |holds: fn(State) -> bool| self.patches.iter().all(|entry| holds(entry.state));
        match self.command {
            PatchCommand::Verify if all(State::is_satisfied) => Outcome::Yes,
            PatchCommand::Verify => Outcome::No,
            PatchCommand::Patch | PatchCommand::PatchDryRun | PatchCommand::Revert
                if self.patches.iter().any(|entry| entry.state.is_refusal()) =>
            {
                Outcome::Refused
            }
            PatchCommand::Patch | PatchCommand::PatchDryRun | PatchCommand::Revert => Outcome::Yes,
        }
    }
}
