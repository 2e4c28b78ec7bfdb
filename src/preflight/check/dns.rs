//! Whether the host's name stands for an address.

use super::Check;
use crate::preflight::facts::{Fact, Facts};
use crate::preflight::finding::Finding;

pub(super) const CHECK: Check = Check {
    id: "dns",
    question: "Can the name of the database's host be found?",
    explanation: "\
Ghost looks the host up when it opens its first connection. Where that fails it ends with

  Invalid database host.   (getaddrinfo ENOTFOUND … or EAI_AGAIN)

In compose and on Fly, Render or Railway a database has a name that only its own network knows: both services have to be in
the same network, and the name is the service's, not `localhost`. Inside a container `localhost` is the container itself.

Fix: database__connection__host=NAME, as the provider shows it, without mysql:// and without a port.",
    judge,
};

fn judge(facts: &Facts) -> Option<Finding> {
    let target = facts.configuration.target.as_ref()?;
    if target.port.is_none() {
        return Some(Finding::passed(
            "The database is on a socket of this machine: no name is needed.",
        ));
    }
    let host = &target.host;
    match &facts.addresses {
        Fact::NotReached => None,
        Fact::Known(addresses) if !addresses.is_empty() => {
            let list: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            Some(
                Finding::passed(format!("{host} is found."))
                    .seen("name resolution", list.join(", ")),
            )
        }
        Fact::Known(_) => Some(not_found(host, "no address")),
        Fact::Unknown(words) => Some(not_found(host, words)),
    }
}

fn not_found(host: &str, words: &str) -> Finding {
    Finding::error(format!("Nobody knows the name {host}."))
        .seen("name resolution", words)
        .fix("Compare database__connection__host with what your provider shows. In compose it is the name of the database's service, and both services have to share a network.")
}

#[cfg(test)]
mod tests {
    use super::super::tests::healthy;
    use super::*;
    use crate::preflight::finding::Level;

    #[test]
    fn a_name_is_found_or_not() {
        let facts = |addresses| Facts {
            addresses,
            ..healthy()
        };
        assert_eq!(judge(&healthy()).unwrap().level, Level::Passed);
        for fact in [
            Fact::Unknown("Name or service not known".to_owned()),
            Fact::Known(Vec::new()),
        ] {
            assert_eq!(judge(&facts(fact)).unwrap().level, Level::Error);
        }
        assert_eq!(judge(&facts(Fact::NotReached)), None);
    }
}
