//! An image on a registry: its manifest, and its layers as they stream, each verified to the last byte.
//!
//! The protocol is OCI's distribution specification, with the token service that registries put before it.

use std::cell::RefCell;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use url::{Host, Url};

use super::assemble::{Source, assemble};
use super::credentials::Credentials;
use super::layer::Limits;
use super::manifest::{Config, Document, Manifest, choose, others};
use super::reference::{Reference, Version};
use super::{Image, wants};
use crate::error::{Error, Result};
use crate::ghost::failure::Failure;
use crate::ghost::http::{Client, Patience, Request, Response, Route};
use crate::ghost::integrity::{Algorithm, Integrity};
use crate::ghost::npm_config::{Proxies, Surroundings, Trust};
use crate::ghost::secret::Secret;

const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json, \
                         application/vnd.docker.distribution.manifest.v2+json";
const DOCUMENT_LIMIT: u64 = 8 << 20;
/// Indexes in indexes.
const DEPTH: usize = 4;

/// The way to one repository.
pub struct Repository {
    client: Client,
    reference: Reference,
    base: Url,
    credentials: Option<Credentials>,
    /// The header that the registry was content with last.
    authorization: RefCell<Option<Secret>>,
}

/// A manifest that is there, with what it hangs on.
pub struct Found {
    manifest: Manifest,
    /// Of the manifest itself: it names the whole image.
    pub digest: Integrity,
    /// The platforms for which there is another.
    pub other_platforms: Vec<String>,
}

impl Repository {
    /// Reads Docker's configuration. No connection is made yet.
    pub fn open(
        reference: Reference,
        surroundings: &Surroundings,
        patience: Patience,
    ) -> Result<Self> {
        let credentials = Credentials::find(&reference.registry, surroundings)?;
        let proxies = Proxies::of_environment(surroundings);
        let route = move |address: &Url| Route {
            proxy: proxies.route(address).cloned(),
            identity: None,
        };
        let trust = Trust {
            exclusive: None,
            extra: None,
            verify: true,
        };
        let base = base_address(&reference, "https")?;
        Ok(Self {
            client: Client::new(trust, route, patience),
            reference,
            base,
            credentials,
            authorization: RefCell::default(),
        })
    }

    /// The manifest of the image for this machine.
    pub fn find(&mut self) -> Result<Found> {
        let wanted = match &self.reference.version {
            Version::Tag(_) => None,
            Version::Digest(digest) => Integrity::of_image(digest),
        };
        let version = self.reference.version_text().to_owned();
        let mut bytes = match self.manifest(&version) {
            // Docker speaks plain HTTP to registries on this machine, and to no other.
            Err(Failed::Upstream(
                Failure::Unreachable { .. } | Failure::Broken { .. } | Failure::Certificate { .. },
            )) if is_this_machine(&self.base) => {
                self.base = base_address(&self.reference, "http")?;
                self.manifest(&version)
            }
            other => other,
        }
        .map_err(|failed| self.explain(failed))?;
        let mut digest = wanted.unwrap_or_else(|| Integrity::of_bytes(Algorithm::Sha256, &bytes));
        let mut other_platforms = Vec::new();
        for _ in 0..DEPTH {
            self.check(&bytes, &digest)?;
            match Document::parse(&bytes).map_err(|failure| self.about(failure))? {
                Document::Manifest(manifest) => {
                    return Ok(Found {
                        manifest,
                        digest,
                        other_platforms,
                    });
                }
                Document::Index(descriptors) => {
                    let chosen = choose(&descriptors).map_err(|failure| self.about(failure))?;
                    other_platforms.extend(others(&descriptors, chosen));
                    digest = chosen.digest.clone();
                    let name = format!("{}:{}", digest.algorithm().name(), digest.hex());
                    bytes = self
                        .manifest(&name)
                        .map_err(|failed| self.explain(failed))?;
                }
            }
        }
        Err(self.about(Failure::Damaged {
            why: "its indexes lead to indexes only".to_owned(),
        }))
    }

    /// Streams the layers and keeps what matters of them.
    pub fn pull(&self, found: &Found, limits: &Limits) -> Result<Image> {
        let config = self
            .blob(&found.manifest.config)?
            .read(DOCUMENT_LIMIT)
            .map_err(|failure| self.about(failure))?;
        self.check(&config, &found.manifest.config)?;
        let (config, _) = Config::parse(&config).map_err(|failure| self.about(failure))?;
        let layers: Vec<Source<'_>> = found
            .manifest
            .layers
            .iter()
            .map(|digest| Source {
                open: Box::new(|| {
                    self.blob(digest).map(|response| {
                        Box::new(response.into_body()) as Box<dyn std::io::Read + Send>
                    })
                }),
                digest: Some(digest.clone()),
                diff_id: None,
            })
            .collect();
        let tree = assemble(&layers, limits, &self.subject(), &wants)?;
        Ok(Image {
            tree,
            config,
            digest: Some(format!(
                "{}:{}",
                found.digest.algorithm().name(),
                found.digest.hex()
            )),
            other_platforms: found.other_platforms.clone(),
        })
    }

