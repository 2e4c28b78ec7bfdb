//! Which published version a range or tag means, chosen as npm chooses (npm-pick-manifest); and what was probably
//! meant where none fits.

use std::cmp::Reverse;

use nodejs_semver::{Range, Version};

use super::packument::{Manifest, Packument};
use crate::error::{Error, Result};
use crate::ghost::wanted::Wanted;

impl Packument {
    /// The version that npm would install for `wanted`.
    ///
    /// `node` is the range of Node versions it is installed for: a version that runs on none of them is the last choice.
    pub fn pick(&self, wanted: &Wanted, node: Option<&Range>) -> Result<&Manifest> {
        let found = match wanted {
            Wanted::Version(version) => self.manifest(version),
            Wanted::Tag(tag) => self.tagged(tag),
            Wanted::Range { text, range } => self.best(text == "*", range, node),
        };
        found.ok_or_else(|| self.not_published(wanted))
    }

    fn tagged(&self, tag: &str) -> Option<&Manifest> {
        self.manifest(&Version::parse(self.tags.get(tag)?).ok()?)
    }

    fn best(&self, any: bool, range: &Range, node: Option<&Range>) -> Option<&Manifest> {
        let runs = |manifest: &Manifest| runs_on(manifest, node);
        // `latest` is preferred to a higher version, unless its publisher advises against it.
        if let Some(latest) = self.tagged("latest")
            && (any || range.satisfies(&latest.version))
            && runs(latest)
            && !latest.deprecated
        {
            return Some(latest);
        }
        self.manifests
            .iter()
            .filter(|manifest| range.satisfies(&manifest.version))
            .max_by_key(|manifest| {
                let runs = runs(manifest);
                (
                    !manifest.deprecated && runs,
                    runs,
                    !manifest.deprecated,
                    &manifest.version,
                )
            })
    }

    /// All versions in `range`, the lowest first; pre-releases only where the range names them.
    pub fn all<'a>(&'a self, range: &'a Range) -> impl Iterator<Item = &'a Manifest> {
        self.manifests
            .iter()
            .filter(|manifest| range.satisfies(&manifest.version))
    }

    fn not_published(&self, wanted: &Wanted) -> Error {
        let name = &self.name;
        let latest = self
            .tags
            .get("latest")
            .map_or_else(String::new, |latest| format!("; latest is {latest}"));
        match wanted {
            Wanted::Version(version) => {
                let nearest = self.nearest(version);
                Error::Upstream {
                    problem: format!("there is no {name}@{version} on the registry"),
                    next_step: match nearest.split_first() {
                        Some((first, [])) => format!("did you mean {first}?"),
                        Some((first, rest)) => {
                            format!("did you mean {first}? Near it are {}", rest.join(", "))
                        }
                        None => format!("give a version that is published{latest}"),
                    },
                }
            }
            Wanted::Range { text, .. } => Error::Upstream {
                problem: format!("no published version of {name} is in the range `{text}`"),
                next_step: match (self.manifests.first(), self.manifests.last()) {
                    (Some(first), Some(last)) => {
                        format!(
                            "published are {} to {}{latest}",
                            first.version, last.version
                        )
                    }
                    _ => "check with --registry where it is looked for".to_owned(),
                },
            },
            Wanted::Tag(tag) => {
                let tags: Vec<&str> = self.tags.keys().map(String::as_str).collect();
                let lower = tag.to_lowercase();
                let near = similar::get_close_matches(lower.as_str(), &tags, 1, 0.5);
                let meant = near.first().map(|near| (*near).to_owned());
                Error::Upstream {
                    problem: format!("{name} has no tag `{tag}`"),
                    next_step: match (meant.or_else(|| self.misspelt(tag)), tags.as_slice()) {
                        (Some(meant), _) => {
                            format!("did you mean {meant}? Or give a version, as in 6.65.0")
                        }
                        (None, []) => "give a version, as in 6.65.0".to_owned(),
                        (None, tags) => format!(
                            "its tags are {}; or give a version, as in 6.65.0",
                            tags.join(", ")
                        ),
                    },
                }
            }
        }
    }

