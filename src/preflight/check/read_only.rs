//! Whether the server takes writes.

use super::Check;
use crate::mysql::errno::Meaning;
use crate::mysql::session::Break;
use crate::preflight::facts::Facts;
use crate::preflight::finding::{Effect, Finding};
use crate::report::State;

pub(super) const CHECK: Check = Check {
    id: "read-only",
    question: "Does the server take writes?",
    explanation: "\
Ghost writes from its first second on. On a replica, a reader's endpoint or a server that has been set read-only it ends with

  The MySQL server is running with the --read-only option so it cannot execute this statement   (errno 1290)

Where somebody locks the database for a while (a backup: FLUSH TABLES WITH READ LOCK), the server does not refuse, it lets
Ghost wait.

At PlanetScale a password is for the primary or for replicas, and has a role: Ghost needs one for the primary that may change
tables (admin).

Fix: the host of the primary; a password of the right kind; or, on a server of your own, SET GLOBAL read_only = OFF;",
    judge,
};

fn judge(facts: &Facts) -> Option<Finding> {
    let server = facts.server.known()?;
    for (asked, fact) in [
        ("CREATE DATABASE", &facts.create_database),
        ("DROP TABLE", &facts.drop_table),
        ("ALTER TABLE", &facts.add_foreign_key),
    ] {
        if let Some(reply) = fact
            .known()
            .filter(|reply| reply.meaning() == Some(Meaning::ReadOnly))
        {
            return Some(refused(facts).seen(asked, reply.answered()));
        }
    }
    if let Some(broke) = facts.broke.as_ref().filter(|broke| waits(broke)) {
        return Some(
            Finding::error("The server lets wait what would change anything: somebody holds a lock on it, perhaps a backup.")
                .seen(broke.asked.clone(), broke.words.clone())
                .fix("Wait for the backup's end, and run this again. SHOW PROCESSLIST, as administrator, names who holds the lock: the session that does nothing (Sleep) while others wait for a `lock`."),
        );
    }
    if server
        .database
        .as_ref()
        .is_some_and(|name| name.ends_with("@replica") || name.ends_with("@rdonly"))
    {
        return Some(refused(facts).seen(
            "SELECT DATABASE()",
            server.database.clone().unwrap_or_default(),
        ));
    }
    if facts.is_vitess() {
        return Some(Finding::passed(
            "Nothing says that the server takes no writes.",
        ));
    }
    for name in [
        "super_read_only",
        "innodb_read_only",
        "transaction_read_only",
        "tx_read_only",
    ] {
        if is_on(facts, name) {
            return Some(refused(facts).seen(name, "ON"));
        }
    }
    if is_on(facts, "read_only") {
        let may = facts.grants.known().is_some_and(|lines| {
            lines.iter().any(|line| {
                line.contains(" ON *.*")
                    && [
                        "ALL PRIVILEGES",
                        "SUPER",
                        "CONNECTION_ADMIN",
                        "READ_ONLY ADMIN",
                    ]
                    .iter()
                    .any(|right| line.contains(right))
            })
        });
        if !may {
            return Some(refused(facts).seen("read_only", "ON"));
        }
        return Some(
            Finding::warning("The server is set read-only; this account may write all the same.")
                .seen("read_only", "ON")
                .fix("Is this the primary? A replica that is written to goes its own way."),
        );
    }
    if server.variables.is_empty() {
        return Some(Finding::unknown(
            "Whether the server takes writes cannot be told: it does not show its settings.",
        ));
    }
    Some(Finding::passed("The server takes writes."))
}

/// Statements that cannot succeed are refused at once, where nobody stops them.
fn waits(broke: &Break) -> bool {
    let changing = ["CREATE DATABASE", "DROP TABLE", "ALTER TABLE"];
    broke.timed_out && changing.iter().any(|words| broke.asked.starts_with(words))
}

fn refused(facts: &Facts) -> Finding {
    let finding = Finding::error("The server takes no writes: it is a replica, or set read-only.").fix(
        "Connect to the primary (at PlanetScale: with a password for the primary, role admin). On a server of your own: SET GLOBAL read_only = OFF;",
    );
    // A Ghost that finds nothing to do starts, if it does not try to change the lock's table either.
    let nothing_to_do = facts.is_initialised() == Some(true)
        && facts.pending().is_some_and(|pending| pending.is_empty())
        && facts
            .patch("lock-primary-key")
            .is_some_and(State::is_satisfied);
    if nothing_to_do {
        return Finding {
            effect: Some(Effect::FailsInUse),
            ..finding
        };
    }
    finding
}

fn is_on(facts: &Facts, name: &str) -> bool {
    facts
        .variable(name)
        .is_some_and(|value| ["ON", "1"].contains(&value))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{booted, reply, vitess, without_patch};
    use super::*;
    use crate::preflight::facts::Fact;
    use crate::preflight::finding::Level;

    fn with(name: &str, grant: &str) -> Level {
        let mut facts = booted();
        facts.grants = Fact::Known(vec![grant.to_owned()]);
        let Fact::Known(server) = &mut facts.server else {
            panic!()
        };
        server.variables.insert(name.to_owned(), "ON".to_owned());
        judge(&facts).unwrap().level
    }

    #[test]
    fn a_change_that_has_to_wait_is_an_error_and_a_question_is_not() {
        for (asked, timed_out, expected) in [
            ("CREATE DATABASE `ghost`", true, Level::Error),
            ("DROP TABLE x", true, Level::Error),
            ("DROP TABLE x", false, Level::Passed),
            ("SHOW VSCHEMA KEYSPACES", true, Level::Passed),
        ] {
            let broke = Some(Break {
                asked: asked.to_owned(),
                words: "no answer within 10 s".to_owned(),
                timed_out,
            });
            let facts = Facts { broke, ..booted() };
            assert_eq!(judge(&facts).unwrap().level, expected, "{asked}");
        }
    }

    #[test]
    fn a_ghost_with_nothing_to_do_starts_all_the_same() {
        let refusal = || {
            reply(
                1290,
                "The MySQL server is running with the --read-only option",
            )
        };
        let effect = |facts: Facts| {
            let drop_table = refusal();
            judge(&Facts {
                drop_table,
                ..facts
            })
            .unwrap()
            .effect
        };
        assert_eq!(effect(booted()), Some(Effect::FailsInUse));
        let published = without_patch(booted(), "lock-primary-key");
        assert_eq!(effect(published), Some(Effect::DoesNotStart));
        assert_eq!(effect(vitess("managed")), Some(Effect::DoesNotStart));
    }

    #[test]
    fn settings_and_answers_tell() {
        let plain = "GRANT ALL PRIVILEGES ON `ghost`.* TO `g`@`%`";
        assert_eq!(judge(&booted()).unwrap().level, Level::Passed);
        assert_eq!(with("read_only", plain), Level::Error);
        assert_eq!(with("innodb_read_only", plain), Level::Error);
        assert_eq!(
            with("read_only", "GRANT ALL PRIVILEGES ON *.* TO `g`@`%`"),
            Level::Warning
        );
        let facts = Facts {
            drop_table: reply(
                1290,
                "The MySQL server is running with the --read-only option",
            ),
            ..vitess("managed")
        };
        assert_eq!(judge(&facts).unwrap().level, Level::Error);
    }
}
