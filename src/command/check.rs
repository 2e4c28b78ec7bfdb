//! `ghostfix check`: can this Ghost be patched, by which patches, proved how? Nothing is installed and nothing written
//! but the cache.

mod baseline;
mod installed;
mod memory;
mod published;
mod target;
mod upgrade;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use self::memory::Memory;
use self::published::Judge;
use self::target::{Checker, unknown};
use self::upgrade::Start;
use super::patches::describe;
use crate::catalogue;
use crate::connection::Variables;
use crate::error::{Error, Result};
use crate::ghost::npm_config::Surroundings;
use crate::ghost::registry::Manifest;
use crate::ghost::release::ResolvedVia;
use crate::ghost::target::{Target, since};
use crate::ghost::{Upstream, upstream};
use crate::javascript::sandbox::Sandbox;
use crate::report::CheckReport;
use crate::report::check::{Scope, TargetReport};
use crate::settings::{self, From, What};

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
    /// One of several that were named, and is not there: the others are checked none the less.
    NotThere(Box<TargetReport>),
    /// A published version.
    Version(Manifest),
}

impl Work {
    fn name(&self) -> String {
        match self {
            Self::Named(name, _) => name.clone(),
            Self::NotThere(report) => report.target.clone(),
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
    variables: &Variables,
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
    let mut from_npm = None;
    let start = match &settings.from {
        Some(From::Ghost(from)) => {
            let target = Target::parse(from, surroundings.working_directory())?;
            from_npm = upgrade::looked_up(&target);
            Some(Start::at(from, &target, &upstream)?)
        }
        Some(From::Database { root, connection }) => {
            Some(Start::in_database(root, connection, variables)?)
        }
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
        _ => all(&checker, &work, progress)?,
    };
    let mut report = CheckReport {
        scope,
        selected: selected.iter().copied().map(describe).collect(),
        targets,
        comparison: None,
        notes: from_npm.into_iter().chain(upstream.notes()).collect(),
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
            return Ok((Scope::Named, named(targets, directory)?));
        }
        What::All => None,
        What::Since(version) => Some(since(version)?),
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

/// Targets as they were typed, each once.
fn named(targets: &[String], directory: &Path) -> Result<Vec<Work>> {
    let mut seen = BTreeSet::new();
    let targets: Vec<&String> = targets
        .iter()
        .filter(|text| seen.insert(text.as_str()))
        .collect();
    let one = |text: &&String| {
        let name = String::clone(text);
        match Target::parse(text, directory) {
            Ok(target) => Ok(Work::Named(name, target)),
            // What cannot be meant is wrong, whatever stands beside it.
            Err(error @ (Error::Usage { .. } | Error::Bug { .. })) => Err(error),
            Err(error) if targets.len() == 1 => Err(error),
            Err(error) => {
                let report = unknown(name, None, ResolvedVia::Directory, &error);
                Ok(Work::NotThere(Box::new(report)))
            }
        }
    };
    targets.iter().map(one).collect()
}

/// Every target's report, in order; what cannot be had is unknown.
fn all(
    checker: &Checker<'_>,
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
                Work::Named(name, target) => checker.named(name, target),
                Work::NotThere(report) => Ok(TargetReport::clone(report)),
                Work::Version(manifest) => checker.version(manifest),
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
            Err(error) => {
                let (ghost, resolved_via) = known(&work[number]);
                Ok(unknown(name, ghost, resolved_via, &error))
            }
            Ok(report) => Ok(report),
        })
        .collect()
}

/// What is known of a target before anything is asked: Ghost's version, and where its files come from.
fn known(work: &Work) -> (Option<String>, ResolvedVia) {
    match work {
        Work::Version(manifest) => (Some(manifest.version.to_string()), ResolvedVia::Npm),
        Work::Named(_, target) => (None, resolved_via(target)),
        Work::NotThere(report) => (None, report.resolved_via),
    }
}

fn resolved_via(target: &Target) -> ResolvedVia {
    match target {
        Target::Npm(_) | Target::ImageTag { .. } => ResolvedVia::Npm,
        Target::Tarball(_) => ResolvedVia::Tarball,
        Target::Directory(_) => ResolvedVia::Directory,
        Target::Image(_) | Target::Archive(_) => ResolvedVia::Image,
    }
}
