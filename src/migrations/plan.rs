//! What would run between two Ghosts, in order, as knex-migrator decides it.

use std::collections::BTreeMap;

use nodejs_semver::Version;

use super::database::{self, Database, Outlook};
use super::facts::Migration;
use super::hazards::{self, Hazard};
use super::inventory::{self, Inventory, Named};
use super::read;
use crate::error::Result;
use crate::ghost::{Files, Release};

/// The rows of the table `migrations`: names by version, each as often as it is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    rows: BTreeMap<String, Vec<String>>,
}

/// An upgrade, migration by migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The Ghost where it begins; `None` where that is a database, which does not tell what else was brought along.
    pub from: Option<Brings>,
    /// Where it leads.
    pub to: Brings,
    /// What would run, in order.
    pub steps: Vec<Step>,
    /// What concerns the upgrade as a whole.
    pub hazards: Vec<Hazard>,
}

/// A migration that would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub migration: Migration,
    /// What may go wrong with it.
    pub hazards: Vec<Hazard>,
}

/// What a Ghost brings along, as far as an upgrade can trip over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brings {
    /// Its version.
    pub ghost: Version,
    /// `engines.node`
    pub node: Option<String>,
    /// Its migration library.
    pub knex_migrator: Option<Version>,
    /// Its database driver.
    pub mysql2: Option<Version>,
}

impl Applied {
    /// What a database has in which that Ghost was set up, or which it has upgraded.
    #[must_use]
    pub fn by(inventory: &Inventory) -> Self {
        Self::of(inventory.all())
    }

    /// Rows that were read.
    pub fn of(rows: impl IntoIterator<Item = Named>) -> Self {
        let mut applied = Self::default();
        for row in rows {
            applied.rows.entry(row.version).or_default().push(row.name);
        }
        applied
    }

    /// The names that are recorded with this version.
    #[must_use]
    pub fn folder(&self, version: &str) -> &[String] {
        self.rows.get(version).map_or(&[], Vec::as_slice)
    }
}

/// What knex-migrator would run, in order.
///
/// It counts before it compares: a folder with as many rows as it has files is left alone, whatever their names. Ghost
/// relies on that where it puts other migrations in the place of a past major version's.
#[must_use]
pub fn pending(applied: &Applied, inventory: &Inventory, ghost: &Version) -> Vec<Named> {
    let mut pending = Vec::new();
    for folder in &inventory.folders {
        let rows = applied.folder(&folder.version);
        if rows.len() == folder.files.len() || Inventory::is_later(&folder.version, ghost) {
            continue;
        }
        let missing = folder.files.iter().filter(|name| !rows.contains(*name));
        pending.extend(missing.map(|name| Named {
            version: folder.version.clone(),
            name: name.clone(),
        }));
    }
    pending
}

/// The upgrade of a database that `from` has migrated.
///
/// # Errors
///
/// Where files of either cannot be read.
pub fn between(from: &Release, to: &Release) -> Result<Plan> {
    let applied = Applied::by(&inventory::read(&from.files)?);
    after(&applied, Brings::of(from), &to.files, Brings::of(to))
}

/// The upgrade of a database with these rows to the Ghost with those files.
///
/// # Errors
///
/// Where files of the new Ghost cannot be read.
pub fn after(applied: &Applied, from: Brings, files: &Files, to: Brings) -> Result<Plan> {
    let pending = pending(applied, &inventory::read(files)?, &to.ghost);
    of(&pending, Some(from), files, to)
}

/// The upgrade of a live database to the Ghost with those files, and what that Ghost makes of the database.
///
/// # Errors
///
/// Where files of the new Ghost cannot be read.
pub fn of_database(database: &Database, files: &Files, to: Brings) -> Result<(Plan, Outlook)> {
    let outlook = database::judge(database, &inventory::read(files)?, &to.ghost);
    let mut plan = of(&outlook.pending, None, files, to)?;
    let settled = database::settle_collations(&outlook.collations, &mut plan.steps);
    // What stands in the database's way comes before what its upgrade may trip over.
    let first = outlook.hazards.iter().cloned().chain(settled);
    plan.hazards.splice(0..0, first);
    Ok((plan, outlook))
}

fn of(pending: &[Named], from: Option<Brings>, files: &Files, to: Brings) -> Result<Plan> {
    let migrations = read::read(files, pending)?;
    let hazards = hazards::of_upgrade(from.as_ref(), &to, &migrations);
    let judged = hazards::of_migrations(&migrations);
    let steps = migrations
        .into_iter()
        .zip(judged)
        .map(|(migration, hazards)| Step { migration, hazards })
        .collect();
    Ok(Plan {
        from,
        to,
        steps,
        hazards,
    })
}

impl Brings {
    /// What a release brings along.
    #[must_use]
    pub fn of(release: &Release) -> Self {
        let migrator = release.knex_migrator.as_ref();
        Self {
            ghost: release.ghost.clone(),
            node: release.node.clone(),
            knex_migrator: migrator.map(|migrator| migrator.dependency.version.clone()),
            mysql2: release.mysql2.as_ref().map(|driver| driver.version.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(folders: &[(&str, &[&str])]) -> Inventory {
        Inventory::of(&[], folders)
    }

    fn names(from: &Inventory, to: &Inventory, ghost: &str) -> Vec<String> {
        pending(&Applied::by(from), to, &Version::parse(ghost).unwrap())
            .into_iter()
            .map(|named| format!("{}/{}", named.version, named.name))
            .collect()
    }

    #[test]
    fn what_a_later_patch_version_adds_to_a_folder_runs() {
        let from = inventory(&[("5.75", &["a.js"])]);
        let to = inventory(&[("5.75", &["a.js", "b.js"]), ("5.76", &["c.js"])]);
        assert_eq!(names(&from, &to, "5.76.1"), ["5.75/b.js", "5.76/c.js"]);
        assert_eq!(names(&to, &to, "5.76.1"), [""; 0]);
    }

    #[test]
    fn a_folder_with_as_many_rows_as_files_is_left_alone() {
        let from = inventory(&[("4.47", &["update-options.js", "transform.js"])]);
        let to = inventory(&[("4.47", &["final-v4.js", "no-op.js"])]);
        assert_eq!(names(&from, &to, "6.0.0"), [""; 0]);
        let older = inventory(&[("4.46", &["x.js"])]);
        assert_eq!(
            names(&older, &to, "6.0.0"),
            ["4.47/final-v4.js", "4.47/no-op.js"]
        );
    }

    #[test]
    fn folders_of_the_future_wait() {
        let to = inventory(&[("6.1", &["a.js"]), ("6.2", &["b.js"])]);
        assert_eq!(names(&Inventory::default(), &to, "6.1.3"), ["6.1/a.js"]);
    }
}
