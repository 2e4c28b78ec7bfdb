//! `docker://`: Debian's own registry and skopeo as the others, and a registry that asks for tokens or lies.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ghostfix::error::Result;
use ghostfix::ghost::http::Patience;
use ghostfix::ghost::image::{Image as Read, Limits, Reference, Repository, read_archive};
use ghostfix::ghost::npm_config::Surroundings;
use ghostfix::ghost::upstream::{Settings, Upstream};
use serde_json::json;

use crate::ghost::image_builder::{Image, Layer, Packing, archive, sha256};
use crate::ghost::server::{Reply, Seen, Server};

fn image() -> Image {
    let ghost = "var/lib/ghost/versions/6.65.0";
    Image::new(vec![
        (
            Packing::Gzip,
            Layer::new().file("usr/lib/large", vec![7; 300_000]),
        ),
        (
            Packing::Gzip,
            Layer::new()
                .file("store/x", "the database")
                .hard_link(
                    &format!("{ghost}/node_modules/knex-migrator/lib/database.js"),
                    "store/x",
                )
                .file(&format!("{ghost}/package.json"), "{}")
                .link("var/lib/ghost/current", "/var/lib/ghost/versions/6.65.0"),
        ),
        (Packing::Gzip, Layer::new().file("store/.wh.x", "")),
    ])
}

fn patience() -> Patience {
    Patience {
        connect: Duration::from_secs(2),
        stall: Duration::from_millis(500),
        retries: 0,
        pause: Duration::from_millis(1),
    }
}

/// Pulls with a Docker configuration of one entry.
fn pull(reference: &str, docker_config: &str) -> Result<Read> {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("config.json"), docker_config).unwrap();
    let environment = [(
        "DOCKER_CONFIG".to_owned(),
        home.path().to_str().unwrap().to_owned(),
    )];
    let surroundings = Surroundings::new(environment, home.path());
    let mut repository = Repository::open(Reference::parse(reference)?, &surroundings, patience())?;
    let found = repository.find()?;
    repository.pull(&found, &Limits::default())
}

fn check(found: &Read) {
    let database = found
        .tree
        .read("var/lib/ghost/current/node_modules/knex-migrator/lib/database.js");
    assert_eq!(database, Some(&b"the database"[..]));
    assert_eq!(found.config.environment["GHOST_INSTALL"], "/var/lib/ghost");
}

