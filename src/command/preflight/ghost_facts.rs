//! The facts about the Ghost that is installed, as far as a database matters to it.

use std::path::Path;

use crate::catalogue;
use crate::command::inspection::{Inspection, Inspector};
use crate::error::Result;
use crate::ghost::Files;
use crate::image::copies::{self, Depth, reached};
use crate::image::installation::Installation;
use crate::javascript::sandbox::Sandbox;
use crate::migrations;
use crate::migrations::facts::Action;
use crate::migrations::inventory::{self, Inventory, Named};
use crate::preflight::facts::{self, Facts, Migration, Patch};

/// All but the patches, which take longer: see [`patches`].
pub(super) fn read(installation: &Installation) -> facts::Installation {
    let version = |package: &str| {
        let found = reached(installation, &[package]).ok()?;
        let copy = found.first()?.found.first()?;
        Some(copy.version.clone())
    };
    let ghost = &installation.ghost.directory;
    facts::Installation {
        ghost: installation.ghost.version.clone(),
        directory: ghost.display().to_string(),
        knex_migrator: version("knex-migrator"),
        mysql2: version("mysql2"),
        absent: absent(installation),
        patches: Vec::new(),
        migrations: migration_files(&Files::in_directory(ghost), &installation.ghost.version),
        referencing: Vec::new(),
        makes_views: ghost.join("core/server/data/schema/views.js").is_file(),
    }
}

/// What is declared and not there; a directory that cannot be read is told where the patches are looked for.
fn absent(installation: &Installation) -> Vec<facts::Absent> {
    let found = reached(installation, &["knex-migrator"])
        .and_then(|all| copies::absent(installation, &all))
        .unwrap_or_default();
    found
        .into_iter()
        .map(|absent| facts::Absent {
            problem: absent.problem,
            next_step: absent.next_step,
        })
        .collect()
}

/// Which patches are in place, proved.
pub(super) fn patches(installation: &Installation, sandbox: &Sandbox) -> Result<Vec<Patch>> {
    let inspector = Inspector {
        installation,
        depth: Depth::PackageDirectories,
        sandbox,
        receipt: None,
    };
    let all: Vec<&'static catalogue::Patch> = catalogue::patches().iter().collect();
    let Inspection { entries, .. } = inspector.inspect(&all)?;
    let patch = |entry: &crate::report::PatchEntry| Patch {
        id: entry.id.clone(),
        state: entry.state,
    };
    Ok(entries.iter().map(patch).collect())
}

/// The files that knex-migrator counts, by the version whose folder they are in; nothing where they cannot be listed.
fn migration_files(files: &Files, ghost: &str) -> Option<Vec<Migration>> {
    const INIT: &str = "core/server/data/migrations/init";
    let inventory = inventory::read(files).ok()?;
    let ghost = nodejs_semver::Version::parse(ghost).ok()?;
    let mut init: Vec<String> = files
        .paths_below(INIT)
        .ok()?
        .iter()
        .filter_map(|path| path.strip_prefix(INIT)?.strip_prefix('/'))
        .filter(|name| !name.starts_with('.') && !name.contains('/'))
        .map(str::to_owned)
        .collect();
    init.sort();
    let init = init.into_iter().map(|name| Migration {
        version: "init".to_owned(),
        name,
    });
    let later = |named: &Named| Inventory::is_later(&named.version, &ghost);
    let versions = inventory.all().filter(|named| !later(named));
    let versions = versions.map(|Named { version, name }| Migration { version, name });
    Some(init.chain(versions).collect())
}

/// The migrations that this Ghost would run here whose new tables refer to tables that are there.
pub(super) fn referencing(facts: &Facts, ghost: &Path) -> Vec<Migration> {
    if facts.is_initialised() != Some(true) {
        return Vec::new();
    }
    let pending: Vec<Named> = facts
        .pending()
        .unwrap_or_default()
        .into_iter()
        .map(|Migration { version, name }| Named {
            version: version.clone(),
            name: name.clone(),
        })
        .collect();
    // What cannot be read is not certain to fail.
    let read = migrations::read::read(&Files::in_directory(ghost), &pending).unwrap_or_default();
    let refers = |migration: &&migrations::Migration| {
        let new: Vec<&str> = migration
            .operations
            .iter()
            .filter(|operation| operation.action == Action::CreateTable)
            .filter_map(|operation| operation.table.as_deref())
            .collect();
        migration.operations.iter().any(|operation| {
            let own = operation.table.as_deref();
            matches!(&operation.action, Action::AddForeignKey(key)
                if own.is_some_and(|table| new.contains(&table))
                    && facts.has_table(&key.parent) == Some(true))
        })
    };
    read.iter()
        .filter(refers)
        .map(|migration| Migration {
            version: migration.version.clone(),
            name: migration.name.clone(),
        })
        .collect()
}
