//! Every published knex-migrator: patched, proved, given back; and what the repository says about them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

use crate::installation::Installation;
use crate::packages;
use crate::variants::DATABASE;
use crate::witness;

/// The files that patches are made in, and that the product knows the published digests of.
const FILES: [&str; 2] = [DATABASE, "migrations/add-primary-key-to-lock-table.js"];

const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/patches/published.toml");

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

/// Between these lines of the README stands the table.
const BEGIN: &str = "<!-- published: made by `make bless`, checked by `make test` -->";
const END: &str = "<!-- published: end -->";

/// What became of one version.
struct Outcome {
    version: &'static str,
    digest: String,
    shape: String,
    patch: Value,
    verified: bool,
    reverted: bool,
    flaws: Vec<String>,
}

/// Each version in an installation of its own, each through patch, verify and revert.
static OUTCOMES: LazyLock<Vec<Outcome>> = LazyLock::new(|| {
    let versions = packages::knex_migrators();
    let share = versions.len().div_ceil(2);
    std::thread::scope(|scope| {
        let workers: Vec<_> = versions
            .chunks(share)
            .map(|share| {
                scope.spawn(|| {
                    share
                        .iter()
                        .map(|version| outcome(version))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    })
});

fn outcome(version: &'static str) -> Outcome {
    let installation = Installation::small(version);
    let before = fs::read_to_string(installation.database()).unwrap();
    let patch = installation.patch().entry().clone();
    let after = fs::read_to_string(installation.database()).unwrap();
    let verified = installation.verify().code() == 0;
    let reverted = installation.revert().code() == 0
        && fs::read_to_string(installation.database()).unwrap() == before;
    Outcome {
        version,
        digest: sha256(before.as_bytes()),
        shape: patch["shape"].as_str().unwrap_or("none").to_owned(),
        patch,
        verified,
        reverted,
        flaws: witness::flaws(&witness::watch(&before), &witness::watch(&after)),
    }
}

#[test]
fn every_published_version_is_patched_proved_and_given_back() {
    for outcome in OUTCOMES.iter() {
        let Outcome { version, patch, .. } = outcome;
        assert_eq!(patch["state"], "applied", "{version}: {patch:#}");
        assert_eq!(patch["proof"]["syntax"], "passed", "{version}");
        assert_eq!(patch["proof"]["behaviour"], "passed", "{version}");
        assert_eq!(patch["version"], *version);
        assert!(
            outcome.verified,
            "{version} is patched, and verify does not see it"
        );
        assert!(outcome.reverted, "{version} does not come back as it was");
        assert!(
            outcome.flaws.is_empty(),
            "{version}, says Node: {:#?}",
            outcome.flaws
        );
    }
    assert!(OUTCOMES.len() >= 71, "{}", OUTCOMES.len());
}

#[test]
fn the_known_digests_are_those_of_the_packages() {
    let mut text = "\
# What each release holds, by digest of the file. Made from the packages themselves by `make bless`; it explains verdicts
# (somebody's edit, or as published) and makes none.
"
    .to_owned();
    for file in FILES {
        write!(
            text,
            "\n[[file]]\npackage = \"knex-migrator\"\npath = \"{file}\"\n"
        )
        .unwrap();
        for (digest, versions) in digests(file) {
            let versions: Vec<String> = versions
                .iter()
                .map(|version| format!("\"{version}\""))
                .collect();
            write!(
                text,
                "\n[[file.digest]]\nsha256 = \"{digest}\"\nversions = [{}]\n",
                versions.join(", ")
            )
            .unwrap();
        }
    }
    same_or_bless(Path::new(PUBLISHED), &text);
}

#[test]
fn the_readme_has_the_table_of_all_published_versions() {
    let readme = fs::read_to_string(README).unwrap_or_default();
    let (Some(begin), Some(end)) = (readme.find(BEGIN), readme.find(END)) else {
        panic!(
            "README.md must have the lines\n{BEGIN}\n{END}\nfor this table to stand between:\n\n{}",
            table()
        );
    };
    let wanted = format!(
        "{}\n\n{}\n{}",
        &readme[..begin + BEGIN.len()],
        table(),
        &readme[end..]
    );
    same_or_bless(Path::new(README), &wanted);
}

/// One line for each distinct file, in the order of its first release.
fn table() -> String {
    let mut lines: Vec<(String, Vec<&Outcome>)> = Vec::new();
    for outcome in OUTCOMES.iter() {
        match lines
            .iter_mut()
            .find(|(digest, _)| *digest == outcome.digest)
        {
            Some((_, same)) => same.push(outcome),
            None => lines.push((outcome.digest.clone(), vec![outcome])),
        }
    }
    let mut text = "\
| knex-migrator | releases | `lib/database.js` (SHA-256) | shape | patched | proved | why not |
| --- | ---: | --- | --- | --- | --- | --- |
"
    .to_owned();
    for (digest, same) in &lines {
        let (first, last) = (same[0], same[same.len() - 1]);
        let versions = if same.len() == 1 {
            first.version.to_owned()
        } else {
            format!("{} to {}", first.version, last.version)
        };
        let all = |holds: &dyn Fn(&Outcome) -> bool| same.iter().all(|outcome| holds(outcome));
        let patched = all(&|outcome| outcome.patch["state"] == "applied");
        let proved = all(&|outcome| {
            outcome.patch["proof"]["syntax"] == "passed"
                && outcome.patch["proof"]["behaviour"] == "passed"
        });
        let why_not = if patched {
            ""
        } else {
            first.patch["reason"].as_str().unwrap_or_default()
        };
        writeln!(
            text,
            "| {versions} | {} | `{}` | {} | {} | {} | {why_not} |",
            same.len(),
            &digest[..12],
            first.shape,
            if patched {
                "yes"
            } else {
                first.patch["state"].as_str().unwrap_or("no")
            },
            if proved { "yes" } else { "no" },
        )
        .unwrap();
    }
    let patched = OUTCOMES
        .iter()
        .filter(|outcome| outcome.patch["state"] == "applied")
        .count();
    write!(
        text,
        "\n{patched} of {} published releases, {} distinct files.\n",
        OUTCOMES.len(),
        lines.len()
    )
    .unwrap();
    text
}

/// Digest of a file, and the versions that have it, in the order of their first release.
fn digests(file: &str) -> Vec<(String, Vec<&'static str>)> {
    let mut found: Vec<(String, Vec<&str>)> = Vec::new();
    for version in packages::knex_migrators() {
        let path = packages::unpacked("knex-migrator", version).join(file);
        let Ok(bytes) = fs::read(path) else { continue };
        let digest = sha256(&bytes);
        match found.iter_mut().find(|(known, _)| *known == digest) {
            Some((_, versions)) => versions.push(version),
            None => found.push((digest, vec![version])),
        }
    }
    found
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
}

/// Compares a file of the repository with what it must be; `make bless` writes it instead.
fn same_or_bless(path: &Path, wanted: &str) {
    if std::env::var_os("GHOSTFIX_BLESS").is_some() {
        fs::write(path, wanted).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == wanted,
        "{} is not what the packages say; run `make bless` and read the diff:\n{}",
        path.display(),
        similar::TextDiff::from_lines(found.as_str(), wanted).unified_diff()
    );
}

#[test]
fn no_release_differs_from_another_in_more_than_its_file() {
    // The verdict depends on the bytes alone: the same file in two releases gets the same edit.
    let mut edits: BTreeMap<&str, &Value> = BTreeMap::new();
    for outcome in OUTCOMES.iter() {
        let diff = edits
            .entry(&outcome.digest)
            .or_insert(&outcome.patch["diff"]);
        assert_eq!(**diff, outcome.patch["diff"], "{}", outcome.version);
    }
    assert_eq!(edits.len(), digests(DATABASE).len());
}
