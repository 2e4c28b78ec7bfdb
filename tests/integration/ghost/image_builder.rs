//! Images of our own making, byte for byte: layers, manifests, and the archives that hold them.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// How a layer is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Zstandard,
}

impl Packing {
    fn pack(self, tar: &[u8]) -> Vec<u8> {
        match self {
            Self::Plain => tar.to_vec(),
            Self::Gzip => gzip(tar),
            Self::Zstandard => {
                ruzstd::encoding::compress_to_vec(tar, ruzstd::encoding::CompressionLevel::Fastest)
            }
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Plain => "application/vnd.oci.image.layer.v1.tar",
            Self::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Zstandard => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A layer's tar in the making.
pub(crate) struct Layer(tar::Builder<Vec<u8>>);

impl Layer {
    pub(crate) fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(path, tar::EntryType::Regular, content.as_ref(), None)
    }

    pub(crate) fn link(self, path: &str, target: &str) -> Self {
        self.entry(path, tar::EntryType::Symlink, &[], Some(target))
    }

    pub(crate) fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(path, tar::EntryType::Link, &[], Some(target))
    }

    pub(crate) fn directory(self, path: &str) -> Self {
        self.entry(path, tar::EntryType::Directory, &[], None)
    }

    /// Paths and targets as they are, however hostile: long ones by GNU's extension, `..` written by hand.
    fn entry(
        mut self,
        path: &str,
        kind: tar::EntryType,
        content: &[u8],
        target: Option<&str>,
    ) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        if path.contains("..") || path.starts_with('/') {
            header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
            if let Some(target) = target {
                header.set_link_name_literal(target).unwrap();
            }
            header.set_cksum();
            self.0.append(&header, content).unwrap();
        } else if let Some(target) = target {
            self.0.append_link(&mut header, path, target).unwrap();
        } else {
            self.0.append_data(&mut header, path, content).unwrap();
        }
        self
    }

    fn finish(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

/// A whole image.
pub(crate) struct Image {
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
    pub(crate) manifest: Vec<u8>,
    tars: Vec<Vec<u8>>,
    config: Vec<u8>,
}

impl Image {
    pub(crate) fn new(layers: Vec<(Packing, Layer)>) -> Self {
        let mut blobs = BTreeMap::new();
        let mut described = Vec::new();
        let mut tars = Vec::new();
        for (packing, layer) in layers {
            let tar = layer.finish();
            let packed = packing.pack(&tar);
            described.push(descriptor(packing.media_type(), &packed));
            blobs.insert(sha256(&packed), packed);
            tars.push(tar);
        }
        let diff_ids: Vec<String> = tars
            .iter()
            .map(|tar| format!("sha256:{}", sha256(tar)))
            .collect();
        let config = json!({
            "os": "linux", "architecture": "amd64",
            "config": {"Env": ["GHOST_INSTALL=/var/lib/ghost", "NODE_VERSION=22.23.1"], "WorkingDir": "/var/lib/ghost"},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        })
        .to_string()
        .into_bytes();
        blobs.insert(sha256(&config), config.clone());
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config), "layers": described,
        })
        .to_string()
        .into_bytes();
        blobs.insert(sha256(&manifest), manifest.clone());
        Self {
            blobs,
            manifest,
            tars,
            config,
        }
    }

    /// The files of an OCI layout, by name; `top` are the entries of its index.
    pub(crate) fn layout(&self, top: &[Value]) -> BTreeMap<String, Vec<u8>> {
        let mut files: BTreeMap<String, Vec<u8>> = self
            .blobs
            .iter()
            .map(|(digest, bytes)| (format!("blobs/sha256/{digest}"), bytes.clone()))
            .collect();
        files.insert(
            "oci-layout".to_owned(),
            br#"{"imageLayoutVersion": "1.0.0"}"#.to_vec(),
        );
        let index = json!({"schemaVersion": 2, "manifests": top});
        files.insert("index.json".to_owned(), index.to_string().into_bytes());
        files
    }

    /// The entry of an index for this image.
    pub(crate) fn entry(&self) -> Value {
        descriptor("application/vnd.oci.image.manifest.v1+json", &self.manifest)
    }

    /// The files of a `docker save` as it was until Docker 25: a directory for each layer.
    pub(crate) fn saved(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut layers = Vec::new();
        for tar in &self.tars {
            let name = format!("{}/layer.tar", sha256(tar));
            layers.push(name.clone());
            files.insert(name, tar.clone());
        }
        let config = format!("{}.json", sha256(&self.config));
        let manifest = json!([{"Config": config, "RepoTags": ["ghost:6"], "Layers": layers}]);
        files.insert(config, self.config.clone());
        files.insert(
            "manifest.json".to_owned(),
            manifest.to_string().into_bytes(),
        );
        files
    }
}

pub(crate) fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": format!("sha256:{}", sha256(bytes)), "size": bytes.len()})
}

/// The files as one tar.
pub(crate) fn archive(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, name, bytes.as_slice())
            .unwrap();
    }
    builder.into_inner().unwrap()
}

/// The files in a directory.
pub(crate) fn write(files: &BTreeMap<String, Vec<u8>>, directory: &Path) {
    for (name, bytes) in files {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}