    fn manifest(&self, version: &str) -> Result<Vec<u8>, Failed> {
        let response = self.get(&format!("manifests/{version}"), MANIFESTS)?;
        Ok(response.read(DOCUMENT_LIMIT)?)
    }

    fn blob(&self, digest: &Integrity) -> Result<Response> {
        let path = format!("blobs/{}:{}", digest.algorithm().name(), digest.hex());
        self.get(&path, "application/octet-stream, */*")
            .map_err(|failed| match failed {
                Failed::Upstream(Failure::Status {
                    code: 404 | 410, ..
                }) => Error::Upstream {
                    problem: format!(
                        "{}: the registry does not have {}:{}, which the image's manifest names",
                        self.subject(),
                        digest.algorithm().name(),
                        digest.hex()
                    ),
                    next_step: "push the image again, or pull it from another registry".to_owned(),
                },
                failed => self.explain(failed),
            })
    }

    fn check(&self, bytes: &[u8], digest: &Integrity) -> Result<()> {
        let found = Integrity::of_bytes(digest.algorithm(), bytes);
        if found == *digest {
            return Ok(());
        }
        let algorithm = digest.algorithm().name();
        Err(self.about(Failure::Digest {
            algorithm,
            expected: digest.hex(),
            found: found.hex(),
        }))
    }

    /// Asks, and where the registry wants to know who asks, shows it and asks again.
    fn get(&self, path: &str, accept: &str) -> Result<Response, Failed> {
        let address = self.base.join(path).map_err(|_| Failure::Damaged {
            why: "its name is no address".to_owned(),
        })?;
        let known = self.authorization.borrow().clone();
        match self.once(&address, accept, known)? {
            Err(Failure::Status {
                code: 401,
                challenge: Some(challenge),
                ..
            }) => {
                let header = self.answer(&challenge)?;
                self.authorization.replace(Some(header.clone()));
                Ok(self.once(&address, accept, Some(header))??)
            }
            other => Ok(other?),
        }
    }

    fn once(
        &self,
        address: &Url,
        accept: &str,
        header: Option<Secret>,
    ) -> Result<Result<Response, Failure>, Failed> {
        // Layers are mostly redirected to a store that signs its addresses: the header is the registry's alone.
        let authorize = |to: &Url| header.clone().filter(|_| to.origin() == self.base.origin());
        let request = Request {
            address: address.clone(),
            accept,
            authorize: &authorize,
            etag: None,
            compressed: false,
            form: None,
        };
        Ok(self.client.get(&request)?)
    }

