//! What is to be checked, as it was typed: a version, a range, a tag, the tag of an image, or something that lies there.
//!
//! What lies there is told apart by what it holds, not by what it is called.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use super::image::Reference;
use super::wanted::Wanted;
use crate::error::{Error, Result};

/// Something to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A version, a range or a tag of Ghost on npm.
    Npm(Wanted),
    /// `ghost:TAG`: what that tag of the official image most likely holds, looked up on npm. The image may differ.
    ImageTag {
        /// The tag as it was typed.
        tag: String,
        /// What it means on npm.
        wanted: Wanted,
    },
    /// `docker://registry/repository:tag`
    Image(Reference),
    /// An installation, or Ghost's unpacked package.
    Directory(PathBuf),
    /// Ghost's own `.tgz`.
    Tarball(PathBuf),
    /// An image on disk: from `docker save`, or an OCI layout, as a file or a directory.
    Archive(PathBuf),
}

impl Target {
    /// Reads a target; relative paths are meant from `working_directory`.
    pub fn parse(text: &str, working_directory: &Path) -> Result<Self> {
        // In package.json an empty range is every version. On a command line it is a variable that was not set, and
        // an answer about the newest Ghost would be taken for one about another.
        if text
            .strip_prefix("ghost@")
            .unwrap_or(text)
            .trim()
            .is_empty()
        {
            return Err(usage(format!(
                "`{text}` names no Ghost; is a variable not set?"
            )));
        }
        if let Some(reference) = text.strip_prefix("docker://") {
            return Reference::parse(reference).map(Self::Image);
        }
        let path = working_directory.join(text);
        // A directory called `6` next to a tag `6`: the tag is meant, `./6` is the directory.
        let looks_like_path = text.contains('/') || text.starts_with('.');
        if let Some(tag) = text
            .strip_prefix("ghost:")
            .or_else(|| text.strip_prefix("ghost@"))
            .filter(|_| !looks_like_path)
        {
            if let Some((_, digest)) = tag.split_once('@') {
                return Err(Error::Usage {
                    problem: format!(
                        "`{text}` is looked up on npm, which knows no digest of an image"
                    ),
                    next_step: format!(
                        "ask the image itself: docker://docker.io/library/ghost@{digest}; or leave the digest out"
                    ),
                });
            }
            let wanted = if text.starts_with("ghost@") {
                Wanted::parse(tag)
            } else {
                image_tag(tag)
            };
            return match wanted {
                Some(wanted) if text.starts_with("ghost@") => Ok(Self::Npm(wanted)),
                Some(wanted) => Ok(Self::ImageTag {
                    tag: tag.to_owned(),
                    wanted,
                }),
                None => Err(usage(format!("`{tag}` is no tag of Ghost's image"))),
            };
        }
        if text == "ghost" && !path.exists() {
            return Err(Error::Usage {
                problem: "`ghost` names no version".to_owned(),
                next_step: "give ghost:latest, ghost:6, or a version (6.65.0)".to_owned(),
            });
        }
        if !looks_like_path && let Some(wanted) = Wanted::parse(text) {
            // A file name can read as a tag, `ghost-6.65.0.tgz`, and is one only where there is no such file.
            let is_file = matches!(wanted, Wanted::Tag(_)) && path.exists();
            if !is_file {
                return Ok(Self::Npm(wanted));
            }
        }
        if !path.exists() {
            if let Some((scheme, _)) = text.split_once("://") {
                return Err(Error::Usage {
                    problem: format!("`{text}` is an address, and {scheme}:// is not followed"),
                    next_step: "give Ghost's version, or the file once it is downloaded; an image on a registry is \
                                docker://REGISTRY/REPOSITORY:TAG"
                        .to_owned(),
                });
            }
            if looks_like_path {
                return Err(Error::NothingToWorkOn {
                    problem: format!("there is no file or directory {}", path.display()),
                    next_step: format!(
                        "check the path; an image on a registry is {}",
                        as_image(text)
                            .unwrap_or_else(|| "docker://REGISTRY/REPOSITORY:TAG".to_owned())
                    ),
                });
            }
            return Err(usage(format!(
                "`{text}` is neither a version nor a range nor a tag, and no file of that name is there"
            )));
        }
        Self::on_disk(path)
    }

