//! Whether the account has the rights that Ghost's statements need.

use super::Check;
use crate::mysql::errno::Meaning;
use crate::preflight::facts::{Fact, Facts};
use crate::preflight::finding::{Effect, Finding};
use crate::preflight::provider::Provider;

pub(super) const CHECK: Check = Check {
    id: "privileges",
    question: "Has the account the rights that Ghost needs?",
    explanation: "\
Reading and writing rows is not enough: on its first boot and in every upgrade Ghost makes and changes tables, and its
migration library sends ``alter table `migrations_lock` add primary key`` on every boot, however little there is to do:

  ALTER command denied to user 'ghost'@'10.0.0.5' for table 'migrations_lock'   (errno 1142)

Fix: GRANT ALL ON `ghost`.* TO 'ghost'@'%';   At PlanetScale: a password with the role admin.
To run Ghost with an account that may not change tables, `ghostfix patch` with lock-primary-key, and give the right back for
each upgrade.",
    judge,
};

const ROWS: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];
const TABLES: [&str; 5] = ["CREATE", "ALTER", "DROP", "INDEX", "REFERENCES"];

/// Where a right is wanted.
pub(super) enum Scope<'a> {
    /// On all tables of this database.
    Database(&'a str),
}

/// The lines of `SHOW GRANTS`, understood as far as they can be.
pub(super) struct Grants {
    /// Rights (upper case) and the pattern of databases that they are for; `*` for all.
    rights: Vec<(Vec<String>, String)>,
    /// There are roles, or rights on single tables or columns: what is not found may be there all the same.
    incomplete: bool,
    /// Part of what was given is taken back: what is found may not be there.
    revoked: bool,
}

impl Grants {
    pub(super) fn parse(lines: &[String]) -> Self {
        let mut grants = Self {
            rights: Vec::new(),
            incomplete: false,
            revoked: false,
        };
        for line in lines {
            let Some(rest) = line.strip_prefix("GRANT ") else {
                grants.revoked = true;
                continue;
            };
            let Some((rights, on)) = rest.split_once(" ON ") else {
                grants.incomplete = true;
                continue;
            };
            let place = on.split(" TO ").next().unwrap_or_default();
            let Some(database) = place.strip_suffix(".*") else {
                grants.incomplete = true;
                continue;
            };
            let database = unquoted(database);
            let rights = rights
                .split(',')
                .map(|right| right.trim().to_ascii_uppercase())
                .collect();
            grants.rights.push((rights, database));
        }
        grants
    }

    /// Whether a right is there; nothing where it cannot be told.
    pub(super) fn allows(&self, right: &str, scope: &Scope<'_>) -> Option<bool> {
        let Scope::Database(name) = scope;
        let found = self.rights.iter().any(|(rights, pattern)| {
            covers(pattern, name)
                && rights
                    .iter()
                    .any(|known| known == right || known == "ALL PRIVILEGES" || known == "ALL")
        });
        match (found, self.revoked, self.incomplete) {
            (true, false, _) => Some(true),
            (false, _, false) => Some(false),
            (true, true, _) | (false, _, true) => None,
        }
    }
}

/// A name without its quotes: with ANSI_QUOTES in the server's sql_mode they are double ones.
fn unquoted(name: &str) -> String {
    for quote in ['`', '"'] {
        let inside = name
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        if let Some(inside) = inside {
            return inside.replace(&format!("{quote}{quote}"), &quote.to_string());
        }
    }
    name.to_owned()
}

/// Whether a pattern of databases covers a name: `%` and `_` are wild unless a backslash stands before them.
fn covers(pattern: &str, name: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    like(&pattern, &name)
}

fn like(pattern: &[char], name: &[char]) -> bool {
    match pattern {
        [] => name.is_empty(),
        ['%', rest @ ..] => (0..=name.len()).any(|from| like(rest, &name[from..])),
        ['\\', literal, rest @ ..] => name.first() == Some(literal) && like(rest, &name[1..]),
        ['_', rest @ ..] => !name.is_empty() && like(rest, &name[1..]),
        [literal, rest @ ..] => name.first() == Some(literal) && like(rest, &name[1..]),
    }
}