    /// The header that a challenge asks for.
    fn answer(&self, challenge: &str) -> Result<Secret, Failed> {
        if let Some(Credentials::Bearer(token)) = &self.credentials {
            return Ok(Secret::new(format!("Bearer {}", token.expose())));
        }
        let (scheme, parameters) = parse_challenge(challenge);
        let refused = |why: &str| Failure::Damaged {
            why: format!("the registry asks for credentials {why}"),
        };
        if scheme.eq_ignore_ascii_case("basic") {
            return match &self.credentials {
                Some(Credentials::Password { user, password }) => Ok(basic(user, password)),
                _ => Err(Failed::NoCredentials),
            };
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(refused("in a way that is not known here").into());
        }
        let parameter = |name: &str| {
            parameters
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        let realm = parameter("realm").and_then(|realm| Url::parse(realm).ok());
        let Some(mut realm) = realm else {
            return Err(refused("and does not say where").into());
        };
        // A password over plain HTTP only where the registry itself is asked so.
        if realm.scheme() != "https" && !(realm.scheme() == "http" && self.base.scheme() == "http")
        {
            return Err(refused("over a connection that everybody can read").into());
        }
        let scope = parameter("scope").map_or_else(
            || format!("repository:{}:pull", self.reference.repository),
            str::to_owned,
        );
        let service = parameter("service").unwrap_or_default().to_owned();
        let token = match &self.credentials {
            Some(Credentials::Identity(token)) => {
                let form = [
                    ("grant_type", "refresh_token"),
                    ("service", service.as_str()),
                    ("client_id", "ghostfix"),
                    ("scope", scope.as_str()),
                    ("refresh_token", token.expose()),
                ];
                self.token(realm, None, Some(&form))?
            }
            credentials => {
                let header = match credentials {
                    Some(Credentials::Password { user, password }) => Some(basic(user, password)),
                    _ => None,
                };
                if !service.is_empty() {
                    realm.query_pairs_mut().append_pair("service", &service);
                }
                realm.query_pairs_mut().append_pair("scope", &scope);
                self.token(realm, header, None)?
            }
        };
        Ok(Secret::new(format!("Bearer {}", token.expose())))
    }

    fn token(
        &self,
        realm: Url,
        header: Option<Secret>,
        form: Option<&[(&str, &str)]>,
    ) -> Result<Secret, Failed> {
        let origin = realm.origin();
        let authorize = |to: &Url| header.clone().filter(|_| to.origin() == origin);
        let accept = "application/json";
        let request = Request {
            address: realm,
            accept,
            authorize: &authorize,
            etag: None,
            compressed: true,
            form,
        };
        let bytes = self.client.get(&request)??.read(DOCUMENT_LIMIT)?;
        let answer: Value = serde_json::from_slice(&bytes).map_err(|_| Failure::Damaged {
            why: "the registry's token service answered with no JSON".to_owned(),
        })?;
        answer["token"]
            .as_str()
            .or(answer["access_token"].as_str())
            .map(Secret::new)
            .ok_or_else(|| {
                Failure::Damaged {
                    why: "the registry's token service gave no token".to_owned(),
                }
                .into()
            })
    }

    fn subject(&self) -> String {
        format!("docker://{}", self.reference)
    }

    fn about(&self, failure: Failure) -> Error {
        failure.about_image(&self.subject())
    }

    fn explain(&self, failed: Failed) -> Error {
        match failed {
            Failed::Own(error) => error,
            Failed::NoCredentials => Error::Upstream {
                problem: format!(
                    "{}: the registry wants a user and a password",
                    self.subject()
                ),
                next_step: format!("log in with `docker login {}`", self.reference.registry),
            },
            Failed::Upstream(failure) => self.about(failure),
        }
    }
}

/// Why something was not had from the registry.
enum Failed {
    /// Our own configuration is in the way.
    Own(Error),
    NoCredentials,
    Upstream(Failure),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self::Upstream(failure)
    }
}

fn basic(user: &str, password: &Secret) -> Secret {
    Secret::new(format!(
        "Basic {}",
        STANDARD.encode(format!("{user}:{}", password.expose()))
    ))
}

fn base_address(reference: &Reference, scheme: &str) -> Result<Url> {
    Url::parse(&format!(
        "{scheme}://{}/v2/{}/",
        reference.registry, reference.repository
    ))
    .map_err(|error| Error::Usage {
        problem: format!("docker://{reference} is no address: {error}"),
        next_step: "give an image as docker://REGISTRY/REPOSITORY:TAG".to_owned(),
    })
}

fn is_this_machine(address: &Url) -> bool {
    match address.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A challenge's scheme and its parameters, `name="value"` or `name=value`, separated by commas.
fn parse_challenge(challenge: &str) -> (&str, Vec<(String, String)>) {
    let (scheme, mut rest) = challenge
        .trim()
        .split_once(' ')
        .unwrap_or((challenge.trim(), ""));
    let mut parameters = Vec::new();
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',']).to_ascii_lowercase();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        parameters.push((name, value.trim().to_owned()));
        rest = after;
    }
    (scheme, parameters)
}

#[cfg(test)]
mod tests {
    use super::{is_this_machine, parse_challenge};
    use url::Url;

    #[test]
    fn challenges_are_taken_apart() {
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        assert_eq!(
            parse_challenge(
                r#"Bearer realm="https://auth.test/token?a=b",service="registry.test",scope="repository:a/b:pull,push""#
            ),
            (
                "Bearer",
                owned(&[
                    ("realm", "https://auth.test/token?a=b"),
                    ("service", "registry.test"),
                    ("scope", "repository:a/b:pull,push")
                ])
            )
        );
        assert_eq!(
            parse_challenge("Basic realm=x, charset=UTF-8"),
            ("Basic", owned(&[("realm", "x"), ("charset", "UTF-8")]))
        );
        assert_eq!(parse_challenge("Basic"), ("Basic", vec![]));
        assert_eq!(
            parse_challenge("Bearer realm=\"open"),
            ("Bearer", owned(&[("realm", "open")]))
        );
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        for (address, expected) in [
            ("https://localhost:5000/", true),
            ("https://127.0.0.2/", true),
            ("https://[::1]:5000/", true),
            ("https://localhost.test/", false),
            ("https://10.0.0.1/", false),
        ] {
            assert_eq!(
                is_this_machine(&Url::parse(address).expect("an address")),
                expected,
                "{address}"
            );
        }
    }
}