    /// What lies at `path`, by what it holds.
    pub fn on_disk(path: PathBuf) -> Result<Self> {
        if path.is_dir() {
            let is_image =
                path.join("oci-layout").is_file() || path.join("manifest.json").is_file();
            return Ok(if is_image && !path.join("package.json").is_file() {
                Self::Archive(path)
            } else {
                Self::Directory(path)
            });
        }
        // Opening a named pipe waits for whoever writes into it, which may be for ever; an image is read here and there.
        match path.metadata() {
            Ok(metadata) if !metadata.is_file() => {
                return Err(Error::Unusable {
                    path,
                    problem: "this is a pipe, a socket or a device, not a file".to_owned(),
                    next_step: "write what comes out of it to a file, and give that".to_owned(),
                });
            }
            Ok(_) => {}
            Err(error) => return Err(Error::file_system("read", path, error)),
        }
        match first_names(&path) {
            Ok(names) if names.iter().any(|name| is_image_part(name)) => Ok(Self::Archive(path)),
            Ok(names) if !names.is_empty() => Ok(Self::Tarball(path)),
            Ok(_) => Err(Error::Upstream {
                problem: format!(
                    "{} is neither an npm package nor an image archive",
                    path.display()
                ),
                next_step: "give Ghost's own .tgz, or a file from `docker save` or `skopeo copy`"
                    .to_owned(),
            }),
            Err(error) => Err(Error::file_system("read", path, error)),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Npm(wanted) => write!(formatter, "{wanted}"),
            Self::ImageTag { tag, .. } => write!(formatter, "ghost:{tag}"),
            Self::Image(reference) => write!(formatter, "docker://{reference}"),
            Self::Directory(path) | Self::Tarball(path) | Self::Archive(path) => {
                write!(formatter, "{}", path.display())
            }
        }
    }
}

/// The range of `--since`: that version and everything after it, pre-releases left aside.
pub fn since(text: &str) -> Result<nodejs_semver::Range> {
    let text = text.trim().trim_start_matches('v');
    let wrong = || usage(format!("`{text}` is no version to begin with"));
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(wrong());
    }
    nodejs_semver::Range::parse(format!(">={text}")).map_err(|_| wrong())
}

fn usage(problem: String) -> Error {
    Error::Usage {
        problem,
        next_step: "give a version (6.65.0), a range (^6), a tag (latest), ghost:TAG, a directory, a .tgz, an image \
                    archive, or docker://REGISTRY/REPOSITORY:TAG"
            .to_owned(),
    }
}

/// `6`, `6.65`, `6.65.0`, `6.0.0-rc.0`, each with `-alpine`, `-alpine3.21` or a Debian's name behind it; one of these
/// alone, `latest`.
fn image_tag(tag: &str) -> Option<Wanted> {
    let parts: Vec<&str> = tag.split('-').collect();
    let variant = parts.iter().position(|part| is_variant(part));
    let base = parts[..variant.unwrap_or(parts.len())].join("-");
    if base.is_empty() || base == "latest" {
        return Some(Wanted::Tag("latest".to_owned())).filter(|_| !tag.is_empty());
    }
    if base.starts_with(|character: char| character.is_ascii_digit()) {
        return match Wanted::parse(&base) {
            // `6.0.0-rc.0` is a version; what stands behind `6.65.0-` else is of the image.
            Some(Wanted::Version(version))
                if version.pre_release().is_empty() || base.matches('.').count() > 2 =>
            {
                Some(Wanted::Version(version))
            }
            _ => Wanted::parse(parts[0]),
        };
    }
    Wanted::parse(tag).filter(|wanted| matches!(wanted, Wanted::Tag(_)))
}

/// The name of an image as Docker has it, `library/ghost:6` or with a registry before it, as it is to be given.
fn as_image(text: &str) -> Option<String> {
    let last = text.rsplit('/').next()?;
    if text.starts_with(['.', '/']) || !last.contains([':', '@']) {
        return None;
    }
    [text.to_owned(), format!("docker.io/{text}")]
        .into_iter()
        .find(|name| Reference::parse(name).is_ok())
        .map(|name| format!("docker://{name}"))
}

/// What an image is built upon.
fn is_variant(part: &str) -> bool {
    part.starts_with("alpine")
        || [
            "bookworm", "bullseye", "buster", "trixie", "jessie", "stretch",
        ]
        .contains(&part)
}

