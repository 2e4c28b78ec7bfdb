//! A registry that answers, and one that does not, lies, or dies half-way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ghostfix::error::Error;
use ghostfix::ghost::http::Patience;
use ghostfix::ghost::npm_config::{NpmConfig, Surroundings};
use ghostfix::ghost::registry::{Manifest, Registry};
use ghostfix::ghost::tarball::{Kept, Limits};
use serde_json::json;

use crate::ghost::fake_registry::{FakeRegistry, Package};
use crate::ghost::server::{Reply, Server};

pub(super) fn quick() -> Patience {
    Patience {
        connect: Duration::from_secs(2),
        stall: Duration::from_millis(300),
        retries: 1,
        pause: Duration::from_millis(1),
    }
}

fn registry_at(url: &str, npmrc: &str) -> Registry {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".npmrc"), npmrc).unwrap();
    let variables = [("HOME".to_owned(), home.path().to_str().unwrap().to_owned())];
    let project = tempfile::tempdir().unwrap();
    let config = NpmConfig::read(&Surroundings::new(variables, project.path()), Some(url)).unwrap();
    Registry::new(config, quick())
}

fn ghost() -> Package {
    Package::new("ghost", "6.65.0")
        .field(
            "dependencies",
            json!({"knex-migrator": "6.2.1", "express": "4.0.0"}),
        )
        .field("engines", json!({"node": "^22"}))
        .file("core/server/a.js", "wanted")
        .file("core/server/a.css", vec![b'x'; 100_000])
}

fn fetch(registry: &Registry, manifest: &Manifest) -> Result<Kept, Error> {
    let wanted = |path: &str| path.ends_with(".js");
    registry.tarball(manifest, &Limits::default(), &wanted, &|_, _| {})
}

fn words(error: &Error, server: &Server) -> (u8, String, String) {
    let place = server.address.to_string();
    let hide = |text: String| text.replace(&place, "HOST");
    (
        error.exit_code(),
        hide(error.to_string()),
        hide(error.next_step().to_owned()),
    )
}

const TARBALL: &str = "/ghost/-/6.65.0.tgz";

#[test]
fn metadata_and_tarball_are_fetched() {
    let fake = FakeRegistry::start(vec![
        ghost(),
        Package::new("ghost", "6.0.0"),
        Package::new("@tryghost/errors", "1.0.0"),
    ]);
    let registry = registry_at(&fake.url(), "");
    let manifest = registry
        .manifest("ghost", "6.65.0")
        .unwrap()
        .expect("published");
    assert_eq!(manifest.id(), "ghost@6.65.0");
    assert_eq!(manifest.node.as_deref(), Some("^22"));
    assert_eq!(
        manifest.dependencies.iter().collect::<Vec<_>>(),
        [(&"knex-migrator".to_owned(), &"6.2.1".to_owned())]
    );
    assert_eq!(
        registry
            .manifest("ghost", "latest")
            .unwrap()
            .expect("tagged")
            .version,
        manifest.version
    );
    let kept = fetch(&registry, &manifest).unwrap();
    assert_eq!(
        kept.into_iter().collect::<Vec<_>>(),
        [("core/server/a.js".to_owned(), b"wanted".to_vec())]
    );

    let fresh = registry
        .packument("ghost", None)
        .unwrap()
        .expect("no etag was given");
    let versions: Vec<String> = fresh
        .packument
        .manifests
        .iter()
        .map(|manifest| manifest.version.to_string())
        .collect();
    assert_eq!(versions, ["6.0.0", "6.65.0"]);
    assert!(
        registry
            .packument("ghost", fresh.etag.as_deref())
            .unwrap()
            .is_none()
    );
    let scoped = registry.manifest("@tryghost/errors", "1.0.0").unwrap();
    assert_eq!(scoped.expect("published").id(), "@tryghost/errors@1.0.0");
}

