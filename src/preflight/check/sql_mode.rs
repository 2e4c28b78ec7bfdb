//! Whether the server reads SQL as Ghost writes it.

use super::Check;
use crate::preflight::facts::Facts;
use crate::preflight::finding::Finding;

pub(super) const CHECK: Check = Check {
    id: "sql-mode",
    question: "Does the server read SQL as Ghost writes it?",
    explanation: "\
Ghost's driver writes values into its statements with a backslash before quotes. A server with NO_BACKSLASH_ESCAPES in its
sql_mode reads that backslash as a character of the text: values are cut, and a crafted one can end the text and go on as SQL.
With ANSI_QUOTES a text in double quotes is a name:

  Unknown column 'x' in 'field list'   (errno 1054)

Fix: SET GLOBAL sql_mode = REPLACE(REPLACE(@@GLOBAL.sql_mode, 'NO_BACKSLASH_ESCAPES', ''), 'ANSI_QUOTES', '');",
    judge,
};

fn judge(facts: &Facts) -> Option<Finding> {
    facts.server.known()?;
    let Some(mode) = facts.variable("sql_mode") else {
        return Some(Finding::passed("The server shows no sql_mode of its own."));
    };
    let set: Vec<&str> = mode.split(',').collect();
    let finding = if set.contains(&"NO_BACKSLASH_ESCAPES") {
        let title =
            "The server reads backslashes as plain characters: Ghost's texts would be torn apart.";
        // A first boot dies of it, at the first quote in Ghost's own texts.
        let finding = if facts.is_initialised() == Some(true) {
            Finding::fails_in_use(title)
        } else {
            Finding::error(title)
        };
        finding.fix("SET GLOBAL sql_mode = REPLACE(@@GLOBAL.sql_mode, 'NO_BACKSLASH_ESCAPES', '');   -- and in the server's configuration")
    } else if set.contains(&"ANSI_QUOTES") {
        Finding::warning("The server reads double quotes as names; some of Ghost's statements may fail.")
            .fix("SET GLOBAL sql_mode = REPLACE(@@GLOBAL.sql_mode, 'ANSI_QUOTES', '');   -- and in the server's configuration")
    } else {
        Finding::passed("The server reads SQL as Ghost writes it.")
    };
    Some(finding.seen("sql_mode", if mode.is_empty() { "(empty)" } else { mode }))
}

#[cfg(test)]
mod tests {
    use super::super::tests::booted;
    use super::*;
    use crate::preflight::facts::Fact;
    use crate::preflight::finding::Level;

    #[test]
    fn the_modes_that_ghost_does_not_write_for_are_told() {
        for (mode, expected) in [
            ("ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES", Level::Passed),
            ("", Level::Passed),
            ("STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES", Level::Error),
            ("REAL_AS_FLOAT,PIPES_AS_CONCAT,ANSI_QUOTES", Level::Warning),
        ] {
            let mut facts = booted();
            let Fact::Known(server) = &mut facts.server else {
                panic!()
            };
            server
                .variables
                .insert("sql_mode".to_owned(), mode.to_owned());
            assert_eq!(judge(&facts).unwrap().level, expected, "{mode}");
        }
    }
}
