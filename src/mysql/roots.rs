//! Whom a connection trusts: what Node has built in (Mozilla's list), what NODE_EXTRA_CA_CERTS adds, what the system has,
//! or only what `ca` gives.

use std::path::Path;

use base64::Engine as _;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// The certificates in a PEM text; none where there is none, which is no error in Node either.
#[must_use]
pub fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .filter_map(Result::ok)
        .collect()
}

/// What Node trusts by itself.
#[must_use]
pub fn of_node(extra: Option<&Path>) -> Vec<CertificateDer<'static>> {
    let mut roots: Vec<CertificateDer<'static>> = webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec();
    if let Some(text) = extra.and_then(|path| std::fs::read_to_string(path).ok()) {
        roots.extend(certificates(&text));
    }
    roots
}

/// What this system trusts: what programs other than Ghost would.
#[must_use]
pub fn of_system() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

/// The store that a chain is verified against.
#[must_use]
pub fn store(roots: &[CertificateDer<'static>]) -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots.iter().cloned());
    store
}

/// The same as a PEM text.
#[must_use]
pub fn pem(roots: &[CertificateDer<'static>]) -> String {
    let mut text = String::new();
    for root in roots {
        let encoded = base64::engine::general_purpose::STANDARD.encode(root);
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in encoded.as_bytes().chunks(64) {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_survives_its_text() {
        let roots = of_node(None);
        assert!(roots.len() > 100);
        assert_eq!(certificates(&pem(&roots)), roots);
    }

    #[test]
    fn a_text_without_a_certificate_holds_none() {
        for text in ["", "/etc/ssl/ca.pem", "-----BEGIN CERTIFICATE-----\\nMII"] {
            assert!(certificates(text).is_empty(), "{text}");
        }
    }
}