#[test]
fn what_is_not_there_is_told_with_the_registry_it_is_not_on() {
    let fake = FakeRegistry::start(vec![ghost()]);
    let registry = registry_at(&fake.url(), "");
    assert!(registry.manifest("ghost", "9.9.9").unwrap().is_none());
    let error = registry.packument("gohst", None).map(|_| ()).unwrap_err();
    assert_eq!(
        words(&error, &fake.server),
        (
            6,
            "there is no package gohst on the registry (HOST/gohst)".to_owned(),
            "check the registry's address, which comes from --registry, or name another with --registry".to_owned()
        )
    );
    let manifest = registry.manifest("ghost", "6.65.0").unwrap().unwrap();
    let nowhere = Manifest {
        tarball: "file:///srv/ghost.tgz".to_owned(),
        ..manifest.clone()
    };
    assert_eq!(
        fetch(&registry, &nowhere).unwrap_err().to_string(),
        "ghost@6.65.0: it is damaged: its metadata says that its tarball is at file:///srv/ghost.tgz, which is no address of \
         a registry"
    );
    fake.fault(TARBALL, [Reply::status(404)]);
    assert_eq!(
        words(&fetch(&registry, &manifest).unwrap_err(), &fake.server),
        (
            6,
            "ghost@6.65.0: its tarball is not at HOST/ghost/-/6.65.0.tgz, where the registry says it is".to_owned(),
            "take another version, or another registry with --registry".to_owned()
        )
    );
}

#[test]
fn a_passing_failure_is_tried_again() {
    let fake = FakeRegistry::start(vec![ghost()]);
    let registry = registry_at(&fake.url(), "");
    let whole = ghost().tarball();
    let honest = || Reply::bytes("application/octet-stream", whole.clone());
    fake.fault("/ghost/6.65.0", [Reply::status(503)]);
    let error = registry.manifest("ghost", "6.65.0").unwrap_err();
    assert_eq!(
        words(&error, &fake.server).1,
        "ghost@6.65.0: HOST/ghost/6.65.0 answered 503"
    );
    assert_eq!(fake.asked("/ghost/6.65.0"), 2);
    fake.fault("/ghost/6.65.0", []);

    let manifest = registry.manifest("ghost", "6.65.0").unwrap().unwrap();
    let broken = [
        Reply::status(500),
        Reply::HangUp,
        Reply::Silence,
        Reply::Claim {
            length: whole.len() + 10,
            body: whole.clone(),
        },
        Reply::Stall {
            length: whole.len(),
            body: whole[..100].to_vec(),
        },
    ];
    for fault in broken {
        fake.fault(TARBALL, [fault.clone(), honest()]);
        let kept = fetch(&registry, &manifest).unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!(kept.len(), 1);
    }
}

