//! Servers whose certificate signed itself: Node says which of them it believes, and so do we.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use ghostfix::error::Error;
use ghostfix::ghost::npm_config::{NpmConfig, Surroundings};
use ghostfix::ghost::registry::Registry;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};

use crate::ghost::registry::quick;
use crate::ghost::server::{Reply, Server};

const GHOST: &str = r#"{"name":"ghost","version":"6.65.0","dist":{"tarball":"t"}}"#;

fn server_with(certificate: &rcgen::Certificate, key: &KeyPair) -> Server {
    server_showing(certificate.der().to_vec(), key)
}

/// Shows any certificate, also one that rustls would not read.
fn server_showing(certificate: Vec<u8>, key: &KeyPair) -> Server {
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = provider.key_provider.load_private_key(key).unwrap();
    let shown = rustls::sign::CertifiedKey::new(vec![certificate.into()], key);
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(shown)));
    Server::start_tls(Arc::new(tls), |_| Reply::json(GHOST))
}

/// As `openssl req -x509 -addext subjectAltName=…` makes them, but for what a case changes.
fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    (parameters(change).self_signed(&key).unwrap(), key)
}

fn parameters(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut parameters = CertificateParams::new(names).unwrap();
    parameters
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut parameters);
    parameters
}

fn file(directory: &Path, text: &str) -> PathBuf {
    let path = directory.join("listed.pem");
    std::fs::write(&path, text).unwrap();
    path
}

/// What we make of it, with the list in `cafile` or in NODE_EXTRA_CA_CERTS.
fn ask(port: u16, host: &str, listed: &Path, setting: &str) -> Result<(), Error> {
    let home = tempfile::tempdir().unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let mut variables = vec![("HOME".to_owned(), text(home.path()))];
    match setting {
        "cafile" => {
            let npmrc = format!("cafile={}", text(listed));
            std::fs::write(home.path().join(".npmrc"), npmrc).unwrap();
        }
        variable => variables.push((variable.to_owned(), text(listed))),
    }
    let url = format!("https://{host}:{port}/");
    let surroundings = Surroundings::new(variables, home.path());
    let config = NpmConfig::read(&surroundings, Some(&url)).unwrap();
    Registry::new(config, quick())
        .manifest("ghost", "6.65.0")
        .map(|found| assert!(found.is_some()))
}

