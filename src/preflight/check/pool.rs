//! Whether the server has as many connections as Ghost may open.

use super::Check;
use crate::preflight::facts::Facts;
use crate::preflight::finding::Finding;

pub(super) const CHECK: Check = Check {
    id: "pool",
    question: "Has the server as many connections as Ghost may open?",
    explanation: "\
Ghost opens up to ten connections (database.pool.max), and while an old container hands over to a new one there are two of
them. A small server, or a limit on the account, has fewer, and Ghost fails under load:

  Too many connections   (errno 1040), or User 'ghost' has exceeded the 'max_user_connections' resource   (errno 1226)

Fix: database__pool__max=5, or a larger limit at the server.",
    judge,
};

fn judge(facts: &Facts) -> Option<Finding> {
    facts.server.known()?;
    let pool = facts.configuration.target.as_ref()?.pool;
    let number = |name| {
        facts
            .variable(name)
            .and_then(|value| value.parse::<u64>().ok())
    };
    let limits = [number("max_connections"), number("max_user_connections")];
    let Some(limit) = limits
        .into_iter()
        .flatten()
        .filter(|limit| *limit > 0)
        .min()
    else {
        return Some(Finding::passed("The server names no limit on connections."));
    };
    let finding = if pool > limit {
        Finding::warning(format!(
            "Ghost may open {pool} connections, and the server has {limit}."
        ))
        .fix(format!("database__pool__max={}", (limit / 2).max(1)))
    } else {
        Finding::passed("The server has connections enough.")
    };
    Some(finding.seen("pool and limit", format!("{pool} of {limit}")))
}

#[cfg(test)]
mod tests {
    use super::super::tests::booted;
    use super::*;
    use crate::preflight::facts::Fact;
    use crate::preflight::finding::Level;

    #[test]
    fn the_smaller_limit_counts_and_none_is_none() {
        for (name, value, expected) in [
            ("max_connections", "151", Level::Passed),
            ("max_connections", "5", Level::Warning),
            ("max_user_connections", "4", Level::Warning),
            ("max_user_connections", "0", Level::Passed),
        ] {
            let mut facts = booted();
            let Fact::Known(server) = &mut facts.server else {
                panic!()
            };
            server.variables.insert(name.to_owned(), value.to_owned());
            assert_eq!(judge(&facts).unwrap().level, expected, "{name} {value}");
        }
    }
}
