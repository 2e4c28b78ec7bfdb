//! `ghostfix check`: can this Ghost be patched, by which patches, proved how? Nothing is installed and nothing written
//! but the cache.

mod baseline;
mod installed;
mod memory;
mod published;
mod upgrade;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use self::memory::Memory;
use self::published::Judge;
use self::upgrade::Start;
use super::patches::describe;
use super::unpacked::Unpacked;
use crate::catalogue;
use crate::error::{Error, Result};
use crate::ghost::npm_config::Surroundings;
use crate::ghost::registry::Manifest;
use crate::ghost::release::{self, Release, ResolvedVia};
use crate::ghost::target::{self, Target};
use crate::ghost::{Files, Upstream, upstream};
use crate::image::copies::reached;
use crate::image::installation::locate;
use crate::javascript::sandbox::Sandbox;
use crate::report::check::{Dependency, Scope, TargetReport, Verdict};
use crate::report::{CheckReport, PatchEntry, State};
use crate::settings::{self, What};

/// Targets that are worked on at the same time: enough that the network is never idle, few enough for the memory.
const AT_ONCE: usize = 6;

/// How far a run is, for a progress bar.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// So many targets are to be checked.
    Begin(usize),
    /// This one is done.
    Done(&'a str),
}

/// One piece of work.
enum Work {
    /// A target that was named.
    Named(String, Target),
    /// A published version.
    Version(Manifest),
}

impl Work {
    fn name(&self) -> String {
        match self {
            Self::Named(name, _) => name.clone(),
            Self::Version(manifest) => manifest.version.to_string(),
        }
    }
}

/// Runs the command.
///
/// # Errors
///
/// Where the only target cannot be had, or the list of versions; of several targets each has its own verdict.
pub fn run(
    settings: &settings::Check,
    sandbox: &Sandbox,
    surroundings: &Surroundings,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<CheckReport> {
    let baseline = settings
        .baseline
        .as_deref()
        .map(baseline::read)
        .transpose()?;
    let upstream = open(&settings.upstream, surroundings)?;
    let (scope, work) = work(&settings.what, &upstream, surroundings.working_directory())?;
    let selected = catalogue::selected(&settings.patches);
    let start = match &settings.from {
        Some(from) => Some(Start::at(
            from,
            surroundings.working_directory(),
            &upstream,
        )?),
        None => None,
    };
    let checker = Checker {
        upstream: &upstream,
        judge: Judge {
            selected: &selected,
            sandbox,
            memory: Memory::new(&upstream),
        },
        start,
    };
    let targets = match (&scope, work.as_slice()) {
        (Scope::Named, [Work::Named(name, target)]) => vec![checker.named(name, target)?],
        _ => checker.all(&work, progress)?,
    };
    let mut report = CheckReport {
        scope,
        selected: selected.iter().copied().map(describe).collect(),
        targets,
        comparison: None,
        notes: upstream.notes(),
    };
    if let Some(baseline) = baseline {
        baseline.compare(&mut report);
    }
    Ok(report)
}

/// The way to packages that the settings ask for.
pub(super) fn open(settings: &settings::Upstream, surroundings: &Surroundings) -> Result<Upstream> {
    Upstream::open(&upstream::Settings {
        registry: settings.registry.clone(),
        cache_directory: settings.cache_directory.clone(),
        offline: settings.offline,
        ..upstream::Settings::new(surroundings.clone())
    })
}

fn work(what: &What, upstream: &Upstream, directory: &Path) -> Result<(Scope, Vec<Work>)> {
    let range = match what {
        What::Targets(targets) => {
            let mut seen = BTreeSet::new();
            let named = targets
                .iter()
                .filter(|text| seen.insert(text.as_str()))
                .map(|text| Ok(Work::Named(text.clone(), Target::parse(text, directory)?)))
                .collect::<Result<Vec<_>>>()?;
            return Ok((Scope::Named, named));
        }
        What::All => None,
        What::Since(version) => Some(target::since(version)?),
    };
    let packument = upstream.packument("ghost")?;
    let wanted = |manifest: &Manifest| {
        range
            .as_ref()
            .is_none_or(|range| range.satisfies(&manifest.version))
    };
    let work: Vec<Work> = packument
        .manifests
        .into_iter()
        .filter(wanted)
        .map(Work::Version)
        .collect();
    let scope = match what {
        What::Since(version) => Scope::Since(version.clone()),
        What::Targets(_) | What::All => Scope::All,
    };
    if work.is_empty() {
        return Err(Error::Upstream {
            problem: match &scope {
                Scope::Since(version) => format!("no Ghost was published since {version}"),
                Scope::Named | Scope::All => "the registry knows no version of ghost".to_owned(),
            },
            next_step: "give an earlier version, or another registry with --registry".to_owned(),
        });
    }
    Ok((scope, work))
}

struct Checker<'a> {
    upstream: &'a Upstream,
    judge: Judge<'a>,
    /// The Ghost that is upgraded.
    start: Option<Start>,
}

