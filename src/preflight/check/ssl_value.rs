//! Whether `connection.ssl` says what it was meant to say.

use super::Check;
use crate::connection::ssl::Form;
use crate::connection::{Authority, Problem};
use crate::preflight::facts::Facts;
use crate::preflight::finding::Finding;

pub(super) const CHECK: Check = Check {
    id: "ssl-value",
    question: "Does database.connection.ssl say what it was meant to say?",
    explanation: "\
Ghost's driver, mysql2, wants an object. `true` is refused (SSL profile must be an object, instead it's a boolean), and so is
any other word (Unknown SSL profile 'require'). An array, [{\"rejectUnauthorized\":true}], which is copied from page to page,
works by accident: what stands in it does not count. A `ca` has to be the text of a certificate, not the name of a file,
with real line ends; with any other text no server is trusted (unable to verify the first certificate).

Fix: this value, which checks the certificate and whose it is:

  env file     database__connection__ssl={\"rejectUnauthorized\":true,\"verifyIdentity\":true}
  compose      database__connection__ssl: '{\"rejectUnauthorized\":true,\"verifyIdentity\":true}'
  Dockerfile   ENV database__connection__ssl='{\"rejectUnauthorized\":true,\"verifyIdentity\":true}'
  fly.toml     database__connection__ssl = '{\"rejectUnauthorized\":true,\"verifyIdentity\":true}'
  render.yaml  - key: database__connection__ssl
                 value: '{\"rejectUnauthorized\":true,\"verifyIdentity\":true}'
  Railway      database__connection__ssl={\"rejectUnauthorized\":true,\"verifyIdentity\":true}",
    judge,
};

/// The value that checks the certificate and whose it is, ready to paste.
pub(super) const RECOMMENDED: &str = "\
env file     database__connection__ssl={\"rejectUnauthorized\":true,\"verifyIdentity\":true}
compose      database__connection__ssl: '{\"rejectUnauthorized\":true,\"verifyIdentity\":true}'
Dockerfile   ENV database__connection__ssl='{\"rejectUnauthorized\":true,\"verifyIdentity\":true}'
fly.toml     database__connection__ssl = '{\"rejectUnauthorized\":true,\"verifyIdentity\":true}'
render.yaml  - key: database__connection__ssl
               value: '{\"rejectUnauthorized\":true,\"verifyIdentity\":true}'
Railway      database__connection__ssl={\"rejectUnauthorized\":true,\"verifyIdentity\":true}";

const AUTHORITY: &str = "\
Give the text of the certificate, its line ends real or, inside JSON, written as \\n:
  database__connection__ssl={\"rejectUnauthorized\":true,\"ca\":\"-----BEGIN CERTIFICATE-----\\nMII…\\n-----END CERTIFICATE-----\\n\"}
Or leave `ca` away where the server's certificate is by a public authority (PlanetScale), or name a file to Node:
  NODE_EXTRA_CA_CERTS=/path/to/ca.pem";

/// What to do about an encrypted key.
pub(super) const OPEN_KEY: &str = "\
The `key` is encrypted. Give its `passphrase` beside it, as a text, or better a key that is not encrypted:
  openssl pkey -in key.pem -out open-key.pem
A passphrase that stands beside its key protects nothing.";

fn judge(facts: &Facts) -> Option<Finding> {
    let told = &facts.configuration.told;
    if let Some(Problem::Driver { option, words }) = &facts.configuration.problem {
        return (option == "ssl").then(|| {
            Finding::error("Ghost's driver refuses the value of database.connection.ssl.")
                .seen("mysql2", words.clone())
                .fix(
                    if words.contains("bad decrypt") || words.contains("passphrase") {
                        OPEN_KEY
                    } else {
                        RECOMMENDED
                    },
                )
        });
    }
    let target = facts.configuration.target.as_ref()?;
    let Some(tls) = &target.tls else {
        return Some(match told.ssl {
            None | Some(_) if target.port.is_none() => Finding::passed(
                "The connection goes through a socket of this machine, unencrypted.",
            ),
            _ => Finding::notice(
                "The connection is not encrypted: right only inside of one machine or a private network.",
            ),
        });
    };
    if tls.reject_unauthorized {
        let words = match told.authority.filter(|_| tls.authorities == Some(0)) {
            Some(Authority::EscapedLines) => Some("its line ends are written as \\n and stay so"),
            Some(Authority::Path) => Some("it is the name of a file, not the text in it"),
            Some(Authority::Nothing | Authority::Certificates) => Some("it holds no certificate"),
            None => None,
        };
        if let Some(words) = words {
            return Some(
                Finding::error("The `ca` of database.connection.ssl holds no certificate, so Ghost trusts no server.")
                    .seen("database.connection.ssl.ca", words)
                    .fix(AUTHORITY),
            );
        }
    }
    Some(match told.ssl {
        Some(Form::Array) => {
            Finding::warning("database.connection.ssl is an array. It works by accident; what stands in it does not count.")
                .fix(RECOMMENDED)
        }
        _ if !tls.reject_unauthorized => {
            Finding::warning("The connection is encrypted, but to anybody: rejectUnauthorized is false.")
                .fix(RECOMMENDED)
        }
        _ => Finding::passed("database.connection.ssl is understood as it was meant."),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{healthy, with_tls};
    use super::*;
    use crate::preflight::finding::Level;

    #[test]
    fn a_refused_value_comes_with_the_right_one() {
        let mut facts = healthy();
        facts.configuration.problem = Some(Problem::Driver {
            option: "ssl".to_owned(),
            words: "SSL profile must be an object, instead it's a boolean".to_owned(),
        });
        let finding = judge(&facts).unwrap();
        assert_eq!(finding.level, Level::Error);
        assert!(finding.fix.contains("render.yaml"));
    }

    #[test]
    fn no_encryption_is_worth_a_line() {
        assert_eq!(judge(&healthy()).unwrap().level, Level::Notice);
        let mut facts = healthy();
        facts.configuration.target.as_mut().unwrap().port = None;
        assert_eq!(judge(&facts).unwrap().level, Level::Passed);
    }

    #[test]
    fn an_array_and_an_unchecked_certificate_are_warnings() {
        let mut facts = with_tls(healthy());
        facts.configuration.told.ssl = Some(Form::Array);
        assert_eq!(judge(&facts).unwrap().level, Level::Warning);
        let mut facts = with_tls(healthy());
        let target = facts.configuration.target.as_mut().unwrap();
        target.tls.as_mut().unwrap().reject_unauthorized = false;
        assert_eq!(judge(&facts).unwrap().level, Level::Warning);
    }

    #[test]
    fn an_authority_without_a_certificate_is_an_error() {
        for authority in [Authority::Path, Authority::EscapedLines, Authority::Nothing] {
            let mut facts = with_tls(healthy());
            facts.configuration.told.authority = Some(authority);
            let target = facts.configuration.target.as_mut().unwrap();
            target.tls.as_mut().unwrap().authorities = Some(0);
            assert_eq!(judge(&facts).unwrap().level, Level::Error, "{authority:?}");
        }
    }
}
