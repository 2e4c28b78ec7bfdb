//! Image archives on disk: `docker save`, and OCI layouts as a file or a directory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::assemble::{Source, assemble, not_one};
use super::layer::Limits;
use super::manifest::{Config, Document, Manifest, Saved, choose, others};
use super::{Image, compression, wants};
use crate::error::{Error, Result};
use crate::ghost::failure::{Failure, quoted_line};
use crate::ghost::integrity::{Algorithm, Integrity, Verifier};

/// Manifests and configurations are a few kilobytes.
const DOCUMENT_LIMIT: u64 = 8 << 20;
/// Entries of the archive itself: a handful for each layer.
const ENTRIES: usize = 100_000;
/// Indexes in indexes.
const DEPTH: usize = 4;

/// The parts of an archive, by name.
enum Parts {
    Directory(PathBuf),
    Tar {
        file: Arc<File>,
        places: BTreeMap<String, (u64, u64)>,
        links: BTreeMap<String, String>,
    },
}

/// Reads the one image that an archive holds.
pub fn read_archive(path: &Path, limits: &Limits) -> Result<Image> {
    let subject = path.display().to_string();
    let about = |failure: Failure| failure.about_image(&subject);
    let parts = Parts::open(path, limits)?;
    if let Some(bytes) = parts.document("manifest.json", path)? {
        let saved = Saved::parse(&bytes).map_err(about)?;
        let [image] = saved.as_slice() else {
            let names = saved
                .iter()
                .map(|image| image.tags.first().unwrap_or(&image.config).clone());
            return Err(not_one(&subject, &names.collect::<Vec<_>>()));
        };
        return read_saved(&parts, image, path, limits);
    }
    let Some(index) = parts.document("index.json", path)? else {
        return Err(not_one(&subject, &[]));
    };
    let (manifest, digest, other_platforms) = find_manifest(&parts, &index, path)?;
    let config = parts.blob(&manifest.config, path)?;
    let (config, _) = Config::parse(&config).map_err(about)?;
    let layers: Vec<Source<'_>> = manifest
        .layers
        .iter()
        .map(|digest| Source {
            open: Box::new(|| parts.stream(&blob_name(digest), path)),
            digest: Some(digest.clone()),
            diff_id: None,
        })
        .collect();
    let tree = assemble(&layers, limits, &subject, &wants)?;
    Ok(Image {
        tree,
        config,
        digest: Some(format!("sha256:{}", digest.hex())),
        other_platforms,
    })
}

fn read_saved(parts: &Parts, image: &Saved, path: &Path, limits: &Limits) -> Result<Image> {
    let subject = path.display().to_string();
    let about = |failure: Failure| failure.about_image(&subject);
    let Some(bytes) = parts.document(&image.config, path)? else {
        return Err(about(Failure::Damaged {
            why: format!("it lacks its configuration {}", image.config),
        }));
    };
    // The configuration's name is its digest, and it holds the digests of the layers: all hangs on this one name.
    let named = image
        .config
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .trim_end_matches(".json");
    let found = Integrity::of_bytes(Algorithm::Sha256, &bytes).hex();
    if named.len() == 64 && named != found {
        return Err(about(Failure::Digest {
            algorithm: "sha256",
            expected: named.to_owned(),
            found,
        }));
    }
    let (config, diff_ids) = Config::parse(&bytes).map_err(about)?;
    if diff_ids.len() != image.layers.len() {
        let why = format!(
            "it lists {} layers and {} digests of layers",
            image.layers.len(),
            diff_ids.len()
        );
        return Err(about(Failure::Damaged { why }));
    }
    let layers: Vec<Source<'_>> = image
        .layers
        .iter()
        .zip(diff_ids)
        .map(|(name, diff_id)| Source {
            open: Box::new(move || parts.stream(name, path)),
            digest: None,
            diff_id: Some(diff_id),
        })
        .collect();
    let tree = assemble(&layers, limits, &subject, &wants)?;
    Ok(Image {
        tree,
        config,
        digest: None,
        other_platforms: Vec::new(),
    })
}

