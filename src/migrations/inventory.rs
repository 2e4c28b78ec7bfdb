//! Which migrations a Ghost brings: files in folders, in the order in which knex-migrator goes through them.

use std::collections::BTreeMap;

use nodejs_semver::Version;

use crate::error::Result;
use crate::ghost::Files;

/// Where the folders are in Ghost's package.
pub const DIRECTORY: &str = "core/server/data/migrations/versions";

/// Where the steps of a first boot are.
const INIT: &str = "core/server/data/migrations/init";

/// A migration by its folder and file name, as knex-migrator records it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Named {
    /// The folder: `5.76`.
    pub version: String,
    /// The file: `2023-12-05-11-00-43-add-x.js`.
    pub name: String,
}

/// The migrations of one Ghost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inventory {
    /// The steps of a first boot, which are recorded with the version `init`.
    pub init: Vec<String>,
    /// Folders in order, each with its files in order.
    pub folders: Vec<Folder>,
}

#[cfg(test)]
impl Inventory {
    /// From literals.
    pub(crate) fn of(init: &[&str], folders: &[(&str, &[&str])]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let folder = |(version, files): &(&str, &[&str])| Folder {
            version: (*version).to_owned(),
            files: owned(files),
        };
        Self {
            init: owned(init),
            folders: folders.iter().map(folder).collect(),
        }
    }
}

/// One folder of migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Its name.
    pub version: String,
    /// The files in it.
    pub files: Vec<String>,
}

/// Lists the migrations among a Ghost's files.
///
/// # Errors
///
/// Where the files cannot be listed.
pub fn read(files: &Files) -> Result<Inventory> {
    let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in files.paths_below(DIRECTORY)? {
        let inside = path
            .strip_prefix(DIRECTORY)
            .and_then(|path| path.strip_prefix('/'));
        // knex-migrator passes over what begins with a dot.
        if let Some((version, name)) = inside.and_then(|inside| inside.split_once('/'))
            && !version.starts_with('.')
            && !name.starts_with('.')
            && !name.contains('/')
        {
            folders
                .entry(version.to_owned())
                .or_default()
                .push(name.to_owned());
        }
    }
    let mut folders: Vec<Folder> = folders
        .into_iter()
        .map(|(version, mut files)| {
            files.sort();
            Folder { version, files }
        })
        .collect();
    folders.sort_by_key(|folder| order(&folder.version));
    let init = files.paths_below(INIT)?.into_iter();
    let mut init: Vec<String> = init
        .filter_map(|path| {
            path.strip_prefix(INIT)?
                .strip_prefix('/')
                .map(str::to_owned)
        })
        .filter(|name| !name.starts_with('.') && !name.contains('/'))
        .collect();
    init.sort();
    Ok(Inventory { init, folders })
}

/// Where a migration is in Ghost's package.
#[must_use]
pub fn path(named: &Named) -> String {
    format!("{DIRECTORY}/{}/{}", named.version, named.name)
}

/// The numbers that order folders: `5.9` is before `5.10`, `1.25-late` is with `1.25`.
#[must_use]
pub fn order(version: &str) -> [u64; 3] {
    let mut numbers = [0; 3];
    let start = version
        .find(|character: char| character.is_ascii_digit())
        .unwrap_or(version.len());
    let digits = version[start..]
        .split(|character: char| !(character.is_ascii_digit() || character == '.'))
        .next()
        .unwrap_or_default();
    for (number, text) in numbers.iter_mut().zip(digits.split('.')) {
        *number = text.parse().unwrap_or_default();
    }
    numbers
}

impl Inventory {
    /// All migrations in order.
    pub fn all(&self) -> impl Iterator<Item = Named> + '_ {
        self.folders.iter().flat_map(|folder| {
            folder.files.iter().map(|name| Named {
                version: folder.version.clone(),
                name: name.clone(),
            })
        })
    }

    /// The folder of that name.
    #[must_use]
    pub fn folder(&self, version: &str) -> Option<&Folder> {
        self.folders.iter().find(|folder| folder.version == version)
    }

    /// Whether a folder is later than this Ghost: knex-migrator then leaves it alone. Only major and minor count.
    #[must_use]
    pub fn is_later(version: &str, ghost: &Version) -> bool {
        order(version) > [ghost.major(), ghost.minor(), 0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ghost::tarball::Kept;

    #[test]
    fn folders_and_files_are_in_the_order_in_which_they_run() {
        let kept: Kept = [
            "5.9/b.js",
            "5.10/a.js",
            "5.9/a.js",
            "5.9/.DS_Store",
            "5.9/deeper/a.js",
            ".hidden/a.js",
            "1.25/02-noop.js",
        ]
        .map(|path| (format!("{DIRECTORY}/{path}"), Vec::new()))
        .into();
        let names: Vec<String> = read(&Files::in_memory(kept))
            .unwrap()
            .all()
            .map(|named| format!("{}/{}", named.version, named.name))
            .collect();
        assert_eq!(
            names,
            ["1.25/02-noop.js", "5.9/a.js", "5.9/b.js", "5.10/a.js"]
        );
    }

    #[test]
    fn only_major_and_minor_make_a_folder_late() {
        let ghost = Version::parse("5.75.1").unwrap();
        assert!(!Inventory::is_later("5.75", &ghost));
        assert!(!Inventory::is_later("5.9", &ghost));
        assert!(Inventory::is_later("5.76", &ghost));
        assert!(Inventory::is_later("6.0", &ghost));
        assert_eq!(order("1.25-late"), [1, 25, 0]);
        assert_eq!(order("none"), [0, 0, 0]);
    }
}
