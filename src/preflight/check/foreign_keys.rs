//! Whether foreign keys may be made here.

use super::Check;
use crate::mysql::errno::Meaning;
use crate::preflight::facts::{Fact, Facts};
use crate::preflight::finding::Finding;
use crate::preflight::provider::Provider;

pub(super) const CHECK: Check = Check {
    id: "foreign-keys",
    question: "May Ghost make foreign keys here?",
    explanation: "\
Ghost's tables refer to each other by foreign keys. PlanetScale does not allow them until the database is enrolled:

  VT10001: foreign key constraints are not allowed   (errno 1105 at PlanetScale, 1317 on older Vitess)

and Ghost dies while it makes its tables.

Fix: PlanetScale, the database, Settings, Foreign key constraints: allow them (it takes some minutes). With Vitess of your own:
vtgate --foreign-key-mode allow, and \"foreignKeyMode\": \"managed\" in the keyspace's VSchema.",
    judge,
};

const ENROL: &str = "Allow foreign key constraints: PlanetScale, the database, Settings, Foreign key constraints. With Vitess of your own: vtgate --foreign-key-mode allow, and \"foreignKeyMode\": \"managed\" in the VSchema.";

fn judge(facts: &Facts) -> Option<Finding> {
    let server = facts.server.known()?;
    server.database.as_ref()?;
    let reply = facts.add_foreign_key.known();
    let meaning = reply.and_then(|reply| reply.meaning());
    let keyspace = facts.keyspace();
    let mode = keyspace.map(|keyspace| keyspace.foreign_keys.as_str());
    let finding = match (mode, meaning) {
        (_, Some(Meaning::ForeignKeysNotAllowed)) | (Some("disallow"), _) => not_allowed(facts),
        (Some(mode @ ("managed" | "unmanaged")), _) => Finding::passed(format!(
            "Foreign keys may be made; Vitess leaves them {mode}."
        )),
        (_, Some(Meaning::Absent)) => Finding::passed("Foreign keys may be made."),
        (_, Some(Meaning::NotAllowed | Meaning::ReadOnly)) if !facts.is_vitess() => {
            Finding::passed(
                "This server has foreign keys; whether the account may make them, see privileges.",
            )
        }
        (_, None)
            if !facts.is_vitess() && facts.provider != Provider::Tidb && facts.read_only_run =>
        {
            Finding::unknown("Whether foreign keys may be made was not asked (--read-only).")
        }
        (_, _) => Finding::unknown("Whether foreign keys may be made cannot be told here."),
    };
    let finding = match keyspace {
        Some(keyspace) => finding.seen(
            "SHOW VSCHEMA KEYSPACES",
            format!("{}: {}", keyspace.name, keyspace.foreign_keys),
        ),
        None => finding,
    };
    Some(match (&facts.add_foreign_key, reply) {
        (_, Some(reply)) => finding.seen(reply.question(), reply.answered()),
        (Fact::Unknown(words), None) => {
            finding.seen("ALTER TABLE … ADD FOREIGN KEY", words.clone())
        }
        (_, None) => finding,
    })
}

fn not_allowed(facts: &Facts) -> Finding {
    let pending = facts.pending().map(|pending| pending.len());
    if facts.is_initialised() == Some(true) && pending == Some(0) {
        return Finding::warning("Foreign keys are not allowed here; this Ghost starts, but an upgrade that makes one will fail.").fix(ENROL);
    }
    Finding::error("Foreign keys are not allowed here, and Ghost's tables need them.").fix(ENROL)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{booted, healthy, reply, vitess};
    use super::*;
    use crate::preflight::finding::Level;

    #[test]
    fn vitess_says_its_mode_and_the_probe_confirms() {
        for (mode, expected) in [
            ("managed", Level::Passed),
            ("unmanaged", Level::Passed),
            ("disallow", Level::Error),
        ] {
            assert_eq!(judge(&vitess(mode)).unwrap().level, expected, "{mode}");
        }
        let facts = Facts {
            keyspaces: Fact::Unknown("refused".to_owned()),
            add_foreign_key: reply(1105, "VT10001: foreign key constraints are not allowed"),
            ..vitess("managed")
        };
        assert_eq!(judge(&facts).unwrap().level, Level::Error);
    }

    #[test]
    fn behind_safe_migrations_only_the_mode_tells() {
        let add_foreign_key = reply(1105, "direct DDL is disabled");
        let facts = Facts {
            add_foreign_key: add_foreign_key.clone(),
            ..vitess("managed")
        };
        assert_eq!(judge(&facts).unwrap().level, Level::Passed);
        let keyspaces = Fact::Unknown("refused".to_owned());
        let facts = Facts {
            add_foreign_key,
            keyspaces,
            ..vitess("managed")
        };
        assert_eq!(judge(&facts).unwrap().level, Level::Unknown);
    }

    #[test]
    fn a_site_that_stands_without_them_starts() {
        let facts = Facts {
            provider: Provider::Vitess,
            add_foreign_key: reply(1105, "VT10001: foreign key constraints are not allowed"),
            ..booted()
        };
        assert_eq!(judge(&facts).unwrap().level, Level::Warning);
        assert_eq!(judge(&healthy()).unwrap().level, Level::Passed);
    }
}