#[test]
fn each_lasting_fault_has_its_own_words_and_ends_in_time() {
    let fake = FakeRegistry::start(vec![ghost()]);
    let registry = registry_at(&fake.url(), "");
    let manifest = registry.manifest("ghost", "6.65.0").unwrap().unwrap();
    let whole = ghost().tarball();
    let mut other = whole.clone();
    *other.last_mut().unwrap() ^= 1;
    let longer = [whole.clone(), b"behind the end".to_vec()].concat();
    let foreign = Package::new("ghost", "6.65.0")
        .file("core/server/a.js", "evil")
        .tarball();
    let digest = " digest is … was published";
    let slow = "HOST sent nothing for 0.3 s";
    for (fault, problem) in [
        (Reply::status(500), "HOST/ghost/-/6.65.0.tgz answered 500"),
        (Reply::HangUp, "the answer of HOST broke off: …"),
        (Reply::Silence, slow),
        (
            Reply::Stall {
                length: whole.len(),
                body: whole[..100].to_vec(),
            },
            slow,
        ),
        (
            Reply::Claim {
                length: whole.len() + 10,
                body: whole.clone(),
            },
            "the answer of HOST broke off: …",
        ),
        (
            Reply::Claim {
                length: whole.len() - 10,
                body: whole.clone(),
            },
            digest,
        ),
        (Reply::bytes("application/gzip", other), digest),
        (Reply::bytes("application/gzip", longer), digest),
        (Reply::bytes("application/gzip", foreign), digest),
        (
            Reply::bytes("application/gzip", whole[..whole.len() / 2].to_vec()),
            digest,
        ),
        (
            Reply::bytes("text/html", b"<html>please log in</html>".to_vec()),
            digest,
        ),
        (
            Reply::redirect(TARBALL),
            "HOST/ghost/-/6.65.0.tgz redirects too often",
        ),
        (
            Reply::redirect("ftp://elsewhere.test/"),
            "HOST/ghost/-/6.65.0.tgz redirects to something other than HTTP",
        ),
        (
            Reply::status(302),
            "HOST/ghost/-/6.65.0.tgz redirects to nowhere",
        ),
    ] {
        fake.fault(TARBALL, [fault.clone()]);
        let started = Instant::now();
        let error = fetch(&registry, &manifest).expect_err(problem);
        let (code, found, _) = words(&error, &fake.server);
        let matches = match problem.split_once('…') {
            Some((start, end)) => found.contains(start) && found.ends_with(end),
            None => found == format!("the tarball of ghost@6.65.0: {problem}"),
        };
        assert!(matches && code == 6, "{fault:?}: {found}");
        assert!(
            started.elapsed() < Duration::from_secs(3),
            "{fault:?}: {:?}",
            started.elapsed()
        );
    }
}

/// Bytes that no packing makes fewer.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let byte = std::iter::from_fn(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some(state.to_be_bytes()[0])
    });
    byte.take(length).collect()
}

#[test]
fn a_slow_registry_is_waited_for_as_long_as_something_comes() {
    // Too much of it to come too slowly, however busy the machine is.
    let ghost = || ghost().file("image.png", noise(60_000));
    let fake = FakeRegistry::start(vec![ghost()]);
    let registry = registry_at(&fake.url(), "");
    let manifest = registry.manifest("ghost", "6.65.0").unwrap().unwrap();
    let body = ghost().tarball();
    let piece = body.len() / 6;
    fake.fault(
        TARBALL,
        [Reply::Trickle {
            body,
            piece,
            pause: Duration::from_millis(100),
        }],
    );
    assert_eq!(fetch(&registry, &manifest).unwrap().len(), 1);
}

