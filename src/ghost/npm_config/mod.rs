//! Which registry, with which token, through which proxy and trusting whom: npm's configuration, read without npm.
//!
//! The levels and their order are npm's: flag, environment, project, user, global, built-in. Connecting is left to
//! [`http`](super::http).

mod credentials;
mod levels;
mod npmrc;
mod surroundings;

pub use credentials::{Authorization, ClientIdentity};
pub use levels::Source;
pub use surroundings::Surroundings;

use std::path::PathBuf;
use std::time::Duration;

use levels::Levels;
use url::Url;

use super::secret::Secret;
use crate::error::{Error, Result};

/// What npm's configuration says about reaching a registry.
#[derive(Debug, Clone)]
pub struct NpmConfig {
    registry: Option<(Url, Source)>,
    /// `https://user:password@host/`: taken out of the address, so that no message can show it.
    in_address: Option<Authorization>,
    levels: Levels,
    trust: Trust,
    proxies: Proxies,
}

/// Whose certificates are believed.
#[derive(Clone, PartialEq, Eq)]
pub struct Trust {
    /// `ca` or `cafile`: these and no others, as Node's TLS has it. `None`: the system's authorities.
    pub exclusive: Option<CertificateBundle>,
    /// `NODE_EXTRA_CA_CERTS`: trusted beside the system's, where there is no exclusive list.
    pub extra: Option<PathBuf>,
    /// `strict-ssl`; `false` accepts any certificate.
    pub verify: bool,
}

/// PEM text and where it came from, for the message when nothing in it is a certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateBundle {
    /// One or more PEM blocks.
    pub pem: String,
    /// `cafile /etc/ssl/…` or `ca in …/.npmrc`.
    pub origin: String,
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Trust")
            .field(
                "exclusive",
                &self.exclusive.as_ref().map(|bundle| &bundle.origin),
            )
            .field("extra", &self.extra)
            .field("verify", &self.verify)
            .finish()
    }
}

/// `https-proxy`, `proxy`, `noproxy` and the variables that npm falls back to. Proxy addresses may hold a password.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    configured: Option<Secret>,
    for_https: Option<Secret>,
    for_http: Option<Secret>,
    exceptions: Vec<String>,
}

impl NpmConfig {
    /// Reads the levels around `surroundings`; `flag` is what `--registry` said.
    ///
    /// A configuration that names no registry is no error here: the caller may know one from before, or
    /// [ask npm](Surroundings::ask_npm_for_registry).
    pub fn read(surroundings: &Surroundings, flag: Option<&str>) -> Result<Self> {
        let levels = Levels::read(surroundings)?;
        let named = match flag {
            Some(address) => Some((registry_and_user(address)?, Source::Flag)),
            None => match levels.first("registry", |value| {
                (value != "null").then(|| value.to_owned())
            }) {
                Some((address, source)) => Some((configured_registry(&address, &source)?, source)),
                None => None,
            },
        };
        let (registry, in_address) = match named {
            Some(((address, user), source)) => (Some((address, source)), user),
            None => (None, None),
        };
        let trust = Trust {
            exclusive: levels.certificate_bundle(surroundings)?,
            extra: surroundings
                .variable("NODE_EXTRA_CA_CERTS")
                .map(PathBuf::from),
            verify: levels
                .first("strict-ssl", boolean)
                .is_none_or(|(strict, _)| strict),
        };
        let proxies = Proxies::read(&levels, surroundings);
        Ok(Self {
            registry,
            in_address,
            levels,
            trust,
            proxies,
        })
    }

    /// The registry of unscoped packages.
    pub fn registry(&self) -> Result<&Url> {
        self.registry.as_ref().map(|(address, _)| address).ok_or_else(|| Error::Upstream {
            problem: "npm's configuration names no registry, and npm is not there to be asked".to_owned(),
            next_step: "name one with --registry URL, in npm_config_registry, or as `registry=` in an .npmrc"
                .to_owned(),
        })
    }

    /// Where the registry's address was found.
    #[must_use]
    pub fn registry_source(&self) -> Option<&Source> {
        self.registry.as_ref().map(|(_, source)| source)
    }

    /// Fills in the registry that npm itself answered with, where no level named one.
    #[must_use]
    pub fn or_registry(mut self, address: Url) -> Self {
        self.registry.get_or_insert((address, Source::Npm));
        self
    }

    /// The registry for one package: its scope's, where it has one (`@scope:registry`), else the common one.
    pub fn registry_for(&self, package: &str) -> Result<&Url> {
        match package
            .split_once('/')
            .and_then(|(scope, _)| self.levels.scoped_registry(scope))
        {
            Some(address) => Ok(address),
            None => self.registry(),
        }
    }