/// A program that these tests cannot do without: installed where that can be done, else the test fails.
fn needed(program: &str, package: &str) -> String {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = INSTALLING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let found = || {
        let output = Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .output()
            .unwrap();
        output
            .status
            .success()
            .then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    found().unwrap_or_else(|| {
        let install = format!(
            "apt-get update -qq && apt-get install -y -qq --no-install-recommends {package}"
        );
        let status = Command::new("sh")
            .args(["-c", &install])
            .stdout(Stdio::null())
            .status()
            .unwrap();
        found().unwrap_or_else(|| {
            panic!("this test needs {program}: apt-get install {package} ({status})")
        })
    })
}

/// Debian's docker-registry on a port of its own.
pub(crate) struct DockerRegistry {
    child: Child,
    pub(crate) host: String,
    _directory: tempfile::TempDir,
}

impl DockerRegistry {
    pub(crate) fn start(htpasswd: Option<&str>) -> Self {
        let program = needed("docker-registry", "docker-registry");
        let directory = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let auth = htpasswd.map_or_else(String::new, |line| {
            let file = directory.path().join("htpasswd");
            std::fs::write(&file, line).unwrap();
            format!(
                "auth:\n  htpasswd:\n    realm: test\n    path: {}\n",
                file.display()
            )
        });
        let configuration = directory.path().join("config.yml");
        let storage = directory.path().join("storage");
        std::fs::write(
            &configuration,
            format!(
                "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n{auth}",
                storage.display()
            ),
        )
        .unwrap();
        let child = Command::new(program)
            .arg("serve")
            .arg(&configuration)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let host = format!("127.0.0.1:{port}");
        let started = Instant::now();
        while TcpStream::connect(&host).is_err() {
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "docker-registry does not listen"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Self {
            child,
            host,
            _directory: directory,
        }
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        // Both fail only when it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn skopeo(arguments: &[&str]) {
    let output = Command::new(needed("skopeo", "skopeo"))
        .arg("--insecure-policy")
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "skopeo {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn archive_in(directory: &Path) -> String {
    let image = image();
    let path = directory.join("image.tar");
    std::fs::write(&path, archive(&image.layout(&[image.entry()]))).unwrap();
    format!("oci-archive:{}", path.display())
}

#[test]
fn debians_registry_and_skopeo_agree_with_us() {
    let directory = tempfile::tempdir().unwrap();
    let source = archive_in(directory.path());
    let registry = DockerRegistry::start(None);
    let name = format!("{}/library/ghost:6", registry.host);
    skopeo(&[
        "copy",
        "--dest-tls-verify=false",
        &source,
        &format!("docker://{name}"),
    ]);
    let found = pull(&name, "{}").unwrap();
    check(&found);
    let by_digest = format!(
        "{}/library/ghost@{}",
        registry.host,
        found.digest.clone().unwrap()
    );
    check(&pull(&by_digest, "{}").unwrap());
    // Docker's own forms of manifest, and of archive.
    let docker = format!("{}/library/ghost:docker", registry.host);
    skopeo(&[
        "copy",
        "--dest-tls-verify=false",
        "--format",
        "v2s2",
        &source,
        &format!("docker://{docker}"),
    ]);
    check(&pull(&docker, "{}").unwrap());
    for form in ["docker-archive", "oci-archive", "oci"] {
        let path = directory.path().join(form);
        let to = format!("{form}:{}:ghost:6", path.display());
        skopeo(&[
            "copy",
            "--src-tls-verify=false",
            &format!("docker://{name}"),
            &to,
        ]);
        check(&read_archive(&path, &Limits::default()).unwrap());
    }
    let missing = pull(&format!("{}/library/ghost:7", registry.host), "{}").unwrap_err();
    assert_eq!(missing.exit_code(), 6);
    assert_eq!(missing.next_step(), "check the image's name and tag");
}

#[test]
fn a_password_from_dockers_configuration_opens_a_registry() {
    let htpasswd = Command::new(needed("htpasswd", "apache2-utils"))
        .args(["-nbB", "me", "hunter2"])
        .output()
        .unwrap();
    let registry = DockerRegistry::start(Some(&String::from_utf8(htpasswd.stdout).unwrap()));
    let directory = tempfile::tempdir().unwrap();
    let source = archive_in(directory.path());
    let name = format!("{}/ghost:6", registry.host);
    skopeo(&[
        "copy",
        "--dest-tls-verify=false",
        "--dest-creds=me:hunter2",
        &source,
        &format!("docker://{name}"),
    ]);
    let auth = |pair: &str| {
        json!({"auths": {&registry.host: {"auth": STANDARD.encode(pair)}}}).to_string()
    };
    check(&pull(&name, &auth("me:hunter2")).unwrap());
    let error = pull(&name, "{}").unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("docker://{name}: the registry wants a user and a password")
    );
    assert_eq!(
        error.next_step(),
        format!("log in with `docker login {}`", registry.host)
    );
    let error = pull(&name, &auth("me:wrong")).unwrap_err();
    assert!(error.to_string().contains(" answered 401"), "{error}");
    assert!(!error.to_string().contains("wrong"));
}

/// A registry with a token service of its own, and a store that it redirects to.
struct TokenRegistry {
    registry: Server,
    store: Server,
    realm: Server,
    blobs: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

fn token_registry(image: &Image, may: &'static str) -> TokenRegistry {
    let blobs = Arc::new(Mutex::new(image.blobs.clone()));
    let served = Arc::clone(&blobs);
    let store = Server::start(move |seen| {
        match served
            .lock()
            .unwrap()
            .get(seen.path().trim_start_matches('/'))
        {
            Some(bytes) => Reply::bytes("application/octet-stream", bytes.clone()),
            None => Reply::status(404),
        }
    });
    let realm = Server::start(move |seen: &Seen| {
        let scope = "/token?service=the+registry&scope=repository%3Aghost%3Apull";
        let shown = seen.header("authorization").unwrap_or_default();
        match (seen.target.as_str(), shown) {
            (target, shown) if target == scope && shown == may => {
                Reply::json(r#"{"token": "short-lived"}"#)
            }
            ("/token", _) if may == "identity" => Reply::json(r#"{"access_token": "short-lived"}"#),
            _ => Reply::status(401),
        }
    });
    let (store_url, realm_url) = (store.url(), realm.url());
    let (manifest, digest) = (image.manifest.clone(), sha256(&image.manifest));
    let registry = Server::start(move |seen| {
        if seen.header("authorization") != Some("Bearer short-lived") {
            let challenge = format!(
                r#"Bearer realm="{realm_url}token",service="the registry",scope="repository:ghost:pull""#
            );
            return Reply::status(401).with("WWW-Authenticate", &challenge);
        }
        match seen.path() {
            "/v2/ghost/manifests/6" => Reply::bytes(
                "application/vnd.oci.image.manifest.v1+json",
                manifest.clone(),
            ),
            path => match path.strip_prefix("/v2/ghost/blobs/sha256:") {
                Some(blob) if blob != digest => {
                    Reply::redirect(&format!("{store_url}{blob}?signature=secret"))
                }
                _ => Reply::status(404),
            },
        }
    });
    TokenRegistry {
        registry,
        store,
        realm,
        blobs,
    }
}

#[test]
fn tokens_are_fetched_and_stay_with_the_registry() {
    for (may, entry) in [
        ("", json!({})),
        (
            "Basic bWU6aHVudGVyMg==",
            json!({"auth": "bWU6aHVudGVyMg=="}),
        ),
        ("identity", json!({"identitytoken": "long-lived"})),
    ] {
        let servers = token_registry(&image(), may);
        let host = servers.registry.address.to_string();
        let found = pull(
            &format!("{host}/ghost:6"),
            &json!({"auths": {&host: entry}}).to_string(),
        );
        check(&found.unwrap_or_else(|error| panic!("{may}: {error}")));
        assert_eq!(servers.realm.seen().len(), 1, "one token is enough");
        assert!(
            servers
                .store
                .seen()
                .iter()
                .all(|seen| seen.header("authorization").is_none())
        );
        assert!(!servers.store.seen().is_empty());
    }
}

#[test]
fn a_layer_that_is_not_the_published_one_is_refused() {
    let image = image();
    let servers = token_registry(&image, "");
    let name = format!("{}/ghost:6", servers.registry.address);
    let layers: Vec<String> = image
        .blobs
        .iter()
        .filter(|(_, bytes)| bytes.starts_with(&[0x1f, 0x8b]))
        .map(|(digest, _)| digest.clone())
        .collect();
    assert_eq!(layers.len(), 3);
    for layer in layers {
        let honest = image.blobs[&layer].clone();
        let mut changed = honest.clone();
        *changed.last_mut().unwrap() ^= 1;
        for tampered in [
            changed,
            [honest.clone(), vec![0]].concat(),
            honest[..honest.len() - 1].to_vec(),
            b"login".to_vec(),
        ] {
            servers
                .blobs
                .lock()
                .unwrap()
                .insert(layer.clone(), tampered.clone());
            let error = pull(&name, "{}").unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "docker://{name}: its sha256 digest is {}, but {layer} was published",
                    sha256(&tampered)
                )
            );
        }
        servers.blobs.lock().unwrap().remove(&layer);
        let error = pull(&name, "{}").unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "docker://{name}: the registry does not have sha256:{layer}, which the image's manifest names"
            )
        );
        assert!(error.next_step().starts_with("push the image again"));
        servers.blobs.lock().unwrap().insert(layer, honest);
    }
    check(&pull(&name, "{}").unwrap());
}

#[test]
fn an_image_is_pulled_once() {
    let servers = token_registry(&image(), "");
    let cache = tempfile::tempdir().unwrap();
    let settings = Settings {
        cache_directory: Some(cache.path().to_owned()),
        patience: patience(),
        ..Settings::new(Surroundings::new([], cache.path()))
    };
    let reference = Reference::parse(&format!("{}/ghost:6", servers.registry.address)).unwrap();
    let image = |offline| {
        Upstream::open(&Settings {
            offline,
            ..settings.clone()
        })
        .unwrap()
        .image(&reference)
    };
    let not_yet = image(true).unwrap_err();
    assert_eq!(
        not_yet.to_string(),
        format!("docker://{reference} is not in the cache")
    );
    let first = image(false).unwrap();
    check(&first);
    let asked = servers.store.seen().len();
    assert_eq!(image(false).unwrap(), first);
    assert_eq!(image(true).unwrap(), first);
    assert_eq!(servers.store.seen().len(), asked, "no layer came twice");
}

#[test]
fn a_layer_that_breaks_off_is_begun_anew() {
    let image = image();
    let (layer, bytes) = image
        .blobs
        .iter()
        .find(|(_, bytes)| bytes.starts_with(&[0x1f, 0x8b]))
        .unwrap();
    let (wanted, whole) = (format!("/v2/ghost/blobs/sha256:{layer}"), bytes.clone());
    let (blobs, manifest) = (image.blobs.clone(), image.manifest.clone());
    let broken = Mutex::new(vec![
        Reply::Stall {
            length: whole.len(),
            body: whole[..100].to_vec(),
        },
        Reply::Claim {
            length: whole.len(),
            body: whole[..200].to_vec(),
        },
    ]);
    let registry = Server::start(move |seen| {
        if seen.path() == wanted
            && let Some(reply) = broken.lock().unwrap().pop()
        {
            return reply;
        }
        match seen.path().strip_prefix("/v2/ghost/blobs/sha256:") {
            Some(blob) => Reply::bytes("application/octet-stream", blobs[blob].clone()),
            None => Reply::bytes(
                "application/vnd.oci.image.manifest.v1+json",
                manifest.clone(),
            ),
        }
    });
    check(&pull(&format!("{}/ghost:6", registry.address), "{}").unwrap());
}

#[test]
fn a_layer_that_drips_is_given_up_on() {
    let image = image();
    let (blobs, manifest) = (image.blobs.clone(), image.manifest.clone());
    let registry =
        Server::start(
            move |seen| match seen.path().strip_prefix("/v2/ghost/blobs/sha256:") {
                Some(blob) if blobs[blob].starts_with(&[0x1f, 0x8b]) => Reply::Trickle {
                    body: blobs[blob].clone(),
                    piece: 1,
                    pause: Duration::from_millis(50),
                },
                Some(blob) => Reply::bytes("application/octet-stream", blobs[blob].clone()),
                None => Reply::bytes(
                    "application/vnd.oci.image.manifest.v1+json",
                    manifest.clone(),
                ),
            },
        );
    let name = format!("{}/ghost:6", registry.address);
    let started = Instant::now();
    let error = pull(&name, "{}").unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(15), "{error}");
    assert_eq!(error.exit_code(), 6);
    assert!(
        error.to_string().starts_with(&format!(
            "docker://{name}: {} is too slow: ",
            registry.address
        )),
        "{error}"
    );
    assert_eq!(
        error.next_step(),
        "try again, or save the image where the line is faster (`docker save`) and check that archive"
    );
}

#[test]
fn a_registry_that_is_not_there_or_is_none_says_so() {
    let gone = Server::start(|_| Reply::HangUp);
    let name = format!("{}/ghost:6", gone.address);
    drop(gone);
    let error = pull(&name, "{}").unwrap_err();
    assert!(
        error.to_string().contains(" could not be reached: "),
        "{error}"
    );
    let website = Server::start(|_| Reply::bytes("text/html", b"<html>".to_vec()));
    let name = format!("{}/ghost:6", website.address);
    assert_eq!(
        pull(&name, "{}").unwrap_err().to_string(),
        format!(
            "docker://{name}: it is damaged: its manifest is no JSON (expected value at line 1 column 1)"
        )
    );
    let silent = Server::start(|_| Reply::Silence);
    let started = Instant::now();
    let error = pull(&format!("{}/ghost:6", silent.address), "{}").unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(5), "{error}");
    assert_eq!(error.exit_code(), 6);
}