impl Checker<'_> {
    /// Every target's report, in order; what cannot be had is unknown.
    fn all(
        &self,
        work: &[Work],
        progress: &(dyn Fn(Progress<'_>) + Sync),
    ) -> Result<Vec<TargetReport>> {
        progress(Progress::Begin(work.len()));
        let next = AtomicUsize::new(0);
        let reports = Mutex::new(Vec::with_capacity(work.len()));
        let worker = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = work.get(number) else { break };
                let name = item.name();
                let found = match item {
                    Work::Named(name, target) => self.named(name, target),
                    Work::Version(manifest) => self.version(manifest),
                };
                progress(Progress::Done(&name));
                reports
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((number, name, found));
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE.min(work.len()) {
                scope.spawn(worker);
            }
        });
        let mut reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
        reports.sort_by_key(|(number, ..)| *number);
        reports
            .into_iter()
            .map(|(number, name, found)| match found {
                Err(bug @ Error::Bug { .. }) => Err(bug),
                Err(error) => Ok(unknown(name, &work[number], &error)),
                Ok(report) => Ok(report),
            })
            .collect()
    }

    fn named(&self, name: &str, target: &Target) -> Result<TargetReport> {
        let release = match target {
            Target::Npm(wanted) => self.upstream.release(wanted)?,
            Target::ImageTag { tag, wanted } => {
                let mut release = self.upstream.release(wanted)?;
                release.notes.insert(
                    0,
                    format!(
                        "looked up on npm: the image ghost:{tag} may hold another version; docker://docker.io/library/ghost:{tag} asks the image itself"
                    ),
                );
                release
            }
            Target::Tarball(path) => self.upstream.release_in_tarball(path)?,
            Target::Directory(path) => return self.directory(name, path),
            Target::Archive(_) | Target::Image(_) => return self.image(name, target),
        };
        self.release(name, &release)
    }

    fn version(&self, manifest: &Manifest) -> Result<TargetReport> {
        let release = self.upstream.release_of(manifest)?;
        self.release(&manifest.version.to_string(), &release)
    }

    /// An installation is judged as it is; Ghost's unpacked package with what it would install.
    fn directory(&self, name: &str, path: &Path) -> Result<TargetReport> {
        let installation = locate(path)?;
        let migrators = reached(&installation, &["knex-migrator"])?;
        let is_bare = migrators.iter().all(|copies| copies.found.is_empty())
            && !installation.version_directory.join("node_modules").exists();
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
        }
        Ok(report)
    }

    fn image(&self, name: &str, target: &Target) -> Result<TargetReport> {
        let unpacked = Unpacked::of(target, self.upstream)?.ok_or_else(|| Error::Bug {
            problem: format!("{target} was taken for an image"),
        })?;
        let installation = unpacked.locate()?;
        let (selected, sandbox) = (self.judge.selected, self.judge.sandbox);
        let mut report =
            installed::target(name, &installation, ResolvedVia::Image, selected, sandbox)?;
        report.image = unpacked.digest().map(str::to_owned);
        for note in &mut report.notes {
            *note = unpacked.as_in_image(note);
        }
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
fn unknown(name: String, work: &Work, error: &Error) -> TargetReport {
    let (ghost, resolved_via) = match work {
        Work::Version(manifest) => (Some(manifest.version.to_string()), ResolvedVia::Npm),
        Work::Named(_, Target::Npm(_) | Target::ImageTag { .. }) => (None, ResolvedVia::Npm),
        Work::Named(_, Target::Tarball(_)) => (None, ResolvedVia::Tarball),
        Work::Named(_, Target::Directory(_)) => (None, ResolvedVia::Directory),
        Work::Named(_, Target::Image(_) | Target::Archive(_)) => (None, ResolvedVia::Image),
    };
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
fn words(verdict: Verdict, patches: &[PatchEntry]) -> (String, Option<String>) {
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
