//! The hazards of a database in words: what happens, why, and what to do.

use nodejs_semver::Version;

use crate::migrations::hazards::FOREIGN_KEY_COLLATION;

use super::{Collations, Hazard, Level, Lock, Named, Outlook, Row, State, Surplus};

const FREE_IT: &str = "Make sure that no other Ghost is at work on this database; `ghostfix preflight --explain migration-lock` has the statement that frees it";

const BACK_FROM_BACKUP: &str = "Put the rows of `migrations` back from a backup of this database before any Ghost starts on it. A Ghost before 1.0 has none: export its content there, and import it into a new site";

fn hazard(id: &'static str, level: Level, reason: String, fix: &str) -> Hazard {
    Hazard {
        id,
        level,
        reason,
        fix: fix.to_owned(),
    }
}

pub(super) fn of_lock(lock: &Lock) -> Option<Hazard> {
    let (level, reason, fix) = match lock {
        Lock::Free | Lock::TableMissing => return None,
        Lock::Held { since } => (
            Level::Error,
            format!(
                "The lock on migrations is held{}: another Ghost is at work on the database, or one was killed in the middle. Until it is free, Ghost ends with MigrationsAreLockedError, and nothing runs",
                since.as_deref().map_or_else(String::new, |since| format!(
                    " since {since} (local time of the container that took it)"
                ))
            ),
            FREE_IT,
        ),
        Lock::RowMissing => (
            Level::Error,
            "The row of the lock on migrations is missing, which Ghost takes for a held lock: it ends with MigrationsAreLockedError, and nothing runs".to_owned(),
            FREE_IT,
        ),
        Lock::Unknown(words) => (
            Level::Warning,
            format!("Whether the lock on migrations is held cannot be told: {words}"),
            "Let the account read `migrations_lock`; Ghost's own has to",
        ),
    };
    Some(hazard("migration-lock", level, reason, fix))
}

pub(super) fn collations(collations: &Collations) -> Option<Hazard> {
    let Collations::Differ {
        words,
        fix,
        everywhere,
    } = collations
    else {
        return None;
    };
    let level = if *everywhere {
        Level::Error
    } else {
        Level::Warning
    };
    Some(hazard(
        FOREIGN_KEY_COLLATION,
        level,
        words.trim_end_matches('.').to_owned(),
        fix.trim_end_matches('.'),
    ))
}

pub(super) fn first_boot(ghost: &Version) -> Hazard {
    hazard(
        "first-boot",
        Level::Notice,
        format!(
            "There is no Ghost in this database, so there is nothing to upgrade: Ghost {ghost} makes its tables and marks all its migrations as applied"
        ),
        "Nothing; where a site should be here, look at which database was asked",
    )
}

pub(super) fn foreign_tables(ghost: &Version) -> Hazard {
    hazard(
        "first-boot",
        Level::Warning,
        format!(
            "There are tables in this database, and none is Ghost's: Ghost {ghost} makes its own beside them"
        ),
        "Look at which database was asked; give Ghost one of its own",
    )
}

pub(super) fn tables_half_made(ghost: &Version) -> Hazard {
    hazard(
        "init-unfinished",
        Level::Warning,
        format!(
            "Some of Ghost's tables are here, and no row of `migrations`: a first boot was killed while it made them, and Ghost {ghost} goes on with it. If the rows were lost instead, it marks migrations as applied that never ran"
        ),
        "Where this is no site yet, make the database anew; else put the rows back from a backup",
    )
}

pub(super) fn unfinished_first_boot(row: &Row, steps: usize, ghost: &Version) -> Hazard {
    let here = format!("{}.{}", ghost.major(), ghost.minor());
    let goes_on = format!(
        "A first boot did not come to its end: {} is recorded, of {steps} steps",
        row.name
    );
    match row.by.as_deref() {
        Some(by) if by == here => hazard(
            "init-unfinished",
            Level::Notice,
            format!("{goes_on}. Ghost {ghost} goes on with it"),
            "Nothing",
        ),
        by => hazard(
            "init-unfinished",
            Level::Error,
            format!(
                "{goes_on}. Its tables are those of {}; Ghost {ghost} goes on with it, and marks all migrations since as applied without running them",
                by.map_or_else(|| "an unknown Ghost".to_owned(), |by| format!("Ghost {by}"))
            ),
            "Let the Ghost that began it boot once, or make the database anew",
        ),
    }
}

