//! What this Ghost will do to the database when it starts.

use super::{Check, migration_rows};
use crate::preflight::facts::Facts;
use crate::preflight::finding::Finding;

pub(super) const CHECK: Check = Check {
    id: "migration-state",
    question: "What will this Ghost do to the database when it starts?",
    explanation: "\
When it starts, Ghost compares the rows of `migrations` with the files it has, and runs what is missing: a first boot on a new
database, an upgrade on an older one. Both change tables, and neither can be undone by starting the old version again:

  Database state requires migration.

Fix: nothing is wrong; have a backup before an upgrade. `ghostfix migrations plan` shows what would run.",
    judge,
};

fn judge(facts: &Facts) -> Option<Finding> {
    let rows = match migration_rows(facts)? {
        Ok(rows) => rows,
        Err(unknown) => return Some(unknown),
    };
    let asked = "SELECT … FROM migrations";
    let count = format!("{} rows", rows.len());
    if facts.is_initialised() == Some(false) {
        return Some(
            Finding::passed(
                "This will be a first boot: Ghost makes its tables and their first content.",
            )
            .seen(asked, count),
        );
    }
    let Some(pending) = facts.pending() else {
        return Some(
            Finding::notice("Ghost has been here. What another version would do cannot be told: no Ghost was looked at.").seen(asked, count),
        );
    };
    if pending.is_empty() {
        return Some(
            Finding::passed("The database is up to date with this Ghost.").seen(asked, count),
        );
    }
    let names: Vec<String> = pending
        .iter()
        .take(3)
        .map(|file| format!("{}/{}", file.version, file.name))
        .collect();
    let more = if pending.len() > names.len() {
        ", …"
    } else {
        ""
    };
    Some(
        Finding::notice(format!(
            "This Ghost will run {} migrations when it starts. Have a backup.",
            pending.len()
        ))
        .seen(asked, count)
        .seen("files without a row", format!("{}{more}", names.join(", "))),
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{booted, healthy, without_installation};
    use super::*;
    use crate::preflight::facts::Fact;
    use crate::preflight::finding::Level;

    #[test]
    fn the_state_is_told_and_is_never_an_error() {
        assert_eq!(judge(&healthy()).unwrap().level, Level::Passed);
        assert_eq!(judge(&booted()).unwrap().level, Level::Passed);
        assert_eq!(
            judge(&without_installation(booted())).unwrap().level,
            Level::Notice
        );
        let mut older = booted();
        let Fact::Known(rows) = &mut older.migrations else {
            panic!()
        };
        rows.pop();
        let finding = judge(&older).unwrap();
        assert_eq!(finding.level, Level::Notice);
        assert_eq!(finding.evidence[1].answered, "6.1/b.js");
    }
}
