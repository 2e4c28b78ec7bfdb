//! What the registry's releases hold, by digest: tells whether a file is as published. It explains verdicts and makes
//! none, so a release that is newer than this table is no trouble.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::javascript::assess::Origin;

/// `patches/published.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    #[serde(rename = "file")]
    files: Vec<PublishedFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublishedFile {
    package: String,
    path: String,
    #[serde(rename = "digest")]
    digests: Vec<Digest>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Digest {
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "found as text, before the table is parsed")
    )]
    sha256: String,
    versions: Vec<String>,
}

const TABLE: &str = include_str!("../../patches/published.toml");

static PUBLISHED: LazyLock<Published> = LazyLock::new(|| {
    toml::from_str(TABLE).unwrap_or_else(|error| panic!("patches/published.toml: {error}"))
});

/// Whether a file with this SHA-256 (in hex) is as published.
#[must_use]
pub fn origin(package: &str, paths: &[String], version: &str, sha256: &str) -> Origin {
    // Nearly always so, and found without parsing the table: nothing else has these 64 digits.
    if TABLE.contains(sha256) && sha256.len() == 64 {
        return Origin::Published;
    }
    let digests = PUBLISHED
        .files
        .iter()
        .filter(|file| file.package == package && paths.contains(&file.path))
        .flat_map(|file| &file.digests);
    let mut versions = digests.flat_map(|digest| &digest.versions);
    if versions.any(|published| published == version) {
        Origin::Changed
    } else {
        Origin::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_release_is_told_from_one_that_is_not_known() {
        let files = ["lib/database.js".to_owned()];
        let published = PUBLISHED
            .files
            .iter()
            .find(|file| file.path == files[0])
            .unwrap();
        let newest = published
            .digests
            .iter()
            .find(|digest| digest.versions.contains(&"6.2.1".to_owned()))
            .unwrap();
        assert_eq!(
            origin("knex-migrator", &files, "6.2.1", &newest.sha256),
            Origin::Published
        );
        assert_eq!(
            origin("knex-migrator", &files, "9.9.9", &newest.sha256),
            Origin::Published,
            "a lying version"
        );
        assert_eq!(
            origin("knex-migrator", &files, "6.2.1", "0"),
            Origin::Changed
        );
        assert_eq!(
            origin("knex-migrator", &files, "9.9.9", "0"),
            Origin::Unknown
        );
        assert_eq!(origin("ghost", &files, "6.2.1", "0"), Origin::Unknown);
    }
}
