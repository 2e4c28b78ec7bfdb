//! Layers into one tree: each read once, and once more only where a wanted file is a hard link to one that was not kept.

use std::collections::BTreeSet;
use std::io::Read;

use super::layer::{self, Limits};
use super::tree::{Change, Layer, Node, Tree};
use crate::error::{Error, Result};
use crate::ghost::failure::Failure;
use crate::ghost::integrity::{Algorithm, Integrity};
use crate::ghost::prefetch::Prefetch;

/// How often a layer is begun.
const ATTEMPTS: u32 = 3;

/// Where a layer's bytes come from, and which they must be.
pub(super) struct Source<'a> {
    /// Opens it at its start; may be called again.
    pub(super) open: Box<dyn Fn() -> Result<Box<dyn Read + Send>> + 'a>,
    /// The digest of the packed bytes.
    pub(super) digest: Option<Integrity>,
    /// The digest of the unpacked bytes, for archives that name layers by nothing else.
    pub(super) diff_id: Option<Integrity>,
}

/// The kept part of the image made of `layers`, lowest first; `subject` names it in errors.
pub(super) fn assemble(
    layers: &[Source<'_>],
    limits: &Limits,
    subject: &str,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Tree> {
    let about = |failure: Failure| failure.about_image(subject);
    if layers.len() > limits.layers {
        return Err(about(Failure::TooLarge {
            what: "the number of layers",
            limit: limits.layers.to_string(),
        }));
    }
    let mut read: Vec<Layer> = Vec::with_capacity(layers.len());
    for source in layers {
        let diff_id = source.diff_id.as_ref().filter(|_| source.digest.is_none());
        read.push(stream(source, limits, subject, |stream| {
            layer::read(stream, limits, diff_id, wanted)
        })?);
    }
    for index in 0..read.len() {
        let mut lacking = lacking(&read, index);
        // Mostly the file lies in the layer of the link; a layer below it is looked into only if not.
        for lower in (0..=index).rev() {
            if lacking.is_empty() {
                break;
            }
            let found = stream(&layers[lower], limits, subject, |stream| {
                layer::read_exactly(stream, limits, &lacking)
            })?;
            for (path, node) in found {
                lacking.remove(&path);
                let entries = &mut read[lower].entries;
                // Where it was passed over the first time it now stays.
                match entries.iter().rposition(|(known, _)| *known == path) {
                    Some(place) => entries[place].1 = Change::Put(node),
                    None => entries.insert(0, (path, Change::Put(node))),
                }
            }
        }
    }
    let mut tree = Tree::default();
    for layer in read {
        if let Some((path, target)) = tree.apply(layer).map_err(about)?.into_iter().next() {
            let why = format!("{path} is a hard link to {target}, which no layer has");
            return Err(about(Failure::Damaged { why }));
        }
    }
    tree.prune();
    Ok(tree)
}

/// Targets of hard links in a layer that neither it nor a lower one has kept.
fn lacking(layers: &[Layer], index: usize) -> BTreeSet<String> {
    let kept: BTreeSet<&str> = layers[..=index]
        .iter()
        .flat_map(|layer| &layer.entries)
        .filter(|(_, change)| {
            matches!(change, Change::Put(Node::File { .. }) | Change::HardLink(_))
        })
        .map(|(path, _)| path.as_str())
        .collect();
    layers[index]
        .entries
        .iter()
        .filter_map(|(_, change)| match change {
            Change::HardLink(target) if !kept.contains(target.as_str()) => Some(target.clone()),
            _ => None,
        })
        .collect()
}

/// Reads a layer to its end and holds it against its digest; a connection that breaks is made anew.
fn stream<T>(
    source: &Source<'_>,
    limits: &Limits,
    subject: &str,
    read: impl Fn(&mut Prefetch) -> Result<T, Failure>,
) -> Result<T> {
    let accepted: Vec<Integrity> = source.digest.iter().cloned().collect();
    let algorithm = source
        .digest
        .as_ref()
        .map_or(Algorithm::Sha256, Integrity::algorithm);
    let mut attempt = 1;
    loop {
        let mut stream = Prefetch::start(
            (source.open)()?,
            algorithm,
            accepted.clone(),
            limits.packed,
            "a layer of it",
        );
        let result = match read(&mut stream) {
            Ok(value) => stream.finish().map(|_| value),
            // A tampered layer mostly fails to unpack before its end; that it is not the published one says more.
            Err(failure @ Failure::Damaged { .. }) => Err(match stream.finish() {
                Err(wrong @ Failure::Digest { .. }) => wrong,
                _ => failure,
            }),
            Err(failure) => Err(failure),
        };
        match result {
            Ok(value) => return Ok(value),
            Err(failure) if failure.is_passing() && attempt < ATTEMPTS => attempt += 1,
            Err(failure) => return Err(failure.about_image(subject)),
        }
    }
}

/// The error for an archive that holds several images, or none.
pub(super) fn not_one(subject: &str, names: &[String]) -> Error {
    let (problem, next_step) = if names.is_empty() {
        (
            format!("{subject} holds no image"),
            "give a file from `docker save` or `skopeo copy`".to_owned(),
        )
    } else {
        (
            format!("{subject} holds several images: {}", names.join(", ")),
            "save the one with Ghost in it by itself".to_owned(),
        )
    };
    Error::Upstream { problem, next_step }
}
