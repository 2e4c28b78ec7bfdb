//! Whether somebody listens there.

use super::Check;
use crate::preflight::facts::Facts;
use crate::preflight::finding::Finding;

pub(super) const CHECK: Check = Check {
    id: "tcp",
    question: "Does somebody listen on the host and port?",
    explanation: "\
Ghost's first connection needs an open port. `connect ECONNREFUSED` means that the machine is there and nothing listens on the
port: the wrong port, or a database that has not started. `connect ETIMEDOUT` means that no answer comes at all: a firewall,
an allow-list of addresses, or a private network that this machine is not in.

Fix: compare host and port with what the provider shows; allow this machine's address there; give a database that starts
together with Ghost time: `ghostfix preflight --wait 60s`.",
    judge,
};

fn judge(facts: &Facts) -> Option<Finding> {
    let target = facts.configuration.target.as_ref()?;
    if facts.reached.is_empty() {
        return None;
    }
    let open = facts
        .reached
        .iter()
        .filter(|one| one.milliseconds.is_some())
        .count();
    let port = target
        .port
        .map_or_else(String::new, |port| format!(" on port {port}"));
    let mut finding = if open == facts.reached.len() {
        Finding::passed(format!("{} answers{port}.", target.host))
    } else if open > 0 {
        Finding::notice(format!(
            "{} answers{port}, though not on all of its addresses.",
            target.host
        ))
    } else {
        nobody(facts, &target.host, &port)
    };
    for one in &facts.reached {
        let answered = match (one.milliseconds, &one.failure) {
            (Some(milliseconds), _) => format!("open after {milliseconds} ms"),
            (None, Some(words)) => words.clone(),
            (None, None) => "no answer".to_owned(),
        };
        finding = finding.seen(one.address.clone(), answered);
    }
    Some(finding)
}

fn nobody(facts: &Facts, host: &str, port: &str) -> Finding {
    let says = |words: &str| {
        facts.reached.iter().all(|one| {
            one.failure
                .as_ref()
                .is_some_and(|failure| failure.to_ascii_lowercase().contains(words))
        })
    };
    if says("refused") {
        Finding::error(format!("{host} is there, but nothing listens{port}.")).fix(
            "Start the database, or correct database__connection__port. Inside a container localhost is the container itself: name the database's service instead. Where the database starts together with Ghost, wait for it: ghostfix preflight --wait 60s",
        )
    } else if says("no such file") {
        Finding::error(format!("There is no socket {host}."))
            .fix("Correct database__connection__socketPath, or take it away to use host and port.")
    } else {
        Finding::error(format!("{host} does not answer{port}.")).fix(
            "Something on the way keeps quiet: allow this machine's address in the database's firewall or list of trusted sources, or put Ghost into the database's private network.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::healthy;
    use super::*;
    use crate::preflight::facts::Reached;
    use crate::preflight::finding::Level;

    fn reached(answers: &[Option<&str>]) -> Facts {
        Facts {
            reached: answers
                .iter()
                .map(|failure| Reached {
                    address: "10.0.0.1".to_owned(),
                    milliseconds: failure.is_none().then_some(2),
                    failure: failure.map(str::to_owned),
                })
                .collect(),
            ..healthy()
        }
    }

    #[test]
    fn one_open_address_is_enough() {
        for (answers, expected) in [
            (&[None, None][..], Level::Passed),
            (
                &[Some("Connection refused (os error 111)"), None],
                Level::Notice,
            ),
            (&[Some("Connection refused (os error 111)")], Level::Error),
            (&[Some("no answer within 10s")], Level::Error),
        ] {
            assert_eq!(
                judge(&reached(answers)).unwrap().level,
                expected,
                "{answers:?}"
            );
        }
        assert_eq!(judge(&reached(&[])), None);
    }

    #[test]
    fn refused_and_silent_have_different_cures() {
        let refused = judge(&reached(&[Some("Connection refused (os error 111)")])).unwrap();
        let silent = judge(&reached(&[Some("no answer within 10s")])).unwrap();
        assert!(refused.fix.contains("--wait"));
        assert!(silent.fix.contains("firewall"));
    }
}