fn judge(facts: &Facts) -> Option<Finding> {
    let server = facts.server.known()?;
    let database = server.database.as_deref()?;
    if let Some(finding) = refused(facts) {
        return Some(finding);
    }
    if facts.is_vitess() {
        // What SHOW GRANTS says there is not what counts; the probes above were let through.
        return Some(
            match facts.drop_table.known().and_then(|reply| reply.meaning()) {
                Some(Meaning::Absent) => Finding::passed("The account may change tables."),
                Some(Meaning::DirectDdlDisabled) => {
                    Finding::passed("Nothing says that the account lacks a right; see direct-ddl.")
                }
                Some(Meaning::ReadOnly) => {
                    Finding::passed("Nothing says that the account lacks a right; see read-only.")
                }
                _ => Finding::unknown("Whether the account may change tables cannot be told here."),
            },
        );
    }
    let lines = match &facts.grants {
        Fact::Known(lines) => lines,
        Fact::Unknown(words) => {
            return Some(
                Finding::unknown("The account's rights cannot be read.")
                    .seen("SHOW GRANTS", words.clone()),
            );
        }
        Fact::NotReached => return None,
    };
    let grants = Grants::parse(lines);
    let scope = Scope::Database(database);
    let (mut missing, mut unclear) = (Vec::new(), Vec::new());
    for right in needed(facts) {
        match grants.allows(right, &scope) {
            Some(true) => {}
            Some(false) => missing.push(right),
            None => unclear.push(right),
        }
    }
    let finding = if !missing.is_empty() {
        lacks(facts, &missing, database)
    } else if !unclear.is_empty() && !probes_passed(facts) {
        Finding::unknown(
            "Some rights come by roles or on single tables, and cannot be told from here.",
        )
    } else {
        Finding::passed("The account has the rights that Ghost needs.")
    };
    Some(finding.seen("SHOW GRANTS", lines.join("; ")))
}

/// DDL that was answered "not there" was let through by the rights.
fn probes_passed(facts: &Facts) -> bool {
    [&facts.drop_table, &facts.add_foreign_key]
        .iter()
        .all(|fact| fact.known().and_then(|reply| reply.meaning()) == Some(Meaning::Absent))
}

fn needed(facts: &Facts) -> Vec<&'static str> {
    let mut needed = ROWS.to_vec();
    needed.extend(TABLES.iter().filter(|right| {
        // MariaDB asks nobody for REFERENCES.
        facts.provider != Provider::Mariadb || **right != "REFERENCES"
    }));
    if facts
        .installation
        .as_ref()
        .is_some_and(|installation| installation.makes_views)
    {
        needed.push("CREATE VIEW");
    }
    needed
}

/// A statement that the server did not let through.
fn refused(facts: &Facts) -> Option<Finding> {
    let database = facts.server.known()?.database.as_deref()?;
    let reply = [&facts.drop_table, &facts.add_foreign_key]
        .into_iter()
        .filter_map(Fact::known)
        .find(|reply| reply.meaning() == Some(Meaning::NotAllowed))?;
    Some(lacks(facts, &["ALTER", "DROP"], database).seen(reply.question(), reply.answered()))
}

