//! Images of registries: what was kept of one is remembered under its digest, and which digest a tag had under the tag.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Upstream, not_cached};
use crate::error::Result;
use crate::ghost::cache::Shelf;
use crate::ghost::image::{Config, Image, Limits, Node, Reference, Repository, Tree};

/// Changes whenever other files of an image are kept: what was cached before is of no use then.
const GENERATION: &str = "image files 3";

#[derive(Serialize, Deserialize)]
struct KnownImage {
    config: Config,
    nodes: BTreeMap<String, KnownNode>,
}

#[derive(Serialize, Deserialize)]
enum KnownNode {
    /// The SHA-256 that the cache has it under, and its mode.
    File(String, u32),
    Link(String),
}

impl Upstream {
    /// The kept part of an image. The registry is asked what a tag means; the layers come only for an image that is new.
    pub fn image(&self, reference: &Reference) -> Result<Image> {
        let shared = &self.shared;
        let settings = &shared.settings;
        let tag = format!("digest of {reference}");
        let platforms = format!("other platforms of {reference}");
        if settings.offline {
            let known: Option<String> = shared.recall(Shelf::Metadata, &tag);
            let others: Option<Vec<String>> = shared.recall(Shelf::Metadata, &platforms);
            return known
                .and_then(|digest| self.known_image(&digest, others?))
                .ok_or_else(|| not_cached(&format!("docker://{reference}")));
        }
        let mut repository = Repository::open(
            reference.clone(),
            &settings.surroundings,
            settings.patience.clone(),
        )?;
        let found = repository.find()?;
        let digest = format!("{}:{}", found.digest.algorithm().name(), found.digest.hex());
        let others = found.other_platforms.clone();
        shared.remember(Shelf::Metadata, &platforms, &others);
        let image = match self.known_image(&digest, others) {
            Some(image) => image,
            None => {
                let image = repository.pull(&found, &Limits::default())?;
                shared.note_error(self.keep_image(&digest, &image));
                image
            }
        };
        shared.remember(Shelf::Metadata, &tag, &digest);
        Ok(image)
    }

    fn known_image(&self, digest: &str, other_platforms: Vec<String>) -> Option<Image> {
        let cache = self.shared.cache.as_ref()?;
        let known: KnownImage =
            cache.document(Shelf::Contents, &format!("{GENERATION} {digest}"))?;
        let mut nodes = BTreeMap::new();
        for (path, node) in known.nodes {
            let node = match node {
                KnownNode::File(digest, mode) => Node::File {
                    bytes: cache.object(&digest)?.into(),
                    mode,
                },
                KnownNode::Link(target) => Node::Link(target),
            };
            nodes.insert(path, node);
        }
        Some(Image {
            tree: Tree::from_nodes(nodes),
            config: known.config,
            digest: Some(digest.to_owned()),
            other_platforms,
        })
    }

    fn keep_image(&self, digest: &str, image: &Image) -> Result<()> {
        let Some(cache) = &self.shared.cache else {
            return Ok(());
        };
        let mut nodes = BTreeMap::new();
        for (path, node) in image.tree.nodes() {
            let node = match node {
                Node::File { bytes, mode } => KnownNode::File(cache.keep_object(bytes)?, *mode),
                Node::Link(target) => KnownNode::Link(target.clone()),
            };
            nodes.insert(path.to_owned(), node);
        }
        let known = KnownImage {
            config: image.config.clone(),
            nodes,
        };
        cache.keep_document(Shelf::Contents, &format!("{GENERATION} {digest}"), &known)
    }
}
