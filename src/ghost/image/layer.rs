//! One layer's tar, read as it streams: which files are kept, what is taken away, which names are links.

use std::collections::BTreeSet;
use std::io::Read;

use super::compression;
use super::tree::{Change, Layer, Node};
use crate::ghost::failure::{Failure, quoted_line};
use crate::ghost::integrity::{Algorithm, Integrity, Verifier};

/// What an honest image never exceeds. The official one has 100,000 entries and 1 GB.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one layer, packed.
    pub packed: u64,
    /// Bytes of one layer, unpacked.
    pub unpacked: u64,
    /// Bytes of one kept file.
    pub file: u64,
    /// Bytes of all kept files of a layer.
    pub kept: u64,
    /// Entries of a layer.
    pub entries: usize,
    /// Layers of an image.
    pub layers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            packed: 8 << 30,
            unpacked: 16 << 30,
            file: 16 << 20,
            kept: 256 << 20,
            entries: 2_000_000,
            layers: 512,
        }
    }
}

/// Reads a layer. Files are kept where `wanted` says yes to their path, all links are.
///
/// `diff_id` is the digest of the unpacked tar, where that is all that was published.
pub(super) fn read(
    source: impl Read,
    limits: &Limits,
    diff_id: Option<&Integrity>,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Layer, Failure> {
    let mut layer = Layer::default();
    let mut kept = 0;
    each_entry(source, limits, diff_id, |path, entry| {
        let name = path.rsplit('/').next().unwrap_or_default();
        let parent = path
            .strip_suffix(name)
            .unwrap_or_default()
            .trim_end_matches('/');
        if name == ".wh..wh..opq" {
            layer.opaque.push(parent.to_owned());
            return Ok(());
        }
        if let Some(hidden) = name.strip_prefix(".wh.") {
            // AUFS keeps its own notes under `.wh..wh.`; `.wh...` would hide the directory's parent.
            if !hidden.is_empty() && !hidden.starts_with(".wh.") && hidden != "." && hidden != ".."
            {
                layer.whiteouts.push(join(parent, hidden));
            }
            return Ok(());
        }
        let kind = entry.header().entry_type();
        let change = if kind.is_symlink() {
            Change::Put(Node::Link(link_name(entry)?))
        } else if kind.is_hard_link() {
            if !wanted(&path) {
                // It may be the only kept name of a file that is wanted under another: that is found out later.
                Change::Other
            } else {
                Change::HardLink(clean(link_name(entry)?.as_bytes())?.unwrap_or_default())
            }
        } else if kind.is_dir() {
            Change::Directory
        } else if (kind.is_file() || kind.is_contiguous()) && wanted(&path) {
            Change::Put(file(entry, &path, limits, &mut kept)?)
        } else {
            Change::Other
        };
        layer.entries.push((path, change));
        Ok(())
    })?;
    Ok(layer)
}

/// Reads a layer once more for files that turned out to be wanted under another name.
pub(super) fn read_exactly(
    source: impl Read,
    limits: &Limits,
    paths: &BTreeSet<String>,
) -> Result<Vec<(String, Node)>, Failure> {
    let mut found = Vec::new();
    let mut kept = 0;
    each_entry(source, limits, None, |path, entry| {
        let kind = entry.header().entry_type();
        if (kind.is_file() || kind.is_contiguous()) && paths.contains(&path) {
            let node = file(entry, &path, limits, &mut kept)?;
            found.push((path, node));
        }
        Ok(())
    })?;
    Ok(found)
}

/// An entry of a layer, whatever the layer is packed with.
type Entry<'a, 'b> = tar::Entry<'a, Verifier<Box<dyn Read + 'b>>>;

/// Visits each entry, and reads on to the very end: only there gzip tells whether what came was whole.
fn each_entry(
    source: impl Read,
    limits: &Limits,
    diff_id: Option<&Integrity>,
    mut visit: impl FnMut(String, &mut Entry<'_, '_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let unpacked: Box<dyn Read + '_> = compression::unpacked(source)?;
    let unpacked = Verifier::new(
        unpacked,
        Algorithm::Sha256,
        limits.unpacked,
        "the layer unpacked",
    );
    let mut archive = tar::Archive::new(unpacked);
    let visited = visit_entries(&mut archive, limits, &mut visit);
    let accepted = diff_id.map_or(&[][..], std::slice::from_ref);
    match visited {
        Ok(()) => archive.into_inner().finish(accepted).map(|_| ()),
        // What was changed mostly fails to be a tar; that it is not the published one says more.
        Err(failure @ Failure::Damaged { .. }) => {
            Err(match archive.into_inner().finish(accepted) {
                Err(wrong @ Failure::Digest { .. }) => wrong,
                _ => failure,
            })
        }
        Err(failure) => Err(failure),
    }
}

fn visit_entries<'b>(
    archive: &mut tar::Archive<Verifier<Box<dyn Read + 'b>>>,
    limits: &Limits,
    visit: &mut impl FnMut(String, &mut Entry<'_, 'b>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for (index, entry) in archive.entries()?.enumerate() {
        let mut entry = entry?;
        if index >= limits.entries {
            return Err(Failure::TooLarge {
                what: "the number of entries",
                limit: limits.entries.to_string(),
            });
        }
        let raw = entry.path_bytes().into_owned();
        if let Some(path) = clean(&raw)? {
            visit(path, &mut entry)?;
        }
    }
    Ok(())
}

fn file(
    entry: &mut Entry<'_, '_>,
    path: &str,
    limits: &Limits,
    kept: &mut u64,
) -> Result<Node, Failure> {
    let size = entry.size();
    *kept += size;
    if size > limits.file || *kept > limits.kept {
        let limit = if size > limits.file {
            limits.file
        } else {
            limits.kept
        };
        return Err(Failure::TooLarge {
            what: "what it wants kept",
            limit: format!("{} MB", limit >> 20),
        });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    entry.read_to_end(&mut bytes)?;
    if bytes.len() as u64 != size {
        return Err(Failure::Damaged {
            why: format!("{path} ends early"),
        });
    }
    let mode = entry.header().mode().unwrap_or(0o644) & 0o7777;
    Ok(Node::File {
        bytes: bytes.into(),
        mode,
    })
}

fn link_name(entry: &Entry<'_, '_>) -> Result<String, Failure> {
    let target = entry.link_name_bytes().ok_or_else(|| Failure::Damaged {
        why: "a link leads nowhere".to_owned(),
    })?;
    Ok(String::from_utf8_lossy(&target).into_owned())
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}/{name}")
    }
}

/// The path from the image's root; `None` for the root itself. One that climbs is refused with the whole layer.
fn clean(raw: &[u8]) -> Result<Option<String>, Failure> {
    let text = String::from_utf8_lossy(raw);
    let mut parts = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                return Err(Failure::Escape {
                    path: quoted_line(&text),
                });
            }
            name => parts.push(name),
        }
    }
    Ok((!parts.is_empty()).then(|| parts.join("/")))
}
