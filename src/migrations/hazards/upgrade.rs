//! What concerns an upgrade as a whole: the Ghosts at its ends, and what all its migrations have in common.

use std::collections::BTreeSet;

use nodejs_semver::Range;

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
                "{} the schema. With safe migrations on, PlanetScale refuses that with `direct DDL is disabled`",
                match (changing, migrations.len()) {
                    (1, 1) => "The one migration changes".to_owned(),
                    (changing, all) if changing == all => format!("All {all} migrations change"),
                    (1, all) => format!("1 of {all} migrations changes"),
                    (changing, all) => format!("{changing} of {all} migrations change"),
                }
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
    if let (Some(before), Some(now)) = (&from.node, &to.node) {
        found.extend(of_node((from, before), (to, now)));
    }
    found.extend(of_driver(from, to));
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

/// A Node that was right and is so no more. That there are more to choose from is no news.
fn of_node((from, before): (&Brings, &str), (to, now): (&Brings, &str)) -> Vec<Hazard> {
    let of_major = |gone: String| Hazard {
        id: "node-major",
        level: Level::Warning,
        reason: format!(
            "Ghost {} wants Node {now}; {} wanted {before}{gone}",
            to.ghost, from.ghost
        ),
        fix: "Take an image with a Node that it wants; an official `ghost` image has one"
            .to_owned(),
    };
    let (Ok(old), Ok(new)) = (Range::parse(before), Range::parse(now)) else {
        // What cannot be compared may be anything.
        return if before == now {
            Vec::new()
        } else {
            vec![of_major(String::new())]
        };
    };
    let mut gone = Vec::new();
    let mut risen = Vec::new();
    for major in majors(before).union(&majors(now)) {
        let Ok(all) = Range::parse(format!(">={major}.0.0 <{}.0.0", major + 1)) else {
            continue;
        };
        let least = |range: &Range| range.intersect(&all)?.min_version();
        match (least(&old), least(&new)) {
            (Some(_), None) => gone.push(major.to_string()),
            (Some(least), Some(now)) if now > least => {
                risen.push(format!("{now} rather than {least}"));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    if !gone.is_empty() {
        found.push(of_major(format!(". Node {} will not do", gone.join(", "))));
    }
    if !risen.is_empty() {
        found.push(Hazard {
            id: "node-minimum",
            level: Level::Notice,
            reason: format!(
                "Ghost {} wants a later Node than {}: at least {}",
                to.ghost,
                from.ghost,
                risen.join(", and ")
            ),
            fix: "Look which Node is in the image; a current official `ghost` image has one that will do"
                .to_owned(),
        });
    }
    found
}

/// Another driver, or another major version of it.
fn of_driver(from: &Brings, to: &Brings) -> Option<Hazard> {
    // Where both lie there, the newer one counts.
    let driver = |brings: &Brings| {
        let newer = brings.mysql2.clone().map(|version| ("mysql2", version));
        newer.or_else(|| Some(("mysql", brings.mysql.clone()?)))
    };
    let ((old, before), (new, now)) = (driver(from)?, driver(to)?);
    let (id, reason) = if old != new {
        (
            "driver-changed",
            format!("The driver goes from {old} {before} to {new} {now}"),
        )
    } else if new == "mysql2" && before.major() != now.major() {
        (
            "mysql2-major",
            format!("The driver mysql2 goes from {before} to {now}"),
        )
    } else {
        return None;
    };
    Some(Hazard {
        id,
        level: Level::Warning,
        reason,
        fix: "Look at `database.connection` again, at `ssl` above all: `ghostfix preflight`"
            .to_owned(),
    })
}

/// The major versions that are named in a range such as `^18.12.1 || >=20.11 <23`.
fn majors(range: &str) -> BTreeSet<u64> {
    range
        .split(|character: char| character.is_whitespace() || character == '|')
        .filter_map(|part| {
            let part = part.trim_start_matches(['^', '~', '>', '=', '<', 'v']);
            part.split('.').next()?.parse().ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::facts::{Action, Operation};

    fn brings(ghost: &str) -> Brings {
        Brings {
            ghost: ghost.parse().unwrap(),
            node: None,
            knex_migrator: None,
            mysql2: None,
            mysql: None,
        }
    }

    /// The hazards of the packages alone: ids, and the end of each reason.
    fn of(from: &Brings, to: &Brings) -> Vec<(&'static str, Level, String)> {
        let found = of_upgrade(Some(from), to, &[]).into_iter();
        found
            .map(|hazard| (hazard.id, hazard.level, hazard.reason))
            .collect()
    }

    #[test]
    fn migrations_that_change_the_schema_are_counted_in_words() {
        let migration = |action: Option<Action>| Migration {
            version: "6.1".to_owned(),
            name: "x.js".to_owned(),
            transactional: Some(true),
            irreversible: Some(false),
            operations: action
                .map(|action| Operation::new(Some("posts"), action))
                .into_iter()
                .collect(),
            aborts: false,
            unknown: Vec::new(),
        };
        let ddl = || migration(Some(Action::DropTable));
        let none = || migration(None);
        for (migrations, expected) in [
            (vec![ddl()], "The one migration changes the schema. "),
            (vec![ddl(), ddl()], "All 2 migrations change the schema. "),
            (
                vec![ddl(), none()],
                "1 of 2 migrations changes the schema. ",
            ),
            (
                vec![ddl(), none(), ddl()],
                "2 of 3 migrations change the schema. ",
            ),
        ] {
            let found = of_upgrade(None, &brings("6.1.0"), &migrations);
            assert!(found[0].reason.starts_with(expected), "{}", found[0].reason);
        }
        assert_eq!(of_upgrade(None, &brings("6.1.0"), &[none()]), []);
    }

    #[test]
    fn majors_are_those_of_every_alternative() {
        let set = |majors: &[u64]| majors.iter().copied().collect::<BTreeSet<u64>>();
        assert_eq!(majors("^18.12.1 || ^20.11.1"), set(&[18, 20]));
        assert_eq!(majors("^14.18.0||^16.13.0 || 18.x"), set(&[14, 16, 18]));
        assert_eq!(majors(">=4 <5"), set(&[4, 5]));
    }

    #[test]
    fn a_node_is_told_where_one_that_was_right_is_so_no_more() {
        let node = |before: &str, now: &str| {
            let ends = [("6.0.0", before), ("6.1.0", now)].map(|(ghost, node)| Brings {
                node: Some(node.to_owned()),
                ..brings(ghost)
            });
            of(&ends[0], &ends[1])
                .into_iter()
                .map(|(id, _, reason)| format!("{id}: {reason}"))
                .collect::<Vec<_>>()
        };
        for (before, now, expected) in [
            ("^22.13.1", "^22.13.1", None),
            ("^22.23.1", "^22.23.1 || ^24.20.0", None),
            ("^20.1.0", ">=18", None),
            (
                "^14.17.0 || ^16.13.0",
                "^16.13.0",
                Some(
                    "node-major: Ghost 6.1.0 wants Node ^16.13.0; 6.0.0 wanted ^14.17.0 || ^16.13.0. Node 14 will not do",
                ),
            ),
            (
                "^22.13.1",
                "^22.23.1 || ^24.20.0",
                Some(
                    "node-minimum: Ghost 6.1.0 wants a later Node than 6.0.0: at least 22.23.1 rather than 22.13.1",
                ),
            ),
            (
                "^22.13.1",
                "whatever",
                Some("node-major: Ghost 6.1.0 wants Node whatever; 6.0.0 wanted ^22.13.1"),
            ),
        ] {
            let expected: Vec<&str> = expected.into_iter().collect();
            assert_eq!(node(before, now), expected, "{before} -> {now}");
        }
    }

    #[test]
    fn another_driver_is_told_as_is_another_major_version_of_it() {
        let mysql = |version: &str| Brings {
            mysql: version.parse().ok(),
            ..brings("4.32.0")
        };
        let mysql2 = |version: &str| Brings {
            mysql2: version.parse().ok(),
            ..brings("5.2.4")
        };
        let told = |id, reason: &str| vec![(id, Level::Warning, reason.to_owned())];
        assert_eq!(
            of(&mysql("2.18.1"), &mysql2("2.3.3")),
            told(
                "driver-changed",
                "The driver goes from mysql 2.18.1 to mysql2 2.3.3"
            )
        );
        assert_eq!(
            of(&mysql2("2.3.3"), &mysql2("3.1.0")),
            told("mysql2-major", "The driver mysql2 goes from 2.3.3 to 3.1.0")
        );
        assert_eq!(of(&mysql2("3.1.0"), &mysql2("3.2.0")), []);
        assert_eq!(of(&mysql("2.17.1"), &mysql("2.18.1")), []);
        // Where both lie there, the newer one counts.
        let both = Brings {
            mysql: "2.18.1".parse().ok(),
            ..mysql2("2.3.3")
        };
        assert_eq!(of(&both, &mysql2("2.3.3")), []);
    }
}
