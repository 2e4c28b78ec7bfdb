//! Whether the database is there.

use super::Check;
use super::privileges::{Grants, Scope};
use crate::mysql::errno::Meaning;
use crate::preflight::facts::{Fact, Facts, Login};
use crate::preflight::finding::Finding;

pub(super) const CHECK: Check = Check {
    id: "database",
    question: "Is the database there, and is it Ghost's?",
    explanation: "\
Where the database is not there, Ghost makes it on its first boot, if it may:

  Unknown database 'ghost'   (errno 1049, before it tries)
  Access denied for user 'ghost'@'%' to database 'ghost'   (errno 1044, where it may not)

At PlanetScale and on other Vitess it cannot: there a database is made in the dashboard or by the administrator.

Fix: database__connection__database=NAME as it is called there; on a server of your own
  CREATE DATABASE `ghost` CHARACTER SET utf8mb4; GRANT ALL ON `ghost`.* TO 'ghost'@'%';",
    judge,
};

/// Tables that every Ghost has had.
const OWN: [&str; 3] = ["posts", "settings", "users"];

fn judge(facts: &Facts) -> Option<Finding> {
    let target = facts.configuration.target.as_ref()?;
    let name = target.database.as_deref()?;
    match facts.login.known()? {
        Login::Refused(_) | Login::Broken { .. } => None,
        Login::WithoutDatabase { refused } => {
            let finding = if refused.meaning() != Meaning::UnknownDatabase {
                Finding::error(format!("The account may not use the database {name}, or it is not there."))
                    .fix(format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4;   -- where it is not there\nGRANT ALL ON `{name}`.* TO 'ghost'@'%';"))
            } else if facts.is_vitess() {
                Finding::error(format!("There is no database {name} here, and Ghost cannot make one on Vitess."))
                    .fix("Correct database__connection__database: it is the name that the provider's page shows for the database.")
            } else {
                will_be_made(facts, name)
            };
            Some(finding.seen("login", refused.to_string()))
        }
        Login::In { .. } => Some(match &facts.server {
            Fact::NotReached => return None,
            Fact::Unknown(words) => Finding::unknown("Which database this is cannot be told.")
                .seen("SELECT DATABASE()", words.clone()),
            Fact::Known(server) => there(facts, name, server.database.as_deref()),
        }),
    }
}

fn there(facts: &Facts, name: &str, current: Option<&str>) -> Finding {
    let Some(current) = current else {
        return Finding::unknown(format!(
            "The server does not say that it uses the database {name}."
        ))
        .seen("SELECT DATABASE()", "NULL");
    };
    let others = facts.tables.known().map(Vec::as_slice).unwrap_or_default();
    let foreign = !others.is_empty() && OWN.iter().all(|own| facts.has_table(own) == Some(false));
    let foreign = foreign
        && others
            .iter()
            .any(|table| !table.name.starts_with("migrations"));
    if foreign {
        return Finding::warning(format!(
            "The database {current} holds tables, and none of them is Ghost's."
        ))
        .seen(
            "tables",
            others
                .iter()
                .take(5)
                .map(|table| table.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        )
        .fix("Give Ghost a database of its own: database__connection__database=…");
    }
    Finding::passed(format!("The database {current} is there.")).seen("SELECT DATABASE()", current)
}

fn will_be_made(facts: &Facts, name: &str) -> Finding {
    let fix = format!(
        "CREATE DATABASE `{name}` CHARACTER SET utf8mb4;\nGRANT ALL ON `{name}`.* TO 'ghost'@'%';"
    );
    let grants = facts.grants.known().map(|lines| Grants::parse(lines));
    match grants.and_then(|grants| grants.allows("CREATE", &Scope::Database(name))) {
        Some(true) => Finding::notice(format!(
            "There is no database {name} yet. Ghost makes it when it starts."
        )),
        Some(false) => Finding::error(format!(
            "There is no database {name}, and the account may not make one."
        ))
        .fix(fix),
        None => Finding::unknown(format!(
            "There is no database {name}; whether Ghost may make it cannot be told."
        ))
        .fix(fix),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{booted, error, healthy, vitess};
    use super::*;
    use crate::preflight::facts::Table;
    use crate::preflight::finding::Level;

    fn without(facts: Facts, number: u16, grant: &str) -> Finding {
        let login = Fact::Known(Login::WithoutDatabase {
            refused: error(number, "x"),
        });
        let grants = Fact::Known(vec![grant.to_owned()]);
        judge(&Facts {
            login,
            grants,
            ..facts
        })
        .unwrap()
    }

    #[test]
    fn a_database_that_ghost_may_make_is_no_error() {
        let all = "GRANT ALL PRIVILEGES ON `ghost`.* TO `g`@`%`";
        let none = "GRANT USAGE ON *.* TO `g`@`%`";
        assert_eq!(without(healthy(), 1049, all).level, Level::Notice);
        assert_eq!(without(healthy(), 1049, none).level, Level::Error);
        assert_eq!(
            without(healthy(), 1049, "GRANT `role`@`%` TO `g`@`%`").level,
            Level::Unknown
        );
        assert_eq!(without(healthy(), 1044, all).level, Level::Error);
        assert_eq!(without(vitess("managed"), 1049, all).level, Level::Error);
    }

    #[test]
    fn another_programs_tables_are_a_warning() {
        assert_eq!(judge(&booted()).unwrap().level, Level::Passed);
        let table = Table {
            name: "wp_posts".to_owned(),
            view: false,
            collation: None,
        };
        let facts = Facts {
            tables: Fact::Known(vec![table]),
            ..healthy()
        };
        assert_eq!(judge(&facts).unwrap().level, Level::Warning);
    }
}
