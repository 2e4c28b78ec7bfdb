//! One target, from what was named to its report: where its files come from is decided here, how they are judged is not.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::installed;
use super::published::{self, Judge};
use super::upgrade::Start;
use crate::command::unpacked::Unpacked;
use crate::error::{Error, Result};
use crate::ghost::registry::Manifest;
use crate::ghost::release::{self, Release, ResolvedVia};
use crate::ghost::target::Target;
use crate::ghost::upstream::Arrival;
use crate::ghost::wanted::Wanted;
use crate::ghost::{Files, Upstream};
use crate::image::copies::reached;
use crate::image::installation::locate;
use crate::report::check::{Dependency, TargetReport, Verdict};
use crate::report::{PatchEntry, State};

/// Finds out about targets.
pub(super) struct Checker<'a> {
    pub(super) upstream: &'a Upstream,
    pub(super) judge: Judge<'a>,
    /// The Ghost that is upgraded.
    pub(super) start: Option<Start>,
}

impl Checker<'_> {
    /// A target that was named.
    pub(super) fn named(&self, name: &str, target: &Target) -> Result<TargetReport> {
        match target {
            Target::Npm(wanted) => self.published(name, wanted, None),
            Target::ImageTag { tag, wanted } => self.published(
                name,
                wanted,
                Some(format!(
                    "looked up on npm: the image ghost:{tag} may hold another version; docker://docker.io/library/ghost:{tag} asks the image itself"
                )),
            ),
            Target::Tarball(path) => {
                self.release(name, &self.upstream.release_in_tarball(path)?)
            }
            Target::Directory(path) => self.directory(name, path).map_err(Error::without_root),
            Target::Archive(_) | Target::Image(_) => {
                self.image(name, target).map_err(Error::without_root)
            }
        }
    }

    /// A Ghost on npm. Its files are judged as they come, and the answers used once all is verified.
    fn published(&self, name: &str, wanted: &Wanted, note: Option<String>) -> Result<TargetReport> {
        // Each once: a package that repeats a file makes no more work than an honest one.
        let begun = Mutex::new(BTreeSet::new());
        std::thread::scope(|scope| {
            let watch = |arrival: &Arrival<'_>| {
                let Arrival {
                    manifest,
                    path,
                    bytes,
                } = *arrival;
                let package = manifest.name.clone();
                let mut begun = begun.lock().unwrap_or_else(PoisonError::into_inner);
                if self.judge.is_about(&package, path)
                    && begun.insert((package.clone(), path.to_owned()))
                {
                    let version = manifest.version.to_string();
                    let (path, bytes) = (path.to_owned(), bytes.to_vec());
                    scope.spawn(move || self.judge.ahead(&package, &version, &path, bytes));
                }
            };
            let mut release = self.upstream.release_watched(wanted, &watch)?;
            release.notes.splice(0..0, note);
            self.release(name, &release)
        })
    }

    /// A version whose metadata is there already.
    pub(super) fn version(&self, manifest: &Manifest) -> Result<TargetReport> {
        let release = self.upstream.release_of(manifest)?;
        self.release(&manifest.version.to_string(), &release)
    }

    /// An installation is judged as it is; Ghost's unpacked package with what it would install.
    fn directory(&self, name: &str, path: &Path) -> Result<TargetReport> {
        let installation = locate(path)?;
        // What leads out of the installation is for the judgement to tell.
        let is_bare = !installation.version_directory.join("node_modules").exists()
            && reached(&installation, &["knex-migrator"])?
                .iter()
                .all(|copies| copies.found.is_empty());
        if is_bare {
            let release = self
                .upstream
                .release_in_directory(&installation.ghost.directory)?;
            return self.release(name, &release);
        }
        let (selected, sandbox) = (self.judge.selected, self.judge.sandbox);
        let report = installed::target(
            name,
            &installation,
            ResolvedVia::Directory,
            selected,
            sandbox,
        )?;
        self.with_upgrade(report, &Files::in_directory(&installation.ghost.directory))
    }

    /// The report with what the upgrade does, where that was asked.
    fn with_upgrade(&self, mut report: TargetReport, files: &Files) -> Result<TargetReport> {
        if let Some(start) = &self.start {
            report.upgrade = start.upgrade(&report, files)?;
            let plan = report.upgrade.as_ref().map(|upgrade| &upgrade.plan);
            if let Some(plan) = plan.filter(|plan| plan.leads_back())
                && let Some(from) = &plan.from
            {
                report.reason.push_str(&format!(
                    " But no upgrade leads there: Ghost {} is older than {}, and so than its database.",
                    plan.to.ghost, from.ghost
                ));
            }
        }
        Ok(report)
    }

    fn image(&self, name: &str, target: &Target) -> Result<TargetReport> {
        let unpacked = Unpacked::of(target, self.upstream)?.ok_or_else(|| Error::Bug {
            problem: format!("{target} was taken for an image"),
        })?;
        let report = self
            .unpacked(name, &unpacked)
            .map_err(|error| unpacked.error_in_image(error))?;
        Ok(unpacked.report_in_image(report))
    }

    fn unpacked(&self, name: &str, unpacked: &Unpacked) -> Result<TargetReport> {
        let installation = unpacked.locate()?;
        let (selected, sandbox) = (self.judge.selected, self.judge.sandbox);
        let mut report =
            installed::target(name, &installation, ResolvedVia::Image, selected, sandbox)?;
        report.image = unpacked.digest().map(str::to_owned);
        report.notes.extend(unpacked.other_platforms());
        report.notes.extend(unpacked.without_current(&installation));
        self.with_upgrade(report, &Files::in_directory(&installation.ghost.directory))
    }

    fn release(&self, name: &str, release: &Release) -> Result<TargetReport> {
        let patches = self.judge.entries(release)?;
        let verdict = Verdict::of(&patches, release.knex_migrator.is_some());
        let migrator = release.knex_migrator.as_ref();
        let (reason, next_step) = match migrator.filter(|migrator| migrator.unavailable) {
            Some(migrator) if verdict == Verdict::Refused => (
                format!(
                    "Ghost {} cannot be installed from this registry: it insists on {} {}, which is not there.",
                    release.ghost, migrator.dependency.package, migrator.dependency.version
                ),
                Some(published::IN_AN_IMAGE.to_owned()),
            ),
            _ => words(verdict, &patches),
        };
        let report = TargetReport {
            target: name.to_owned(),
            resolved_via: release.resolved_via,
            image: None,
            ghost: Some(release.ghost.to_string()),
            node: release.node.clone(),
            knex_migrator: migrator.map(|migrator| dependency(&migrator.dependency)),
            mysql2: release.mysql2.as_ref().map(dependency),
            mysql: release.mysql.as_ref().map(dependency),
            verdict,
            reason,
            next_step,
            patches,
            upgrade: None,
            notes: release.notes.clone(),
        };
        self.with_upgrade(report, &release.files)
    }
}

