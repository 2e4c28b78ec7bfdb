//! What a server's certificate says of itself, and whether it is for a name as Node compares names.

use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// One certificate of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// For whom it is.
    pub subject: String,
    /// Its common name.
    pub common_name: Option<String>,
    /// Who signed it.
    pub issuer: String,
    /// The names it is for.
    pub names: Vec<String>,
    /// The addresses in numbers that it is for.
    pub addresses: Vec<IpAddr>,
    /// From when it is good, in seconds since 1970.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
}

impl Certificate {
    /// Reads one; nothing where it is none.
    #[must_use]
    pub fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let mut names = Vec::new();
        let mut addresses = Vec::new();
        if let Ok(Some(alternative)) = parsed.subject_alternative_name() {
            for name in &alternative.value.general_names {
                match name {
                    GeneralName::DNSName(name) => names.push((*name).to_owned()),
                    GeneralName::IPAddress(bytes) => addresses.extend(address(bytes)),
                    _ => {}
                }
            }
        }
        Some(Self {
            subject: parsed.subject().to_string(),
            common_name: parsed
                .subject()
                .iter_common_name()
                .next()
                .and_then(|name| name.as_str().ok())
                .map(str::to_owned),
            issuer: parsed.issuer().to_string(),
            names,
            addresses,
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
        })
    }

    /// Whether it signed itself.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether it is for this host, as Node's `tls.checkServerIdentity` decides.
    #[must_use]
    pub fn is_for(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        if let Ok(address) = host.parse::<IpAddr>() {
            return self.addresses.contains(&address);
        }
        if self.names.is_empty() {
            return self
                .common_name
                .as_ref()
                .is_some_and(|name| matches(name, host));
        }
        self.names.iter().any(|name| matches(name, host))
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(four));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

/// Whether a pattern of a certificate covers a name. A star stands for (a part of) the first label, never for more, and
/// not right below a top-level domain.
fn matches(pattern: &str, host: &str) -> bool {
    let pattern = pattern.strip_suffix('.').unwrap_or(pattern);
    let pattern: Vec<String> = pattern.split('.').map(str::to_ascii_lowercase).collect();
    let host: Vec<String> = host.split('.').map(str::to_ascii_lowercase).collect();
    if pattern.len() != host.len() || pattern.iter().any(String::is_empty) {
        return false;
    }
    if pattern[1..] != host[1..] {
        return false;
    }
    let (first, label) = (&pattern[0], &host[0]);
    let Some((before, after)) = first.split_once('*') else {
        return first == label;
    };
    !first.contains("xn--")
        && !after.contains('*')
        && pattern.len() > 2
        && before.len() + after.len() <= label.len()
        && label.starts_with(before)
        && label.ends_with(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(names: &[&str], addresses: &[&str], common_name: &str) -> Certificate {
        Certificate {
            subject: String::new(),
            common_name: Some(common_name.to_owned()),
            issuer: String::new(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            addresses: addresses.iter().map(|ip| ip.parse().unwrap()).collect(),
            not_before: 0,
            not_after: 0,
        }
    }

    #[test]
    fn names_are_compared_as_node_compares_them() {
        for (pattern, host, expected) in [
            ("db.example", "db.example", true),
            ("db.example", "DB.example.", true),
            ("*.connect.psdb.cloud", "eu.connect.psdb.cloud", true),
            ("*.psdb.cloud", "eu.connect.psdb.cloud", false),
            ("*.example", "db.example", false),
            ("d*.a.example", "db.a.example", true),
            ("db.example", "evil-db.example", false),
        ] {
            let found = certificate(&[pattern], &[], "other").is_for(host);
            assert_eq!(found, expected, "{pattern} {host}");
        }
    }

    #[test]
    fn a_common_name_counts_only_where_there_is_no_other() {
        assert!(certificate(&[], &[], "db.example").is_for("db.example"));
        assert!(!certificate(&["x.example"], &[], "db.example").is_for("db.example"));
    }

    #[test]
    fn an_address_in_numbers_needs_an_entry_of_its_own() {
        assert!(certificate(&[], &["127.0.0.1"], "").is_for("127.0.0.1"));
        assert!(!certificate(&["127.0.0.1"], &[], "127.0.0.1").is_for("127.0.0.1"));
    }
}
