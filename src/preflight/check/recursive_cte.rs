//! Whether the server takes recursive queries.

use super::Check;
use crate::mysql::errno::Meaning;
use crate::preflight::facts::{Fact, Facts};
use crate::preflight::finding::Finding;

pub(super) const CHECK: Check = Check {
    id: "recursive-cte",
    question: "Does the server take recursive queries?",
    explanation: "\
Ghost's comments follow a thread with WITH RECURSIVE. MySQL has it from 8.0 on, MariaDB from 10.2, Vitess from 21. Where it is
missing Ghost starts, and its comments fail:

  You have an error in your SQL syntax … near 'RECURSIVE'   (errno 1064)

Fix: upgrade the server.",
    judge,
};

fn judge(facts: &Facts) -> Option<Finding> {
    let reply = match &facts.recursive {
        Fact::NotReached => return None,
        Fact::Unknown(words) => {
            return Some(
                Finding::unknown("Whether the server takes recursive queries cannot be told.")
                    .seen("WITH RECURSIVE", words.clone()),
            );
        }
        Fact::Known(reply) => reply,
    };
    let unsupported = reply.error.as_ref().is_some_and(|error| {
        error.meaning() == Meaning::Syntax
            || error.message.contains("VT12001")
            || error.message.contains("unsupported")
    });
    let finding = match &reply.error {
        None => Finding::passed("The server takes recursive queries."),
        Some(_) if unsupported => Finding::fails_in_use(
            "The server takes no recursive queries, so Ghost's comments will fail.",
        )
        .fix("Upgrade the server: MySQL 8.0, MariaDB 10.2, Vitess 21 or later."),
        Some(_) => Finding::unknown("The server's answer to a recursive query is not known."),
    };
    Some(finding.seen("WITH RECURSIVE …", reply.answered()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{healthy, reply};
    use super::*;
    use crate::preflight::finding::Level;

    #[test]
    fn its_answer_tells() {
        assert_eq!(judge(&healthy()).unwrap().level, Level::Passed);
        for (number, message, expected) in [
            (1064, "You have an error in your SQL syntax", Level::Error),
            (
                1105,
                "VT12001: unsupported: recursive common table expression",
                Level::Error,
            ),
            (2013, "lost", Level::Unknown),
        ] {
            let facts = Facts {
                recursive: reply(number, message),
                ..healthy()
            };
            assert_eq!(judge(&facts).unwrap().level, expected, "{message}");
        }
    }
}
