//! Whether the server has views, which newer Ghosts make.

use super::Check;
use crate::mysql::errno::Meaning;
use crate::preflight::facts::{Fact, Facts};
use crate::preflight::finding::Finding;

pub(super) const CHECK: Check = Check {
    id: "views",
    question: "Can Ghost make its views?",
    explanation: "\
From 6.45 on Ghost makes a view on its first boot and in an upgrade (members_resolved_subscription). It needs a server that has
views, and an account with the right CREATE VIEW:

  CREATE VIEW command denied to user 'ghost'@'%' for table 'members_resolved_subscription'   (errno 1142)

Fix: GRANT ALL ON `ghost`.* TO 'ghost'@'%';   on Vitess: version 18 or later.",
    judge,
};

fn judge(facts: &Facts) -> Option<Finding> {
    facts.server.known()?.database.as_ref()?;
    let reply = match &facts.alter_view {
        Fact::NotReached => return None,
        Fact::Unknown(words) => {
            return Some(
                Finding::unknown("Whether the server has views cannot be told.")
                    .seen("ALTER VIEW", words.clone()),
            );
        }
        Fact::Known(reply) => reply,
    };
    let makes = facts
        .installation
        .as_ref()
        .map(|installation| installation.makes_views);
    let finding = match reply.meaning() {
        Some(Meaning::Absent) => Finding::passed("The server has views."),
        Some(Meaning::NotAllowed | Meaning::DirectDdlDisabled | Meaning::ReadOnly) => {
            Finding::passed(
                "Nothing says that the server has no views; see privileges and direct-ddl.",
            )
        }
        Some(Meaning::Syntax) if makes == Some(false) => {
            Finding::passed("The server has no views, and this Ghost makes none.")
        }
        Some(Meaning::Syntax) if makes == Some(true) && facts.is_initialised() != Some(true) => {
            Finding::error("The server has no views, and this Ghost makes one.")
                .fix("Use a server that has views (MySQL 8, Vitess 18 or later).")
        }
        Some(Meaning::Syntax) => {
            Finding::warning("The server has no views; Ghost makes one from 6.45 on.")
                .fix("Use a server that has views (MySQL 8, Vitess 18 or later).")
        }
        _ => Finding::unknown("The server's answer about views is not known."),
    };
    Some(finding.seen(reply.question(), reply.answered()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{healthy, reply, without_installation};
    use super::*;
    use crate::preflight::finding::Level;

    #[test]
    fn a_server_without_views_matters_to_a_ghost_that_makes_them() {
        let facts = |facts: Facts| Facts {
            alter_view: reply(1064, "syntax error"),
            ..facts
        };
        assert_eq!(judge(&healthy()).unwrap().level, Level::Passed);
        assert_eq!(judge(&facts(healthy())).unwrap().level, Level::Error);
        assert_eq!(
            judge(&facts(without_installation(healthy())))
                .unwrap()
                .level,
            Level::Warning
        );
        let mut older = facts(healthy());
        older.installation.as_mut().unwrap().makes_views = false;
        assert_eq!(judge(&older).unwrap().level, Level::Passed);
        let odd = Facts {
            alter_view: reply(1105, "?"),
            ..healthy()
        };
        assert_eq!(judge(&odd).unwrap().level, Level::Unknown);
    }
}
