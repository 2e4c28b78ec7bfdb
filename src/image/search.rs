//! The walk for copies of packages: which directories are looked into, and which are passed over.
//!
//! No link is ever followed. The quick walk lists `node_modules` directories only and never the body of a package, so
//! that its cost is one system call for each installed package and not one for each file.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::listing::entries;
use super::manifest::Manifest;
use super::source::{Links, Regular, read_regular};

/// Directories in a `node_modules` whose entries each have a `node_modules` of their own: pnpm, npm's linked strategy
/// and bun's isolated one.
const STORES: [&str; 3] = [".pnpm", ".store", ".bun"];

/// What a walk has found so far.
pub(super) struct Search<'a> {
    packages: &'a [String],
    /// For each package, the directories that hold a copy, as far as the walk can tell from their names.
    pub(super) found: Vec<BTreeSet<PathBuf>>,
    /// Directories that could not be listed.
    pub(super) unreadable: Vec<PathBuf>,
    /// Every `node_modules` that was listed.
    listed: BTreeSet<PathBuf>,
}

/// Whether Node would load something from this directory, rather than look further up.
pub(super) fn is_package(directory: &Path) -> bool {
    ["package.json", "index.js"]
        .iter()
        .any(|name| directory.join(name).exists())
}

impl<'a> Search<'a> {
    pub(super) fn new(packages: &'a [String]) -> Self {
        Self {
            packages,
            found: vec![BTreeSet::new(); packages.len()],
            unreadable: Vec::new(),
            listed: BTreeSet::new(),
        }
    }

    /// Looks through a `node_modules` directory, those of the packages in it, and a virtual store in it.
    pub(super) fn package_directories(&mut self, node_modules: &Path) {
        // The outermost one may be a link to somewhere else in the installation.
        let path = node_modules
            .canonicalize()
            .unwrap_or_else(|_| node_modules.to_owned());
        self.node_modules(CWD, &path, &path);
    }

    /// `name` is the directory as seen from `at`, `path` as seen from the root of the file system.
    fn node_modules(&mut self, at: impl AsFd, name: &Path, path: &Path) {
        let Some(directory) = self.open(at, name, path) else {
            return;
        };
        if !self.listed.insert(path.to_owned()) {
            return;
        }
        for name in self.directories(&directory, path) {
            match name.as_bytes() {
                [b'.', ..] if STORES.iter().any(|store| name == **store) => {
                    self.store(&directory, Path::new(&name), &path.join(&name));
                }
                [b'.', ..] => {}
                [b'@', ..] => self.scope(&directory, Path::new(&name), path),
                _ => self.package(&directory, Path::new(&name), Path::new(&name), path),
            }
        }
    }

    /// The packages `@scope/…` of a `node_modules` whose path is `path`.
    fn scope(&mut self, node_modules: &OwnedFd, scope: &Path, path: &Path) {
        let Some(directory) = self.open(node_modules, scope, &path.join(scope)) else {
            return;
        };
        for name in self.directories(&directory, &path.join(scope)) {
            self.package(&directory, Path::new(&name), &scope.join(&name), path);
        }
    }

    /// One package: `entry` is its directory as seen from `at`, `name` its whole name, `path` that of the `node_modules`.
    fn package(&mut self, at: &OwnedFd, entry: &Path, name: &Path, path: &Path) {
        for (found, package) in self.found.iter_mut().zip(self.packages) {
            if name == Path::new(package) {
                found.insert(path.join(name));
            }
        }
        self.node_modules(
            at,
            &entry.join("node_modules"),
            &path.join(name).join("node_modules"),
        );
    }

    /// A virtual store: `ENTRY/node_modules` holds one package for real, and links to what it depends on.
    fn store(&mut self, node_modules: &OwnedFd, name: &Path, path: &Path) {
        let Some(directory) = self.open(node_modules, name, path) else {
            return;
        };
        for entry in self.directories(&directory, path) {
            if entry == "node_modules" {
                self.node_modules(&directory, Path::new(&entry), &path.join(&entry));
                continue;
            }
            let inside = Path::new(&entry).join("node_modules");
            // The name of an entry can be shortened or hashed: never trust it to tell that the package is not there.
            for (found, package) in self.found.iter_mut().zip(self.packages) {
                if is_directory(&directory, &inside.join(package)) {
                    found.insert(path.join(&inside).join(package));
                }
            }
            match package_of(&entry) {
                // What is bundled with the one package of this entry.
                Some(own) => {
                    let bundled = inside.join(own).join("node_modules");
                    self.node_modules(&directory, &bundled, &path.join(&bundled));
                }
                None => self.node_modules(&directory, &inside, &path.join(&inside)),
            }
        }
    }

