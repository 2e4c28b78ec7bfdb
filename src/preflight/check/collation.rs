//! Whether tables that Ghost makes from now on fit the ones that are there.

use super::Check;
use crate::preflight::facts::{Fact, Facts};
use crate::preflight::finding::Finding;
use crate::preflight::provider::Provider;

pub(super) const CHECK: Check = Check {
    id: "collation",
    question: "Will new tables fit the ones that are there?",
    explanation: "\
Ghost makes tables with `default character set utf8mb4` and says no collation, so the server's default for utf8mb4 counts, not
the database's. A new table whose foreign key leads to an older one with another collation is the most frequent way for an
upgrade to fail, on any MySQL:

  Referencing column 'post_id' and referenced column 'id' in foreign key constraint '…' are incompatible.   (errno 3780)

It happens where a site was moved from MariaDB or an older MySQL.

Fix: tell Ghost which collation to use: database__connection__collate=utf8mb4_general_ci (the one of your tables), or set the
server's: SET PERSIST default_collation_for_utf8mb4 = 'utf8mb4_general_ci';",
    judge,
};

fn judge(facts: &Facts) -> Option<Finding> {
    facts.server.known()?.database.as_ref()?;
    let collations = match &facts.id_collations {
        Fact::NotReached => return None,
        Fact::Unknown(words) => {
            return Some(
                Finding::unknown("The collations of the tables cannot be read.")
                    .seen("information_schema.columns", words.clone()),
            );
        }
        Fact::Known(collations) => collations,
    };
    let list: Vec<String> = collations
        .iter()
        .map(|(name, number)| format!("{name} ({number} tables)"))
        .collect();
    let list = list.join(", ");
    if collations.is_empty() {
        return Some(Finding::passed(
            "There are no tables yet that new ones would have to fit.",
        ));
    }
    let finding = match (new_tables(facts), collations.len()) {
        (None, _) => Finding::unknown("Which collation new tables get here cannot be told."),
        (Some(new), _) if !collations.contains_key(&new) => {
            let fix = mend(collations.keys().next().map_or("utf8mb4_general_ci", String::as_str));
            let pending = pending_references(facts);
            match pending {
                Some(number) if number > 0 && collations.len() == 1 => Finding::error(format!(
                    "The upgrade that this Ghost begins with will fail: its new tables would be {new}, the old ones are not."
                ))
                .fix(fix),
                _ => Finding::warning(format!("New tables would be {new}, and the ones that are there are not: an upgrade that links both will fail.")).fix(fix),
            }
        }
        (Some(new), 1) => Finding::passed(format!("New tables fit the ones that are there: {new}.")),
        (Some(new), _) => Finding::warning(format!(
            "The tables differ in their collation; new ones would be {new}, and those that link to the others will fail."
        ))
        .fix("Bring all tables to one collation while Ghost is stopped, after a backup: ALTER TABLE … CONVERT TO CHARACTER SET utf8mb4 COLLATE …;"),
    };
    Some(finding.seen("collation of the keys", list))
}

/// The collation that a table made with `character set utf8mb4` gets.
fn new_tables(facts: &Facts) -> Option<String> {
    let target = facts.configuration.target.as_ref()?;
    if let Some(collation) = &target.collation {
        return Some(collation.to_ascii_lowercase());
    }
    if let Some(default) = facts.variable("default_collation_for_utf8mb4") {
        return Some(default.to_owned());
    }
    if let Some(pairs) = facts
        .variable("character_set_collations")
        .filter(|pairs| !pairs.is_empty())
    {
        let own = pairs
            .split(',')
            .find_map(|pair| pair.trim().strip_prefix("utf8mb4="));
        return own.map(str::to_owned);
    }
    match facts.provider {
        Provider::Mariadb => Some("utf8mb4_general_ci".to_owned()),
        Provider::Mysql
        | Provider::Amazon
        | Provider::Azure
        | Provider::Digitalocean
        | Provider::Aiven => {
            let version = &facts.server.known()?.version;
            (version.starts_with("5.7") || version.contains("MariaDB"))
                .then(|| "utf8mb4_general_ci".to_owned())
        }
        Provider::Planetscale | Provider::Vitess | Provider::Tidb | Provider::Unknown => None,
    }
}

fn pending_references(facts: &Facts) -> Option<usize> {
    let pending = facts.pending()?;
    let referencing = &facts.installation.as_ref()?.referencing;
    Some(
        pending
            .into_iter()
            .filter(|file| referencing.contains(file))
            .count(),
    )
}

fn mend(collation: &str) -> String {
    format!(
        "database__connection__collate={collation}\nor, at the server: SET PERSIST default_collation_for_utf8mb4 = '{collation}';   (MySQL 8)"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::tests::{booted, migration};
    use super::*;
    use crate::preflight::finding::Level;

    fn of(names: &[&str]) -> Facts {
        let collations: BTreeMap<String, u64> =
            names.iter().map(|name| ((*name).to_owned(), 40)).collect();
        Facts {
            id_collations: Fact::Known(collations),
            ..booted()
        }
    }

    #[test]
    fn new_tables_have_to_fit_the_old_ones() {
        for (names, expected) in [
            (&["utf8mb4_0900_ai_ci"][..], Level::Passed),
            (&["utf8mb4_general_ci"], Level::Warning),
            (
                &["utf8mb4_general_ci", "utf8mb4_0900_ai_ci"],
                Level::Warning,
            ),
            (&[], Level::Passed),
        ] {
            assert_eq!(judge(&of(names)).unwrap().level, expected, "{names:?}");
        }
    }

    #[test]
    fn a_pending_table_with_a_reference_makes_it_certain() {
        let mut facts = of(&["utf8mb4_general_ci"]);
        let Fact::Known(rows) = &mut facts.migrations else {
            panic!()
        };
        rows.pop();
        let installation = facts.installation.as_mut().unwrap();
        installation.referencing = vec![migration("6.1", "b.js")];
        let finding = judge(&facts).unwrap();
        assert_eq!(finding.level, Level::Error);
        assert!(
            finding
                .fix
                .starts_with("database__connection__collate=utf8mb4_general_ci")
        );
        let target = facts.configuration.target.as_mut().unwrap();
        target.collation = Some("utf8mb4_general_ci".to_owned());
        assert_eq!(judge(&facts).unwrap().level, Level::Passed);
    }

    #[test]
    fn where_the_default_is_not_known_nothing_is_claimed() {
        let mut facts = of(&["utf8mb4_general_ci"]);
        let Fact::Known(server) = &mut facts.server else {
            panic!()
        };
        server.variables.remove("default_collation_for_utf8mb4");
        assert_eq!(judge(&facts).unwrap().level, Level::Unknown);
        facts.provider = Provider::Mariadb;
        assert_eq!(judge(&facts).unwrap().level, Level::Passed);
    }
}
