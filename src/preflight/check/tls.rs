//! Whether the connection can be encrypted as Ghost is told to, and whether Ghost would trust the certificate.

use super::Check;
use super::ssl_value::RECOMMENDED;
use crate::mysql::certificate::Certificate;
use crate::mysql::errno::Meaning;
use crate::mysql::tls::{Handshake, Trust};
use crate::preflight::facts::{Fact, Facts, Login, TargetTls};
use crate::preflight::finding::Finding;
use crate::preflight::provider::Provider;

pub(super) const CHECK: Check = Check {
    id: "tls",
    question: "Can the connection be encrypted, and is the certificate one that Ghost trusts?",
    explanation: "\
PlanetScale and many others take encrypted connections only. Ghost encrypts nothing unless database.connection.ssl says so:

  unknown error: Code: UNAVAILABLE
  server does not allow insecure connections, client must use SSL/TLS

With ssl, Ghost trusts the authorities that Node has built in, not those of the system, or only those in `ca`. A certificate
by anybody else ends it: unable to verify the first certificate; self-signed certificate in certificate chain; certificate has
expired.

Fix: database__connection__ssl={\"rejectUnauthorized\":true,\"verifyIdentity\":true}; with a private authority
NODE_EXTRA_CA_CERTS=/path/to/ca.pem, or its text in `ca`. `ghostfix preflight --explain ssl-value` has the forms.",
    judge,
};

const SOON: i64 = 14;

fn judge(facts: &Facts) -> Option<Finding> {
    let target = facts.configuration.target.as_ref()?;
    let Some(wanted) = &target.tls else {
        return plain(facts);
    };
    let greeting = facts.greeting.known()?;
    greeting.version()?;
    if !greeting.offers_tls() {
        return Some(
            Finding::error("Ghost is told to encrypt, but the server does not offer it.")
                .seen("mysql2", "Server does not support secure connection")
                .fix("Turn TLS on at the server, or, where nobody else is on the network, take database__connection__ssl away."),
        );
    }
    match &facts.tls {
        Fact::NotReached => None,
        Fact::Unknown(words) => Some(broken(words)),
        Fact::Known(handshake) => Some(judge_handshake(facts, wanted, handshake)),
    }
}

/// Not encrypted: fine unless the server wants it.
fn plain(facts: &Facts) -> Option<Finding> {
    let refused = match facts.login.known()? {
        Login::Refused(error) | Login::WithoutDatabase { refused: error } => Some(error),
        Login::In { .. } | Login::Broken { .. } => None,
    };
    if let Some(error) = refused.filter(|error| error.meaning() == Meaning::TlsRequired) {
        return Some(
            Finding::error(
                "The server takes encrypted connections only, and Ghost is not told to encrypt.",
            )
            .seen("login", error.to_string())
            .fix(RECOMMENDED),
        );
    }
    if facts.variable("require_secure_transport") == Some("ON") {
        return Some(
            Finding::error(
                "The server takes encrypted connections only, and Ghost is not told to encrypt.",
            )
            .seen("require_secure_transport", "ON")
            .fix(RECOMMENDED),
        );
    }
    Some(Finding::passed(
        "The server does not ask for encryption, and Ghost does not use it.",
    ))
}

fn broken(words: &str) -> Finding {
    Finding::error("The connection breaks while it is being encrypted.")
        .seen("handshake", words)
        .fix("A proxy between may not let TLS through, or the server's TLS is older than version 1.2.")
}

fn judge_handshake(facts: &Facts, wanted: &TargetTls, handshake: &Handshake) -> Finding {
    if let Some(words) = &handshake.failure {
        if handshake.client_certificate_asked && !wanted.client_certificate {
            return Finding::error("The server wants Ghost to show a certificate of its own.")
                .seen("handshake", words.clone())
                .fix("Add `cert` and `key`, as texts, to database__connection__ssl.");
        }
        if handshake.client_certificate_asked && wanted.sealed_key {
            return Finding::unknown("The server wants to see Ghost's own certificate, and its key is encrypted: only Ghost can show it.")
                .seen("handshake", words.clone())
                .fix(super::ssl_value::OPEN_KEY);
        }
        return broken(words);
    }
    let days = handshake.days_left(facts.asked_at);
    let finding = match (handshake.by_ghost, wanted.reject_unauthorized) {
        (Some(Trust::Trusted), _) => match days {
            Some(days) if days < SOON => {
                Finding::warning(format!("The server's certificate is good for {days} more days only."))
                    .fix("Renew it, or see that its renewal works.")
            }
            Some(days) => Finding::passed(format!("The connection is encrypted; the certificate is trusted and good for {days} more days.")),
            None => Finding::unknown("The server's certificate cannot be read here."),
        },
        (Some(Trust::UnknownIssuer), true) => {
            Finding::error("Ghost does not trust who signed the server's certificate.").fix(trust_fix(facts, handshake, wanted))
        }
        (Some(Trust::Expired), true) => {
            Finding::error("The server's certificate has expired.").fix("Renew the certificate at the server; with a service, update its authority's certificate in `ca`.")
        }
        (Some(Trust::NotYetValid), true) => {
            Finding::error("The server's certificate is not good yet, or this machine's clock is wrong.").fix("Set this machine's clock.")
        }
        (Some(Trust::Unclear) | None, true) => {
            Finding::unknown("Whether Ghost would trust the server's certificate cannot be told: what is used here is stricter than Node.")
        }
        (_, false) => Finding::passed("The connection is encrypted; the certificate is not looked at."),
    };
    with_evidence(finding, handshake)
}

fn trust_fix(facts: &Facts, handshake: &Handshake, wanted: &TargetTls) -> String {
    if wanted.authorities.is_some() {
        return "The `ca` in database__connection__ssl is not the authority of this server, and replaces all others. Give the right one, or take `ca` away where the authority is a public one.".to_owned();
    }
    if handshake.by_system == Some(Trust::Trusted) {
        return "This machine trusts the authority, Node does not look there. Tell it:\n  NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt".to_owned();
    }
    let whose = match facts.provider {
        Provider::Amazon => {
            "Amazon's authorities (https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem)"
        }
        Provider::Digitalocean | Provider::Aiven | Provider::Azure => {
            "the authority's certificate that your provider's page offers for download"
        }
        _ => "the certificate of the server's authority",
    };
    format!(
        "Give Ghost {whose}, as a file:\n  NODE_EXTRA_CA_CERTS=/path/to/ca.pem\nor as a text in database__connection__ssl: {{\"rejectUnauthorized\":true,\"ca\":\"-----BEGIN CERTIFICATE-----\\n…\"}}"
    )
}

fn with_evidence(mut finding: Finding, handshake: &Handshake) -> Finding {
    if let (Some(protocol), Some(cipher)) = (&handshake.protocol, &handshake.cipher) {
        finding = finding.seen("handshake", format!("{protocol}, {cipher}"));
    }
    if let Some(own) = handshake.chain.first() {
        finding = finding.seen(
            "certificate",
            format!("{}, signed by {}", own.subject, own.issuer),
        );
    }
    if handshake.by_ghost == Some(Trust::UnknownIssuer) {
        finding = finding.seen("Node", node_words(&handshake.chain));
    }
    finding
}

/// OpenSSL's words for a chain that leads nowhere.
fn node_words(chain: &[Certificate]) -> &'static str {
    match chain {
        [own] if own.is_self_signed() => "self-signed certificate",
        [_] => "unable to verify the first certificate",
        [.., last] if last.is_self_signed() => "self-signed certificate in certificate chain",
        _ => "unable to get local issuer certificate",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{error, healthy, with_tls};
    use super::*;
    use crate::preflight::finding::Level;

    fn with(change: impl FnOnce(&mut Handshake)) -> Finding {
        let mut facts = with_tls(healthy());
        let Fact::Known(handshake) = &mut facts.tls else {
            panic!()
        };
        change(handshake);
        judge(&facts).unwrap()
    }

    #[test]
    fn trust_decides() {
        assert_eq!(with(|_| ()).level, Level::Passed);
        for (trust, expected) in [
            (Trust::UnknownIssuer, Level::Error),
            (Trust::Expired, Level::Error),
            (Trust::NotYetValid, Level::Error),
            (Trust::Unclear, Level::Unknown),
        ] {
            let finding = with(|handshake| handshake.by_ghost = Some(trust));
            assert_eq!(finding.level, expected, "{trust:?}");
        }
    }

    #[test]
    fn a_certificate_near_its_end_is_a_warning() {
        let finding =
            with(|handshake| handshake.chain[0].not_after = 1_800_000_000 + 3 * 24 * 60 * 60);
        assert_eq!(finding.level, Level::Warning);
        assert_eq!(
            finding.title,
            "The server's certificate is good for 3 more days only."
        );
    }

    #[test]
    fn a_server_without_tls_and_one_that_insists_are_errors() {
        let mut facts = with_tls(healthy());
        facts.greeting = Fact::Known(crate::mysql::greeting::Greeting::Ready {
            version: "8.0.36".to_owned(),
            capabilities: 0,
            plugin: None,
        });
        assert_eq!(judge(&facts).unwrap().level, Level::Error);
        let login = Fact::Known(Login::Refused(error(
            1105,
            "unknown error: Code: UNAVAILABLE\nserver does not allow insecure connections, client must use SSL/TLS",
        )));
        let facts = Facts { login, ..healthy() };
        assert_eq!(judge(&facts).unwrap().level, Level::Error);
        assert_eq!(judge(&healthy()).unwrap().level, Level::Passed);
    }

    #[test]
    fn a_wanted_client_certificate_is_named() {
        let finding = with(|handshake| {
            handshake.failure = Some("received fatal alert: CertificateRequired".to_owned());
            handshake.client_certificate_asked = true;
        });
        assert!(finding.fix.contains("`cert` and `key`"));
    }
}