#[test]
fn metadata_that_lies_is_refused() {
    let fake = FakeRegistry::start(vec![ghost(), Package::new("ghost", "6.0.0")]);
    let registry = registry_at(&fake.url(), "");
    for (reply, problem) in [
        (
            Reply::json(r#"{"name": "ghost", "version": "6.0.0", "dist": {"tarball": "x"}}"#),
            "ghost@6.65.0: it is damaged: the registry answered with the metadata of ghost@6.0.0",
        ),
        (
            Reply::json("<html>"),
            "ghost@6.65.0: it is damaged: its metadata is no JSON (expected value at line 1 column 1)",
        ),
        (
            Reply::json(r#"{"name": "ghost", "version": "6.65.0"}"#),
            "ghost@6.65.0: it is damaged: its metadata names no tarball",
        ),
        (
            Reply::json("x".repeat(9 << 20)),
            "ghost@6.65.0: the answer is larger than the limit of 8 MB",
        ),
    ] {
        fake.fault("/ghost/6.65.0", [reply]);
        let error = registry.manifest("ghost", "6.65.0").unwrap_err();
        assert_eq!(words(&error, &fake.server).1, problem);
    }
    fake.fault(
        "/ghost/6.65.0",
        [Reply::json(
            r#"{"name": "ghost", "version": "6.65.0", "dist": {"tarball": "x"}}"#,
        )],
    );
    let manifest = registry.manifest("ghost", "6.65.0").unwrap().unwrap();
    assert_eq!(
        fetch(&registry, &manifest).unwrap_err().to_string(),
        "ghost@6.65.0: it is damaged: the registry gives no digest for its tarball"
    );
}

#[test]
fn a_registry_that_is_down_is_an_upstream_error() {
    let gone = Server::start(|_| Reply::HangUp);
    let url = gone.url();
    let address = gone.address;
    drop(gone);
    let error = registry_at(&url, "")
        .manifest("ghost", "6.65.0")
        .unwrap_err();
    assert_eq!(error.exit_code(), 6);
    assert!(
        error
            .to_string()
            .starts_with(&format!("ghost@6.65.0: {address} could not be reached: ")),
        "{error}"
    );
    let error = registry_at("http://no-such-host.invalid/", "")
        .manifest("ghost", "6.65.0")
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("ghost@6.65.0: no-such-host.invalid could not be reached: "),
        "{error}"
    );
}

#[test]
fn tokens_go_to_their_own_host_only() {
    let elsewhere = Server::start(|_| Reply::bytes("application/octet-stream", ghost().tarball()));
    let fake = FakeRegistry::start(vec![ghost()]);
    let place = fake.url().trim_start_matches("http:").to_owned();
    let registry = registry_at(&fake.url(), &format!("{place}:_authToken=hunter2"));
    let manifest = registry.manifest("ghost", "6.65.0").unwrap().unwrap();
    fake.fault(
        TARBALL,
        [Reply::redirect(&format!(
            "{}signed?key=hunter3",
            elsewhere.url()
        ))],
    );
    assert_eq!(fetch(&registry, &manifest).unwrap().len(), 1);
    assert!(
        fake.server
            .seen()
            .iter()
            .all(|seen| seen.header("authorization") == Some("Bearer hunter2"))
    );
    let seen = elsewhere.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].header("authorization"), None);

    // And what a signed address answers is told without its signature.
    let refusing = Server::start(|_| Reply::status(500));
    fake.fault(
        TARBALL,
        [Reply::redirect(&format!(
            "{}signed?key=hunter3",
            refusing.url()
        ))],
    );
    let error = fetch(&registry, &manifest).unwrap_err();
    assert_eq!(
        words(&error, &refusing).1,
        "the tarball of ghost@6.65.0: HOST/signed answered 500"
    );
}