    /// The header for a request to `address`, where the configuration has credentials for it.
    #[must_use]
    pub fn authorization(&self, address: &Url, registry: &Url) -> Option<Authorization> {
        self.levels
            .credentials()
            .authorization(address, registry)
            .or_else(|| {
                let (own, _) = self.registry.as_ref()?;
                self.in_address
                    .clone()
                    .filter(|_| own.origin() == address.origin())
            })
    }

    /// The client certificate for `address` (`//host/:certfile` and `:keyfile`).
    #[must_use]
    pub fn client_identity(&self, address: &Url, registry: &Url) -> Option<ClientIdentity> {
        self.levels.credentials().client_identity(address, registry)
    }

    /// Credentials that name a variable which is not set: `//host/:_authToken` and the variable's text.
    #[must_use]
    pub fn unset_credentials(&self, address: &Url) -> Option<&str> {
        self.levels.credentials().unset(address)
    }

    /// Whose certificates to believe.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// The proxy for `address`, if it is not to be reached directly.
    #[must_use]
    pub fn proxy_for(&self, address: &Url) -> Option<&Secret> {
        self.proxies.route(address)
    }

    /// `replace-registry-host`: whether tarball addresses on other hosts are asked of the registry instead.
    #[must_use]
    pub fn replace_registry_host(&self) -> ReplaceHost {
        match self
            .levels
            .first("replace-registry-host", |value| Some(value.to_owned()))
        {
            Some((value, _)) => match value.as_str() {
                "never" => ReplaceHost::Never,
                "always" => ReplaceHost::Always,
                "npmjs" => ReplaceHost::Default,
                host => ReplaceHost::Host(
                    Url::parse(host)
                        .ok()
                        .and_then(|address| address.host_str().map(str::to_owned))
                        .unwrap_or_else(|| host.to_owned()),
                ),
            },
            None => ReplaceHost::Default,
        }
    }

    /// `fetch-retries`, where it is set.
    #[must_use]
    pub fn fetch_retries(&self) -> Option<u32> {
        self.levels
            .first("fetch-retries", |value| value.parse().ok())
            .map(|(retries, _)| retries)
    }

    /// `fetch-timeout`, where it is set. Zero is npm's word for "for ever", which nothing is waited for here.
    #[must_use]
    pub fn fetch_timeout(&self) -> Option<Duration> {
        self.levels
            .first("fetch-timeout", |value| value.parse().ok())
            .map(|(milliseconds, _)| Duration::from_millis(milliseconds))
            .filter(|timeout| !timeout.is_zero())
    }
}

/// npm's `replace-registry-host`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplaceHost {
    /// Addresses on another host are tried on the registry first, then as they stand.
    Default,
    /// Addresses are taken as they stand.
    Never,
    /// Addresses are always asked of the registry.
    Always,
    /// Only addresses on this host are asked of the registry.
    Host(String),
}

/// A registry's base address, with the slash at its end that joining needs.
///
/// # Errors
///
/// When the text is no `http` or `https` address.
pub fn registry_address(text: &str) -> Result<Url> {
    registry_and_user(text).map(|(address, _)| address)
}

/// The address without the user and password that may stand in it, and these.
fn registry_and_user(text: &str) -> Result<(Url, Option<Authorization>)> {
    let unusable = |why: &str| Error::Usage {
        problem: format!(
            "`{}` is no registry address: {why}",
            without_credentials(text)
        ),
        next_step: "give the whole address, as in https://registry.example/npm/".to_owned(),
    };
    let mut address = Url::parse(text.trim()).map_err(|error| unusable(&error.to_string()))?;
    if !matches!(address.scheme(), "http" | "https") || address.host_str().is_none_or(str::is_empty)
    {
        return Err(unusable("it must begin with http:// or https://"));
    }
    address.set_query(None);
    address.set_fragment(None);
    if !address.path().ends_with('/') {
        let path = format!("{}/", address.path());
        address.set_path(&path);
    }
    let user = (!address.username().is_empty()).then(|| {
        Authorization::of_user(address.username(), address.password().unwrap_or_default())
    });
    // Both can only fail for addresses without a host, which were refused above.
    let _ = address.set_username("");
    let _ = address.set_password(None);
    Ok((address, user))
}

/// npm stops at an address that is none, too, rather than look further down.
fn configured_registry(text: &str, source: &Source) -> Result<(Url, Option<Authorization>)> {
    registry_and_user(text).map_err(|error| Error::Upstream {
        problem: format!("{error} (from {source})"),
        next_step: "correct it there, or name a registry with --registry URL".to_owned(),
    })
}

