//! An npm registry: metadata and tarballs, over [`http`](super::http) and with npm's configuration.
//!
//! Errors name the package and what to do; what is remembered between runs is the [`upstream`](super::upstream)'s.

mod packument;
mod pick;

pub use packument::{Manifest, Packument, declared};

use std::sync::Arc;

use nodejs_semver::Version;
use url::Url;

use super::failure::{Failure, quoted_line};
use super::http::{Client, Patience, Request, Response, Route};
use super::npm_config::{NpmConfig, ReplaceHost};
use super::prefetch::Prefetch;
use super::secret::Secret;
use super::tarball::{self, Kept, Limits};
use crate::error::{Error, Result};

/// Metadata of all versions; npm's largest packages have some 30 MB.
const PACKUMENT_LIMIT: u64 = 128 << 20;
const MANIFEST_LIMIT: u64 = 8 << 20;
/// The form without readmes, which npm itself asks for.
const ABBREVIATED: &str =
    "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";

/// A registry that is configured and not yet asked.
pub struct Registry {
    client: Client,
    config: Arc<NpmConfig>,
}

/// An answer about all versions, and what to ask with next time.
pub struct Fresh {
    /// The metadata.
    pub packument: Packument,
    /// The server's `ETag`.
    pub etag: Option<String>,
    /// For how long the server lets it count as fresh.
    pub max_age: Option<u64>,
}

impl Registry {
    /// The registry that `config` names.
    #[must_use]
    pub fn new(config: NpmConfig, patience: Patience) -> Self {
        let config = Arc::new(config);
        let patience = Patience {
            retries: config.fetch_retries().unwrap_or(patience.retries),
            stall: config.fetch_timeout().unwrap_or(patience.stall),
            ..patience
        };
        let routes = Arc::clone(&config);
        let route = move |address: &Url| Route {
            proxy: routes.proxy_for(address).cloned(),
            identity: routes
                .registry()
                .ok()
                .and_then(|registry| routes.client_identity(address, registry)),
        };
        Self {
            client: Client::new(config.trust().clone(), route, patience),
            config,
        }
    }

    /// The base address for `package`.
    pub fn address(&self, package: &str) -> Result<&Url> {
        self.config.registry_for(package)
    }

    fn get(
        &self,
        package: &str,
        address: Url,
        accept: &str,
        etag: Option<&str>,
        compressed: bool,
    ) -> Result<Result<Response, Failure>> {
        let registry = self.config.registry_for(package)?;
        let authorize = |address: &Url| -> Option<Secret> {
            self.config
                .authorization(address, registry)
                .map(|authorization| authorization.header())
        };
        self.client.get(&Request {
            address,
            accept,
            authorize: &authorize,
            etag,
            compressed,
            form: None,
        })
    }

    fn document(&self, package: &str, version: Option<&str>) -> Result<Url> {
        let registry = self.config.registry_for(package)?;
        // A scope's slash is part of the name, not of the path.
        let path = package.replace('/', "%2f");
        let path = version.map_or_else(|| path.clone(), |version| format!("{path}/{version}"));
        registry.join(&path).map_err(|error| Error::Usage {
            problem: format!("`{package}` is no package name: {error}"),
            next_step: "give a name as npm has it".to_owned(),
        })
    }

    /// All versions of `package`; `Ok(None)` where the registry says that `etag` is still right.
    pub fn packument(&self, package: &str, etag: Option<&str>) -> Result<Option<Fresh>> {
        let address = self.document(package, None)?;
        let response = match self.get(package, address, ABBREVIATED, etag, true)? {
            Ok(response) => response,
            Err(failure) => return Err(self.explain(failure, package, package)),
        };
        if response.is_not_modified() && etag.is_some() {
            return Ok(None);
        }
        let fresh_etag = response.header("etag").map(str::to_owned);
        let max_age = response.header("cache-control").and_then(|directives| {
            directives
                .split(',')
                .find_map(|directive| directive.trim().strip_prefix("max-age=")?.parse().ok())
        });
        let packument = response
            .read(PACKUMENT_LIMIT)
            .and_then(|json| Packument::parse(package, &json))
            .map_err(|failure| self.explain(failure, package, package))?;
        Ok(Some(Fresh {
            packument,
            etag: fresh_etag,
            max_age,
        }))
    }

    /// One version, or what a tag names, without the metadata of all others.
    ///
    /// `Ok(None)`: the registry does not know it, or does not answer such questions; the packument tells which.
    pub fn manifest(&self, package: &str, version: &str) -> Result<Option<Manifest>> {
        let exact = Version::parse(version).ok();
        let subject = format!("{package}@{version}");
        let response = match self.get(
            package,
            self.document(package, Some(version))?,
            "application/json",
            None,
            true,
        )? {
            Ok(response) => response,
            Err(Failure::Status {
                code: 400 | 404 | 405 | 406 | 410 | 501,
                ..
            }) => return Ok(None),
            Err(failure) => return Err(self.explain(failure, package, &subject)),
        };
        let parsed = response
            .read(MANIFEST_LIMIT)
            .and_then(|json| Manifest::parse(package, exact.as_ref(), &json));
        parsed
            .map(Some)
            .map_err(|failure| self.explain(failure, package, &subject))
    }

