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

It asks on several at once when it starts: with three or fewer it does not come up. Where the server says how many
connections it has at this moment, those count too. And its pool has two connections at least, so that
database__pool__max=1 alone ends it at once:

  Tarn: opt.max is smaller than opt.min

Fix: database__pool__max=5, or a larger limit at the server.",
    judge,
};

/// What Ghost 6.65.0 opens at once while it starts: with 3 it died, with 4 of a first boot only, with 5 it came up.
const AT_START: u64 = 4;

fn judge(facts: &Facts) -> Option<Finding> {
    facts.server.known()?;
    let target = facts.configuration.target.as_ref()?;
    let pool = target.pool;
    if pool < target.pool_min {
        return Some(
            Finding::error("Ghost's pool is to have fewer connections at most than at least, and Ghost dies of it.")
                .seen("database.pool", format!("min {}, max {pool}", target.pool_min))
                .fix(format!("database__pool__max={}", target.pool_min.max(5))),
        );
    }
    let number = |name| {
        facts
            .variable(name)
            .and_then(|value| value.parse::<u64>().ok())
    };
    let whole = number("max_connections").filter(|limit| *limit > 0);
    let own = number("max_user_connections").filter(|limit| *limit > 0);
    let Some(limit) = whole.into_iter().chain(own).min() else {
        return Some(Finding::passed("The server names no limit on connections."));
    };
    // All clients share the server's limit, the account's is for its own: of those nobody knows how many are in use.
    let others = facts.connections.known().map(|all| all.saturating_sub(1));
    let free = whole
        .zip(others)
        .map(|(whole, others)| whole.saturating_sub(others));
    let fix = format!("database__pool__max={}", (limit / 2).max(2));
    let finding = if pool > limit && limit < AT_START {
        Finding::error(format!(
            "Ghost opens several connections at once when it starts, up to {pool}, and the server has {limit}."
        ))
        .fix(fix)
    } else if pool > limit {
        Finding::warning(format!(
            "Ghost may open {pool} connections, and the server has {limit}."
        ))
        .fix(fix)
    } else if let Some(free) = free.filter(|free| *free < pool) {
        Finding::warning(format!(
            "Ghost may open {pool} connections, and at this moment the server has {free} left."
        ))
        .fix(format!(
            "End clients that hold connections (SHOW PROCESSLIST; names them; a Ghost that is running now is among them), raise the server's max_connections, or:\n  database__pool__max={}",
            (free / 2).max(2)
        ))
    } else {
        Finding::passed("The server has connections enough.")
    };
    let finding = finding.seen("pool and limit", format!("{pool} of {limit}"));
    Some(match others {
        Some(others) => finding.seen("in use by others", others.to_string()),
        None => finding,
    })
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
            ("max_user_connections", "3", Level::Error),
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

    #[test]
    fn connections_in_use_count_against_the_servers_limit_alone() {
        for (name, limit, connections, expected) in [
            ("max_connections", "151", Fact::Known(140), Level::Passed),
            ("max_connections", "151", Fact::Known(143), Level::Warning),
            ("max_connections", "151", Fact::Known(500), Level::Warning),
            ("max_connections", "10", Fact::Known(1), Level::Passed),
            (
                "max_connections",
                "12",
                Fact::Unknown("no".to_owned()),
                Level::Passed,
            ),
            ("max_connections", "12", Fact::NotReached, Level::Passed),
            ("max_user_connections", "12", Fact::Known(11), Level::Passed),
        ] {
            let mut facts = booted();
            let Fact::Known(server) = &mut facts.server else {
                panic!()
            };
            server.variables.remove("max_connections");
            server.variables.insert(name.to_owned(), limit.to_owned());
            facts.connections = connections;
            assert_eq!(judge(&facts).unwrap().level, expected, "{name} {limit}");
        }
    }

    #[test]
    fn a_pool_has_two_connections_unless_it_is_told_otherwise() {
        for (min, max, expected) in [
            (2, 1, Level::Error),
            (0, 1, Level::Passed),
            (2, 2, Level::Passed),
        ] {
            let mut facts = booted();
            let target = facts.configuration.target.as_mut().unwrap();
            (target.pool_min, target.pool) = (min, max);
            assert_eq!(judge(&facts).unwrap().level, expected, "{min} {max}");
        }
    }
}
