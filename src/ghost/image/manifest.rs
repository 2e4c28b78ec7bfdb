//! The JSON of images: which layers there are, in which order, for which machine, and how the image is run.
//!
//! Docker's and OCI's forms say the same under other names.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::ghost::failure::{Failure, quoted_line};
use crate::ghost::integrity::Integrity;

/// One image: its configuration and its layers, lowest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) config: Integrity,
    pub(super) layers: Vec<Integrity>,
}

/// An entry of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Descriptor {
    pub(super) digest: Integrity,
    /// `linux/arm64`; empty where the index does not say.
    pub(super) platform: String,
    /// The name that the image was stored under.
    pub(super) name: Option<String>,
}

/// What a manifest document turns out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Document {
    Manifest(Manifest),
    Index(Vec<Descriptor>),
}

/// How an image is run, as far as it concerns Ghost.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Config {
    /// `linux/amd64`
    pub platform: String,
    /// The environment: the official image has `GHOST_INSTALL`, `GHOST_VERSION` and `NODE_VERSION` in it.
    pub environment: BTreeMap<String, String>,
    /// Where the command is run.
    pub working_directory: String,
    /// As whom; empty for root.
    pub user: String,
    /// `ENTRYPOINT`
    pub entrypoint: Vec<String>,
    /// `CMD`
    pub command: Vec<String>,
}

fn damaged(why: impl Into<String>) -> Failure {
    Failure::Damaged { why: why.into() }
}

fn json(bytes: &[u8], what: &str) -> Result<Value, Failure> {
    serde_json::from_slice(bytes)
        .map_err(|error| damaged(format!("its {what} is no JSON ({error})")))
}

fn digest(value: &Value) -> Result<Integrity, Failure> {
    let text = value.as_str().unwrap_or_default();
    Integrity::of_image(text).ok_or_else(|| {
        damaged(format!(
            "its manifest names `{}` as a digest",
            quoted_line(text)
        ))
    })
}

impl Document {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        let document = json(bytes, "manifest")?;
        if let Some(entries) = document["manifests"].as_array() {
            return entries
                .iter()
                .filter_map(descriptor)
                .collect::<Result<_, _>>()
                .map(Self::Index);
        }
        let Some(layers) = document["layers"].as_array() else {
            return Err(damaged(match document["schemaVersion"].as_u64() {
                Some(1) => "its manifest is of a form that registries gave up in 2019 (schema 1)"
                    .to_owned(),
                _ => format!(
                    "its manifest lists no layers ({})",
                    quoted_line(&document["mediaType"].to_string())
                ),
            }));
        };
        let mut digests = Vec::new();
        for layer in layers {
            let kind = layer["mediaType"].as_str().unwrap_or_default();
            if !(kind.is_empty()
                || kind.contains("tar")
                || kind.contains("layer")
                || kind.contains("rootfs"))
                || kind.contains("encrypted")
            {
                return Err(damaged(format!(
                    "a layer of it is `{}`, which cannot be read",
                    quoted_line(kind)
                )));
            }
            digests.push(digest(&layer["digest"])?);
        }
        Ok(Self::Manifest(Manifest {
            config: digest(&document["config"]["digest"])?,
            layers: digests,
        }))
    }
}