#[test]
fn a_registry_that_wants_credentials_says_so() {
    let private = |seen: &crate::ghost::server::Seen| match seen.header("authorization") {
        Some("Bearer right") => {
            Reply::json(r#"{"name":"ghost","version":"6.65.0","dist":{"tarball":"t"}}"#)
        }
        Some(_) => Reply::status(403),
        None => Reply::Send {
            status: 401,
            headers: vec![],
            body: br#"{"error": "who\u0007 are\nyou?"}"#.to_vec(),
        },
    };
    let server = Server::start(private);
    let place = server.url().trim_start_matches("http:").to_owned();
    let ask = |npmrc: String| {
        registry_at(&server.url(), &npmrc)
            .manifest("ghost", "6.65.0")
            .map(|manifest| manifest.is_some())
    };
    assert!(ask(format!("{place}:_authToken=right")).unwrap());
    for (npmrc, problem, next_step) in [
        (
            String::new(),
            "ghost@6.65.0: HOST/ghost/6.65.0 answered 401: who are you?",
            "the registry wants credentials: put `//HOST/:_authToken=…` into an .npmrc, or name another registry with --registry",
        ),
        (
            format!("{place}:_authToken=wrong"),
            "ghost@6.65.0: HOST/ghost/6.65.0 answered 403",
            "the credentials in npm's configuration were refused: renew the token, or name another registry with --registry",
        ),
        (
            format!("{place}:_authToken=${{UNSET_TOKEN}}"),
            "ghost@6.65.0: HOST/ghost/6.65.0 answered 401: who are you?",
            "npm's configuration takes the token from ${UNSET_TOKEN}, which is not set: set it",
        ),
    ] {
        let error = ask(npmrc).unwrap_err();
        let (code, found_problem, found_step) = words(&error, &server);
        assert_eq!(
            (code, found_problem.as_str(), found_step.as_str()),
            (6, problem, next_step)
        );
    }
}

#[test]
fn tarballs_of_the_registry_behind_a_mirror_are_asked_of_the_mirror() {
    let origin = FakeRegistry::start(vec![ghost()]);
    let metadata = {
        let registry = registry_at(&origin.url(), "");
        let manifest = registry.manifest("ghost", "6.65.0").unwrap().unwrap();
        json!({"name": "ghost", "version": "6.65.0",
               "dist": {"tarball": manifest.tarball, "integrity": manifest.integrity}})
        .to_string()
    };
    let mirror_with = |tarball_at: &'static str, metadata: String| {
        Server::start(move |seen| match seen.path() {
            "/npm/ghost/6.65.0" => Reply::json(metadata.clone()),
            path if path == tarball_at => {
                Reply::bytes("application/octet-stream", ghost().tarball())
            }
            _ => Reply::status(404),
        })
    };
    for (tarball_at, npmrc, from_origin) in [
        ("/npm/ghost/-/6.65.0.tgz", "", 0),
        ("/ghost/-/6.65.0.tgz", "", 0),
        ("/nowhere", "", 1),
        ("/npm/ghost/-/6.65.0.tgz", "replace-registry-host=never", 1),
        ("/ghost/-/6.65.0.tgz", "replace-registry-host=always", 0),
    ] {
        let mirror = mirror_with(tarball_at, metadata.clone());
        let before = origin.asked(TARBALL);
        let registry = registry_at(&format!("{}npm/", mirror.url()), npmrc);
        let manifest = registry.manifest("ghost", "6.65.0").unwrap().unwrap();
        assert_eq!(fetch(&registry, &manifest).unwrap().len(), 1);
        assert_eq!(
            origin.asked(TARBALL) - before,
            from_origin,
            "{tarball_at} {npmrc}"
        );
    }
}

/// A certificate for 127.0.0.1, and the authority that signed it, in PEM.
pub(super) fn certificate() -> (Arc<rustls::ServerConfig>, String) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = parameters.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(parameters, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], key)
        .unwrap();
    (Arc::new(config), authority.pem())
}

#[test]
fn the_cafile_decides_whom_to_trust() {
    let (tls, authority) = certificate();
    let fake = FakeRegistry::start_with(vec![ghost()], |handler| Server::start_tls(tls, handler));
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let ask = |npmrc: String| registry_at(&fake.url(), &npmrc).manifest("ghost", "6.65.0");
    let trusted = format!("cafile={}", file("ca.pem", &authority));
    assert!(ask(trusted).unwrap().is_some());
    assert!(
        ask(format!("ca={}", serde_json::to_string(&authority).unwrap()))
            .unwrap()
            .is_some()
    );
    assert!(ask("strict-ssl=false".to_owned()).unwrap().is_some());

    let (_, other) = certificate();
    for npmrc in [
        String::new(),
        format!("cafile={}", file("other.pem", &other)),
    ] {
        let error = ask(npmrc).unwrap_err();
        let (code, problem, next_step) = words(&error, &fake.server);
        assert_eq!(code, 6);
        assert!(
            problem.starts_with("ghost@6.65.0: the certificate of HOST is not trusted: "),
            "{problem}"
        );
        assert!(next_step.contains("cafile"), "{next_step}");
    }
    let empty = file("empty.pem", "no certificate");
    let error = ask(format!("cafile={empty}")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with(&format!("cafile {empty} (from ")),
        "{error}"
    );
    assert!(
        error.to_string().ends_with(" holds no certificate"),
        "{error}"
    );
}
