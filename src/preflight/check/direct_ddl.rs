//! Whether tables may be changed directly, or only by deploy requests (PlanetScale's safe migrations).

use super::Check;
use crate::mysql::errno::Meaning;
use crate::preflight::facts::{Fact, Facts};
use crate::preflight::finding::Finding;
use crate::report::State;

pub(super) const CHECK: Check = Check {
    id: "direct-ddl",
    question: "May Ghost change tables directly?",
    explanation: "\
With safe migrations on, PlanetScale refuses every statement that changes a table:

  alter table `migrations_lock` add primary key … - direct DDL is disabled   (errno 1105)

Ghost changes tables on first boot and in upgrades; and its migration library tries that very statement on every boot, so that
even a Ghost with nothing to do dies. `ghostfix patch` (lock-primary-key) cures the last; for a first boot or an upgrade safe
migrations have to be off.

Fix: PlanetScale, Branches, the branch, turn safe migrations off; start Ghost once; turn them on again. With Vitess of your own:
vttablet/vtgate --enable-direct-ddl=true for as long.",
    judge,
};

const TURN_OFF: &str = "Turn safe migrations off for this branch (PlanetScale: Branches, the branch, Safe migrations), start Ghost once, and turn them on again.";

fn judge(facts: &Facts) -> Option<Finding> {
    let reply = match &facts.drop_table {
        Fact::NotReached => return None,
        Fact::Unknown(_) if !facts.is_vitess() && facts.server.known().is_some() => {
            return Some(Finding::passed("This server knows no safe migrations."));
        }
        Fact::Unknown(words) => {
            return Some(
                Finding::unknown("Whether Ghost may change tables directly cannot be told.")
                    .seen("DROP TABLE", words.clone()),
            );
        }
        Fact::Known(reply) => reply,
    };
    let finding = match reply.meaning() {
        Some(Meaning::DirectDdlDisabled) => disabled(facts),
        Some(Meaning::Absent) => Finding::passed("Tables may be changed directly."),
        Some(Meaning::NotAllowed | Meaning::ReadOnly) => Finding::passed(
            "Nothing says that tables may not be changed directly; see privileges and read-only.",
        ),
        _ => Finding::unknown("The server's answer about changing tables is not known."),
    };
    Some(finding.seen(reply.question(), reply.answered()))
}

fn disabled(facts: &Facts) -> Finding {
    match facts.is_initialised() {
        Some(true) => {}
        Some(false) => {
            return Finding::error("Safe migrations are on, so Ghost cannot make its tables.")
                .fix(TURN_OFF);
        }
        None => {
            return Finding::warning(
                "Safe migrations are on; whether Ghost has to change tables cannot be told.",
            )
            .fix(TURN_OFF);
        }
    }
    let pending = facts.pending();
    if let Some(number) = pending.as_ref().map(Vec::len).filter(|number| *number > 0) {
        return Finding::error(format!(
            "Safe migrations are on, and this Ghost has {number} migrations to run."
        ))
        .fix(TURN_OFF);
    }
    let patched = facts.patch("lock-primary-key").map(State::is_satisfied);
    match (patched, facts.lock_has_key.known()) {
        (Some(true), Some(true)) => Finding::notice("Safe migrations are on: this Ghost starts, but turn them off for its next upgrade."),
        (Some(true), Some(false)) => {
            Finding::error("Safe migrations are on, and the lock's table has no primary key yet, which Ghost adds when it starts.").fix(TURN_OFF)
        }
        (Some(false), _) => Finding::error("Safe migrations are on, and unpatched, Ghost tries to change a table whenever it starts.")
            .fix("In the Dockerfile, behind FROM ghost:…\n  RUN ghostfix patch"),
        (Some(true), None) | (None, _) => Finding::warning(
            "Safe migrations are on, and unpatched, Ghost tries to change a table whenever it starts. Whether it will here cannot be told.",
        )
        .fix("In the Dockerfile, behind FROM ghost:…\n  RUN ghostfix patch"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{booted, reply, vitess, without_installation, without_patch};
    use super::*;
    use crate::preflight::finding::Level;

    fn disabled_on(facts: Facts) -> Level {
        let drop_table = reply(1105, "direct DDL is disabled");
        judge(&Facts {
            drop_table,
            ..facts
        })
        .unwrap()
        .level
    }

    #[test]
    fn it_matters_by_what_ghost_has_to_change() {
        assert_eq!(disabled_on(vitess("managed")), Level::Error);
        assert_eq!(disabled_on(booted()), Level::Notice);
        assert_eq!(
            disabled_on(without_patch(booted(), "lock-primary-key")),
            Level::Error
        );
        assert_eq!(disabled_on(without_installation(booted())), Level::Warning);
        let mut pending = booted();
        let Fact::Known(rows) = &mut pending.migrations else {
            panic!()
        };
        rows.pop();
        assert_eq!(disabled_on(pending), Level::Error);
        let facts = Facts {
            lock_has_key: Fact::Known(false),
            ..booted()
        };
        assert_eq!(disabled_on(facts), Level::Error);
    }

    #[test]
    fn an_answer_that_is_not_known_is_not_fine() {
        let facts = Facts {
            drop_table: reply(1105, "new"),
            ..vitess("managed")
        };
        assert_eq!(judge(&facts).unwrap().level, Level::Unknown);
        let facts = Facts {
            drop_table: Fact::Unknown("not asked".to_owned()),
            ..vitess("managed")
        };
        assert_eq!(judge(&facts).unwrap().level, Level::Unknown);
    }
}
