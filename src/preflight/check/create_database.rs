//! What Ghost's `CREATE DATABASE` on first boot is answered.

use super::Check;
use crate::mysql::errno::Meaning;
use crate::preflight::facts::{Fact, Facts, Login};
use crate::preflight::finding::Finding;
use crate::report::State;

pub(super) const CHECK: Check = Check {
    id: "create-database",
    question: "Does Ghost survive its own CREATE DATABASE?",
    explanation: "\
On first boot Ghost's migration library makes the database, though it is there, and forgives one error only: number 1007.
PlanetScale says the same with number 1105, and Ghost ends:

  CREATE DATABASE `ghost` CHARACTER SET utf8mb4; - VT06001: cannot create database 'ghost'; database exists
  code DATABASE_CREATION_FAILED

An account that may not make databases is answered with 1044, and Ghost ends there too. After the first boot the statement is
never sent again.

Fix: in the Dockerfile, behind FROM ghost:…
  RUN ghostfix patch
or, for 1044: GRANT ALL ON `ghost`.* TO 'ghost'@'%';",
    judge,
};

fn judge(facts: &Facts) -> Option<Finding> {
    if !matches!(facts.login.known()?, Login::In { .. }) {
        return None;
    }
    let initialised = facts.is_initialised();
    if initialised == Some(true) {
        return Some(Finding::passed(
            "Ghost has been here: it does not try to make the database again.",
        ));
    }
    let reply = match &facts.create_database {
        Fact::NotReached => return None,
        Fact::Unknown(words) => {
            return Some(
                Finding::unknown("What Ghost's CREATE DATABASE is answered cannot be told.")
                    .seen("CREATE DATABASE", words.clone()),
            );
        }
        Fact::Known(reply) => reply,
    };
    let patched = facts.patch("database-exists").map(State::is_satisfied);
    let finding = match (reply.meaning(), patched) {
        (Some(Meaning::DatabaseExists), _) => Finding::passed("Ghost goes on when it finds that the database is there already."),
        (Some(Meaning::DatabaseExistsUnforgiven), Some(true)) => {
            Finding::passed("CREATE DATABASE is answered with 1105, and this Ghost is patched for it.")
        }
        (Some(Meaning::DatabaseExistsUnforgiven), Some(false)) => {
            Finding::error("Unpatched, Ghost stops at its first start: it tries to make the database, which is there already, and takes this server's answer for a failure.").fix("In the Dockerfile, behind FROM ghost:…\n  RUN ghostfix patch")
        }
        (Some(Meaning::DatabaseExistsUnforgiven), None) => {
            Finding::warning("Unpatched, Ghost stops at its first start here, when it tries to make the database, which is there already. No Ghost was looked at.")
                .fix("In the Dockerfile, behind FROM ghost:…\n  RUN ghostfix patch")
        }
        (Some(Meaning::NotAllowed), _) => {
            let database = facts.server.known().and_then(|server| server.database.as_deref()).unwrap_or("ghost");
            Finding::error("The account may not make databases. At its first start Ghost tries to, though the database is there, and stops.")
                .fix(format!("GRANT ALL ON `{database}`.* TO 'ghost'@'%';"))
        }
        (Some(Meaning::ReadOnly | Meaning::TlsRequired), _) => return None,
        (Some(_) | None, _) => Finding::unknown("CREATE DATABASE is answered in a way that is not known."),
    };
    Some(finding.seen(reply.question(), reply.answered()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{
        booted, healthy, reply, vitess, without_installation, without_patch,
    };
    use super::*;
    use crate::preflight::finding::Level;

    #[test]
    fn an_unforgiven_number_needs_the_patch() {
        assert_eq!(judge(&vitess("managed")).unwrap().level, Level::Passed);
        assert_eq!(
            judge(&without_patch(vitess("managed"), "database-exists"))
                .unwrap()
                .level,
            Level::Error
        );
        assert_eq!(
            judge(&without_installation(vitess("managed")))
                .unwrap()
                .level,
            Level::Warning
        );
    }

    #[test]
    fn after_the_first_boot_nothing_of_it_matters() {
        let facts = Facts {
            create_database: reply(1044, "Access denied"),
            ..booted()
        };
        assert_eq!(judge(&facts).unwrap().level, Level::Passed);
    }

    #[test]
    fn other_answers_are_not_taken_for_it() {
        for (number, message, expected) in [
            (
                1007,
                "Can't create database 'ghost'; database exists",
                Level::Passed,
            ),
            (
                1044,
                "Access denied for user 'g'@'%' to database 'ghost'",
                Level::Error,
            ),
            (1105, "something new", Level::Unknown),
        ] {
            let facts = Facts {
                create_database: reply(number, message),
                ..healthy()
            };
            assert_eq!(judge(&facts).unwrap().level, expected, "{message}");
        }
    }
}
