//! Whether a server's certificate is believed: as Node decides, so that a registry that npm reaches is reached here.
//!
//! rustls wants every certificate signed by an authority, and refuses one that is listed itself where it calls itself an
//! authority, as those that `openssl req -x509` makes do. OpenSSL, beneath Node, takes such a one for what it is.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error as TlsError, OtherError, RootCertStore,
    SignatureScheme,
};
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Version};

use crate::ghost::failure::quoted_line;
use crate::mysql::certificate::Certificate;

/// Why a certificate is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// It names itself as its issuer, and is none of those that are trusted.
    #[error("it signed itself, and is none of those that are trusted")]
    SelfSigned,
    /// No chain from it ends at somebody trusted.
    #[error("nobody who is trusted signed it; it names {issuer} as its issuer")]
    UnknownIssuer {
        /// Whom it names.
        issuer: String,
    },
    /// It, or one of its issuers, is over its time.
    #[error("it, or the one of an issuer, expired{}", on(*.own))]
    Expired {
        /// When its own time ends.
        own: Option<i64>,
    },
    /// Its time, or that of one of its issuers, has not begun.
    #[error("it, or the one of an issuer, is not valid yet{}", from(*.own))]
    NotYetValid {
        /// When its own time begins.
        own: Option<i64>,
    },
    /// It is for somebody else.
    #[error("it is not for {host}{}", but_for(names))]
    OtherName {
        /// Who was asked.
        host: String,
        /// Whom it is for.
        names: Vec<String>,
    },
    /// Its key usage leaves out what a server needs.
    #[error("its key usage does not allow a server to show it")]
    Purpose,
    /// It says that nobody may use it who does not know some extension, which nobody here does.
    #[error("it has a critical extension that is not known here")]
    Extension,
    /// It is an authority's own, and not listed itself.
    #[error("it is that of an authority, not of a server")]
    Authority,
    /// It is older than X.509 version 3.
    #[error("it is of an X.509 version before 3, which is not read here")]
    Version,
    /// A signature in the chain is of a kind that is too weak or too new.
    #[error("a signature in its chain is of a kind that is not accepted here")]
    Signature,
    /// Anything else that is wrong with its form.
    #[error("its form, or that of an issuer's, is not accepted here")]
    Form,
}

impl Distrust {
    /// What to do; `list` says where trusted certificates are named.
    #[must_use]
    pub fn next_step(&self, list: &str) -> String {
        match self {
            Self::SelfSigned => {
                format!("if it is known to be that server's, name the certificate itself {list}")
            }
            Self::UnknownIssuer { .. } => format!("name the authority that signed it {list}"),
            Self::Expired { .. } => {
                "have the server's certificate renewed, or correct this machine's clock".to_owned()
            }
            Self::NotYetValid { .. } => {
                "correct this machine's clock, or have the server's certificate made anew"
                    .to_owned()
            }
            Self::OtherName { .. } => {
                "use a name that the certificate is for, or have one made for this name".to_owned()
            }
            Self::Purpose
            | Self::Extension
            | Self::Authority
            | Self::Version
            | Self::Signature
            | Self::Form => {
                "have a certificate made for the server: X.509 version 3, signed with SHA-256 or better, for server authentication, with its name as subjectAltName"
                    .to_owned()
            }
        }
    }

    /// What rustls found, in words of our own: some of its own are those of its source code.
    fn of(error: &TlsError, certificate: &CertificateDer<'_>, host: &str) -> Self {
        let own = Certificate::read(certificate);
        let TlsError::InvalidCertificate(error) = error else {
            return Self::Form;
        };
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired {
                own: own.map(|own| own.not_after),
            },
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid {
                    own: own.map(|own| own.not_before),
                }
            }
            // The second is that of an authority which has only the name of the right one.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => match own {
                Some(own) if own.is_self_signed() => Self::SelfSigned,
                own => Self::UnknownIssuer {
                    issuer: own.map_or_else(|| "nobody".to_owned(), |own| quoted_line(&own.issuer)),
                },
            },
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::OtherName {
                    host: host.to_owned(),
                    names: own.as_ref().map(names).unwrap_or_default(),
                }
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Self::Purpose
            }
            CertificateError::UnhandledCriticalExtension => Self::Extension,
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                Self::Signature
            }
            _ => match X509Certificate::from_der(certificate) {
                _ if own.is_some_and(|own| own.is_self_signed()) => Self::SelfSigned,
                Ok((_, parsed)) if parsed.is_ca() => Self::Authority,
                _ => Self::Form,
            },
        }
    }
}

impl From<Distrust> for TlsError {
    fn from(distrust: Distrust) -> Self {
        Self::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(distrust))))
    }
}

