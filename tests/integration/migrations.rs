//! What upgrades between real Ghosts would do, read from the packages as published.

use std::collections::BTreeSet;

use ghostfix::ghost::Files;
use ghostfix::migrations::plan::{Applied, Brings, Plan, after};
use ghostfix::migrations::{inventory, read};

use crate::packages::unpacked;

fn files(version: &str) -> Files {
    Files::in_directory(unpacked("ghost", version))
}

fn brings(version: &str) -> Brings {
    Brings {
        ghost: version.parse().unwrap(),
        node: None,
        knex_migrator: None,
        mysql2: None,
        mysql: None,
    }
}

fn upgrade(from: &str, to: &str) -> Plan {
    let applied = Applied::by(&inventory::read(&files(from)).unwrap());
    after(&applied, brings(from), &files(to), brings(to)).unwrap()
}

fn ids(plan: &Plan) -> BTreeSet<&str> {
    let of_steps = plan.steps.iter().flat_map(|step| &step.hazards);
    of_steps
        .chain(&plan.hazards)
        .map(|hazard| hazard.id)
        .collect()
}

/// The numbers are those of the migrations that a real knex-migrator ran.
#[test]
fn as_many_migrations_run_as_did() {
    for (from, to, expected) in [
        ("5.75.1", "5.130.6", 52),
        ("5.130.6", "6.0.0", 8),
        ("6.0.0", "6.50.0", 78),
        ("6.50.0", "6.65.0", 42),
        ("5.75.1", "6.65.0", 180),
        ("6.65.0", "6.65.0", 0),
    ] {
        let plan = upgrade(from, to);
        assert_eq!(plan.steps.len(), expected, "{from} to {to}");
        let aborting = plan.steps.iter().filter(|step| step.migration.aborts);
        assert_eq!(aborting.count(), 0, "{from} to {to}");
    }
}

#[test]
fn every_migration_of_5_and_6_is_understood() {
    // Ghost's helpers lie elsewhere and do more from one of these to the next.
    for version in ["4.48.9", "5.0.0", "5.75.1", "5.130.6", "6.65.0"] {
        let files = files(version);
        let all: Vec<_> = inventory::read(&files).unwrap().all().collect();
        assert!(all.len() > 100, "{version}: {}", all.len());
        for migration in read::read(&files, &all).unwrap() {
            // Migrations to 4.x call Ghost's models, which are not followed.
            let major = inventory::order(&migration.version)[0];
            let name = format!("{version}: {}/{}", migration.version, migration.name);
            assert!(
                migration.unknown.is_empty() || major < 5,
                "{name}: {:?}",
                migration.unknown
            );
            assert!(migration.transactional.is_some(), "{name}");
            assert!(migration.irreversible.is_some(), "{name}");
        }
    }
}

#[test]
fn the_last_of_a_major_version_refuses_who_skips_it() {
    // A database that stopped short of the last 4.x, and so lacks what 6.x has put in its place.
    let mut from = inventory::read(&files("5.0.0")).unwrap();
    from.folders
        .retain(|folder| inventory::order(&folder.version) < [4, 47, 0]);
    let to = files("6.65.0");
    let plan = after(&Applied::by(&from), brings("5.0.0"), &to, brings("6.65.0")).unwrap();
    let first = &plan.steps[0];
    assert_eq!(first.migration.version, "4.47");
    assert!(first.migration.aborts, "{first:?}");
    assert_eq!(first.hazards[0].id, "skips-major");
}

#[test]
fn what_is_known_to_go_wrong_is_told() {
    let plan = upgrade("5.75.1", "6.65.0");
    let hazards = ids(&plan);
    for id in [
        "backfill",
        "drop-column",
        "drop-table",
        "foreign-key-collation",
        "rename-column",
        "rename-table",
        "safe-migrations",
        "schema-lag",
        "view",
    ] {
        assert!(hazards.contains(id), "{id} is not among {hazards:?}");
    }
    let of = |name: &str, id: &str| {
        let step = plan
            .steps
            .iter()
            .find(|step| step.migration.name.contains(name))
            .unwrap_or_else(|| panic!("no migration {name}"));
        let hazard = step.hazards.iter().find(|hazard| hazard.id == id);
        hazard.map(|hazard| hazard.reason.clone())
    };
    // Those whose columns a real vtgate did not know in time.
    let lost = of("change-default-for-newsletters-button-color", "schema-lag").unwrap();
    assert!(lost.ends_with("its change lost"), "{lost}");
    assert!(of("reset-automation-email-analytics", "schema-lag").is_some());
    assert!(
        of(
            "rename-welcome-email-automations-table-to-automations",
            "rename-table"
        )
        .is_some()
    );

    let comments = upgrade("5.0.0", "5.75.1");
    assert!(
        ids(&comments).contains("foreign-key-cycle"),
        "{:?}",
        ids(&comments)
    );
}
