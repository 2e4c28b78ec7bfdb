//! Whether foreign keys make a cycle that Vitess refuses to write to: in the keys that are there, and in those that this
//! Ghost would make.

use super::Check;
use crate::mysql::errno::Meaning;
use crate::preflight::facts::{Facts, ForeignKey};
use crate::preflight::finding::Finding;
use crate::report::State;

pub(super) const CHECK: Check = Check {
    id: "foreign-key-cycle",
    question: "Do the foreign keys make a cycle that Vitess refuses?",
    explanation: "\
A comment's answers are deleted with it: the key leads from `comments` to itself and cascades. Where Vitess manages foreign
keys (PlanetScale, once enrolled) such a cycle makes it refuse every write, to all tables:

  VT09019: keyspace 'ghost' has cyclic foreign keys. Cycle exists between [ghost.comments.id ghost.comments.id]   (errno 1105)

A site made before it was enrolled still boots, answers, and logs nothing, while nothing can be saved any more.

Fix: for a new site `ghostfix patch` (comments-parent). For one that is there:
  ALTER TABLE `comments` DROP FOREIGN KEY `comments_parent_id_foreign`;
Nothing else changes: the index stays, and a post's comments go with the post by the key between those two tables.",
    judge,
};

fn judge(facts: &Facts) -> Option<Finding> {
    let server = facts.server.known()?;
    server.database.as_ref()?;
    if !facts.is_vitess() {
        return Some(Finding::passed(
            "This server does not mind cycles of foreign keys.",
        ));
    }
    let keyspace = facts.keyspace();
    let comment = keyspace
        .map(|keyspace| keyspace.comment.as_str())
        .unwrap_or_default();
    let keys = facts.foreign_keys.known();
    let cyclic = keys.and_then(|keys| keys.iter().find(|key| is_cycle(key)));
    let says_cycle =
        comment.to_ascii_uppercase().contains("VT09019") || comment.contains("cyclic foreign keys");
    let refused = facts
        .add_foreign_key
        .known()
        .is_some_and(|reply| reply.meaning() == Some(Meaning::ForeignKeyCycle));
    let mode = keyspace.map(|keyspace| keyspace.foreign_keys.as_str());
    if says_cycle || refused {
        let finding = Finding::fails_in_use(
            "Nothing can be saved on this site: its foreign keys make a cycle, and Vitess refuses every write.",
        )
        .fix(replace(cyclic));
        return Some(if says_cycle {
            finding.seen("SHOW VSCHEMA KEYSPACES", comment)
        } else {
            finding
        });
    }
    if let Some(key) = cyclic {
        let seen = format!(
            "{} leads from {} to itself, ON DELETE {}",
            key.name, key.table, key.on_delete
        );
        let finding = match mode {
            Some("managed") => Finding::fails_in_use(
                "A foreign key leads from a table to itself and cascades, which Vitess refuses to write to.",
            ),
            Some(_) => Finding::notice(
                "A foreign key leads from a table to itself and cascades: replace it before Vitess is to manage foreign keys.",
            ),
            None => Finding::warning(
                "A foreign key leads from a table to itself and cascades; where Vitess manages foreign keys, every write is refused.",
            ),
        };
        return Some(finding.seen("foreign keys", seen).fix(replace(cyclic)));
    }
    if mode == Some("unmanaged") || mode == Some("disallow") {
        return Some(Finding::passed(
            "Vitess does not manage foreign keys here, so that a cycle does no harm.",
        ));
    }
    if facts.has_table("comments") == Some(true) {
        return Some(match keys {
            Some(_) => Finding::passed("No foreign key leads from a table to itself and cascades."),
            None => Finding::unknown("The foreign keys cannot be read."),
        });
    }
    Some(to_be_made(facts, mode))
}