/// The reason within an error of the handshake, where it was the certificate.
pub(super) fn distrust(error: &TlsError) -> Option<Distrust> {
    match error {
        TlsError::InvalidCertificate(CertificateError::Other(OtherError(why))) => {
            why.downcast_ref().cloned()
        }
        // From verifying the handshake's own signature with the certificate's key.
        TlsError::InvalidCertificate(_) => Some(Distrust::Form),
        _ => None,
    }
}

/// Verifies against a list of certificates.
#[derive(Debug)]
pub(super) struct Verifier {
    listed: Vec<CertificateDer<'static>>,
    authorities: RootCertStore,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    pub(super) fn new(listed: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Self {
        let mut authorities = RootCertStore::empty();
        authorities.add_parsable_certificates(listed.iter().cloned());
        Self {
            listed,
            authorities,
            provider,
        }
    }

    fn judge(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Distrust> {
        let host = name.to_str();
        if let Ok((_, parsed)) = X509Certificate::from_der(certificate) {
            if parsed.version() != X509Version::V3 {
                return Err(Distrust::Version);
            }
            if let Some(own) = Certificate::read(certificate)
                && own.is_self_signed()
                && self.listed.iter().any(|listed| listed == certificate)
            {
                return judge_listed(&own, &parsed, &host, now);
            }
        }
        let algorithms = self.provider.signature_verification_algorithms.all;
        ParsedCertificate::try_from(certificate)
            .and_then(|parsed| {
                verify_server_cert_signed_by_trust_anchor(
                    &parsed,
                    &self.authorities,
                    intermediates,
                    now,
                    algorithms,
                )?;
                verify_server_name(&parsed, name)
            })
            .map_err(|error| Distrust::of(&error, certificate, &host))
    }
}

/// One that is listed byte for byte and signed itself: nothing more is known of who it belongs to, but what it says of
/// itself still holds. The order is OpenSSL's, and Node compares the name last.
fn judge_listed(
    own: &Certificate,
    parsed: &X509Certificate<'_>,
    host: &str,
    now: UnixTime,
) -> Result<(), Distrust> {
    let unknown = |extension: &ParsedExtension<'_>| {
        matches!(
            extension,
            ParsedExtension::UnsupportedExtension { .. } | ParsedExtension::ParseError { .. }
        )
    };
    if parsed
        .iter_extensions()
        .any(|extension| extension.critical && unknown(extension.parsed_extension()))
    {
        return Err(Distrust::Extension);
    }
    let (Ok(usage), Ok(extended)) = (parsed.key_usage(), parsed.extended_key_usage()) else {
        return Err(Distrust::Form);
    };
    let for_tls = usage.is_none_or(|usage| {
        let usage = usage.value;
        usage.digital_signature() || usage.key_encipherment() || usage.key_agreement()
    });
    // `anyExtendedKeyUsage` does not count, in OpenSSL.
    let for_servers = extended.is_none_or(|extended| extended.value.server_auth);
    if !for_tls || !for_servers {
        return Err(Distrust::Purpose);
    }
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < own.not_before {
        return Err(Distrust::NotYetValid {
            own: Some(own.not_before),
        });
    }
    if now > own.not_after {
        return Err(Distrust::Expired {
            own: Some(own.not_after),
        });
    }
    if !own.is_for(host) {
        return Err(Distrust::OtherName {
            host: host.to_owned(),
            names: names(own),
        });
    }
    Ok(())
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        self.judge(certificate, intermediates, name, now)?;
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

/// `strict-ssl=false`: whoever answers is taken for whoever was asked.
#[derive(Debug)]
pub(super) struct Anybody(pub(super) Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    // The signature shows that the server has the key of its certificate, which may be anybody's.
    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn names(own: &Certificate) -> Vec<String> {
    let addresses = own.addresses.iter().map(ToString::to_string);
    let names: Vec<String> = own.names.iter().cloned().chain(addresses).collect();
    names.iter().map(|name| quoted_line(name)).collect()
}

fn but_for(names: &[String]) -> String {
    const SHOWN: usize = 4;
    match names.len() {
        0 => ": it names no server as its subjectAltName".to_owned(),
        count if count > SHOWN => format!(
            " but for {} and {} more",
            names[..SHOWN].join(", "),
            count - SHOWN
        ),
        _ => format!(" but for {}", names.join(", ")),
    }
}

fn on(own: Option<i64>) -> String {
    day(own).map_or_else(String::new, |day| format!("; its own time ends on {day}"))
}

fn from(own: Option<i64>) -> String {
    day(own).map_or_else(String::new, |day| format!("; its own time begins on {day}"))
}

fn day(seconds: Option<i64>) -> Option<String> {
    let time = chrono::DateTime::from_timestamp(seconds?, 0)?;
    Some(time.format("%Y-%m-%d").to_string())
}