    /// Looks through every directory for package.json files of the packages, and for directories of their names.
    pub(super) fn everything(&mut self, root: &Path) {
        let wanted = self
            .packages
            .iter()
            .map(|package| {
                (
                    format!("\"{package}\""),
                    Path::new("node_modules").join(package),
                )
            })
            .collect::<Vec<_>>();
        for entry in walkdir::WalkDir::new(root).follow_links(false) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.unreadable.extend(error.path().map(Path::to_owned));
                    continue;
                }
            };
            if entry.file_type().is_dir() {
                for (found, (_, directory)) in self.found.iter_mut().zip(&wanted) {
                    if entry.path().ends_with(directory) {
                        found.insert(entry.path().to_owned());
                    }
                }
            } else if entry.file_type().is_file() && entry.file_name() == "package.json" {
                let Some(directory) = entry.path().parent() else {
                    continue;
                };
                let bytes = read_small(entry.path());
                for ((found, package), (needle, _)) in
                    self.found.iter_mut().zip(self.packages).zip(&wanted)
                {
                    if mentions(&bytes, needle)
                        && Manifest::read(directory).is_ok_and(|manifest| {
                            manifest.is_some_and(|manifest| {
                                manifest.name.as_deref() == Some(package.as_str())
                            })
                        })
                    {
                        found.insert(directory.to_owned());
                    }
                }
            }
        }
    }

    fn open(&mut self, at: impl AsFd, name: &Path, path: &Path) -> Option<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(at, name, flags, Mode::empty()) {
            Ok(directory) => Some(directory),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => None,
            Err(_) => {
                self.unreadable.push(path.to_owned());
                None
            }
        }
    }

    /// The names of the real directories in a directory.
    fn directories(&mut self, directory: &OwnedFd, path: &Path) -> Vec<OsString> {
        match entries(directory) {
            Ok(entries) => {
                let directories = entries
                    .into_iter()
                    .filter(|(_, kind)| *kind == FileType::Directory);
                directories.map(|(name, _)| name).collect()
            }
            Err(_) => {
                self.unreadable.push(path.to_owned());
                Vec::new()
            }
        }
    }
}

fn is_directory(at: impl AsFd, path: &Path) -> bool {
    rustix::fs::statat(at, path, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

/// The package of an entry that is named as pnpm names those from a registry: `name@1…`, `@scope+name@1…`. `None` for
/// all others (from a file, an address or git; by a hash), where the name does not surely tell.
fn package_of(entry: &OsStr) -> Option<PathBuf> {
    let entry = entry.to_str()?;
    let at = entry.get(1..)?.find('@')? + 1;
    let (name, version) = entry.split_at(at);
    if !version[1..].starts_with(|digit: char| digit.is_ascii_digit()) {
        return None;
    }
    match name.strip_prefix('@') {
        Some(scoped) => {
            let (scope, name) = scoped.split_once('+')?;
            Some(Path::new(&format!("@{scope}")).join(name))
        }
        None if name.contains('+') => None,
        None => Some(PathBuf::from(name)),
    }
}

/// The content of a file that can be a package.json. None for one that cannot be read: such a package cannot be loaded.
fn read_small(path: &Path) -> Vec<u8> {
    match read_regular(path, 1024 * 1024, Links::Refuse) {
        Ok(Regular::Whole { bytes, .. }) => bytes,
        Ok(Regular::TooLarge { .. } | Regular::Other(_)) | Err(_) => Vec::new(),
    }
}

fn mentions(bytes: &[u8], needle: &str) -> bool {
    bytes
        .windows(needle.len())
        .any(|window| window == needle.as_bytes())
}
