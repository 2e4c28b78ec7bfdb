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
    /// What would run, in order; nothing where the upgrade [leads back](Self::leads_back).
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
    /// The driver before Ghost 4.40.
    pub mysql: Option<Version>,
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
    let inventory = inventory::read(files)?;
    let pending = pending(applied, &inventory, &to.ghost);
    if to.ghost >= from.ghost {
        return of(&pending, Some(from), files, to);
    }
    // What knex-migrator does on a newer database is told, and is no plan: a list of its steps would pass for one.
    let comes_of_it = backwards(applied, &inventory, &pending, &to.ghost);
    let mut plan = of(&[], Some(from), files, to)?;
    let newer = |hazard: &&mut Hazard| hazard.id == "newer-database";
    if let Some(hazard) = plan.hazards.iter_mut().find(newer) {
        hazard.reason.push_str(&format!(". {comes_of_it}"));
    }
    Ok(plan)
}

/// What a Ghost does on a database that a newer one has set up: knex-migrator compares no versions, it counts rows and
/// files of the folders that the older code has.
fn backwards(
    applied: &Applied,
    inventory: &Inventory,
    pending: &[Named],
    ghost: &Version,
) -> String {
    let other = inventory
        .folders
        .iter()
        .filter(|folder| !Inventory::is_later(&folder.version, ghost))
        .map(|folder| (folder, applied.folder(&folder.version).len()))
        .find(|(folder, rows)| *rows != folder.files.len());
    match (other, pending) {
        (Some((folder, rows)), _) if rows > folder.files.len() => format!(
            "Ghost ends at {}, which has more rows in the database ({rows}) than files in the code ({})",
            folder.version,
            folder.files.len()
        ),
        (Some(_), [first, ..]) => format!(
            "It takes migrations that the newer Ghost no longer has for pending ones, and would run {} of them on the newer tables, from {}/{} on",
            pending.len(),
            first.version,
            first.name
        ),
        (Some(_) | None, _) => {
            "It would start without noticing, on tables that it does not know".to_owned()
        }
    }
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

impl Plan {
    /// Whether the Ghost where it begins is newer than the one where it leads: no migration leads there.
    #[must_use]
    pub fn leads_back(&self) -> bool {
        let from = self.from.as_ref();
        from.is_some_and(|from| self.to.ghost < from.ghost)
    }
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
            mysql: release.mysql.as_ref().map(|driver| driver.version.clone()),
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
    fn what_an_older_ghost_makes_of_a_newer_database_is_told() {
        let told = |from: &Inventory, to: &Inventory| {
            let (applied, ghost) = (Applied::by(from), Version::parse("5.75.1").unwrap());
            backwards(&applied, to, &pending(&applied, to, &ghost), &ghost)
        };
        let code = inventory(&[("4.0", &["a.js", "b.js"]), ("5.75", &["c.js"])]);
        let upgraded = inventory(&[
            ("4.0", &["a.js", "b.js"]),
            ("5.75", &["c.js"]),
            ("6.0", &["d.js"]),
        ]);
        assert_eq!(
            told(&upgraded, &code),
            "It would start without noticing, on tables that it does not know"
        );
        let set_up = inventory(&[("5.75", &["c.js"]), ("6.0", &["d.js"])]);
        assert_eq!(
            told(&set_up, &code),
            "It takes migrations that the newer Ghost no longer has for pending ones, and would run 2 of them on the newer \
             tables, from 4.0/a.js on"
        );
        let later_patch = inventory(&[("4.0", &["a.js", "b.js"]), ("5.75", &["c.js", "e.js"])]);
        assert_eq!(
            told(&later_patch, &code),
            "Ghost ends at 5.75, which has more rows in the database (2) than files in the code (1)"
        );
    }

    #[test]
    fn folders_of_the_future_wait() {
        let to = inventory(&[("6.1", &["a.js"]), ("6.2", &["b.js"])]);
        assert_eq!(names(&Inventory::default(), &to, "6.1.3"), ["6.1/a.js"]);
    }
}
