//! A Ghost that lies there, installed: in a directory, or in an image that was written out like one.

use crate::catalogue::Patch;
use crate::command::inspection::{Inspection, Inspector, below_root, mark_interrupted};
use crate::command::judging::{self, would_apply};
use crate::error::{Error, Result};
use crate::ghost::Files;
use crate::ghost::release::{ResolvedVia, SettledBy};
use crate::image::copies::{Absent, Copies, Depth, reached};
use crate::image::installation::Installation;
use crate::image::receipt::Receipt;
use crate::image::transaction;
use crate::javascript::sandbox::Sandbox;
use crate::migrations::plan::Brings;
use crate::report::check::{Dependency, TargetReport, Verdict};
use crate::report::{PatchEntry, State};

/// What `ghostfix patch --dry-run` would say about it, and what it brings along.
///
/// Where that would be told to go away, by a link that leads out of the installation or to nothing, the verdict says so.
pub(super) fn target(
    name: &str,
    installation: &Installation,
    resolved_via: ResolvedVia,
    selected: &[&'static Patch],
    sandbox: &Sandbox,
) -> Result<TargetReport> {
    match judged(name, installation, resolved_via, selected, sandbox) {
        Err(Error::Refused { problem, next_step }) => {
            let reason = format!("`ghostfix patch` would refuse: {problem}.");
            Ok(TargetReport {
                target: name.to_owned(),
                resolved_via,
                image: None,
                ghost: Some(installation.ghost.version.clone()),
                node: node(installation)?,
                knex_migrator: None,
                mysql2: None,
                mysql: None,
                verdict: Verdict::Refused,
                patches: out_of_reach(installation, selected, &problem),
                reason,
                next_step: Some(next_step),
                upgrade: None,
                notes: Vec::new(),
            })
        }
        other => other,
    }
}

/// The entries of the patches whose package cannot be had by Node's resolution.
fn out_of_reach(
    installation: &Installation,
    selected: &[&'static Patch],
    problem: &str,
) -> Vec<PatchEntry> {
    let refused = |patch: &&&'static Patch| {
        let package = patch.definition.target.package.as_str();
        matches!(
            reached(installation, &[package]),
            Err(Error::Refused { .. })
        )
    };
    let entry = |patch: &&'static Patch| {
        let package = patch.definition.target.package.as_str();
        let version = "unknown";
        let mut entry = missing(patch, package, version, installation);
        entry.reason = format!("{problem}.");
        entry
    };
    selected.iter().filter(refused).map(entry).collect()
}

fn judged(
    name: &str,
    installation: &Installation,
    resolved_via: ResolvedVia,
    selected: &[&'static Patch],
    sandbox: &Sandbox,
) -> Result<TargetReport> {
    let receipt = Receipt::read(installation)?;
    let inspector = Inspector {
        installation,
        depth: Depth::PackageDirectories,
        sandbox,
        receipt: receipt.as_ref(),
    };
    let Inspection {
        mut entries,
        drafts: _,
        absent,
        coverage,
        mut notes,
    } = inspector.inspect(selected)?;
    would_apply(&mut entries);
    for absent in &absent {
        add_absent(&mut entries, absent, selected, installation);
    }
    let interrupted = transaction::interrupted(installation)?;
    mark_interrupted(&mut entries, &mut notes, interrupted.as_ref());
    notes.extend(coverage.unreadable.iter().map(|directory| {
        format!(
            "{} could not be read; what it holds is unknown",
            directory.display()
        )
    }));
    let brought = reached(installation, &["knex-migrator", "mysql2", "mysql"])?;
    let knex_migrator = dependency(&brought, "knex-migrator");
    let patches = below_root(entries, installation);
    let verdict = if coverage.unreadable.is_empty() {
        Verdict::of(&patches, knex_migrator.is_some())
    } else {
        // A copy that nobody has looked at may be one that cannot be patched.
        Verdict::of(&patches, knex_migrator.is_some()).max(Verdict::Unknown)
    };
    let (reason, next_step) = match absent.first() {
        Some(absent) => (
            format!("{}.", absent.problem),
            Some(absent.next_step.clone()),
        ),
        None => super::target::words(verdict, &patches),
    };
    Ok(TargetReport {
        target: name.to_owned(),
        resolved_via,
        image: None,
        ghost: Some(installation.ghost.version.clone()),
        node: node(installation)?,
        knex_migrator,
        mysql2: dependency(&brought, "mysql2"),
        mysql: dependency(&brought, "mysql"),
        verdict,
        reason,
        next_step,
        patches,
        upgrade: None,
        notes,
    })
}

/// The entries of the patches that are about a package which is not there, each at its place in the catalogue's order.
fn add_absent(
    entries: &mut Vec<PatchEntry>,
    absent: &Absent,
    selected: &[&'static Patch],
    installation: &Installation,
) {
    let place = |id: &str| {
        selected
            .iter()
            .position(|patch| patch.definition.id == id)
            .unwrap_or(selected.len())
    };
    for patch in selected {
        if patch.definition.target.package == absent.package {
            let mut entry = missing(patch, &absent.package, &absent.wanted, installation);
            entry.reason = format!("{} is not installed.", absent.package);
            entries.push(entry);
        }
    }
    entries.sort_by_key(|entry| place(&entry.id));
}

/// An entry without a file; what to do about it is said once, of the target.
fn missing(patch: &Patch, package: &str, version: &str, installation: &Installation) -> PatchEntry {
    let ghost = &installation.ghost.directory;
    let relative = ghost
        .strip_prefix(&installation.version_directory)
        .unwrap_or(ghost);
    let file = patch
        .definition
        .target
        .files
        .first()
        .map_or("", String::as_str);
    let path = relative.join("node_modules").join(package).join(file);
    let package = judging::Package {
        name: package,
        version,
    };
    let mut entry = judging::absent(patch, package, path);
    entry.state = State::Missing;
    entry.next_step = None;
    entry
}

/// What it brings along, as far as an upgrade can trip over it.
pub(super) fn brings(installation: &Installation) -> Result<Brings> {
    let brought = reached(installation, &["knex-migrator", "mysql2", "mysql"])?;
    let version = |package| dependency(&brought, package)?.version.parse().ok();
    Ok(Brings {
        ghost: super::upgrade::version(&installation.ghost.version)?,
        node: node(installation)?,
        knex_migrator: version("knex-migrator"),
        mysql2: version("mysql2"),
        mysql: version("mysql"),
    })
}

/// The copy that Node would load from Ghost's own directory.
fn dependency(brought: &[Copies], package: &str) -> Option<Dependency> {
    let copies = brought.iter().find(|copies| copies.package == package)?;
    copies.found.first().map(|copy| Dependency {
        package: copy.name.clone(),
        version: copy.version.clone(),
        settled_by: SettledBy::Installation.to_string(),
    })
}

fn node(installation: &Installation) -> Result<Option<String>> {
    let files = Files::in_directory(&installation.ghost.directory);
    let package_json = files.read_text("package.json")?.unwrap_or_default();
    // That it is Ghost's, and JSON, is known since it was located.
    let package_json: serde_json::Value = serde_json::from_str(&package_json).unwrap_or_default();
    Ok(package_json["engines"]["node"].as_str().map(str::to_owned))
}