fn to_be_made(facts: &Facts, mode: Option<&str>) -> Finding {
    let patch = "In the Dockerfile, behind FROM ghost:…\n  RUN ghostfix patch";
    match (facts.patch("comments-parent").map(State::is_satisfied), mode) {
        (Some(true), _) => Finding::passed("This Ghost is patched: its tables will make no cycle."),
        (Some(false), Some(_)) => Finding::error("Unpatched, Ghost makes tables that this Vitess refuses to write to, since comments refer to comments, and stops at its first start.").fix(patch),
        (None, Some(_)) => Finding::warning("Unpatched, Ghost makes tables that this Vitess refuses to write to, and stops at its first start. No Ghost was looked at.").fix(patch),
        (_, None) => Finding::unknown("Whether Vitess manages foreign keys here cannot be told.").fix(patch),
    }
}

/// A key from a table to itself that changes the rows it leads from, other than by making it NULL.
fn is_cycle(key: &ForeignKey) -> bool {
    key.table == key.parent && key.on_delete == "CASCADE"
}

fn replace(key: Option<&ForeignKey>) -> String {
    let (table, name) = key.map_or(("comments", "comments_parent_id_foreign"), |key| {
        (&key.table, &key.name)
    });
    // ON DELETE SET NULL in its place would be no cycle, but keeps posts with threads from being deleted wherever InnoDB
    // enforces keys itself (errno 1452).
    format!("ALTER TABLE `{table}` DROP FOREIGN KEY `{name}`;")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{booted, healthy, vitess, without_installation, without_patch};
    use super::*;
    use crate::preflight::facts::Fact;
    use crate::preflight::finding::{Effect, Level};

    fn key(on_delete: &str) -> Fact<Vec<ForeignKey>> {
        Fact::Known(vec![ForeignKey {
            name: "comments_parent_id_foreign".to_owned(),
            table: "comments".to_owned(),
            parent: "comments".to_owned(),
            on_delete: on_delete.to_owned(),
        }])
    }

    fn standing(mode: &str, on_delete: &str) -> Facts {
        Facts {
            tables: booted().tables,
            migrations: booted().migrations,
            foreign_keys: key(on_delete),
            ..vitess(mode)
        }
    }

    #[test]
    fn a_cascading_key_to_itself_stops_writes_where_vitess_manages() {
        let finding = judge(&standing("managed", "CASCADE")).unwrap();
        assert_eq!(
            (finding.level, finding.effect),
            (Level::Error, Some(Effect::FailsInUse))
        );
        assert_eq!(
            finding.fix,
            "ALTER TABLE `comments` DROP FOREIGN KEY `comments_parent_id_foreign`;"
        );
        assert_eq!(
            judge(&standing("managed", "SET NULL")).unwrap().level,
            Level::Passed
        );
        assert_eq!(
            judge(&standing("unmanaged", "CASCADE")).unwrap().level,
            Level::Notice
        );
    }

    #[test]
    fn vitess_own_words_count_most() {
        let mut facts = standing("managed", "SET NULL");
        let Fact::Known(keyspaces) = &mut facts.keyspaces else {
            panic!()
        };
        keyspaces[0].comment = "VT09019: keyspace 'ghost' has cyclic foreign keys.".to_owned();
        assert_eq!(judge(&facts).unwrap().level, Level::Error);
    }

    #[test]
    fn a_new_site_needs_the_patch_where_vitess_manages() {
        assert_eq!(judge(&vitess("managed")).unwrap().level, Level::Passed);
        assert_eq!(
            judge(&without_patch(vitess("managed"), "comments-parent"))
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
        assert_eq!(
            judge(&without_patch(vitess("unmanaged"), "comments-parent"))
                .unwrap()
                .level,
            Level::Passed
        );
        let facts = Facts {
            keyspaces: Fact::Unknown("x".to_owned()),
            ..without_patch(vitess("managed"), "comments-parent")
        };
        assert_eq!(judge(&facts).unwrap().level, Level::Unknown);
        assert_eq!(judge(&healthy()).unwrap().level, Level::Passed);
    }
}