/// `ok`, or the code of Node's error.
fn node(server: &Server, host: &str, listed: &Path, setting: &str) -> String {
    let script = "
        const [url, ca] = process.argv.slice(1);
        const options = ca ? { ca: require('fs').readFileSync(ca) } : {};
        require('https').get(url, options, (answer) => { answer.resume(); console.log('ok'); })
            .on('error', (error) => console.log(error.code));";
    let mut command = Command::new("node");
    command
        .args(["-e", script])
        .arg(format!("https://{host}:{}/ghost", server.address.port()));
    match setting {
        "cafile" => command.arg(listed),
        variable => command.env(variable, listed),
    };
    let output = command.output().expect("these tests need node on PATH");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_certificate_that_is_listed_itself_is_believed_as_node_believes_it() {
    type Change = Box<dyn FnOnce(&mut CertificateParams)>;
    let any: fn(&mut CertificateParams) = |_| {};
    let usage = |usage: KeyUsagePurpose| -> Change {
        Box::new(move |parameters| parameters.key_usages = vec![usage])
    };
    let extended = |usage: ExtendedKeyUsagePurpose| -> Change {
        Box::new(move |parameters| parameters.extended_key_usages = vec![usage])
    };
    const PURPOSE: &str = "its key usage does not allow a server to show it";
    let cases: Vec<(&str, &str, &str, &str, Change)> = vec![
        ("as openssl makes it", "localhost", "ok", "", Box::new(any)),
        ("by its address", "127.0.0.1", "ok", "", Box::new(any)),
        (
            "no authority",
            "localhost",
            "ok",
            "",
            Box::new(|parameters| parameters.is_ca = IsCa::ExplicitNoCa),
        ),
        (
            "a common name alone",
            "localhost",
            "ok",
            "",
            Box::new(|parameters| parameters.subject_alt_names.clear()),
        ),
        (
            "a common name alone, by its address",
            "127.0.0.1",
            "ERR_TLS_CERT_ALTNAME_INVALID",
            "it is not for 127.0.0.1: it names no server as its subjectAltName",
            Box::new(|parameters| parameters.subject_alt_names.clear()),
        ),
        (
            "another name",
            "localhost",
            "ERR_TLS_CERT_ALTNAME_INVALID",
            "it is not for localhost but for other.test",
            Box::new(|parameters| {
                parameters.subject_alt_names =
                    vec![SanType::DnsName("other.test".try_into().unwrap())];
            }),
        ),
        (
            "over its time",
            "localhost",
            "CERT_HAS_EXPIRED",
            "it, or the one of an issuer, expired; its own time ends on 2021-01-01",
            Box::new(|parameters| {
                parameters.not_before = date_time_ymd(2020, 1, 1);
                parameters.not_after = date_time_ymd(2021, 1, 1);
            }),
        ),
        (
            "before its time",
            "localhost",
            "CERT_NOT_YET_VALID",
            "it, or the one of an issuer, is not valid yet; its own time begins on 2040-01-01",
            Box::new(|parameters| {
                parameters.not_before = date_time_ymd(2040, 1, 1);
                parameters.not_after = date_time_ymd(2041, 1, 1);
            }),
        ),
        (
            "for signatures",
            "localhost",
            "ok",
            "",
            usage(KeyUsagePurpose::DigitalSignature),
        ),
        (
            "for certificates alone",
            "localhost",
            "INVALID_PURPOSE",
            PURPOSE,
            usage(KeyUsagePurpose::KeyCertSign),
        ),
        (
            "for servers",
            "localhost",
            "ok",
            "",
            extended(ExtendedKeyUsagePurpose::ServerAuth),
        ),
        (
            "for clients",
            "localhost",
            "INVALID_PURPOSE",
            PURPOSE,
            extended(ExtendedKeyUsagePurpose::ClientAuth),
        ),
        (
            "for anything",
            "localhost",
            "INVALID_PURPOSE",
            PURPOSE,
            extended(ExtendedKeyUsagePurpose::Any),
        ),
        (
            "with what nobody knows",
            "localhost",
            "UNSPECIFIED",
            "it has a critical extension that is not known here",
            Box::new(|parameters| {
                let mut unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
                unknown.set_criticality(true);
                parameters.custom_extensions.push(unknown);
            }),
        ),
    ];
    let directory = tempfile::tempdir().unwrap();
    for (name, host, of_node, why, change) in cases {
        let (certificate, key) = self_signed(change);
        let server = server_with(&certificate, &key);
        let listed = file(directory.path(), &certificate.pem());
        assert_eq!(node(&server, host, &listed, "cafile"), of_node, "{name}");
        let ours = ask(server.address.port(), host, &listed, "cafile");
        if of_node == "ok" {
            ours.expect(name);
            continue;
        }
        let place = format!("{host}:{}", server.address.port());
        let error = ours.expect_err(name);
        assert_eq!(
            error.to_string(),
            format!("ghost@6.65.0: the certificate of {place} is not trusted: {why}"),
            "{name}"
        );
        assert_eq!(error.exit_code(), 6);
    }
}

#[test]
fn node_extra_ca_certs_lists_a_certificate_as_well() {
    let (certificate, key) = self_signed(|_| {});
    let server = server_with(&certificate, &key);
    let directory = tempfile::tempdir().unwrap();
    let listed = file(directory.path(), &certificate.pem());
    let setting = "NODE_EXTRA_CA_CERTS";
    assert_eq!(node(&server, "localhost", &listed, setting), "ok");
    ask(server.address.port(), "localhost", &listed, setting).unwrap();
}

#[test]
fn nothing_but_the_listed_certificate_itself_is_believed() {
    let directory = tempfile::tempdir().unwrap();
    let check = |server: &Server, listed: &str, of_node: &str, why: &str, next_step: &str| {
        let listed = file(directory.path(), listed);
        assert_eq!(node(server, "localhost", &listed, "cafile"), of_node);
        let error = ask(server.address.port(), "localhost", &listed, "cafile").unwrap_err();
        let place = format!("localhost:{}", server.address.port());
        assert_eq!(
            error.to_string(),
            format!("ghost@6.65.0: the certificate of {place} is not trusted: {why}")
        );
        assert_eq!(error.next_step(), next_step);
    };
    // Made anew with the same key and the same name.
    let (certificate, key) = self_signed(|_| {});
    let anew = parameters(|parameters| parameters.serial_number = Some(7u64.into()))
        .self_signed(&key)
        .unwrap();
    let server = server_with(&certificate, &key);
    check(
        &server,
        &anew.pem(),
        "DEPTH_ZERO_SELF_SIGNED_CERT",
        "it signed itself, and is none of those that are trusted",
        "if it is known to be that server's, name the certificate itself with `cafile` in an .npmrc, or in SSL_CERT_FILE",
    );
    // Listed without the authority that signed it.
    let issuer_key = KeyPair::generate().unwrap();
    let issuer = parameters(|parameters| {
        parameters
            .distinguished_name
            .push(DnType::CommonName, "an authority");
    });
    let issuer = rcgen::Issuer::new(issuer, issuer_key);
    let leaf_key = KeyPair::generate().unwrap();
    let leaf = parameters(|parameters| parameters.is_ca = IsCa::NoCa)
        .signed_by(&leaf_key, &issuer)
        .unwrap();
    check(
        &server_with(&leaf, &leaf_key),
        &leaf.pem(),
        "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        "nobody who is trusted signed it; it names CN=an authority as its issuer",
        "name the authority that signed it with `cafile` in an .npmrc, or in SSL_CERT_FILE",
    );
}

#[test]
fn a_certificate_of_an_old_version_is_refused_in_words() {
    let (certificate, key) = self_signed(|_| {});
    let mut old = certificate.der().to_vec();
    let third = [0xa0, 3, 2, 1, 2];
    let version = old
        .windows(third.len())
        .position(|window| window == third)
        .unwrap();
    old[version + 4] = 1;
    let server = server_showing(old, &key);
    let directory = tempfile::tempdir().unwrap();
    let listed = file(directory.path(), &certificate.pem());
    let error = ask(server.address.port(), "localhost", &listed, "cafile").unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "ghost@6.65.0: the certificate of localhost:{} is not trusted: it is of an X.509 version before 3, which is not read here",
            server.address.port()
        )
    );
}

#[test]
fn what_goes_wrong_with_tls_itself_is_told_in_words() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = self_signed(|_| {});
    let listed = file(directory.path(), &certificate.pem());
    let check = |port: u16, why: &str| {
        let error = ask(port, "localhost", &listed, "cafile").unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("ghost@6.65.0: the answer of localhost:{port} broke off: {why}")
        );
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let plain = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let mut client = client;
            let _ = client.read(&mut [0; 4096]);
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    check(
        plain,
        "what came is not TLS: perhaps it is an address for http:// and not for https://",
    );
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let wanted = rustls::server::WebPkiClientVerifier::builder_with_provider(
        Arc::new(roots),
        provider.clone(),
    )
    .build()
    .unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(wanted)
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let choosy = Server::start_tls(Arc::new(tls), |_| Reply::json(GHOST));
    check(
        choosy.address.port(),
        "it wants a certificate of its client (`certfile` and `keyfile`), or another than it got",
    );
}
