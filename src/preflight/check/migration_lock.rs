//! Whether somebody holds the lock on migrations.

use super::Check;
use crate::preflight::facts::{Fact, Facts};
use crate::preflight::finding::Finding;

pub(super) const CHECK: Check = Check {
    id: "migration-lock",
    question: "Is the lock on migrations free?",
    explanation: "\
While Ghost changes its database it holds a lock, a row in `migrations_lock`. A container that is killed meanwhile leaves it
held, and every later boot ends with

  MigrationsAreLockedError: Migration lock was never released or currently a migration is running.

A missing row counts as a held lock, and the UPDATE that Ghost's words suggest does not help there.

Fix: first make sure that no other Ghost is at work on this database. Then `ghostfix lock status` says whether it may be
released, and:
  UPDATE migrations_lock SET locked = 0, released_at = UTC_TIMESTAMP() WHERE lock_key = 'km01';
or, where the row is missing:
  INSERT INTO migrations_lock (lock_key, locked) VALUES ('km01', 0);",
    judge,
};

fn judge(facts: &Facts) -> Option<Finding> {
    facts.server.known()?.database.as_ref()?;
    match facts.has_table("migrations_lock") {
        None => {
            return match &facts.tables {
                Fact::Unknown(words) => Some(
                    Finding::unknown("Whether the lock is held cannot be told.")
                        .seen("tables", words.clone()),
                ),
                Fact::NotReached | Fact::Known(_) => None,
            };
        }
        Some(false) => {
            return Some(Finding::passed(
                "There is no lock yet; Ghost makes it when it starts.",
            ));
        }
        Some(true) => {}
    }
    Some(match &facts.lock {
        Fact::NotReached => return None,
        Fact::Unknown(words) => Finding::unknown("Whether the lock is held cannot be told.")
            .seen("SELECT … FROM migrations_lock", words.clone()),
        Fact::Known(None) => {
            Finding::error("The lock's row is missing, which Ghost takes for a held lock.")
                .seen("SELECT … FROM migrations_lock", "no row km01")
                .fix("INSERT INTO migrations_lock (lock_key, locked) VALUES ('km01', 0);")
        }
        Fact::Known(Some(lock)) if lock.locked => {
            let since = lock.acquired_at.as_deref().unwrap_or("unknown");
            Finding::error("The lock on migrations is held: another Ghost is at work on the database, or one was killed in the middle.")
                .seen("SELECT … FROM migrations_lock", format!("locked since {since} (local time of the container that took it)"))
                .fix("Is another Ghost starting on this database? Wait for it. If none is:\nUPDATE migrations_lock SET locked = 0, released_at = UTC_TIMESTAMP() WHERE lock_key = 'km01';")
        }
        Fact::Known(Some(_)) => Finding::passed("The lock on migrations is free."),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{booted, healthy};
    use super::*;
    use crate::preflight::facts::Lock;
    use crate::preflight::finding::Level;

    #[test]
    fn held_and_missing_have_different_cures() {
        let held = Fact::Known(Some(Lock {
            locked: true,
            acquired_at: Some("2026-11-21 10:25:00".to_owned()),
            released_at: None,
        }));
        let finding = judge(&Facts {
            lock: held,
            ..booted()
        })
        .unwrap();
        assert_eq!(finding.level, Level::Error);
        assert!(finding.fix.contains("UPDATE migrations_lock"));
        let finding = judge(&Facts {
            lock: Fact::Known(None),
            ..booted()
        })
        .unwrap();
        assert_eq!(finding.level, Level::Error);
        assert!(finding.fix.starts_with("INSERT INTO migrations_lock"));
    }

    #[test]
    fn free_and_not_there_yet_are_fine() {
        assert_eq!(judge(&booted()).unwrap().level, Level::Passed);
        assert_eq!(judge(&healthy()).unwrap().level, Level::Passed);
        let facts = Facts {
            lock: Fact::Unknown("x".to_owned()),
            ..booted()
        };
        assert_eq!(judge(&facts).unwrap().level, Level::Unknown);
    }
}
