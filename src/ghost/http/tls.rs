//! Whom a connection trusts, with which certificate of its own it shows itself, and the connection itself.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

use super::certificate::{Anybody, Distrust, Verifier, distrust};
use crate::error::{Error, Result};
use crate::ghost::npm_config::{ClientIdentity, Trust};

/// TLS with ring, as `trust` has it.
pub(super) fn configuration(
    trust: &Trust,
    identity: Option<&ClientIdentity>,
) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Upstream {
            problem: format!("no TLS can be made here: {error}"),
            next_step: "tell the maintainers of ghostfix".to_owned(),
        })?
        .dangerous();
    let builder = if trust.verify {
        builder.with_custom_certificate_verifier(Arc::new(Verifier::new(roots(trust)?, provider)))
    } else {
        builder.with_custom_certificate_verifier(Arc::new(Anybody(provider)))
    };
    Ok(Arc::new(match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = client_certificate(identity)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|_| unusable_identity(identity))?
        }
    }))
}

/// The certificates that a server's may lead back to, or be one of.
fn roots(trust: &Trust) -> Result<Vec<CertificateDer<'static>>> {
    let unusable = |problem: String| Error::Upstream {
        problem,
        next_step:
            "put PEM certificates there (-----BEGIN CERTIFICATE-----), or take the setting away"
                .to_owned(),
    };
    if let Some(bundle) = &trust.exclusive {
        let found = certificates(bundle.pem.as_bytes());
        if found.is_empty() {
            return Err(unusable(format!("{} holds no certificate", bundle.origin)));
        }
        return Ok(found);
    }
    let mut found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        // An image without ca-certificates: Mozilla's list, as Node has it built in.
        found = webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec();
    }
    if let Some(path) = &trust.extra {
        let bytes = std::fs::read(path).map_err(|error| {
            unusable(format!(
                "NODE_EXTRA_CA_CERTS names {}, which cannot be read: {error}",
                path.display()
            ))
        })?;
        found.extend(certificates(&bytes));
    }
    Ok(found)
}

fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem)
        .filter_map(std::result::Result::ok)
        .collect()
}

fn client_certificate(
    identity: &ClientIdentity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let read = |path: &std::path::Path| {
        std::fs::read(path).map_err(|error| Error::file_system("read", path, error))
    };
    let chain = certificates(&read(&identity.certificate)?);
    match PrivateKeyDer::from_pem_slice(&read(&identity.key)?) {
        Ok(key) if !chain.is_empty() => Ok((chain, key)),
        _ => Err(unusable_identity(identity)),
    }
}

fn unusable_identity(identity: &ClientIdentity) -> Error {
    Error::Unusable {
        path: identity.certificate.clone(),
        problem: "the certfile and keyfile of the registry are no PEM certificate and its key"
            .to_owned(),
        next_step: "correct `certfile` and `keyfile` in the .npmrc".to_owned(),
    }
}

/// A server whose certificate is not believed.
#[derive(Debug, thiserror::Error)]
#[error("the certificate of {host} is not trusted: {why}")]
pub(super) struct Untrusted {
    pub(super) host: String,
    pub(super) why: Distrust,
}

/// Puts TLS over a connection whose address wants it: ureq's own connector takes no verifier.
#[derive(Debug)]
pub(super) struct Tls {
    configuration: Arc<ClientConfig>,
    /// Where something other than the address says it: the proxy's, and whether it speaks TLS.
    proxy: Option<(ureq::http::Uri, bool)>,
}

impl Tls {
    /// With the server of each address.
    pub(super) fn to_server(configuration: Arc<ClientConfig>) -> Self {
        Self {
            configuration,
            proxy: None,
        }
    }

    /// With the proxy, whatever it is asked for.
    pub(super) fn to_proxy(configuration: Arc<ClientConfig>, proxy: &ureq::Proxy) -> Self {
        let encrypted = proxy.protocol() == ureq::ProxyProtocol::Https;
        Self {
            configuration,
            proxy: Some((proxy.uri().clone(), encrypted)),
        }
    }
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Either<In, Encrypted<In>>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(socket) = chained else {
            return Ok(None);
        };
        let (server, encrypted) = match &self.proxy {
            Some((proxy, encrypted)) => (proxy, *encrypted),
            None => (details.uri, details.needs_tls()),
        };
        if !encrypted || socket.is_tls() {
            return Ok(Some(Either::A(socket)));
        }
        let host = server.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| ureq::Error::Tls("the server's name is none that TLS knows"))?;
        let mut connection = ClientConnection::new(Arc::clone(&self.configuration), name)
            .map_err(|error| ureq::Error::Other(Box::new(error)))?;
        let mut socket = TransportAdapter::new(socket, Arc::clone(&details.current_time));
        socket.set_timeout(left_of(details));
        connection.complete_io(&mut socket).map_err(|error| {
            match error
                .get_ref()
                .and_then(|inner| inner.downcast_ref())
                .and_then(distrust)
            {
                Some(why) => ureq::Error::Other(Box::new(Untrusted {
                    host: server
                        .authority()
                        .map_or(host, |authority| {
                            authority.as_str().rsplit('@').next().unwrap_or(host)
                        })
                        .to_owned(),
                    why,
                })),
                None => error.into(),
            }
        })?;
        Ok(Some(Either::B(Encrypted {
            buffers: LazyBuffers::new(
                details.config.input_buffer_size(),
                details.config.output_buffer_size(),
            ),
            stream: StreamOwned::new(connection, socket),
        })))
    }
}

/// What connecting has left of its time for the handshake.
fn left_of(details: &ConnectionDetails<'_>) -> NextTimeout {
    let mut timeout = details.timeout;
    if let (Duration::Exact(limit), Instant::Exact(begun), Instant::Exact(now)) =
        (timeout.after, details.now, (details.current_time)())
    {
        timeout.after = Duration::Exact(limit.saturating_sub(now.saturating_duration_since(begun)));
    }
    timeout
}

/// A connection within TLS.
pub(super) struct Encrypted<T: Transport> {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter<T>>,
}

impl<T: Transport> Transport for Encrypted<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl<T: Transport> std::fmt::Debug for Encrypted<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Encrypted")
            .field("socket", &self.stream.get_ref().inner())
            .finish_non_exhaustive()
    }
}
