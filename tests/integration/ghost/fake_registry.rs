//! A small npm registry with packages of our own making, and a fault for any of its paths.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha512};

use crate::ghost::server::{Reply, Seen, Server};

/// A package version to be published.
pub(crate) struct Package {
    name: String,
    version: String,
    manifest: Value,
    files: Vec<(String, Vec<u8>)>,
}

impl Package {
    pub(crate) fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            manifest: json!({"name": name, "version": version}),
            files: Vec::new(),
        }
    }

    /// A field of package.json, which the registry shows as well.
    pub(crate) fn field(mut self, name: &str, value: Value) -> Self {
        self.manifest[name] = value;
        self
    }

    pub(crate) fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.files
            .push((path.to_owned(), content.as_ref().to_vec()));
        self
    }

    pub(crate) fn tarball(&self) -> Vec<u8> {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        let package_json = self.manifest.to_string().into_bytes();
        let own = [("package.json".to_owned(), package_json)];
        for (path, content) in own.iter().chain(&self.files) {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder
                .append_data(&mut header, format!("package/{path}"), content.as_slice())
                .unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }
}

/// The registry: what it serves, and what it does instead.
pub(crate) struct FakeRegistry {
    pub(crate) server: Server,
    faults: Arc<Mutex<BTreeMap<String, Vec<Reply>>>>,
}

struct Published {
    manifest: Value,
    tarball: Vec<u8>,
}

impl FakeRegistry {
    pub(crate) fn start(packages: Vec<Package>) -> Self {
        Self::start_with(packages, Server::start)
    }

    /// The registry behind any kind of server.
    pub(crate) fn start_with(
        packages: Vec<Package>,
        start: impl FnOnce(Box<dyn Fn(&Seen) -> Reply + Send + Sync>) -> Server,
    ) -> Self {
        let published: BTreeMap<(String, String), Published> = packages
            .into_iter()
            .map(|package| {
                let tarball = package.tarball();
                let key = (package.name.clone(), package.version.clone());
                (
                    key,
                    Published {
                        manifest: package.manifest,
                        tarball,
                    },
                )
            })
            .collect();
        let faults: Arc<Mutex<BTreeMap<String, Vec<Reply>>>> = Arc::default();
        let queued = Arc::clone(&faults);
        let server = start(Box::new(move |seen| {
            if let Some(replies) = queued.lock().unwrap().get_mut(seen.path()) {
                match replies.len() {
                    0 => {}
                    // The last fault stays.
                    1 => return replies[0].clone(),
                    _ => return replies.remove(0),
                }
            }
            serve(&published, seen)
        }));
        Self { server, faults }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// From now on `path` is answered with `replies`, one after the other; the last one for ever.
    pub(crate) fn fault(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        self.faults
            .lock()
            .unwrap()
            .insert(path.to_owned(), replies.into_iter().collect());
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.server
            .seen()
            .iter()
            .filter(|seen| seen.path() == path)
            .count()
    }
}

fn serve(published: &BTreeMap<(String, String), Published>, seen: &Seen) -> Reply {
    let not_found = || Reply::Send {
        status: 404,
        headers: vec![],
        body: br#"{"error": "Not found"}"#.to_vec(),
    };
    let path = seen.path().trim_start_matches('/').replace("%2f", "/");
    let base = format!("http://{}/", seen.header("host").unwrap_or_default());
    let with_dist = |package: &Published, name: &str, version: &str| {
        let mut manifest = package.manifest.clone();
        let integrity = format!(
            "sha512-{}",
            STANDARD.encode(Sha512::digest(&package.tarball))
        );
        manifest["dist"] =
            json!({"tarball": format!("{base}{name}/-/{version}.tgz"), "integrity": integrity});
        manifest
    };
    if let Some((name, file)) = path.split_once("/-/") {
        let version = file.trim_end_matches(".tgz").to_owned();
        return match published.get(&(name.to_owned(), version)) {
            Some(package) => Reply::bytes("application/octet-stream", package.tarball.clone()),
            None => not_found(),
        };
    }
    let versions = |name: &str| -> Vec<(String, Value)> {
        published
            .iter()
            .filter(|((known, _), _)| known == name)
            .map(|((_, version), package)| (version.clone(), with_dist(package, name, version)))
            .collect()
    };
    let highest = |name: &str| {
        versions(name)
            .into_iter()
            .max_by_key(|(version, _)| nodejs_semver::Version::parse(version).unwrap())
    };
    if let Some((latest, _)) = highest(&path) {
        let all: serde_json::Map<String, Value> = versions(&path).into_iter().collect();
        let packument =
            json!({"name": path, "dist-tags": {"latest": latest}, "versions": all}).to_string();
        let etag = format!("\"{}\"", STANDARD.encode(Sha512::digest(&packument)));
        if seen.header("if-none-match") == Some(etag.as_str()) {
            return Reply::status(304);
        }
        if seen
            .header("accept-encoding")
            .is_some_and(|accepted| accepted.contains("gzip"))
        {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(packument.as_bytes()).unwrap();
            return Reply::bytes("application/json", encoder.finish().unwrap())
                .with("Content-Encoding", "gzip")
                .with("ETag", &etag);
        }
        return Reply::json(packument).with("ETag", &etag);
    }
    if let Some((name, version)) = path.rsplit_once('/') {
        let found = match version {
            "latest" => highest(name),
            exact => versions(name)
                .into_iter()
                .find(|(version, _)| version == exact),
        };
        if let Some((_, manifest)) = found {
            return Reply::json(manifest.to_string());
        }
    }
    not_found()
}
