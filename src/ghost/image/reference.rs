//! `docker://` references: registry, repository, and tag or digest.

use std::fmt;

use crate::error::{Error, Result};
use crate::ghost::integrity::Integrity;

/// An image on a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Host and port.
    pub registry: String,
    /// The path below it.
    pub repository: String,
    /// A tag, or `sha256:…`.
    pub version: Version,
}

/// Which of a repository's images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Version {
    /// A name that may mean another image tomorrow.
    Tag(String),
    /// Exactly this one.
    Digest(String),
}

impl Reference {
    /// Reads what stands behind `docker://`.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |problem: String| Error::Usage {
            problem,
            next_step:
                "give an image as docker://REGISTRY/REPOSITORY:TAG, with the registry's host"
                    .to_owned(),
        };
        let (name, version) = match text.split_once('@') {
            Some((name, digest)) => {
                if Integrity::of_image(digest).is_none() {
                    return Err(wrong(format!("`{digest}` is no digest of an image")));
                }
                // `repository:tag@digest`: the digest decides.
                (without_tag(name).0, Version::Digest(digest.to_owned()))
            }
            None => {
                let (name, tag) = without_tag(text);
                (name, Version::Tag(tag.unwrap_or("latest").to_owned()))
            }
        };
        let Some((registry, repository)) = name
            .split_once('/')
            .filter(|(registry, _)| is_host(registry))
        else {
            // There is no registry that everybody means.
            return Err(wrong(format!("docker://{text} names no registry")));
        };
        let is_part = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte)
                })
                && part.starts_with(|first: char| first.is_ascii_alphanumeric())
        };
        if !repository.split('/').all(is_part) {
            return Err(wrong(format!("`{repository}` is no name of a repository")));
        }
        if let Version::Tag(tag) = &version
            && (tag.is_empty()
                || tag.len() > 128
                || !tag
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)))
        {
            return Err(wrong(format!("`{tag}` is no tag of an image")));
        }
        Ok(Self {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            version,
        })
    }

    /// The tag or digest, as it goes into an address.
    #[must_use]
    pub fn version_text(&self) -> &str {
        match &self.version {
            Version::Tag(text) | Version::Digest(text) => text,
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = match self.version {
            Version::Tag(_) => ':',
            Version::Digest(_) => '@',
        };
        write!(
            formatter,
            "{}/{}{separator}{}",
            self.registry,
            self.repository,
            self.version_text()
        )
    }
}

fn without_tag(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once(':') {
        // The colon of a port is followed by the rest of the path.
        Some((rest, tag)) if !tag.contains('/') => (rest, Some(tag)),
        _ => (name, None),
    }
}

/// Docker's own rule for telling a host from the first part of a repository.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) if host.contains(':') => (host, port.strip_prefix(':')),
        Some(_) => return false,
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let is_plain = |character: char| character.is_ascii_alphanumeric() || ".-:".contains(character);
    !host.is_empty()
        && host.chars().all(is_plain)
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
        && (text.contains(['.', ':']) || text == "localhost")
}

#[cfg(test)]
mod tests {
    use super::Reference;

    #[test]
    fn references_are_read_as_docker_reads_them() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, expected) in [
            ("registry.test/ghost", "registry.test/ghost:latest"),
            (
                "registry.test/library/ghost:6-alpine",
                "registry.test/library/ghost:6-alpine",
            ),
            ("localhost/ghost:6", "localhost/ghost:6"),
            ("127.0.0.1:5000/ghost", "127.0.0.1:5000/ghost:latest"),
            ("[::1]:5000/ghost:6", "[::1]:5000/ghost:6"),
            (
                &format!("registry.test/ghost:6@{digest}"),
                &format!("registry.test/ghost@{digest}"),
            ),
        ] {
            assert_eq!(Reference::parse(text).expect(text).to_string(), expected);
        }
        for (text, problem) in [
            ("ghost:6", "docker://ghost:6 names no registry"),
            (
                "library/ghost:6",
                "docker://library/ghost:6 names no registry",
            ),
            (
                "me:secret@registry.test/ghost",
                "`registry.test/ghost` is no digest of an image",
            ),
            ("registry.test/Ghost", "`Ghost` is no name of a repository"),
            (
                "registry.test/../ghost",
                "`../ghost` is no name of a repository",
            ),
            ("registry.test/ghost:", "`` is no tag of an image"),
            ("registry.test/ghost:a b", "`a b` is no tag of an image"),
            (
                "registry.test:99999/ghost",
                "docker://registry.test:99999/ghost names no registry",
            ),
            (
                "registry.test/ghost@sha256:12",
                "`sha256:12` is no digest of an image",
            ),
        ] {
            let error = Reference::parse(text).expect_err(text);
            assert_eq!(
                (error.to_string().as_str(), error.exit_code()),
                (problem, 2)
            );
        }
    }
}
