//! Whom a connection trusts, and with which certificate of its own it shows itself.

use std::sync::Arc;

use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use crate::error::{Error, Result};
use crate::ghost::npm_config::{ClientIdentity, Trust};

/// TLS with ring, as `trust` has it.
pub(super) fn configuration(trust: &Trust, identity: Option<&ClientIdentity>) -> Result<TlsConfig> {
    Ok(TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::Specific(Arc::new(roots(trust)?)))
        .client_cert(identity.map(client_certificate).transpose()?)
        .disable_verification(!trust.verify)
        .build())
}

/// The certificates that a server's may lead back to.
fn roots(trust: &Trust) -> Result<Vec<Certificate<'static>>> {
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
    let mut found: Vec<Certificate<'static>> = rustls_native_certs::load_native_certs()
        .certs
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned())
        .collect();
    if found.is_empty() {
        // An image without ca-certificates: Mozilla's list, as Node has it built in.
        found = webpki_root_certs::TLS_SERVER_ROOT_CERTS
            .iter()
            .map(|certificate| Certificate::from_der(certificate).to_owned())
            .collect();
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

fn certificates(pem: &[u8]) -> Vec<Certificate<'static>> {
    parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect()
}

fn client_certificate(identity: &ClientIdentity) -> Result<ClientCert> {
    let read = |path: &std::path::Path| {
        std::fs::read(path).map_err(|error| Error::file_system("read", path, error))
    };
    let chain = certificates(&read(&identity.certificate)?);
    let key = PrivateKey::from_pem(&read(&identity.key)?).ok();
    match key {
        Some(key) if !chain.is_empty() => Ok(ClientCert::new_with_certs(&chain, key)),
        _ => Err(Error::Unusable {
            path: identity.certificate.clone(),
            problem: "the certfile and keyfile of the registry are no PEM certificate and key"
                .to_owned(),
            next_step: "correct `certfile` and `keyfile` in the .npmrc".to_owned(),
        }),
    }
}
