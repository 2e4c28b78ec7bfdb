//! Databases from literals, and what a Ghost makes of them.

use super::*;
use crate::migrations::facts::{Action, ForeignKey, Migration, Operation};

const STEPS: [&str; 2] = ["1-create-tables.js", "2-create-fixtures.js"];

fn inventory(folders: &[(&str, &[&str])]) -> Inventory {
    Inventory::of(&STEPS, folders)
}

/// The files of a Ghost 6.2 that has left the migrations to 4.x behind.
fn files() -> Inventory {
    inventory(&[
        ("5.75", &["a.js"]),
        ("6.0", &["b.js", "c.js"]),
        ("6.2", &["d.js"]),
    ])
}

fn row(version: &str, name: &str, by: &str) -> Row {
    Row {
        version: version.to_owned(),
        name: name.to_owned(),
        by: (!by.is_empty()).then(|| by.to_owned()),
    }
}

/// A database that a Ghost has set up, which has recorded these.
fn set_up(by: &str, rows: &[(&str, &str)]) -> Database {
    let init = STEPS.iter().map(|name| row(INIT, name, by));
    Database {
        rows: init
            .chain(rows.iter().map(|(version, name)| row(version, name, by)))
            .collect(),
        lock: Lock::Free,
        holds: Holds::Ghost,
        collations: Collations::Unknown,
    }
}

fn at_6_2(database: &Database) -> Outlook {
    judge(database, &files(), &"6.2.3".parse().unwrap())
}

fn names(outlook: &Outlook) -> Vec<String> {
    let named = outlook.pending.iter();
    named
        .map(|named| format!("{}/{}", named.version, named.name))
        .collect()
}

fn hazards(outlook: &Outlook) -> Vec<(&'static str, Level)> {
    let hazards = outlook.hazards.iter();
    hazards.map(|hazard| (hazard.id, hazard.level)).collect()
}

#[test]
fn what_is_not_recorded_runs() {
    let older = set_up("5.75", &[("4.9", "z.js"), ("5.75", "a.js")]);
    let outlook = at_6_2(&older);
    assert_eq!(outlook.state, State::Pending);
    assert_eq!(names(&outlook), ["6.0/b.js", "6.0/c.js", "6.2/d.js"]);
    assert_eq!(outlook.migrated_by.as_deref(), Some("5.75"));
    assert_eq!(outlook.not_in_target.len(), 1, "{outlook:?}");
    assert_eq!(hazards(&outlook), []);
    assert_eq!(outlook.not_known.len(), 2);
}

#[test]
fn what_is_all_recorded_is_up_to_date() {
    let rows = [
        ("5.75", "a.js"),
        ("6.0", "b.js"),
        ("6.0", "c.js"),
        ("6.2", "d.js"),
    ];
    let outlook = at_6_2(&set_up("6.2", &rows));
    assert_eq!((outlook.state, names(&outlook).len()), (State::UpToDate, 0));
    assert_eq!(hazards(&outlook), []);
    // A later Ghost has been here and has brought no migrations.
    let outlook = at_6_2(&set_up("6.3", &rows));
    assert_eq!(outlook.state, State::UpToDate);
    assert_eq!(outlook.migrated_by.as_deref(), Some("6.3"));
}

#[test]
fn the_newest_ghost_of_all_rows_is_the_one_that_migrated_last() {
    let mut database = set_up("5.75", &[("5.75", "a.js")]);
    database.rows.insert(0, row("6.0", "b.js", "6.10"));
    database.rows.push(row("6.0", "c.js", "6.9"));
    assert_eq!(at_6_2(&database).migrated_by.as_deref(), Some("6.10"));
    let mut silent = set_up("", &[("5.75", "a.js")]);
    silent.rows.push(row("6.0", "b.js", "unreadable"));
    let outlook = at_6_2(&silent);
    assert_eq!(outlook.migrated_by, None);
    assert!(
        outlook.not_known[0].starts_with("Which Ghost"),
        "{outlook:?}"
    );
}

#[test]
fn an_upgrade_that_was_stopped_is_told() {
    // Ghost 6.2 was stopped after the first of its migrations.
    let mut database = set_up("5.75", &[("5.75", "a.js")]);
    database.rows.push(row("6.0", "b.js", "6.2"));
    let outlook = at_6_2(&database);
    assert_eq!(names(&outlook), ["6.0/c.js", "6.2/d.js"]);
    assert_eq!(hazards(&outlook), [("upgrade-unfinished", Level::Warning)]);
    assert!(
        outlook.hazards[0].reason.contains("6.0/c.js"),
        "{outlook:?}"
    );

    // A later patch version brings one more, or the one before was stopped: nobody knows.
    let rows = [("5.75", "a.js"), ("6.0", "b.js")];
    let outlook = at_6_2(&set_up("6.0", &rows));
    assert_eq!(names(&outlook), ["6.0/c.js", "6.2/d.js"]);
    assert_eq!(hazards(&outlook), [("upgrade-unfinished", Level::Notice)]);
}

#[test]
fn a_newer_database_is_told_by_its_rows() {
    let rows = [
        ("5.75", "a.js"),
        ("6.0", "b.js"),
        ("6.0", "c.js"),
        ("6.2", "d.js"),
        ("6.3", "e.js"),
    ];
    let outlook = at_6_2(&set_up("6.3", &rows));
    assert_eq!(outlook.state, State::NewerThanCode);
    assert_eq!(hazards(&outlook), [("newer-database", Level::Error)]);
    assert_eq!(outlook.not_in_target.len(), 1);
}

