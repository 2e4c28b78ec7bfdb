//! Questions over HTTP and TLS: proxies, trust, time limits, retries, redirects; statuses as [`Failure`]s.
//!
//! What is asked for and with which credentials is the caller's: they are asked for anew at every redirect, so
//! none ever goes to a host that it does not belong to.

mod body;
mod certificate;
mod failed;
mod pace;
mod proxy;
mod tls;

pub use body::{Body, Response};
pub use certificate::Distrust;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ureq::Agent;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    ConnectProxyConnector, Connector, SocksConnector, TcpConnector,
};
use url::Url;

use failed::transport_failure;
use pace::Floor;
use proxy::{ToProxy, WholeAddress};
use tls::Tls;

use super::failure::Failure;
use super::npm_config::{ClientIdentity, Trust};
use super::secret::Secret;
use crate::error::Result;

/// More redirects than this lead nowhere.
const REDIRECTS: usize = 8;
/// No server is waited for longer than this, whatever its `Retry-After` says.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long is waited and how often tried.
#[derive(Debug, Clone)]
pub struct Patience {
    /// For a connection, the TLS handshake included.
    pub connect: Duration,
    /// For the head of the answer, the whole of it; then from one byte to the next. A body that brings next to nothing
    /// while it is waited for that long is given up on as well.
    pub stall: Duration,
    /// How often a passing failure is tried again.
    pub retries: u32,
    /// The pause before the first retry; it doubles each time.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            retries: 2,
            pause: Duration::from_millis(300),
        }
    }
}

/// How one address is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Route {
    /// Through this proxy.
    pub proxy: Option<Secret>,
    /// With this certificate of our own.
    pub identity: Option<ClientIdentity>,
}

/// What a proxy is asked for; on the way to a server without one there is no difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Manner {
    /// A connection that reaches through to the server.
    Through,
    /// The server's answer, which the proxy fetches.
    Fetched,
}

/// A client for any number of servers. Nothing is read or opened before the first request.
pub struct Client {
    trust: Trust,
    route: Box<dyn Fn(&Url) -> Route + Send + Sync>,
    patience: Patience,
    agents: Mutex<HashMap<(Route, Manner), Agent>>,
}

/// One question.
pub struct Request<'a> {
    /// Where.
    pub address: Url,
    /// `Accept`, so that servers with several forms choose ours.
    pub accept: &'a str,
    /// The `Authorization` header for an address; asked again for each redirect.
    pub authorize: &'a dyn Fn(&Url) -> Option<Secret>,
    /// `If-None-Match`.
    pub etag: Option<&'a str>,
    /// Whether the answer may come compressed: for documents, not for what has a digest.
    pub compressed: bool,
    /// Fields to be posted; without them it is a GET.
    pub form: Option<&'a [(&'a str, &'a str)]>,
}

impl Client {
    /// A client that trusts `trust` and reaches addresses by `route`.
    pub fn new(
        trust: Trust,
        route: impl Fn(&Url) -> Route + Send + Sync + 'static,
        patience: Patience,
    ) -> Self {
        Self {
            trust,
            route: Box::new(route),
            patience,
            agents: Mutex::default(),
        }
    }

    /// The limits that this client keeps.
    #[must_use]
    pub fn patience(&self) -> &Patience {
        &self.patience
    }

    /// Asks, follows redirects, and tries again where that may help.
    ///
    /// The outer error is about our own configuration (a `cafile` that is none), the inner about the server.
    pub fn get(&self, request: &Request<'_>) -> Result<Result<Response, Failure>> {
        let mut pause = self.patience.pause;
        let mut attempt = 0;
        loop {
            let (failure, server_pause) = match self.follow(request)? {
                Ok(response) => return Ok(Ok(response)),
                Err(refused) => refused,
            };
            if attempt >= self.patience.retries || !failure.is_passing() {
                return Ok(Err(failure));
            }
            attempt += 1;
            std::thread::sleep(server_pause.unwrap_or(pause).min(LONGEST_PAUSE));
            pause *= 2;
        }
    }