    /// The published version that a text is one character away from, the newest of them: a letter in a digit's place makes
    /// a tag of it.
    fn misspelt(&self, text: &str) -> Option<String> {
        if !text.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        self.manifests
            .iter()
            .rev()
            .map(|manifest| manifest.version.to_string())
            .find(|version| distance(version, text) == 1)
    }

    /// Published versions that may have been meant: the likeliest slip first, then the neighbours in the order of
    /// versions.
    fn nearest(&self, wanted: &Version) -> Vec<String> {
        let wanted_text = wanted.to_string();
        // Who asks for a major version that is yet to come has mistaken nothing: the newest is nearest.
        let newest = self.manifests.last().map(|manifest| &manifest.version);
        let is_to_come = newest.is_some_and(|newest| newest.major() < wanted.major());
        let slip = self
            .manifests
            .iter()
            .map(|manifest| (manifest.version.to_string(), &manifest.version))
            .filter(|_| !is_to_come)
            .filter(|(text, _)| distance(text, &wanted_text) == 1)
            // Two swapped digits are likelier than one too many or too few, and that than a wrong one.
            .max_by_key(|(text, version)| {
                let mut characters: [Vec<char>; 2] =
                    [text.chars().collect(), wanted_text.chars().collect()];
                characters
                    .iter_mut()
                    .for_each(|characters| characters.sort_unstable());
                let is_swap = characters[0] == characters[1];
                (
                    version.major() == wanted.major(),
                    is_swap,
                    text.len() != wanted_text.len(),
                    (*version).clone(),
                )
            })
            .map(|(text, _)| text);
        let below = self
            .manifests
            .iter()
            .rev()
            .find(|manifest| manifest.version < *wanted);
        let above = self
            .manifests
            .iter()
            .find(|manifest| manifest.version > *wanted);
        let mut neighbours: Vec<&Manifest> = below.into_iter().chain(above).collect();
        neighbours.sort_by_key(|manifest| {
            let version = &manifest.version;
            Reverse((
                version.major() == wanted.major(),
                version.minor() == wanted.minor(),
            ))
        });
        let mut nearest: Vec<String> = slip.into_iter().collect();
        for neighbour in neighbours {
            let text = neighbour.version.to_string();
            if !nearest.contains(&text) {
                nearest.push(text);
            }
        }
        nearest
    }
}

/// Whether a version runs on any Node that it may be installed for. What declares no range runs everywhere.
fn runs_on(manifest: &Manifest, node: Option<&Range>) -> bool {
    match (manifest.node.as_deref().map(Range::parse), node) {
        (Some(Ok(declared)), Some(node)) => declared.allows_any(node),
        _ => true,
    }
}