fn without_credentials(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            format!("{}://…{}", &text[..scheme], &text[at..])
        }
        _ => text.to_owned(),
    }
}

fn boolean(value: &str) -> Option<bool> {
    match value {
        "true" | "" => Some(true),
        "false" | "null" => Some(false),
        _ => None,
    }
}

impl Proxies {
    /// The variables alone, for what has nothing to do with npm.
    #[must_use]
    pub fn of_environment(surroundings: &Surroundings) -> Self {
        let variable = |name: &str| {
            surroundings
                .variable_ignoring_case(name)
                .filter(|value| !value.is_empty())
        };
        let exceptions = variable("no_proxy").unwrap_or_default();
        Self {
            configured: None,
            for_https: variable("https_proxy").map(Secret::new),
            for_http: variable("https_proxy")
                .or_else(|| variable("http_proxy"))
                .or_else(|| variable("proxy"))
                .map(Secret::new),
            exceptions: split_exceptions(exceptions),
        }
    }

    fn read(levels: &Levels, surroundings: &Surroundings) -> Self {
        // A level that says `proxy=null` or `proxy=false` hides the proxy of the levels below it.
        let setting = |key: &str| {
            levels
                .first(key, |value| match value {
                    "null" | "false" => Some(None),
                    address => Url::parse(address).ok().map(|_| Some(Secret::new(address))),
                })
                .and_then(|(proxy, _)| proxy)
        };
        let of_environment = Self::of_environment(surroundings);
        let exceptions = levels.first("noproxy", |value| {
            (!value.is_empty()).then(|| value.replace("\n\n", ","))
        });
        Self {
            configured: setting("https-proxy").or_else(|| setting("proxy")),
            exceptions: exceptions.map_or(of_environment.exceptions, |(exceptions, _)| {
                split_exceptions(&exceptions)
            }),
            ..of_environment
        }
    }

    /// The proxy for an address, if it is not to be reached directly.
    #[must_use]
    pub fn route(&self, address: &Url) -> Option<&Secret> {
        let proxy = self.configured.as_ref().or(match address.scheme() {
            "https" => self.for_https.as_ref(),
            _ => self.for_http.as_ref(),
        })?;
        let host = address.host_str()?;
        (!self
            .exceptions
            .iter()
            .any(|exception| is_within(host, exception)))
        .then_some(proxy)
    }
}

fn split_exceptions(list: &str) -> Vec<String> {
    list.split(',')
        .map(str::trim)
        .filter(|exception| !exception.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether `host` is `domain` or a name below it; npm compares label by label from the right, without wildcards.
fn is_within(host: &str, domain: &str) -> bool {
    let mut labels = host.rsplit('.');
    let mut wanted = domain
        .split('.')
        .rev()
        .filter(|label| !label.is_empty())
        .peekable();
    wanted.peek().is_some() && wanted.all(|label| labels.next() == Some(label))
}

#[cfg(test)]
mod tests {
    use super::{is_within, registry_address, registry_and_user};

    #[test]
    fn exceptions_are_compared_label_by_label() {
        for (host, domain, expected) in [
            ("packages.test", "packages.test", true),
            ("a.packages.test", ".packages.test", true),
            ("notpackages.test", "packages.test", false),
            ("packages.test", "a.packages.test", false),
            ("packages.test", "*", false),
            ("packages.test", "", false),
            ("127.0.0.1", "127.0.0.1", true),
        ] {
            assert_eq!(is_within(host, domain), expected, "{host} in {domain:?}");
        }
    }

    #[test]
    fn a_registry_is_an_http_address_that_ends_in_a_slash() {
        assert_eq!(
            registry_address("https://A.test/npm?x")
                .expect("an address")
                .as_str(),
            "https://a.test/npm/"
        );
        for text in ["a.test", "ftp://a.test/", "https://", "", "file:///tmp"] {
            let error = registry_address(text).expect_err(text);
            assert_eq!(error.exit_code(), 2, "{text}");
        }
    }

    #[test]
    fn user_and_password_leave_the_address() {
        let (address, user) =
            registry_and_user("https://me:p%40ss@a.test/npm").expect("an address");
        assert_eq!(address.as_str(), "https://a.test/npm/");
        assert_eq!(
            user.expect("a user").header().expose(),
            "Basic bWU6cEBzcw=="
        );
    }

    #[test]
    fn a_password_in_a_broken_address_is_not_repeated() {
        let error = registry_address("ftp://me:hunter2@a.test/").expect_err("not http");
        assert_eq!(
            error.to_string(),
            "`ftp://…@a.test/` is no registry address: it must begin with http:// or https://"
        );
    }
}