/// Down through indexes to the manifest of one image, its digest, and the platforms that were passed over.
fn find_manifest(
    parts: &Parts,
    index: &[u8],
    path: &Path,
) -> Result<(Manifest, Integrity, Vec<String>)> {
    let subject = path.display().to_string();
    let about = |failure: Failure| failure.about_image(&subject);
    let mut bytes = index.to_vec();
    let mut digest = Integrity::of_bytes(Algorithm::Sha256, index);
    let mut other_platforms = Vec::new();
    for depth in 0..DEPTH {
        match Document::parse(&bytes).map_err(about)? {
            Document::Manifest(manifest) => return Ok((manifest, digest, other_platforms)),
            Document::Index(descriptors) => {
                // At the top, several entries of one platform are several images; further down they are platforms.
                let platforms: std::collections::BTreeSet<&str> = descriptors
                    .iter()
                    .map(|descriptor| descriptor.platform.as_str())
                    .collect();
                if depth == 0 && platforms.len() < descriptors.len() {
                    let names = descriptors.iter().map(|descriptor| {
                        descriptor
                            .name
                            .clone()
                            .unwrap_or_else(|| descriptor.digest.hex())
                    });
                    return Err(not_one(&subject, &names.collect::<Vec<_>>()));
                }
                let chosen = choose(&descriptors).map_err(about)?;
                other_platforms.extend(others(&descriptors, chosen));
                digest = chosen.digest.clone();
                bytes = parts.blob(&digest, path)?;
            }
        }
    }
    Err(about(Failure::Damaged {
        why: "its indexes lead to indexes only".to_owned(),
    }))
}

fn blob_name(digest: &Integrity) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}

impl Parts {
    fn open(path: &Path, limits: &Limits) -> Result<Self> {
        if path.is_dir() {
            return Ok(Self::Directory(path.to_owned()));
        }
        let failed = |error| Error::file_system("read", path, error);
        let mut file = File::open(path).map_err(failed)?;
        let mut start = [0; 4];
        let length = file.read_at(&mut start, 0).map_err(failed)?;
        let is_packed = matches!(
            &start[..length],
            [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd]
        );
        if is_packed {
            file = unpacked_copy(file, limits, path)?;
        }
        Self::index(file).map_err(|failure| failure.about_image(&path.display().to_string()))
    }

    fn index(file: File) -> Result<Self, Failure> {
        let mut places = BTreeMap::new();
        let mut links = BTreeMap::new();
        let length = file.metadata()?.len();
        let mut archive = tar::Archive::new(&file);
        for (count, entry) in archive.entries_with_seek()?.enumerate() {
            let entry = entry?;
            if count >= ENTRIES {
                return Err(Failure::TooLarge {
                    what: "the number of entries",
                    limit: ENTRIES.to_string(),
                });
            }
            let name = tidy(&String::from_utf8_lossy(&entry.path_bytes()), "");
            let kind = entry.header().entry_type();
            if let Some(target) = entry
                .link_name_bytes()
                .filter(|_| kind.is_symlink() || kind.is_hard_link())
            {
                // Older versions of `docker save` store a layer once, and link to it.
                let target = String::from_utf8_lossy(&target);
                let parent = if kind.is_symlink() {
                    name.rsplit_once('/').map_or("", |(parent, _)| parent)
                } else {
                    ""
                };
                links.insert(name.clone(), tidy(&target, parent));
            } else if kind.is_file() {
                let end = entry.raw_file_position().saturating_add(entry.size());
                if end > length {
                    // What is behind it is passed over, and the end of the file taken for that of the archive.
                    let why = format!("it ends in the middle of {}", quoted_line(&name));
                    return Err(Failure::Damaged { why });
                }
                places.insert(name, (entry.raw_file_position(), entry.size()));
            }
        }
        Ok(Self::Tar {
            file: Arc::new(file),
            places,
            links,
        })
    }

    fn stream(&self, name: &str, path: &Path) -> Result<Box<dyn Read + Send>> {
        self.find(name)?.map(|(stream, _)| stream).ok_or_else(|| {
            Failure::Damaged {
                why: format!("it lacks {name}, which its manifest names"),
            }
            .about_image(&path.display().to_string())
        })
    }