#[test]
fn more_rows_than_files_end_ghost_at_once_or_later() {
    let rows = [("5.75", "a.js"), ("5.75", "extra.js"), ("6.0", "b.js")];
    let outlook = at_6_2(&set_up("5.75", &rows));
    assert_eq!(outlook.state, State::NewerThanCode);
    assert_eq!(names(&outlook), [""; 0], "it ends before it runs any");
    assert_eq!(hazards(&outlook)[0], ("more-rows-than-files", Level::Error));

    // 6.0 lacks one and has another: both of its files are there in the end, and one row too many.
    let rows = [("5.75", "a.js"), ("6.0", "other.js")];
    let outlook = at_6_2(&set_up("5.75", &rows));
    assert_eq!(names(&outlook), ["6.0/b.js", "6.0/c.js", "6.2/d.js"]);
    assert_eq!(hazards(&outlook), [("more-rows-than-files", Level::Error)]);

    // A row that is there twice counts twice.
    let rows = [("5.75", "a.js"), ("5.75", "a.js")];
    assert_eq!(at_6_2(&set_up("5.75", &rows)).state, State::NewerThanCode);

    // As many rows as files, under whatever names, are left alone.
    let rows = [("5.75", "renamed.js"), ("6.0", "b.js")];
    assert_eq!(
        names(&at_6_2(&set_up("5.75", &rows))),
        ["6.0/c.js", "6.2/d.js"]
    );
}

#[test]
fn a_database_without_its_first_boot_runs_no_migration() {
    let empty = |holds, rows| Database {
        rows,
        lock: Lock::TableMissing,
        holds,
        collations: Collations::Unknown,
    };
    let begun = |by| vec![row(INIT, STEPS[0], by)];
    for (holds, rows, state, hazard, level) in [
        (
            Holds::Nothing,
            vec![],
            State::NotInitialised,
            "first-boot",
            Level::Notice,
        ),
        (
            Holds::Foreign,
            vec![],
            State::NotInitialised,
            "first-boot",
            Level::Warning,
        ),
        (
            Holds::PartOfGhost,
            vec![],
            State::NotInitialised,
            "init-unfinished",
            Level::Warning,
        ),
        (
            Holds::Ghost,
            vec![],
            State::InitRowsMissing,
            "init-rows-missing",
            Level::Error,
        ),
        (
            Holds::Ghost,
            vec![row("5.75", "a.js", "5.75")],
            State::InitRowsMissing,
            "init-rows-missing",
            Level::Error,
        ),
        (
            Holds::Ghost,
            begun("6.2"),
            State::NotInitialised,
            "init-unfinished",
            Level::Notice,
        ),
        (
            Holds::Ghost,
            begun("5.75"),
            State::NotInitialised,
            "init-unfinished",
            Level::Error,
        ),
        (
            Holds::Ghost,
            begun(""),
            State::NotInitialised,
            "init-unfinished",
            Level::Error,
        ),
    ] {
        let outlook = at_6_2(&empty(holds, rows));
        assert_eq!(outlook.state, state, "{outlook:?}");
        assert_eq!(hazards(&outlook), [(hazard, level)], "{outlook:?}");
        assert_eq!(names(&outlook), [""; 0]);
    }
}

#[test]
fn a_lock_that_is_not_free_stands_first() {
    let held = Lock::Held {
        since: Some("2026-11-21 10:25:00".to_owned()),
    };
    for (lock, level) in [
        (held, Some(Level::Error)),
        (Lock::RowMissing, Some(Level::Error)),
        (Lock::Unknown("denied".to_owned()), Some(Level::Warning)),
        (Lock::TableMissing, None),
        (Lock::Free, None),
    ] {
        let database = Database {
            lock,
            ..set_up("5.75", &[("5.75", "a.js")])
        };
        let outlook = at_6_2(&database);
        assert_eq!(outlook.hazards.first().map(|hazard| hazard.level), level);
        assert_eq!(outlook.state, State::Pending, "the plan is for afterwards");
        assert_eq!(names(&outlook).len(), 3);
    }
}

#[test]
fn what_is_known_of_collations_is_no_longer_a_warning() {
    let steps = || {
        let key = Operation::new(
            Some("gifts"),
            Action::AddForeignKey(ForeignKey {
                column: "member_id".to_owned(),
                parent: "members".to_owned(),
                parent_column: "id".to_owned(),
                on_delete: None,
            }),
        );
        let migration = Migration {
            version: "6.0".to_owned(),
            name: "b.js".to_owned(),
            transactional: Some(false),
            irreversible: Some(false),
            operations: vec![key],
            aborts: false,
            unknown: Vec::new(),
        };
        let hazards = hazards::of_migrations(std::slice::from_ref(&migration)).remove(0);
        assert_eq!(hazards.len(), 1, "{hazards:?}");
        vec![Step { migration, hazards }]
    };
    let differ = |everywhere| Collations::Differ {
        words: "They are not the same.".to_owned(),
        fix: "Make them so.".to_owned(),
        everywhere,
    };
    for (collations, of_step, of_all) in [
        (Collations::Unknown, Some(Level::Warning), None),
        (Collations::Fit, None, None),
        (differ(false), Some(Level::Warning), Some(Level::Warning)),
        (differ(true), Some(Level::Error), Some(Level::Error)),
    ] {
        let mut steps = steps();
        let hazard = settle_collations(&collations, &mut steps);
        let left = steps[0].hazards.first().map(|hazard| hazard.level);
        assert_eq!(left, of_step, "{collations:?}");
        assert_eq!(hazard.map(|hazard| hazard.level), of_all, "{collations:?}");
        assert_eq!(settle_collations(&collations, &mut []), None);
    }
}