fn dependency(dependency: &release::Dependency) -> Dependency {
    Dependency {
        package: dependency.package.clone(),
        version: dependency.version.to_string(),
        settled_by: dependency.settled_by.to_string(),
    }
}

/// A target that could not be had.
pub(super) fn unknown(
    name: String,
    ghost: Option<String>,
    resolved_via: ResolvedVia,
    error: &Error,
) -> TargetReport {
    TargetReport {
        target: name,
        resolved_via,
        image: None,
        ghost,
        node: None,
        knex_migrator: None,
        mysql2: None,
        mysql: None,
        verdict: Verdict::Unknown,
        reason: error.to_string(),
        next_step: Some(error.next_step().to_owned()),
        patches: Vec::new(),
        upgrade: None,
        notes: Vec::new(),
    }
}

/// Why the verdict is what it is, and what to do about it.
pub(super) fn words(verdict: Verdict, patches: &[PatchEntry]) -> (String, Option<String>) {
    let made = patches
        .iter()
        .filter(|entry| entry.state == State::WouldApply)
        .count();
    match verdict {
        Verdict::Ok => (
            match made {
                0 => "Every selected patch is in place or not needed, proved.".to_owned(),
                made if made == patches.len() => {
                    "Every selected patch can be made, proved.".to_owned()
                }
                _ => "Every selected patch can be made, is in place or is not needed, proved."
                    .to_owned(),
            },
            None,
        ),
        Verdict::NotApplicable => (
            "This Ghost has no code that the selected patches are about.".to_owned(),
            None,
        ),
        Verdict::Unknown => (
            "Some directories could not be read, so that nothing is known of what they hold."
                .to_owned(),
            Some("run ghostfix as a user who may read them".to_owned()),
        ),
        Verdict::Refused => {
            let refused: BTreeSet<&str> = patches
                .iter()
                .filter(|entry| entry.state.is_refusal() || entry.state == State::Interrupted)
                .map(|entry| entry.id.as_str())
                .collect();
            let refused: Vec<&str> = refused.into_iter().collect();
            (
                format!("`ghostfix patch` would refuse: {}.", refused.join(", ")),
                Some(
                    "stay on a version that can be patched, and look for a newer ghostfix"
                        .to_owned(),
                ),
            )
        }
    }
}