    /// A part and its length.
    fn find(&self, name: &str) -> Result<Option<(Box<dyn Read + Send>, u64)>> {
        match self {
            Self::Directory(directory) => {
                // Names come out of the archive's own documents: none may lead elsewhere.
                let name = tidy(name, "");
                let place = directory.join(&name);
                // A pipe would be waited for.
                if place.metadata().is_ok_and(|metadata| !metadata.is_file()) {
                    return Ok(None);
                }
                match File::open(&place) {
                    Ok(file) => {
                        let length = file
                            .metadata()
                            .map_err(|error| Error::file_system("read", &place, error))?
                            .len();
                        Ok(Some((Box::new(file), length)))
                    }
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(Error::file_system("read", place, error)),
                }
            }
            Self::Tar {
                file,
                places,
                links,
            } => {
                let mut name = tidy(name, "");
                for _ in 0..DEPTH {
                    match links.get(&name) {
                        Some(target) if !places.contains_key(&name) => name.clone_from(target),
                        _ => break,
                    }
                }
                let Some(&(offset, length)) = places.get(&name) else {
                    return Ok(None);
                };
                let file = Arc::clone(file);
                Ok(Some((
                    Box::new(Section {
                        file,
                        offset,
                        left: length,
                    }),
                    length,
                )))
            }
        }
    }

    /// A small part, in memory.
    fn document(&self, name: &str, path: &Path) -> Result<Option<Vec<u8>>> {
        let Some((stream, length)) = self.find(name)? else {
            return Ok(None);
        };
        let about = |failure: Failure| failure.about_image(&path.display().to_string());
        if length > DOCUMENT_LIMIT {
            let limit = format!("{} MB", DOCUMENT_LIMIT >> 20);
            return Err(about(Failure::TooLarge {
                what: "one of its documents",
                limit,
            }));
        }
        let mut bytes = Vec::new();
        stream
            .take(DOCUMENT_LIMIT)
            .read_to_end(&mut bytes)
            .map_err(|error| Error::file_system("read", path, error))?;
        Ok(Some(bytes))
    }

    /// A document that is named by its digest.
    fn blob(&self, digest: &Integrity, path: &Path) -> Result<Vec<u8>> {
        let about = |failure: Failure| failure.about_image(&path.display().to_string());
        let name = blob_name(digest);
        let bytes = self.document(&name, path)?.ok_or_else(|| {
            about(Failure::Damaged {
                why: format!("it lacks {name}, which its manifest names"),
            })
        })?;
        let found = Integrity::of_bytes(digest.algorithm(), &bytes);
        if found != *digest {
            let algorithm = digest.algorithm().name();
            return Err(about(Failure::Digest {
                algorithm,
                expected: digest.hex(),
                found: found.hex(),
            }));
        }
        Ok(bytes)
    }
}

/// The whole archive unpacked, in a file that has no name and ends with the process.
fn unpacked_copy(file: File, limits: &Limits, path: &Path) -> Result<File> {
    let about = |error: io::Error| Failure::from(error).about_image(&path.display().to_string());
    let unpacked = compression::unpacked(file).map_err(about)?;
    let mut unpacked = Verifier::new(
        unpacked,
        Algorithm::Sha256,
        limits.unpacked,
        "the archive unpacked",
    );
    let directory = std::env::temp_dir();
    let no_room = |error| Error::FileSystem {
        action: "unpack the archive in",
        path: directory.clone(),
        next_step:
            "make room there, name another directory in TMPDIR, or give the archive unpacked"
                .to_owned(),
        source: error,
    };
    let mut copy = tempfile::tempfile_in(&directory).map_err(no_room)?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let count = unpacked.read(&mut buffer).map_err(about)?;
        if count == 0 {
            break;
        }
        io::Write::write_all(&mut copy, &buffer[..count]).map_err(no_room)?;
    }
    copy.seek(SeekFrom::Start(0)).map_err(no_room)?;
    Ok(copy)
}

/// A name in the archive, `.` and `..` taken out; it never leads above the archive's own root.
fn tidy(name: &str, parent: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in parent.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A part of a file, read without moving anybody else's place in it.
struct Section {
    file: Arc<File>,
    offset: u64,
    left: u64,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self.file.read_at(&mut buffer[..most], self.offset)?;
        if count == 0 && most > 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the archive ends early",
            ));
        }
        self.offset += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}
