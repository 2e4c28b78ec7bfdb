//! Whether the certificate is for the host that Ghost connects to, and whether Ghost looks.

use super::Check;
use crate::preflight::facts::Facts;
use crate::preflight::finding::Finding;

pub(super) const CHECK: Check = Check {
    id: "tls-identity",
    question: "Is the certificate for this host, and does Ghost check that?",
    explanation: "\
A certificate that leads to a trusted authority says little while nobody looks whose it is: anybody on the way can show one of
their own. Ghost's driver, mysql2, looks only where `verifyIdentity` is true (before 3.7.1 it always did):

  Hostname/IP does not match certificate's altnames: Host: … is not in the cert's altnames: …

With a host in numbers, mysql2 from 3.15.3 on compares with `localhost`: there, give the host by name.

Fix: database__connection__ssl={\"rejectUnauthorized\":true,\"verifyIdentity\":true}, and as the host a name that stands in the
certificate.",
    judge,
};

fn judge(facts: &Facts) -> Option<Finding> {
    let target = facts.configuration.target.as_ref()?;
    let Some(wanted) = &target.tls else {
        facts.login.known()?;
        return Some(Finding::passed(
            "Nothing is encrypted, so there is no certificate to compare.",
        ));
    };
    let handshake = facts.tls.known()?;
    if handshake.failure.is_some() {
        return None;
    }
    let own = handshake.chain.first()?;
    let mut names = own.names.clone();
    names.extend(own.addresses.iter().map(ToString::to_string));
    if names.is_empty() {
        names.extend(own.common_name.clone());
    }
    let list = names.join(", ");
    let finding = match &wanted.name {
        Some(name) if own.is_for(name) => Finding::passed("The certificate is for this host, and Ghost checks it."),
        Some(name) if *name != target.host => Finding::error(format!(
            "The host is given in numbers, and Ghost's driver then compares the certificate with {name}."
        ))
        .fix("Give the host by a name that stands in the certificate: database__connection__host=…"),
        Some(_) => Finding::error(format!("The certificate is not for {}.", target.host)).fix(
            "Give as database__connection__host a name that stands in the certificate; where that cannot be, take verifyIdentity out of database__connection__ssl.",
        ),
        None if !wanted.reject_unauthorized => Finding::passed("The certificate is not looked at; see ssl-value."),
        None if own.is_for(&target.host) => Finding::notice("The certificate is for this host, but Ghost does not check it. It can.")
            .fix(super::ssl_value::RECOMMENDED),
        None => Finding::notice(format!(
            "The certificate is not for {}; Ghost does not check it, and connects.",
            target.host
        )),
    };
    Some(finding.seen("names in the certificate", list))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{healthy, with_tls};
    use super::*;
    use crate::preflight::finding::Level;

    fn named(host: &str, name: Option<&str>) -> Finding {
        let mut facts = with_tls(healthy());
        let target = facts.configuration.target.as_mut().unwrap();
        target.host = host.to_owned();
        target.tls.as_mut().unwrap().name = name.map(str::to_owned);
        judge(&facts).unwrap()
    }

    #[test]
    fn a_name_counts_where_it_is_checked() {
        for (host, name, expected) in [
            ("db.example", Some("db.example"), Level::Passed),
            ("other.example", Some("other.example"), Level::Error),
            ("10.0.0.1", Some("localhost"), Level::Error),
            ("db.example", None, Level::Notice),
            ("other.example", None, Level::Notice),
        ] {
            assert_eq!(named(host, name).level, expected, "{host} {name:?}");
        }
        assert!(
            named("10.0.0.1", Some("localhost"))
                .title
                .contains("in numbers")
        );
    }
}