fn lacks(facts: &Facts, missing: &[&str], database: &str) -> Finding {
    let list = missing.join(", ");
    let fix = if facts.is_vitess() {
        "Use an account that may change tables (at PlanetScale: a password with the role admin)."
            .to_owned()
    } else {
        format!("GRANT ALL ON `{database}`.* TO 'ghost'@'%';")
    };
    let rows = missing.iter().any(|right| ROWS.contains(right));
    let nothing_to_do = facts.is_initialised() == Some(true)
        && facts.pending().is_some_and(|pending| pending.is_empty());
    let patched = facts
        .patch("lock-primary-key")
        .is_some_and(crate::report::State::is_satisfied);
    let alters = missing.contains(&"ALTER");
    if !rows && nothing_to_do && (!alters || (patched && facts.lock_has_key.known() == Some(&true)))
    {
        return Finding::warning(format!(
            "The account lacks {list}: Ghost runs, but its next upgrade will fail."
        ))
        .fix(fix);
    }
    let finding = Finding::error(format!(
        "The account lacks rights that Ghost needs: {list}."
    ))
    .fix(fix);
    if rows && nothing_to_do && !alters {
        return Finding {
            effect: Some(Effect::FailsInUse),
            ..finding
        };
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::super::tests::{booted, healthy, reply, vitess, without_patch};
    use super::*;
    use crate::preflight::finding::Level;

    fn granted(facts: Facts, lines: &[&str]) -> Level {
        let grants = Fact::Known(lines.iter().map(|line| (*line).to_owned()).collect());
        judge(&Facts { grants, ..facts }).unwrap().level
    }

    const ROWS_ONLY: &str = "GRANT SELECT, INSERT, UPDATE, DELETE ON `ghost`.* TO `g`@`%`";

    #[test]
    fn grants_are_understood_with_their_patterns() {
        for (line, expected) in [
            ("GRANT ALL PRIVILEGES ON `ghost`.* TO `g`@`%`", Some(true)),
            (
                "GRANT ALL PRIVILEGES ON *.* TO `g`@`%` WITH GRANT OPTION",
                Some(true),
            ),
            (
                "GRANT ALL PRIVILEGES ON `gh\\_st`.* TO `g`@`%`",
                Some(false),
            ),
            ("GRANT ALL PRIVILEGES ON `gh_st`.* TO `g`@`%`", Some(true)),
            ("GRANT ALL PRIVILEGES ON `gho%`.* TO `g`@`%`", Some(true)),
            ("GRANT ALL PRIVILEGES ON `other`.* TO `g`@`%`", Some(false)),
            (
                r#"GRANT ALL PRIVILEGES ON "ghost".* TO "g"@"%""#,
                Some(true),
            ),
            (
                r#"GRANT ALL PRIVILEGES ON "other".* TO "g"@"%""#,
                Some(false),
            ),
            ("GRANT SELECT ON `ghost`.* TO `g`@`%`", Some(false)),
            ("GRANT SELECT ON `ghost`.`posts` TO `g`@`%`", None),
            ("GRANT `app`@`%` TO `g`@`%`", None),
        ] {
            let grants = Grants::parse(&[line.to_owned()]);
            assert_eq!(
                grants.allows("ALTER", &Scope::Database("ghost")),
                expected,
                "{line}"
            );
        }
    }

    #[test]
    fn an_account_for_rows_starts_no_ghost_that_is_as_published() {
        assert_eq!(granted(healthy(), &[ROWS_ONLY]), Level::Error);
        assert_eq!(
            granted(without_patch(booted(), "lock-primary-key"), &[ROWS_ONLY]),
            Level::Error
        );
        assert_eq!(granted(booted(), &[ROWS_ONLY]), Level::Warning);
        assert_eq!(
            granted(booted(), &["GRANT SELECT ON `ghost`.* TO `g`@`%`"]),
            Level::Error
        );
    }

    #[test]
    fn what_comes_by_a_role_is_told_by_what_was_let_through() {
        let role = "GRANT `app`@`%` TO `g`@`%`";
        assert_eq!(granted(booted(), &[role]), Level::Passed);
        let unknown = Fact::Unknown("x".to_owned());
        let facts = Facts {
            drop_table: unknown,
            ..booted()
        };
        assert_eq!(granted(facts, &[role]), Level::Unknown);
    }

    #[test]
    fn what_is_refused_to_everybody_says_nothing_of_the_account() {
        for (number, message) in [
            (
                1290,
                "The MySQL server is running with the --super-read-only option so it cannot execute this statement",
            ),
            (1105, "direct DDL is disabled"),
        ] {
            let facts = Facts {
                drop_table: reply(number, message),
                ..vitess("managed")
            };
            assert_eq!(judge(&facts).unwrap().level, Level::Passed, "{message}");
        }
    }

    #[test]
    fn a_refused_statement_counts_more_than_words() {
        let facts = Facts {
            drop_table: reply(1142, "DROP command denied to user 'g'@'x' for table 'y'"),
            ..vitess("managed")
        };
        assert_eq!(judge(&facts).unwrap().level, Level::Error);
        assert_eq!(judge(&vitess("managed")).unwrap().level, Level::Passed);
    }
}