fn is_image_part(name: &str) -> bool {
    let name = name.trim_start_matches("./");
    matches!(
        name,
        "manifest.json" | "oci-layout" | "index.json" | "repositories" | "blobs"
    ) || name.starts_with("blobs/")
        || name.ends_with("/layer.tar")
        || (name.len() == 69 && name.ends_with(".json"))
}

/// The names of the first entries of a tar, compressed or not; none where it is no tar.
fn first_names(path: &Path) -> std::io::Result<Vec<String>> {
    let file = std::fs::File::open(path)?;
    let mut start = Vec::new();
    // Enough to see a few headers; a damaged archive is told as such by whoever reads it.
    file.take(1 << 20).read_to_end(&mut start)?;
    let reader: Box<dyn Read> = match start.get(..4) {
        Some([0x1f, 0x8b, ..]) => Box::new(GzDecoder::new(start.as_slice())),
        Some([0x28, 0xb5, 0x2f, 0xfd]) => {
            match ruzstd::decoding::StreamingDecoder::new(start.as_slice()) {
                Ok(decoder) => Box::new(decoder),
                Err(_) => return Ok(Vec::new()),
            }
        }
        _ => Box::new(start.as_slice()),
    };
    let mut archive = tar::Archive::new(reader.take(1 << 24));
    let Ok(entries) = archive.entries() else {
        return Ok(Vec::new());
    };
    Ok(entries
        .take(8)
        .map_while(std::result::Result::ok)
        .map(|entry| {
            String::from_utf8_lossy(&entry.path_bytes())
                .trim_end_matches('/')
                .to_owned()
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::{Target, since};
    use std::path::Path;

    fn parse(text: &str, directory: &Path) -> String {
        match Target::parse(text, directory) {
            Ok(Target::Npm(wanted)) => format!("npm {wanted}"),
            Ok(Target::ImageTag { tag, wanted }) => format!("image tag {tag}: {wanted}"),
            Ok(Target::Image(reference)) => format!("image {reference}"),
            Ok(Target::Directory(_)) => "directory".to_owned(),
            Ok(Target::Tarball(_)) => "tarball".to_owned(),
            Ok(Target::Archive(_)) => "archive".to_owned(),
            Err(error) => format!("{} {error}", error.exit_code()),
        }
    }

    #[test]
    fn what_is_not_there_is_a_version_a_range_or_a_tag() {
        let directory = tempfile::tempdir().expect("a directory");
        for (text, expected) in [
            ("6.65.0", "npm 6.65.0"),
            ("v6.65.0", "npm 6.65.0"),
            ("^6", "npm ^6"),
            ("6", "npm 6"),
            ("latest", "npm latest"),
            ("ghost@6.65.0", "npm 6.65.0"),
            ("ghost@latest", "npm latest"),
            ("ghost:6", "image tag 6: 6"),
            ("ghost:6.65-alpine", "image tag 6.65-alpine: 6.65"),
            ("ghost:6.65.0-bookworm", "image tag 6.65.0-bookworm: 6.65.0"),
            (
                "ghost:6.65.0-alpine3.21",
                "image tag 6.65.0-alpine3.21: 6.65.0",
            ),
            ("ghost:6-alpine3.21", "image tag 6-alpine3.21: 6"),
            ("ghost:6.65.0-slim", "image tag 6.65.0-slim: 6.65.0"),
            ("ghost:6.0.0-rc.0", "image tag 6.0.0-rc.0: 6.0.0-rc.0"),
            (
                "ghost:6.0.0-rc.0-alpine3.21",
                "image tag 6.0.0-rc.0-alpine3.21: 6.0.0-rc.0",
            ),
            ("ghost:latest", "image tag latest: latest"),
            ("ghost:alpine", "image tag alpine: latest"),
            ("ghost:alpine3.22", "image tag alpine3.22: latest"),
            ("ghost", "2 `ghost` names no version"),
            ("ghost:", "2 `` is no tag of Ghost's image"),
            (
                "ghost:6.65.0@sha256:aaaa",
                "2 `ghost:6.65.0@sha256:aaaa` is looked up on npm, which knows no digest of an image",
            ),
            ("", "2 `` names no Ghost; is a variable not set?"),
            (" ", "2 ` ` names no Ghost; is a variable not set?"),
            (
                "ghost@",
                "2 `ghost@` names no Ghost; is a variable not set?",
            ),
            (
                "docker://registry.test/ghost:6",
                "image registry.test/ghost:6",
            ),
            (
                "a b",
                "2 `a b` is neither a version nor a range nor a tag, and no file of that name is there",
            ),
        ] {
            assert_eq!(parse(text, directory.path()), expected, "{text}");
        }
        let missing = parse("./ghost", directory.path());
        assert!(
            missing.starts_with("3 there is no file or directory ") && missing.ends_with("ghost"),
            "{missing}"
        );
    }

    #[test]
    fn the_name_of_an_image_is_answered_with_how_it_is_given() {
        let directory = tempfile::tempdir().expect("a directory");
        for (text, code, expected) in [
            ("library/ghost:6", 3, "docker://docker.io/library/ghost:6"),
            ("registry.test/ghost:6", 3, "docker://registry.test/ghost:6"),
            (
                "registry.test:5000/own/ghost:6-alpine",
                3,
                "docker://registry.test:5000/own/ghost:6-alpine",
            ),
            ("./ghost:6", 3, "docker://REGISTRY/REPOSITORY:TAG"),
            ("/srv/ghost", 3, "docker://REGISTRY/REPOSITORY:TAG"),
            (
                "https://registry.test/ghost/-/ghost-6.65.0.tgz",
                2,
                "docker://REGISTRY/REPOSITORY:TAG",
            ),
        ] {
            let error = Target::parse(text, directory.path()).expect_err(text);
            assert_eq!(error.exit_code(), code, "{text}");
            let step = error.next_step();
            assert!(step.ends_with(&format!(" is {expected}")), "{step}");
        }
    }

    #[test]
    fn what_is_there_is_known_by_what_it_holds() {
        let directory = tempfile::tempdir().expect("a directory");
        let write = |name: &str, entry: &str, gzip: bool| {
            let mut builder = tar::Builder::new(Vec::new());
            let mut header = tar::Header::new_gnu();
            header.set_size(0);
            builder
                .append_data(&mut header, entry, &[][..])
                .expect("into memory");
            let mut bytes = builder.into_inner().expect("into memory");
            if gzip {
                let mut encoder =
                    flate2::read::GzEncoder::new(bytes.as_slice(), flate2::Compression::fast());
                let mut packed = Vec::new();
                std::io::Read::read_to_end(&mut encoder, &mut packed).expect("into memory");
                bytes = packed;
            }
            std::fs::write(directory.path().join(name), bytes).expect("written");
        };
        write("ghost-6.65.0.tgz", "package/package.json", true);
        write("ghost.tar", "manifest.json", false);
        write("ghost.tar.gz", "oci-layout", true);
        let pipe = directory.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).expect("made");
        std::fs::write(directory.path().join("6"), "a file").expect("written");
        std::fs::write(directory.path().join("text"), "a file").expect("written");
        std::fs::create_dir_all(directory.path().join("layout")).expect("made");
        std::fs::write(directory.path().join("layout/oci-layout"), "{}").expect("written");
        for (text, expected) in [
            ("ghost-6.65.0.tgz", "tarball"),
            ("./ghost.tar", "archive"),
            ("ghost.tar.gz", "archive"),
            (".", "directory"),
            ("./layout", "archive"),
            ("6", "npm 6"),
        ] {
            assert_eq!(parse(text, directory.path()), expected, "{text}");
        }
        let neither = parse("./text", directory.path());
        assert!(
            neither.ends_with("is neither an npm package nor an image archive"),
            "{neither}"
        );
        let pipe = parse("./pipe", directory.path());
        assert!(
            pipe.starts_with("5 ")
                && pipe.ends_with("this is a pipe, a socket or a device, not a file"),
            "{pipe}"
        );
    }

    #[test]
    fn since_is_a_range_with_an_open_end() {
        let versions = |text: &str| {
            let range = since(text).expect(text);
            ["4.48.9", "5.0.0-rc.1", "5.0.0", "5.75.1", "6.65.0"]
                .into_iter()
                .filter(|version| {
                    range.satisfies(&nodejs_semver::Version::parse(version).expect("a version"))
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(versions("5.0"), ["5.0.0", "5.75.1", "6.65.0"]);
        assert_eq!(versions("v5.75.1"), ["5.75.1", "6.65.0"]);
        assert_eq!(versions("6"), ["6.65.0"]);
        for text in ["", "latest", "^5", "five"] {
            assert_eq!(since(text).expect_err(text).exit_code(), 2);
        }
    }
}
