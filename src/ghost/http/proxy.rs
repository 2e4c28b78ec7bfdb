//! An HTTP proxy that is asked for an address in plain HTTP: with the whole address in the request line, as npm asks it.
//! Proxies allow CONNECT to port 443 and often to no other; ureq knows nothing but CONNECT.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Proxy, ProxyProtocol};
use url::Url;

use super::Route;
use crate::error::{Error, Result};
use crate::ghost::secret::Secret;

/// The proxy of a route.
pub(super) fn of(route: &Route) -> Result<Option<Proxy>> {
    let Some(address) = &route.proxy else {
        return Ok(None);
    };
    Proxy::new(address.expose())
        .map(Some)
        .map_err(|_| Error::Upstream {
            problem: "the proxy in npm's configuration or in HTTPS_PROXY is no address".to_owned(),
            next_step: "correct `https-proxy` in the .npmrc, or the variable, to http://HOST:PORT"
                .to_owned(),
        })
}

/// Where a proxy is, without the credentials in its address.
pub(super) fn place(proxy: &Proxy) -> String {
    format!("{}:{}", proxy.host(), proxy.port())
}

/// Whether the proxy fetches `address` itself, rather than open a tunnel to it.
pub(super) fn fetches(proxy: &Proxy, address: &Url) -> bool {
    let speaks_http = matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https);
    speaks_http && address.scheme() == "http"
}

/// The `Proxy-Authorization` header, where the proxy's address holds user or password.
pub(super) fn authorization(proxy: &Proxy) -> Option<Secret> {
    if proxy.username().is_none() && proxy.password().is_none() {
        return None;
    }
    let user = proxy.username().unwrap_or_default();
    let password = proxy.password().unwrap_or_default();
    let pair = STANDARD.encode(format!("{user}:{password}"));
    Some(Secret::new(format!("Basic {pair}")))
}

/// Finds the proxy, whatever host is asked for: that one need not have an address here.
#[derive(Debug)]
pub(super) struct ToProxy {
    proxy: Uri,
    resolver: DefaultResolver,
}

impl ToProxy {
    pub(super) fn new(proxy: &Proxy) -> Self {
        Self {
            proxy: proxy.uri().clone(),
            resolver: DefaultResolver::default(),
        }
    }
}

impl Resolver for ToProxy {
    fn resolve(
        &self,
        _: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> std::result::Result<ResolvedSocketAddrs, ureq::Error> {
        self.resolver.resolve(&self.proxy, config, timeout)
    }
}

/// Puts the whole address into the first line of each request.
#[derive(Debug)]
pub(super) struct WholeAddress;

impl<In: Transport> Connector<In> for WholeAddress {
    type Out = Addressed<In>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> std::result::Result<Option<Self::Out>, ureq::Error> {
        let authority = details
            .uri
            .authority()
            .map_or("", |authority| authority.as_str());
        // A user in the address is in the Authorization header already.
        let server = authority.rsplit('@').next().unwrap_or_default();
        Ok(chained.map(|proxy| Addressed {
            proxy,
            origin: format!("http://{server}"),
            at_request: true,
        }))
    }
}

/// A connection to a proxy, on which all requests are for one server.
#[derive(Debug)]
pub(super) struct Addressed<T> {
    proxy: T,
    origin: String,
    /// The next that is sent is the head of a request: nothing was sent yet, or an answer came since.
    at_request: bool,
}

impl<T: Transport> Transport for Addressed<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.proxy.buffers()
    }

    fn transmit_output(
        &mut self,
        amount: usize,
        timeout: NextTimeout,
    ) -> std::result::Result<(), ureq::Error> {
        if !std::mem::take(&mut self.at_request) {
            return self.proxy.transmit_output(amount, timeout);
        }
        let head = &self.proxy.buffers().output()[..amount];
        let whole = with_origin(head, &self.origin);
        let mut left = whole.as_slice();
        while !left.is_empty() {
            let output = self.proxy.buffers().output();
            let (now, later) = left.split_at(left.len().min(output.len()));
            output[..now.len()].copy_from_slice(now);
            self.proxy.transmit_output(now.len(), timeout)?;
            left = later;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> std::result::Result<bool, ureq::Error> {
        self.at_request = true;
        self.proxy.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.proxy.is_open()
    }

    fn is_tls(&self) -> bool {
        self.proxy.is_tls()
    }
}

/// `GET /ghost HTTP/1.1` as `GET http://registry.test/ghost HTTP/1.1`; ureq writes a request line in one go.
fn with_origin(head: &[u8], origin: &str) -> Vec<u8> {
    match head.iter().position(|byte| *byte == b' ') {
        Some(space) => [&head[..=space], origin.as_bytes(), &head[space + 1..]].concat(),
        None => head.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::with_origin;

    #[test]
    fn the_origin_stands_before_the_path() {
        let whole = with_origin(
            b"GET /a?b HTTP/1.1\r\nhost: a b\r\n\r\n",
            "http://a.test:99",
        );
        assert_eq!(
            whole,
            b"GET http://a.test:99/a?b HTTP/1.1\r\nhost: a b\r\n\r\n"
        );
    }
}
