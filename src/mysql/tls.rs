//! A TLS handshake that accepts any certificate and writes down what it saw: only so can be told what is wrong with one.
//! No password is ever sent over it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::certificate::Certificate;
use super::roots;
use super::stream::Duplex;
use crate::connection::ssl::ClientCertificate;

/// What came of a handshake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// What ended it; nothing where it came to its end.
    pub failure: Option<String>,
    /// `TLSv1.3`, `TLSv1.2`.
    pub protocol: Option<String>,
    /// The cipher.
    pub cipher: Option<String>,
    /// The server's certificate first.
    pub chain: Vec<Certificate>,
    /// The server asked for a certificate of the client's.
    pub client_certificate_asked: bool,
    /// Whether the chain leads to what Ghost would trust.
    pub by_ghost: Option<Trust>,
    /// Whether it leads to what this system trusts.
    pub by_system: Option<Trust>,
}

/// Whether a chain leads to somebody trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// It does.
    Trusted,
    /// It does not.
    UnknownIssuer,
    /// It is over its time.
    Expired,
    /// Its time has not begun, or this machine's clock is wrong.
    NotYetValid,
    /// It cannot be told here: what is used here is stricter than Node.
    Unclear,
}

/// What to trust and to show.
pub struct Terms<'a> {
    /// The host as it is configured.
    pub host: &'a str,
    /// Whom Ghost would trust.
    pub roots: &'a [CertificateDer<'static>],
    /// What Ghost would show.
    pub client: Option<&'a ClientCertificate>,
}

/// Makes the handshake.
pub async fn shake_hands(stream: Box<dyn Duplex>, terms: &Terms<'_>, limit: Duration) -> Handshake {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let seen = Arc::new(Seen {
        chain: Mutex::new(Vec::new()),
        asked: Mutex::new(false),
        identity: identity(terms.client, &provider),
        provider: provider.clone(),
    });
    let name = ServerName::try_from(terms.host.to_owned())
        .or_else(|_| ServerName::try_from("localhost".to_owned()));
    let (Ok(config), Ok(name)) = (
        ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions(),
        name,
    ) else {
        return Handshake::failed("no TLS can be made here");
    };
    let config = config
        .dangerous()
        .with_custom_certificate_verifier(seen.clone())
        .with_client_cert_resolver(seen.clone());
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let mut handshake = match timeout(limit, connecting).await {
        Err(_) => Handshake::failed(&format!("no answer within {} s", limit.as_secs())),
        Ok(Err(error)) => Handshake::failed(&error.to_string()),
        Ok(Ok(stream)) => {
            let (_, connection) = stream.get_ref();
            Handshake {
                protocol: connection.protocol_version().map(|version| match version {
                    rustls::ProtocolVersion::TLSv1_3 => "TLSv1.3".to_owned(),
                    rustls::ProtocolVersion::TLSv1_2 => "TLSv1.2".to_owned(),
                    other => format!("{other:?}"),
                }),
                cipher: connection
                    .negotiated_cipher_suite()
                    .map(|suite| format!("{:?}", suite.suite())),
                ..Handshake::failed_with(None)
            }
        }
    };
    let chain = seen
        .chain
        .lock()
        .map(|chain| chain.clone())
        .unwrap_or_default();
    handshake.client_certificate_asked = seen.asked.lock().is_ok_and(|asked| *asked);
    handshake.chain = chain.iter().filter_map(Certificate::read).collect();
    if !chain.is_empty() {
        handshake.by_ghost = Some(trust(&chain, terms.roots, &provider));
        handshake.by_system = Some(trust(&chain, &roots::of_system(), &provider));
    }
    handshake
}

impl Handshake {
    /// For how many more days the server's certificate is good.
    #[must_use]
    pub fn days_left(&self, now: i64) -> Option<i64> {
        let own = self.chain.first()?;
        chrono::TimeDelta::try_seconds(own.not_after - now).map(|left| left.num_days())
    }

    fn failed(words: &str) -> Self {
        Self::failed_with(Some(words.to_owned()))
    }

    fn failed_with(failure: Option<String>) -> Self {
        Self {
            failure,
            protocol: None,
            cipher: None,
            chain: Vec::new(),
            client_certificate_asked: false,
            by_ghost: None,
            by_system: None,
        }
    }
}

fn identity(
    client: Option<&ClientCertificate>,
    provider: &Arc<CryptoProvider>,
) -> Option<Arc<CertifiedKey>> {
    let client = client?;
    let chain = roots::certificates(&client.certificate);
    let key = PrivateKeyDer::from_pem_slice(client.key.expose().as_bytes()).ok()?;
    CertifiedKey::from_der(chain, key, provider)
        .ok()
        .map(Arc::new)
}

fn trust(
    chain: &[CertificateDer<'static>],
    roots: &[CertificateDer<'static>],
    provider: &CryptoProvider,
) -> Trust {
    let Some((server, intermediates)) = chain.split_first() else {
        return Trust::Unclear;
    };
    let now = UnixTime::now();
    // One that signed itself and is trusted as it is: OpenSSL takes it, webpki calls it a misused authority.
    if roots.contains(server) && Certificate::read(server).is_some_and(|own| own.is_self_signed()) {
        return own_time(server, now);
    }
    let store: RootCertStore = roots::store(roots);
    let Ok(parsed) = ParsedCertificate::try_from(server) else {
        return Trust::Unclear;
    };
    let algorithms = provider.signature_verification_algorithms.all;
    match verify_server_cert_signed_by_trust_anchor(&parsed, &store, intermediates, now, algorithms)
    {
        // OpenSSL takes one whose issuer has its own name for one that signed itself.
        Ok(()) if Certificate::read(server).is_none_or(|own| own.is_self_signed()) => {
            Trust::Unclear
        }
        Ok(()) => Trust::Trusted,
        Err(TlsError::InvalidCertificate(error)) => match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Trust::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Trust::NotYetValid
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Trust::UnknownIssuer
            }
            _ if self_signed_and_not_known(server, roots) => Trust::UnknownIssuer,
            _ => Trust::Unclear,
        },
        Err(_) => Trust::Unclear,
    }
}

fn self_signed_and_not_known(
    server: &CertificateDer<'static>,
    roots: &[CertificateDer<'static>],
) -> bool {
    !roots.contains(server) && Certificate::read(server).is_some_and(|own| own.is_self_signed())
}

fn own_time(server: &CertificateDer<'_>, now: UnixTime) -> Trust {
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    match Certificate::read(server) {
        Some(own) if own.not_after < now => Trust::Expired,
        Some(own) if own.not_before > now => Trust::NotYetValid,
        Some(_) => Trust::Trusted,
        None => Trust::Unclear,
    }
}

/// What the server showed, and what it asked for.
#[derive(Debug)]
struct Seen {
    chain: Mutex<Vec<CertificateDer<'static>>>,
    asked: Mutex<bool>,
    identity: Option<Arc<CertifiedKey>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if let Ok(mut chain) = self.chain.lock() {
            let owned = |one: &CertificateDer<'_>| one.clone().into_owned();
            *chain = std::iter::once(end_entity)
                .chain(intermediates)
                .map(owned)
                .collect();
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

impl ResolvesClientCert for Seen {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        _schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        if let Ok(mut asked) = self.asked.lock() {
            *asked = true;
        }
        self.identity.clone()
    }

    fn has_certs(&self) -> bool {
        true
    }
}