    fn follow(
        &self,
        request: &Request<'_>,
    ) -> Result<Result<Response, (Failure, Option<Duration>)>> {
        let mut address = request.address.clone();
        for _ in 0..REDIRECTS {
            let authorization = (request.authorize)(&address);
            let response = match self.once(&address, request, authorization.as_ref())? {
                Ok(response) => response,
                Err(failure) => return Ok(Err((failure, None))),
            };
            match response.status() {
                301 | 302 | 303 | 307 | 308 => {
                    let redirect = |problem| Failure::Redirect {
                        place: place(&address),
                        problem,
                    };
                    let Some(next) = response
                        .header("location")
                        .and_then(|to| address.join(to).ok())
                    else {
                        return Ok(Err((redirect("to nowhere"), None)));
                    };
                    if !matches!(next.scheme(), "http" | "https") {
                        return Ok(Err((redirect("to something other than HTTP"), None)));
                    }
                    if address.scheme() == "https" && next.scheme() == "http" {
                        return Ok(Err((redirect("from https to http"), None)));
                    }
                    address = next;
                }
                200..=299 | 304 => return Ok(Ok(response)),
                code => {
                    let pause = response
                        .header("retry-after")
                        .and_then(|value| value.trim().parse().ok())
                        .map(Duration::from_secs);
                    let failure = Failure::Status {
                        place: place(&address),
                        code,
                        challenge: response.header("www-authenticate").map(str::to_owned),
                        said: response.refusal(),
                        authorized: authorization.is_some(),
                    };
                    return Ok(Err((failure, pause)));
                }
            }
        }
        Ok(Err((
            Failure::Redirect {
                place: place(&request.address),
                problem: "too often",
            },
            None,
        )))
    }

    fn once(
        &self,
        address: &Url,
        request: &Request<'_>,
        authorization: Option<&Secret>,
    ) -> Result<Result<Response, Failure>> {
        let route = (self.route)(address);
        let proxy = proxy::of(&route)?;
        let fetching = proxy
            .as_ref()
            .filter(|proxy| proxy::fetches(proxy, address));
        let agent = self.agent(&route, proxy.as_ref(), fetching)?;
        let of_proxy = fetching.and_then(proxy::authorization);
        let encoding = if request.compressed {
            "gzip"
        } else {
            "identity"
        };
        let mut headers = vec![("accept", request.accept), ("accept-encoding", encoding)];
        headers.extend(request.etag.map(|etag| ("if-none-match", etag)));
        headers.extend(authorization.map(|header| ("authorization", header.expose())));
        headers.extend(
            of_proxy
                .as_ref()
                .map(|header| ("proxy-authorization", header.expose())),
        );
        let answer = match request.form {
            None => {
                let call = agent.get(address.as_str());
                headers
                    .iter()
                    .fold(call, |call, (name, value)| call.header(*name, *value))
                    .call()
            }
            Some(form) => {
                let call = agent.post(address.as_str());
                let call = headers
                    .iter()
                    .fold(call, |call, (name, value)| call.header(*name, *value));
                call.send_form(form.iter().copied())
            }
        };
        let host = host(address);
        Ok(match answer {
            Ok(answer) => {
                let (parts, body) = answer.into_parts();
                if let Some(proxy) = fetching
                    && parts.status == 407
                {
                    return Ok(Err(failed::unknown_to(proxy)));
                }
                Ok(Response::new(&parts, body, host, self.patience.stall))
            }
            Err(error) => Err(transport_failure(
                &error,
                &host,
                proxy.as_ref(),
                &self.patience,
            )),
        })
    }

    fn agent(
        &self,
        route: &Route,
        proxy: Option<&ureq::Proxy>,
        fetching: Option<&ureq::Proxy>,
    ) -> Result<Agent> {
        let manner = match fetching {
            None => Manner::Through,
            Some(_) => Manner::Fetched,
        };
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (route.clone(), manner);
        if let Some(agent) = agents.get(&key) {
            return Ok(agent.clone());
        }
        let configuration = tls::configuration(&self.trust, route.identity.as_ref())?;
        let config = Agent::config_builder()
            // One that fetches is the server that is connected to, as far as ureq knows.
            .proxy(proxy.filter(|_| fetching.is_none()).cloned())
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("ghostfix/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(self.patience.connect))
            // For the whole head, however it comes: this one is not begun anew at each byte, as the next is.
            .timeout_recv_response(Some(self.patience.stall))
            .timeout_per_read(Some(self.patience.stall))
            .timeout_per_write(Some(self.patience.stall))
            .output_buffer_size(16 * 1024)
            .build();
        let floor = Floor {
            window: self.patience.stall,
        };
        let agent = match fetching {
            // ureq's connectors in its order, with the floor right above the socket, and a TLS that knows whom Node
            // trusts.
            None => {
                let connector =
                    ().chain(SocksConnector::default())
                        .chain(ConnectProxyConnector::default())
                        .chain(TcpConnector::default())
                        .chain(floor)
                        .chain(Tls::to_server(configuration));
                Agent::with_parts(config, connector, DefaultResolver::default())
            }
            Some(proxy) => {
                let connector =
                    ().chain(TcpConnector::default())
                        .chain(floor)
                        .chain(Tls::to_proxy(configuration, proxy))
                        .chain(WholeAddress);
                Agent::with_parts(config, connector, ToProxy::new(proxy))
            }
        };
        agents.insert(key, agent.clone());
        Ok(agent)
    }
}

/// An address as it may be shown: without user, password or query, where signatures and tokens are.
pub(super) fn place(address: &Url) -> String {
    format!("{}{}", host(address), address.path())
}

fn host(address: &Url) -> String {
    let host = address.host_str().unwrap_or_default();
    match address.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
