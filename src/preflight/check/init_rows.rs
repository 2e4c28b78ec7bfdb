//! Whether the database remembers its first boot.

use super::{Check, migration_rows};
use crate::preflight::facts::Facts;
use crate::preflight::finding::Finding;

pub(super) const CHECK: Check = Check {
    id: "init-rows",
    question: "Does the database remember its first boot?",
    explanation: "\
Ghost tells a new database from an old one by the rows with version `init` in `migrations`, not by its tables. Where they are
missing beside tables that are full (a dump without that table, a clean-up), Ghost believes that it is new here, does a first
boot over the old site, and writes down all migrations as done **without running them**. The site starts, and later fails on
columns that are not there.

Fix: put the rows of `migrations` back from a backup of the same database. If the site ran on the very version of Ghost that
starts now:
  INSERT INTO migrations (name, version, currentVersion) VALUES ('1-create-tables.js', 'init', '6.0'), ('2-create-fixtures.js', 'init', '6.0');",
    judge,
};

const FIX: &str = "Put the rows of `migrations` back from a backup of this database before any Ghost starts on it. Only if it last ran on the very version that starts now:\nINSERT INTO migrations (name, version, currentVersion) VALUES ('1-create-tables.js', 'init', 'VERSION'), ('2-create-fixtures.js', 'init', 'VERSION');";

fn judge(facts: &Facts) -> Option<Finding> {
    let rows = match migration_rows(facts)? {
        Ok(rows) => rows,
        Err(unknown) => return Some(unknown),
    };
    let init = rows.iter().filter(|row| row.version == "init").count();
    let has = |table| facts.has_table(table) == Some(true);
    let stands = has("posts") && has("settings") && has("users");
    Some(match (init, stands) {
        (0, true) if rows.is_empty() && facts.has_table("migrations") == Some(true) && !has("comments") => killed(),
        (0, true) => Finding::fails_in_use("The tables of a Ghost are here, but not the record of its first boot: Ghost would take them for new.")
            .seen("SELECT … FROM migrations", format!("{} rows, none of them of version init", rows.len()))
            .fix(FIX),
        (0, false) => Finding::passed("The database is new: there was no first boot to remember."),
        (1, _) => killed(),
        (_, _) => Finding::passed("The database remembers its first boot."),
    })
}

fn killed() -> Finding {
    Finding::notice("A first boot was interrupted here; Ghost goes on with it.")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{booted, healthy, migration};
    use super::*;
    use crate::preflight::facts::Fact;
    use crate::preflight::finding::Level;

    fn rows(rows: &[(&str, &str)]) -> Level {
        let migrations = Fact::Known(
            rows.iter()
                .map(|(version, name)| migration(version, name))
                .collect(),
        );
        judge(&Facts {
            migrations,
            ..booted()
        })
        .unwrap()
        .level
    }

    #[test]
    fn tables_without_the_record_are_an_error() {
        assert_eq!(rows(&[]), Level::Error);
        assert_eq!(rows(&[("6.0", "a.js")]), Level::Error);
        assert_eq!(rows(&[("init", "1-create-tables.js")]), Level::Notice);
        assert_eq!(judge(&booted()).unwrap().level, Level::Passed);
        assert_eq!(judge(&healthy()).unwrap().level, Level::Passed);
    }
}