/// Insertions, deletions, replacements and swaps of neighbours between two short texts.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows = vec![vec![0; other.len() + 1]; one.len() + 1];
    for (row, cells) in rows.iter_mut().enumerate() {
        cells[0] = row;
    }
    rows[0] = (0..=other.len()).collect();
    for row in 1..=one.len() {
        for column in 1..=other.len() {
            let replaced = usize::from(one[row - 1] != other[column - 1]);
            let mut least = (rows[row - 1][column] + 1)
                .min(rows[row][column - 1] + 1)
                .min(rows[row - 1][column - 1] + replaced);
            if row > 1
                && column > 1
                && one[row - 1] == other[column - 2]
                && one[row - 2] == other[column - 1]
            {
                least = least.min(rows[row - 2][column - 2] + 1);
            }
            rows[row][column] = least;
        }
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::{Packument, distance};
    use crate::ghost::wanted::Wanted;
    use nodejs_semver::Range;

    fn packument() -> Packument {
        let version = |version: &str, extra: &str| {
            format!(r#""{version}": {{"dist": {{"tarball": "t"}} {extra}}}"#)
        };
        let versions = [
            version("5.0.0", ""),
            version("5.75.1", ""),
            version("5.130.6", r#", "engines": {"node": "^18 || ^20"}"#),
            version("6.0.0-rc.0", ""),
            version("6.0.0", r#", "engines": {"node": "^22"}"#),
            version("6.65.0", r#", "engines": {"node": "^22"}"#),
            version("6.66.0", r#", "deprecated": "broken""#),
        ]
        .join(",");
        let json = format!(
            r#"{{"name": "ghost", "dist-tags": {{"latest": "6.0.0", "beta": "6.0.0-rc.0"}}, "versions": {{{versions}}}}}"#
        );
        Packument::parse("ghost", json.as_bytes()).expect("a packument")
    }

    #[test]
    fn versions_are_chosen_as_npm_chooses() {
        let packument = packument();
        for (wanted, node, expected) in [
            ("6.65.0", None, "6.65.0"),
            ("latest", None, "6.0.0"),
            ("beta", None, "6.0.0-rc.0"),
            ("*", None, "6.0.0"),
            ("^6", None, "6.0.0"),
            (">6.0.0", None, "6.65.0"),
            (">6.65.0", None, "6.66.0"),
            ("5.x", None, "5.130.6"),
            ("5.x", Some("^16"), "5.75.1"),
            ("^6", Some("^18"), "6.66.0"),
            ("6.0.0-rc.0", None, "6.0.0-rc.0"),
        ] {
            let node = node.map(|node| Range::parse(node).expect("a range"));
            let picked = packument
                .pick(&Wanted::parse(wanted).expect(wanted), node.as_ref())
                .expect(wanted);
            assert_eq!(picked.version.to_string(), expected, "{wanted}");
        }
    }

    #[test]
    fn what_is_not_published_is_answered_with_what_is() {
        let packument = packument();
        for (wanted, problem, next_step) in [
            (
                "6.56.0",
                "there is no ghost@6.56.0 on the registry",
                "did you mean 6.65.0? Near it are 6.0.0",
            ),
            (
                "6.650.0",
                "there is no ghost@6.650.0 on the registry",
                "did you mean 6.65.0? Near it are 6.66.0",
            ),
            (
                "5.75.2",
                "there is no ghost@5.75.2 on the registry",
                "did you mean 5.75.1? Near it are 5.130.6",
            ),
            (
                "9.9.9",
                "there is no ghost@9.9.9 on the registry",
                "did you mean 6.66.0?",
            ),
            (
                "^7",
                "no published version of ghost is in the range `^7`",
                "published are 5.0.0 to 6.66.0; latest is 6.0.0",
            ),
            (
                "7.0.0",
                "there is no ghost@7.0.0 on the registry",
                "did you mean 6.66.0?",
            ),
            (
                "LATEST",
                "ghost has no tag `LATEST`",
                "did you mean latest? Or give a version, as in 6.65.0",
            ),
            (
                "6.65.O",
                "ghost has no tag `6.65.O`",
                "did you mean 6.65.0? Or give a version, as in 6.65.0",
            ),
            (
                "lastest",
                "ghost has no tag `lastest`",
                "did you mean latest? Or give a version, as in 6.65.0",
            ),
            (
                "zzz",
                "ghost has no tag `zzz`",
                "its tags are beta, latest; or give a version, as in 6.65.0",
            ),
        ] {
            let error = packument
                .pick(&Wanted::parse(wanted).expect(wanted), None)
                .expect_err(wanted);
            assert_eq!(
                (error.to_string().as_str(), error.next_step()),
                (problem, next_step)
            );
            assert_eq!(error.exit_code(), 6);
        }
    }

    #[test]
    fn distance_counts_a_swap_as_one() {
        for (one, other, expected) in [
            ("", "", 0),
            ("6.65", "6.56", 1),
            ("6.65", "6.650", 1),
            ("abc", "", 3),
            ("abcd", "acbd", 1),
        ] {
            assert_eq!(distance(one, other), expected);
        }
    }
}
