//! Who one is to a registry: `//host/path/:_authToken` and its kin, looked up by address as npm does.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use url::Url;

use crate::ghost::secret::Secret;

/// The value of an `Authorization` header.
#[derive(Clone, PartialEq, Eq)]
pub enum Authorization {
    /// `_authToken`
    Bearer(Secret),
    /// `_auth`, or `username` and `_password`: already base64
    Basic(Secret),
}

impl Authorization {
    /// A user and a password as an address has them, percent-encoded.
    pub(super) fn of_user(user: &str, password: &str) -> Self {
        let pair = format!("{}:{}", percent_decoded(user), percent_decoded(password));
        Self::Basic(Secret::new(STANDARD.encode(pair)))
    }

    /// The header's text: for the request and nothing else.
    #[must_use]
    pub fn header(&self) -> Secret {
        match self {
            Self::Bearer(token) => Secret::new(format!("Bearer {}", token.expose())),
            Self::Basic(pair) => Secret::new(format!("Basic {}", pair.expose())),
        }
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Bearer(_) => "Bearer …",
            Self::Basic(_) => "Basic …",
        })
    }
}

/// A client's certificate and key, for registries that ask for one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientIdentity {
    /// PEM file of the certificate, with its chain.
    pub certificate: PathBuf,
    /// PEM file of its key.
    pub key: PathBuf,
}

/// Every `//…:key` of all levels.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    values: BTreeMap<String, Secret>,
}

impl Credentials {
    /// Takes one entry; a later one for the same key replaces it.
    pub(super) fn set(&mut self, key: &str, value: &str, base: &Path) {
        let value = if key.ends_with(":certfile") || key.ends_with(":keyfile") {
            base.join(value).to_string_lossy().into_owned()
        } else {
            value.to_owned()
        };
        self.values.insert(key.to_owned(), Secret::new(value));
    }

    fn value(&self, place: &str, key: &str) -> Option<&str> {
        self.values
            .get(&format!("{place}:{key}"))
            .map(Secret::expose)
            .filter(|value| !value.is_empty())
    }

    /// A value that is more than an unset variable: `${NPM_TOKEN}` sent as it stands would only be refused.
    fn usable(&self, place: &str, key: &str) -> Option<&str> {
        self.value(place, key).filter(|value| !is_unset(value))
    }

    pub(super) fn authorization(&self, address: &Url, registry: &Url) -> Option<Authorization> {
        let place = self.place(address, registry)?;
        if let Some(token) = self.usable(&place, "_authToken") {
            return Some(Authorization::Bearer(Secret::new(token)));
        }
        if let Some(pair) = self.usable(&place, "_auth") {
            return Some(Authorization::Basic(Secret::new(pair)));
        }
        let user = self.usable(&place, "username")?;
        let password = self.usable(&place, "_password")?;
        let password = STANDARD
            .decode(password)
            .or_else(|_| STANDARD_NO_PAD.decode(password))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .ok()?;
        Some(Authorization::Basic(Secret::new(
            STANDARD.encode(format!("{user}:{password}")),
        )))
    }

    pub(super) fn client_identity(&self, address: &Url, registry: &Url) -> Option<ClientIdentity> {
        let place = self.place(address, registry)?;
        Some(ClientIdentity {
            certificate: self.value(&place, "certfile")?.into(),
            key: self.value(&place, "keyfile")?.into(),
        })
    }

    pub(super) fn unset(&self, address: &Url) -> Option<&str> {
        let place = self.place_of(address)?;
        ["_authToken", "_auth", "_password"]
            .iter()
            .find_map(|key| self.value(&place, key).filter(|value| is_unset(value)))
    }

    /// The place whose credentials go with `address`: its own, or its registry's on the same host and port.
    fn place(&self, address: &Url, registry: &Url) -> Option<String> {
        self.place_of(address).or_else(|| {
            (address.host_str() == registry.host_str()
                && address.port_or_known_default() == registry.port_or_known_default())
            .then(|| self.place_of(registry))
            .flatten()
        })
    }

    /// The longest `//host/path` above `address` that has credentials, with and without its last slash.
    fn place_of(&self, address: &Url) -> Option<String> {
        let port = address
            .port()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        let mut place = format!("//{}{port}{}", address.host_str()?, address.path());
        while place.len() > 2 {
            let has = |key: &str| self.value(&place, key).is_some();
            if has("_authToken")
                || has("_auth")
                || (has("username") && has("_password"))
                || (has("certfile") && has("keyfile"))
            {
                return Some(place);
            }
            let shorter = match place.strip_suffix('/') {
                Some(rest) => rest.len(),
                None => place.rfind('/').map_or(0, |slash| slash + 1),
            };
            place.truncate(shorter);
        }
        None
    }
}

/// The text behind `%40` and its like; what is no such escape stays.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| {
                after
                    .get(..2)
                    .and_then(|digits| std::str::from_utf8(digits).ok())
            })
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() {
            &after[2..]
        } else {
            after
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn is_unset(value: &str) -> bool {
    value.starts_with("${") && value.ends_with('}')
}

#[cfg(test)]
mod tests {
    use super::{Authorization, Credentials};
    use std::path::Path;
    use url::Url;

    fn sent(entries: &[(&str, &str)], address: &str, registry: &str) -> Option<String> {
        let mut credentials = Credentials::default();
        for (key, value) in entries {
            credentials.set(key, value, Path::new("/"));
        }
        let url = |text| Url::parse(text).expect("an address");
        credentials
            .authorization(&url(address), &url(registry))
            .map(|found: Authorization| found.header().expose().to_owned())
    }

    #[test]
    fn credentials_belong_to_an_address_and_everything_below_it() {
        let registry = "https://a.test/npm/";
        for (entries, address, expected) in [
            (
                &[("//a.test/:_authToken", "t")][..],
                "https://a.test/npm/ghost",
                Some("Bearer t"),
            ),
            (
                &[("//a.test/npm:_authToken", "t")],
                "https://a.test/npm/ghost",
                Some("Bearer t"),
            ),
            (
                &[("//a.test/other/:_authToken", "t")],
                "https://a.test/npm/ghost",
                None,
            ),
            (
                &[("//a.test/npm/:_authToken", "t")],
                "https://a.test/tarballs/g.tgz",
                Some("Bearer t"),
            ),
            (
                &[("//a.test/:_authToken", "t")],
                "https://b.test/g.tgz",
                None,
            ),
            (
                &[("//a.test/:_authToken", "t")],
                "https://a.test:8443/g.tgz",
                None,
            ),
            (
                &[("//a.test:8443/:_authToken", "t")],
                "https://a.test:8443/g.tgz",
                Some("Bearer t"),
            ),
            (
                &[("//a.test/:_auth", "dTpw")],
                "https://a.test/npm/ghost",
                Some("Basic dTpw"),
            ),
            (
                &[("//a.test/:username", "u"), ("//a.test/:_password", "cDpx")],
                "https://a.test/npm/ghost",
                Some("Basic dTpwOnE="),
            ),
            (
                &[("//a.test/:username", "u")],
                "https://a.test/npm/ghost",
                None,
            ),
            (
                &[("//a.test/:_authToken", "${TOKEN}")],
                "https://a.test/npm/ghost",
                None,
            ),
            (
                &[
                    ("//a.test/:_authToken", "far"),
                    ("//a.test/npm/:_authToken", "near"),
                ],
                "https://a.test/npm/ghost",
                Some("Bearer near"),
            ),
        ] {
            assert_eq!(
                sent(entries, address, registry).as_deref(),
                expected,
                "{entries:?} {address}"
            );
        }
    }
}
