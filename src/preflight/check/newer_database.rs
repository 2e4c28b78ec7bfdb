//! Whether the database has had a newer Ghost than this one.

use std::collections::BTreeMap;

use super::Check;
use crate::preflight::facts::{Facts, Migration};
use crate::preflight::finding::Finding;

pub(super) const CHECK: Check = Check {
    id: "newer-database",
    question: "Has the database had a newer Ghost than this one?",
    explanation: "\
An older Ghost on a newer database meets tables that it does not know. It notices only where it has the folder of the version
in question, and then ends with

  Detected more items in the migrations table than expected. Please manually inspect the migrations table.

Otherwise it starts, and what it then breaks is not known beforehand.

Fix: start the version that the database has had last, or a newer one; or go back to a backup from before the upgrade.",
    judge,
};

fn judge(facts: &Facts) -> Option<Finding> {
    facts.server.known()?.database.as_ref()?;
    let rows = facts.migrations.known()?;
    let Some(installation) = &facts.installation else {
        return Some(Finding::notice(
            "Whether the database is newer than Ghost was not compared: no Ghost was looked at.",
        ));
    };
    let Some(files) = &installation.migrations else {
        return Some(Finding::unknown(
            "The migrations of this Ghost cannot be read.",
        ));
    };
    let (in_files, in_rows) = (by_version(files), by_version(rows));
    let newest = files
        .iter()
        .filter_map(|file| numbers(&file.version))
        .max()
        .unwrap_or_default();
    let newer: Vec<&Migration> = rows
        .iter()
        .filter(|row| numbers(&row.version).is_some_and(|version| version > newest))
        .collect();
    if let Some(row) = newer.first() {
        return Some(
            Finding::fails_in_use(format!(
                "The database has had a newer Ghost than this one ({}): {} of its migrations are not known here.",
                installation.ghost,
                newer.len()
            ))
            .seen("SELECT … FROM migrations", format!("{}/{}", row.version, row.name))
            .fix(format!("Start Ghost {} or later, or go back to a backup from before that upgrade.", row.version)),
        );
    }
    let more = in_files
        .iter()
        .find(|(version, files)| in_rows.get(*version).is_some_and(|rows| rows > *files));
    if let Some((version, files)) = more {
        return Some(
            Finding::error(format!("The database has more migrations of version {version} than this Ghost, and Ghost ends there."))
                .seen(
                    "SELECT … FROM migrations",
                    format!("{} rows of {version}, {files} files: Detected more items in the migrations table than expected.", in_rows[version]),
                )
                .fix(format!("Start the version of Ghost that the database has had last: one after {}.", installation.ghost)),
        );
    }
    Some(Finding::passed(
        "The database has had no newer Ghost than this one.",
    ))
}

fn by_version(migrations: &[Migration]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for migration in migrations
        .iter()
        .filter(|migration| migration.version != "init")
    {
        *counts.entry(migration.version.as_str()).or_insert(0) += 1;
    }
    counts
}

/// `5.130` is later than `5.9`.
fn numbers(version: &str) -> Option<Vec<u64>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{booted, healthy, migration, without_installation};
    use super::*;
    use crate::preflight::facts::Fact;
    use crate::preflight::finding::{Effect, Level};

    fn with(version: &str, name: &str) -> Finding {
        let mut facts = booted();
        let Fact::Known(rows) = &mut facts.migrations else {
            panic!()
        };
        rows.push(migration(version, name));
        judge(&facts).unwrap()
    }

    #[test]
    fn a_later_version_is_an_error_that_ghost_may_not_notice() {
        let finding = with("6.10", "c.js");
        assert_eq!(
            (finding.level, finding.effect),
            (Level::Error, Some(Effect::FailsInUse))
        );
        let finding = with("6.1", "c.js");
        assert_eq!(
            (finding.level, finding.effect),
            (Level::Error, Some(Effect::DoesNotStart))
        );
    }

    #[test]
    fn an_older_version_that_is_no_longer_shipped_is_fine() {
        assert_eq!(with("5.9", "old.js").level, Level::Passed);
        assert_eq!(judge(&healthy()).unwrap().level, Level::Passed);
        assert_eq!(
            judge(&without_installation(booted())).unwrap().level,
            Level::Notice
        );
    }
}
