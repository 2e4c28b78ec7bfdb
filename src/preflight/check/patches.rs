//! Whether the Ghost that is installed has the patches that this database needs.

use super::Check;
use crate::mysql::errno::Meaning;
use crate::preflight::facts::Facts;
use crate::preflight::finding::{Effect, Finding};

pub(super) const CHECK: Check = Check {
    id: "patches",
    question: "Has this Ghost the patches that this database needs?",
    explanation: "\
Ghost as published does not start, or does not work, on PlanetScale and other Vitess. Which of ghostfix's patches are needed
depends on the database: this check compares what the database answered with what is in place in the installation.

  CREATE DATABASE `ghost` CHARACTER SET utf8mb4; - VT06001: cannot create database 'ghost'; database exists

Fix: in the Dockerfile, behind FROM ghost:…
  COPY --from=ghcr.io/… /ghostfix /usr/local/bin/ghostfix
  RUN ghostfix patch
`ghostfix patches list` names them, `ghostfix patches show ID` explains one.",
    judge,
};

const FIX: &str = "In the Dockerfile, behind FROM ghost:…\n  RUN ghostfix patch";

fn judge(facts: &Facts) -> Option<Finding> {
    let Some(installation) = &facts.installation else {
        return Some(
            Finding::unknown("No Ghost was looked at, so it is not known which patches it has.")
                .fix("Run this beside Ghost, in its container, or name the installation with --root DIR."),
        );
    };
    if let Some(absent) = installation.absent.first() {
        return Some(Finding::error(format!("{}.", absent.problem)).fix(absent.next_step.clone()));
    }
    let mut absent: Vec<&str> = installation
        .patches
        .iter()
        .filter(|patch| !patch.state.is_satisfied())
        .map(|patch| patch.id.as_str())
        .collect();
    absent.dedup();
    if absent.is_empty() {
        return Some(Finding::passed(format!(
            "Ghost {} has every patch that it could need.",
            installation.ghost
        )));
    }
    facts.server.known()?.database.as_ref()?;
    let (mut stops, mut breaks) = (Vec::new(), Vec::new());
    for id in &absent {
        match need(facts, id) {
            Need::ToStart => stops.push(*id),
            Need::InUse => breaks.push(*id),
            Need::NotNow => {}
        }
    }
    let list = |ids: &[&str]| ids.join(", ");
    let finding = if !stops.is_empty() {
        Finding::error(format!(
            "Ghost {} lacks patches without which it does not start here: {}.",
            installation.ghost,
            list(&stops)
        ))
        .fix(FIX)
    } else if !breaks.is_empty() {
        Finding {
            effect: Some(Effect::FailsInUse),
            ..Finding::error(format!(
                "Ghost {} lacks patches without which it fails or loses data here: {}.",
                installation.ghost,
                list(&breaks)
            ))
            .fix(FIX)
        }
    } else if facts.is_vitess() {
        Finding::notice(format!(
            "Ghost {} starts here without these patches, though a later state may need them: {}.",
            installation.ghost,
            list(&absent)
        ))
        .fix(FIX)
    } else {
        Finding::notice(format!(
            "Not in place, and not needed on this server: {}.",
            list(&absent)
        ))
    };
    Some(finding.seen("installation", installation.directory.clone()))
}

enum Need {
    ToStart,
    InUse,
    NotNow,
}

fn need(facts: &Facts, id: &str) -> Need {
    let fresh = facts.is_initialised() == Some(false);
    let managed = facts
        .keyspace()
        .is_some_and(|keyspace| keyspace.foreign_keys == "managed");
    let means = |meaning: Meaning| {
        facts.drop_table.known().and_then(|reply| reply.meaning()) == Some(meaning)
    };
    let create = facts
        .create_database
        .known()
        .and_then(|reply| reply.meaning());
    let far = facts.is_vitess() && facts.rtt_us.is_some_and(|rtt| rtt >= 26_000);
    let has_key = facts.lock_has_key.known() != Some(&false);
    match id {
        "database-exists" if fresh && create == Some(Meaning::DatabaseExistsUnforgiven) => {
            Need::ToStart
        }
        "fixtures-transaction" if fresh && far => Need::ToStart,
        "comments-parent" if fresh && managed => Need::ToStart,
        "lock-primary-key"
            if !fresh
                && has_key
                && (means(Meaning::DirectDdlDisabled) || means(Meaning::NotAllowed)) =>
        {
            Need::ToStart
        }
        "schema-lag"
            if managed && facts.pending().is_some_and(|pending| !pending.is_empty()) && !fresh =>
        {
            // A race: mostly Ghost dies of it; where it does not, a change of data may be lost.
            Need::InUse
        }
        "sessions-delete" if !fresh && means(Meaning::DirectDdlDisabled) => Need::InUse,
        _ => Need::NotNow,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{
        booted, healthy, reply, vitess, without_installation, without_patch,
    };
    use super::*;
    use crate::preflight::facts::Fact;
    use crate::preflight::finding::Level;

    fn level(facts: &Facts) -> Level {
        judge(facts).unwrap().level
    }

    fn standing(mode: &str) -> Facts {
        let base = booted();
        Facts {
            tables: base.tables,
            migrations: base.migrations,
            lock_has_key: base.lock_has_key,
            ..vitess(mode)
        }
    }

    #[test]
    fn what_a_database_needs_is_what_counts() {
        for (facts, id, expected) in [
            (vitess("managed"), "database-exists", Level::Error),
            (healthy(), "database-exists", Level::Notice),
            (vitess("managed"), "comments-parent", Level::Error),
            (vitess("unmanaged"), "comments-parent", Level::Notice),
            (standing("managed"), "comments-parent", Level::Notice),
            (standing("managed"), "schema-lag", Level::Notice),
        ] {
            assert_eq!(level(&without_patch(facts, id)), expected, "{id}");
        }
    }

    #[test]
    fn safe_migrations_need_two() {
        let mut facts = standing("managed");
        facts.drop_table = reply(1105, "direct DDL is disabled");
        assert_eq!(
            level(&without_patch(facts.clone(), "lock-primary-key")),
            Level::Error
        );
        let finding = judge(&without_patch(facts, "sessions-delete")).unwrap();
        assert_eq!(
            (finding.level, finding.effect),
            (Level::Error, Some(Effect::FailsInUse))
        );
    }

    #[test]
    fn an_upgrade_with_managed_keys_needs_patience_with_the_schema() {
        let mut facts = standing("managed");
        let Fact::Known(rows) = &mut facts.migrations else {
            panic!()
        };
        rows.pop();
        assert_eq!(level(&without_patch(facts, "schema-lag")), Level::Error);
    }

    #[test]
    fn no_ghost_is_not_known() {
        assert_eq!(level(&without_installation(healthy())), Level::Unknown);
        assert_eq!(level(&healthy()), Level::Passed);
    }

    #[test]
    fn a_ghost_without_its_migration_library_has_no_patches_in_place() {
        let mut facts = healthy();
        if let Some(installation) = &mut facts.installation {
            installation.absent.push(crate::preflight::facts::Absent {
                problem: "Ghost 6.65.0 depends on knex-migrator 6.2.1, which is not installed"
                    .to_owned(),
                next_step: "install it".to_owned(),
            });
        }
        let finding = judge(&facts).expect("a finding");
        assert_eq!(finding.level, Level::Error);
        assert!(
            finding.title.contains("is not installed."),
            "{}",
            finding.title
        );
        assert_eq!(finding.fix, "install it");
    }
}