pub(super) fn init_rows_missing(ghost: &Version) -> Hazard {
    hazard(
        "init-rows-missing",
        Level::Error,
        format!(
            "A Ghost's tables are here, but not the record of its first boot: Ghost {ghost} does a first boot over the site, and marks all migrations as applied without running them"
        ),
        BACK_FROM_BACKUP,
    )
}

pub(super) fn newer(rows: &[&Row], ghost: &Version) -> Hazard {
    let (number, example) = (rows.len(), rows.first());
    hazard(
        "newer-database",
        Level::Error,
        format!(
            "The database has had a newer Ghost than {ghost}: {number} of its migrations are of later versions{}. Ghost does not notice, and meets tables that it does not know",
            example.map_or_else(String::new, |row| format!(
                ", such as {}/{}",
                row.version, row.name
            ))
        ),
        "Take the version that the database has had last, or a later one; or go back to a backup from before that upgrade",
    )
}

pub(super) fn surplus(surplus: &Surplus<'_>, ghost: &Version) -> Hazard {
    let Surplus {
        folder,
        rows,
        at_once,
    } = surplus;
    let (version, files) = (&folder.version, folder.files.len());
    let reason = if *at_once {
        format!(
            "`migrations` has {rows} rows of version {version}, and Ghost {ghost} has {files} files: it ends with `Detected more items in the migrations table than expected`, before it runs any migration"
        )
    } else {
        format!(
            "Among the {rows} rows of version {version} are some that Ghost {ghost} has no file for: once the rest has run, they are more than its {files} files, and Ghost ends with `Detected more items in the migrations table than expected`"
        )
    };
    hazard(
        "more-rows-than-files",
        Level::Error,
        reason,
        "Take the version that the database has had last, or a later one; where rows were written by hand or twice, compare them with the files",
    )
}

pub(super) fn unfinished(left: &[&Named], by: &str) -> Hazard {
    hazard(
        "upgrade-unfinished",
        Level::Warning,
        format!(
            "Ghost {by} has begun to upgrade this database and has not come to the end: {} of its migrations are not recorded. The first of them, {}, may be half done, and is run again",
            left.len(),
            left.first().map_or_else(String::new, |named| format!(
                "{}/{}",
                named.version, named.name
            ))
        ),
        "Make sure that no Ghost is at work on it now, and have a backup; Ghost's own helpers leave out what is there already, a data change may be made twice",
    )
}

pub(super) fn perhaps_unfinished(left: &[&Named], by: &str) -> Hazard {
    let names: Vec<String> = left
        .iter()
        .take(3)
        .map(|named| format!("{}/{}", named.version, named.name))
        .collect();
    hazard(
        "upgrade-unfinished",
        Level::Notice,
        format!(
            "Ghost {by} was here, and migrations up to {by} are not recorded ({}{}): a later patch version brings them, or that Ghost was stopped before them",
            names.join(", "),
            if left.len() > names.len() {
                ", …"
            } else {
                ""
            }
        ),
        "Nothing, where no upgrade was interrupted; else have a backup",
    )
}

/// What the rows do not say, and whoever reads the plan might think they do.
pub(super) fn not_known(outlook: &mut Outlook) {
    let not_known = &mut outlook.not_known;
    match (outlook.state, &outlook.migrated_by) {
        (State::NotInitialised, _) => {}
        (_, Some(by)) => not_known.push(format!(
            "Which patch version of Ghost {by} it was, and whether a later one without migrations runs now: rows name major and minor"
        )),
        (_, None) => not_known.push(
            "Which Ghost migrated the database last: no row says it".to_owned(),
        ),
    }
    if outlook.state != State::NotInitialised {
        not_known.push(
            "Whether Node, knex-migrator or the driver change: a database does not say which the Ghost of now has; `--from VERSION` compares them".to_owned(),
        );
    }
    if matches!(outlook.lock, Lock::Held { .. }) {
        not_known.push(
            "How far the Ghost that holds the lock has come, if one does: a migration is recorded once it is through".to_owned(),
        );
    }
}