/// An entry that is an image or an index; attestations and signatures are neither.
fn descriptor(entry: &Value) -> Option<Result<Descriptor, Failure>> {
    let platform = &entry["platform"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (os, architecture) = (text(&platform["os"]), text(&platform["architecture"]));
    let annotations = &entry["annotations"];
    if os == "unknown" || annotations["vnd.docker.reference.type"].is_string() {
        return None;
    }
    let name = [
        "io.containerd.image.name",
        "org.opencontainers.image.ref.name",
    ]
    .iter()
    .find_map(|key| annotations[*key].as_str())
    .map(str::to_owned);
    let platform = if os.is_empty() {
        String::new()
    } else {
        format!("{os}/{architecture}")
    };
    Some(digest(&entry["digest"]).map(|digest| Descriptor {
        digest,
        platform,
        name,
    }))
}

/// The image for this machine, else for the commonest one, else whichever there is. Ghost's JavaScript ought to be the
/// same in all; that it is cannot be known from one.
pub(super) fn choose(descriptors: &[Descriptor]) -> Result<&Descriptor, Failure> {
    let own = match std::env::consts::ARCH {
        "x86_64" => "linux/amd64",
        "aarch64" => "linux/arm64",
        other => other,
    };
    let of = |platform: &str| {
        descriptors
            .iter()
            .find(|descriptor| descriptor.platform == platform)
    };
    of(own)
        .or_else(|| of("linux/amd64"))
        .or_else(|| {
            descriptors
                .iter()
                .find(|descriptor| descriptor.platform.starts_with("linux/"))
        })
        .or_else(|| descriptors.first())
        .ok_or_else(|| damaged("its index lists no image"))
}

/// The platforms of the images that were not chosen.
pub(super) fn others(descriptors: &[Descriptor], chosen: &Descriptor) -> Vec<String> {
    let mut platforms: Vec<String> = descriptors
        .iter()
        .map(|descriptor| descriptor.platform.clone())
        .filter(|platform| !platform.is_empty() && *platform != chosen.platform)
        .collect();
    platforms.sort();
    platforms.dedup();
    platforms
}

impl Config {
    /// Reads the configuration, and the digests of the unpacked layers that it lists.
    pub(super) fn parse(bytes: &[u8]) -> Result<(Self, Vec<Integrity>), Failure> {
        let document = json(bytes, "configuration")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| -> Vec<String> {
            value
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect()
        };
        let run = &document["config"];
        let environment = list(&run["Env"])
            .iter()
            .filter_map(|entry| entry.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let diff_ids = document["rootfs"]["diff_ids"]
            .as_array()
            .into_iter()
            .flatten()
            .map(digest)
            .collect::<Result<_, _>>()?;
        let config = Self {
            platform: format!(
                "{}/{}",
                text(&document["os"]),
                text(&document["architecture"])
            ),
            environment,
            working_directory: text(&run["WorkingDir"]),
            user: text(&run["User"]),
            entrypoint: list(&run["Entrypoint"]),
            command: list(&run["Cmd"]),
        };
        Ok((config, diff_ids))
    }
}

/// One image of a `docker save` archive: the paths in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Saved {
    pub(super) config: String,
    pub(super) tags: Vec<String>,
    pub(super) layers: Vec<String>,
}

impl Saved {
    /// Reads `manifest.json`.
    pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Self>, Failure> {
        let document = json(bytes, "manifest.json")?;
        let list = |value: &Value| -> Vec<String> {
            value
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect()
        };
        let images = document
            .as_array()
            .ok_or_else(|| damaged("its manifest.json is no list"))?;
        images
            .iter()
            .map(|image| {
                let config = image["Config"]
                    .as_str()
                    .ok_or_else(|| damaged("its manifest.json names no configuration"))?;
                Ok(Self {
                    config: config.to_owned(),
                    tags: list(&image["RepoTags"]),
                    layers: list(&image["Layers"]),
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, Document, Saved, choose};
    use crate::ghost::Failure;

    fn hex(digit: char) -> String {
        format!("sha256:{}", digit.to_string().repeat(64))
    }

    #[test]
    fn an_index_is_narrowed_to_one_image() {
        let entry = |digit: char, platform: &str| {
            let (os, architecture) = platform.split_once('/').expect("two parts");
            format!(
                r#"{{"digest": "{}", "platform": {{"os": "{os}", "architecture": "{architecture}"}}}}"#,
                hex(digit)
            )
        };
        let index = |entries: &[String]| match Document::parse(
            format!(r#"{{"manifests": [{}]}}"#, entries.join(",")).as_bytes(),
        ) {
            Ok(Document::Index(descriptors)) => {
                choose(&descriptors).map(|chosen| chosen.platform.clone())
            }
            other => panic!("{other:?}"),
        };
        let own = if cfg!(target_arch = "aarch64") {
            "linux/arm64"
        } else {
            "linux/amd64"
        };
        assert_eq!(
            index(&[
                entry('a', "linux/s390x"),
                entry('b', "linux/arm64"),
                entry('c', "linux/amd64"),
                entry('d', "unknown/unknown")
            ]),
            Ok(own.to_owned())
        );
        assert_eq!(
            index(&[entry('a', "windows/amd64"), entry('b', "linux/s390x")]),
            Ok("linux/s390x".to_owned())
        );
        assert_eq!(
            index(&[entry('d', "unknown/unknown")]),
            Err(Failure::Damaged {
                why: "its index lists no image".to_owned()
            })
        );
    }

    #[test]
    fn manifests_that_cannot_be_read_say_why() {
        let layer = |kind: &str, digest: &str| {
            format!(
                r#"{{"config": {{"digest": "{}"}}, "layers": [{{"mediaType": "{kind}", "digest": "{digest}"}}]}}"#,
                hex('c')
            )
        };
        for (json, why) in [
            (
                "[".to_owned(),
                "its manifest is no JSON (EOF while parsing a list at line 1 column 1)",
            ),
            (
                r#"{"schemaVersion": 1}"#.to_owned(),
                "its manifest is of a form that registries gave up in 2019 (schema 1)",
            ),
            (
                r#"{"mediaType": "x"}"#.to_owned(),
                "its manifest lists no layers (\"x\")",
            ),
            (
                layer(
                    "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
                    &hex('a'),
                ),
                "a layer of it is `application/vnd.oci.image.layer.v1.tar+gzip+encrypted`, which cannot be read",
            ),
            (
                layer("application/vnd.oci.image.layer.v1.tar", "sha256:../../x"),
                "its manifest names `sha256:../../x` as a digest",
            ),
        ] {
            assert_eq!(
                Document::parse(json.as_bytes()),
                Err(Failure::Damaged {
                    why: why.to_owned()
                })
            );
        }
    }

    #[test]
    fn configurations_tell_how_ghost_is_run() {
        let json = format!(
            r#"{{"os": "linux", "architecture": "amd64", "config": {{"Env": ["GHOST_INSTALL=/var/lib/ghost", "A=b=c", "odd"], "Cmd": ["node"],
                "Entrypoint": ["docker-entrypoint.sh"], "WorkingDir": "/var/lib/ghost"}}, "rootfs": {{"diff_ids": ["{}"]}}}}"#,
            hex('a')
        );
        let (config, diff_ids) = Config::parse(json.as_bytes()).expect("a configuration");
        assert_eq!(config.environment.get("A").map(String::as_str), Some("b=c"));
        assert_eq!(config.environment.len(), 2);
        assert_eq!(
            (config.platform.as_str(), config.working_directory.as_str()),
            ("linux/amd64", "/var/lib/ghost")
        );
        assert_eq!(diff_ids.len(), 1);
    }

    #[test]
    fn saved_archives_list_their_images() {
        let json = br#"[{"Config": "c.json", "RepoTags": null, "Layers": ["a/layer.tar"]}]"#;
        let saved = Saved {
            config: "c.json".to_owned(),
            tags: vec![],
            layers: vec!["a/layer.tar".to_owned()],
        };
        assert_eq!(Saved::parse(json), Ok(vec![saved]));
    }
}
