//! What concerns an upgrade as a whole: the Ghosts at its ends, and what all its migrations have in common.

use std::collections::BTreeSet;

use nodejs_semver::Version;

use super::{Hazard, Level};
use crate::migrations::facts::Migration;
use crate::migrations::plan::Brings;

/// Judges what comes with the new Ghost besides its migrations, and what all its migrations have in common.
#[must_use]
pub fn of_upgrade(from: Option<&Brings>, to: &Brings, migrations: &[Migration]) -> Vec<Hazard> {
    let mut found = Vec::new();
    if let Some(from) = from
        && to.ghost < from.ghost
    {
        found.push(Hazard {
            id: "newer-database",
            level: Level::Error,
            reason: format!(
                "{} is older than {}: its migrations do not lead back, and Ghost only notices where it has the same folders",
                to.ghost, from.ghost
            ),
            fix: "Restore a backup from before the upgrade, or branch from one".to_owned(),
        });
    }
    let changing = migrations
        .iter()
        .filter(|migration| {
            migration
                .operations
                .iter()
                .any(|operation| operation.action.is_ddl())
        })
        .count();
    if changing > 0 {
        found.push(Hazard {
            id: "safe-migrations",
            level: Level::Warning,
            reason: format!(
                "{changing} of {} migrations change the schema. With safe migrations on, PlanetScale refuses that with `direct DDL is disabled`",
                migrations.len()
            ),
            fix: "Boot the new Ghost once on a branch without safe migrations, and deploy that branch; or turn them off while it boots"
                .to_owned(),
        });
    }
    found.extend(from.iter().flat_map(|from| of_packages(from, to)));
    found
}

/// What changes beside the database.
fn of_packages(from: &Brings, to: &Brings) -> Vec<Hazard> {
    let mut found = Vec::new();
    if let (Some(before), Some(now)) = (&from.node, &to.node)
        && majors(before) != majors(now)
    {
        found.push(Hazard {
            id: "node-major",
            level: Level::Warning,
            reason: format!(
                "Ghost {} wants Node {now}; {} wanted {before}",
                to.ghost, from.ghost
            ),
            fix: "Take an image with that Node; an official `ghost` image has it".to_owned(),
        });
    }
    if let (Some(before), Some(now)) = (&from.mysql2, &to.mysql2)
        && before.major() != now.major()
    {
        found.push(Hazard {
            id: "mysql2-major",
            level: Level::Warning,
            reason: format!("The driver mysql2 goes from {before} to {now}"),
            fix: "Look at `database.connection` again, at `ssl` above all: `ghostfix preflight`"
                .to_owned(),
        });
    }
    match (&from.knex_migrator, &to.knex_migrator) {
        (Some(before), Some(now)) if before != now => found.push(Hazard {
            id: "knex-migrator-changed",
            level: if before.major() == now.major() {
                Level::Notice
            } else {
                Level::Warning
            },
            reason: format!("knex-migrator goes from {before} to {now}: what was patched is another file now"),
            fix: "Build the image with `ghostfix patch` again, and keep `ghostfix verify` in its build".to_owned(),
        }),
        _ => {}
    }
    found
}

/// The major versions in a range such as `^18.12.1 || ^20.11.1`.
fn majors(range: &str) -> BTreeSet<u64> {
    range
        .split("||")
        .filter_map(|part| {
            let part = part
                .trim()
                .trim_start_matches(['^', '~', '>', '=', '<', 'v', ' ']);
            Version::parse(part)
                .map(|version| version.major())
                .ok()
                .or_else(|| part.split('.').next()?.trim().parse().ok())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn majors_are_those_of_every_alternative() {
        let set = |majors: &[u64]| majors.iter().copied().collect::<BTreeSet<u64>>();
        assert_eq!(majors("^18.12.1 || ^20.11.1"), set(&[18, 20]));
        assert_eq!(majors("^14.18.0 || ^16.13.0 || 18.x"), set(&[14, 16, 18]));
        assert_eq!(majors("^22.13.1"), set(&[22]));
    }
}