    /// Fetches a tarball, verifies all of it and keeps what is `wanted`; `arrived` sees that before it is verified.
    pub fn tarball(
        &self,
        manifest: &Manifest,
        limits: &Limits,
        wanted: &dyn Fn(&str) -> bool,
        arrived: &dyn Fn(&str, &[u8]),
    ) -> Result<Kept> {
        let explain = |failure, subject: &str| self.explain(failure, &manifest.name, subject);
        let digests = manifest
            .digests()
            .map_err(|failure| explain(failure, &manifest.id()))?;
        let algorithm = digests[0].algorithm();
        let mut attempt = 0;
        loop {
            let response = self.open_tarball(manifest)?;
            let source = Prefetch::start(
                response.into_body(),
                algorithm,
                digests.clone(),
                limits.packed,
                "it",
            );
            match tarball::read(source, limits, wanted, arrived) {
                Ok((kept, _)) => return Ok(kept),
                Err(failure)
                    if failure.is_passing() && attempt < self.client.patience().retries =>
                {
                    attempt += 1
                }
                Err(failure) => return Err(explain(failure, &tarball_of(manifest))),
            }
        }
    }

    /// The first address that has the tarball.
    fn open_tarball(&self, manifest: &Manifest) -> Result<Response> {
        let subject = manifest.id();
        let mut addresses = self.tarball_addresses(manifest)?.into_iter().peekable();
        while let Some(address) = addresses.next() {
            match self.get(
                &manifest.name,
                address,
                "application/octet-stream, */*",
                None,
                false,
            )? {
                Ok(response) => return Ok(response),
                Err(failure) if addresses.peek().is_none() => {
                    return Err(match failure {
                        Failure::Status {
                            code: 404 | 410,
                            place,
                            ..
                        } => Error::Upstream {
                            problem: format!(
                                "{subject}: its tarball is not at {place}, where the registry says it is"
                            ),
                            next_step: "take another version, or another registry with --registry"
                                .to_owned(),
                        },
                        failure => self.explain(failure, &manifest.name, &tarball_of(manifest)),
                    });
                }
                Err(_) => {}
            }
        }
        Err(Failure::Damaged {
            why: "its metadata names no tarball".to_owned(),
        }
        .about(&subject))
    }

    /// Mirrors often hand on the metadata of the registry behind them, with addresses that only that one serves.
    fn tarball_addresses(&self, manifest: &Manifest) -> Result<Vec<Url>> {
        let registry = self.config.registry_for(&manifest.name)?;
        let mut stated = registry.join(&manifest.tarball).map_err(|_| {
            Failure::Damaged {
                why: "the address of its tarball is none".to_owned(),
            }
            .about(&manifest.id())
        })?;
        if !matches!(stated.scheme(), "http" | "https") {
            let why = format!(
                "its metadata says that its tarball is at {}, which is no address of a registry",
                quoted_line(&manifest.tarball)
            );
            return Err(Failure::Damaged { why }.about(&manifest.id()));
        }
        if stated.host_str() == registry.host_str()
            && stated.scheme() == "http"
            && registry.scheme() == "https"
        {
            // Entries from the time before HTTPS; where the scheme cannot be set, the address stays as it is.
            let _ = stated.set_scheme("https");
        }
        if stated.origin() == registry.origin() {
            return Ok(vec![stated]);
        }
        // npm replaces the host and keeps the path, whatever directory the registry lives in.
        let mut replaced = registry.clone();
        replaced.set_path(stated.path());
        Ok(match self.config.replace_registry_host() {
            ReplaceHost::Never => vec![stated],
            ReplaceHost::Always => vec![replaced],
            ReplaceHost::Host(host) if stated.host_str() == Some(host.as_str()) => vec![replaced],
            ReplaceHost::Host(_) => vec![stated],
            ReplaceHost::Default => {
                // A registry in a directory keeps its tarballs there as well.
                let within = registry.join(stated.path().trim_start_matches('/')).ok();
                let mut all: Vec<Url> = within.into_iter().chain([replaced, stated]).collect();
                all.dedup();
                all
            }
        })
    }

    /// Failures that mean something particular here.
    fn explain(&self, failure: Failure, package: &str, subject: &str) -> Error {
        let Ok(registry) = self.config.registry_for(package) else {
            return failure.about(subject);
        };
        match &failure {
            Failure::Status {
                code: 404 | 410,
                place,
                ..
            } => Error::Upstream {
                problem: format!("there is no package {package} on the registry ({place})"),
                next_step: match self.config.registry_source() {
                    Some(source) => format!(
                        "check the registry's address, which comes from {source}, or name another with --registry"
                    ),
                    None => "name another registry with --registry".to_owned(),
                },
            },
            Failure::Status {
                code: 401 | 403,
                authorized: false,
                ..
            } => match self.config.unset_credentials(registry) {
                Some(variable) => Error::Upstream {
                    problem: format!("{subject}: {failure}"),
                    next_step: format!(
                        "npm's configuration takes the token from {variable}, which is not set: set it"
                    ),
                },
                None => failure.about(subject),
            },
            _ => failure.about(subject),
        }
    }
}

/// What a failure is about that is not about metadata.
fn tarball_of(manifest: &Manifest) -> String {
    format!("the tarball of {}", manifest.id())
}
