//! Where Ghost is below the directory that the user names, and which version it is.
//!
//! Answers with exactly one Ghost or an error that says what stands in its place; never guesses between two. Which
//! packages that Ghost loads is left to [`copies`](super::copies).

use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::link::{Broken, resolve_below};
use super::listing::list;
use super::manifest::Manifest;
use crate::error::{Error, Result};
use crate::report::GhostFound;

/// One Ghost on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The root as it was given.
    pub root: PathBuf,
    /// The root with every link resolved.
    pub real_root: PathBuf,
    /// The real directory, every link resolved, that holds `node_modules` and `.ghostfix`: what `current` leads to, or
    /// Ghost's own directory, or the project that depends on Ghost. Everything that is ever written is below it.
    pub version_directory: PathBuf,
    /// Ghost's own package; its directory is the version directory or below it.
    pub ghost: GhostFound,
}

impl Installation {
    /// A path below the version directory, as seen from the root: `versions/6.65.0/…` where ghost-cli installed it.
    #[must_use]
    pub fn below_root(&self, path: &Path) -> PathBuf {
        let version = self.version_directory.strip_prefix(&self.real_root);
        version.map_or_else(|_| path.to_owned(), |version| version.join(path))
    }
}

/// Finds the one Ghost at `root`: Ghost's own directory, one that holds `current`, a project that depends on Ghost, or
/// one that holds `versions` with a single Ghost in it.
pub fn locate(root: &Path) -> Result<Installation> {
    let real_root = real_directory(root)?;
    let mut seen = Seen::default();

    let own = own_directory(&real_root, &mut seen)?;
    let current = at(&real_root, "current", Place::VersionDirectory, &mut seen)?;
    let dependency = at(
        &real_root,
        "node_modules/ghost",
        Place::Dependency,
        &mut seen,
    )?;
    let mut found: Vec<Candidate> = Vec::new();
    for candidate in own.into_iter().chain(current).chain(dependency) {
        if !found
            .iter()
            .any(|other| other.ghost.directory == candidate.ghost.directory)
        {
            found.push(candidate);
        }
    }
    if found.is_empty() {
        found = versions(&real_root, &mut seen)?;
    }

    match found.len() {
        0 => Err(seen.no_ghost(root)),
        1 => {
            let Candidate {
                version_directory,
                ghost,
            } = found.remove(0);
            Ok(Installation {
                root: root.to_owned(),
                real_root,
                version_directory,
                ghost,
            })
        }
        _ => Err(more_than_one(root, &found)),
    }
}

struct Candidate {
    version_directory: PathBuf,
    ghost: GhostFound,
}

/// What the directory with Ghost's package.json is to the version directory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is the version directory.
    VersionDirectory,
    /// It is a package in the `node_modules` of the version directory, which is the root.
    Dependency,
}

/// What was there but was no Ghost: it goes into the error if nothing else is found.
#[derive(Default)]
struct Seen {
    broken: Option<Error>,
    others: Vec<String>,
}

fn real_directory(root: &Path) -> Result<PathBuf> {
    let nothing = |problem| Error::NothingToWorkOn {
        problem,
        next_step:
            "give the directory of the Ghost installation with --root, such as /var/lib/ghost"
                .to_owned(),
    };
    let real = root.canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => Error::file_system("open", root, error),
        _ if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => nothing(format!(
            "no Ghost in {}: it leads through links that go in circles",
            root.display()
        )),
        _ => match root.read_link() {
            Ok(to) => nothing(format!(
                "no Ghost in {}: it is a link to {}, which does not exist",
                root.display(),
                to.display()
            )),
            Err(_) => nothing(format!(
                "no Ghost in {}: there is no such directory",
                root.display()
            )),
        },
    })?;
    if real.is_dir() {
        Ok(real)
    } else {
        Err(nothing(format!(
            "no Ghost in {}: this is not a directory",
            root.display()
        )))
    }
}

/// The root itself, when its package.json is Ghost's.
fn own_directory(real_root: &Path, seen: &mut Seen) -> Result<Option<Candidate>> {
    let manifest = match Manifest::read(real_root) {
        Ok(Some(manifest)) => manifest,
        Ok(None) => return Ok(None),
        Err(error @ Error::FileSystem { .. }) => return Err(error),
        Err(error) => {
            seen.broken.get_or_insert(error);
            return Ok(None);
        }
    };
    if manifest.name.as_deref() != Some("ghost") {
        seen.others
            .push(format!("its package.json is that of {}", named(&manifest)));
        return Ok(None);
    }
    // A project in a directory called `ghost` gets that name from `npm init`, and then has Ghost as a dependency.
    if manifest.dependencies.contains_key("ghost") && real_root.join("node_modules/ghost").exists()
    {
        return Ok(None);
    }
    candidate(real_root.to_owned(), real_root.to_owned(), &manifest).map(Some)
}

/// What is at `root/name`, when that is a directory with Ghost's package.json.
fn at(real_root: &Path, name: &str, place: Place, seen: &mut Seen) -> Result<Option<Candidate>> {
    let path = real_root.join(name);
    let directory = match resolve_below(real_root, &path) {
        Ok(directory) => directory,
        Err(Broken::Absent) => return Ok(None),
        Err(Broken::Unreadable(error)) => return Err(error),
        Err(broken) => return Err(broken_link(&broken)),
    };
    match Manifest::read(&directory)? {
        Some(manifest) if manifest.name.as_deref() == Some("ghost") => {
            let version_directory = match place {
                Place::VersionDirectory => directory.clone(),
                Place::Dependency => real_root.to_owned(),
            };
            candidate(version_directory, directory, &manifest).map(Some)
        }
        Some(manifest) => {
            seen.others.push(format!(
                "the package.json in {name} is that of {}",
                named(&manifest)
            ));
            Ok(None)
        }
        None => {
            seen.others.push(format!("{name} has no package.json"));
            Ok(None)
        }
    }
}

/// Every Ghost in `root/versions`: asked only where there is no `current`.
fn versions(real_root: &Path, seen: &mut Seen) -> Result<Vec<Candidate>> {
    let directory = real_root.join("versions");
    let mut names = match list(&directory) {
        Ok(entries) => entries
            .into_iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>(),
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Vec::new()),
        Err(error) => return Err(Error::file_system("list", directory, error.into())),
    };
    names.sort();
    let mut found = Vec::new();
    for name in names {
        let name = format!("versions/{}", name.to_string_lossy());
        found.extend(at(real_root, &name, Place::VersionDirectory, seen)?);
    }
    Ok(found)
}

fn candidate(
    version_directory: PathBuf,
    directory: PathBuf,
    manifest: &Manifest,
) -> Result<Candidate> {
    let version = manifest.version(&directory)?;
    Ok(Candidate {
        version_directory,
        ghost: GhostFound { version, directory },
    })
}

fn named(manifest: &Manifest) -> String {
    manifest.name.as_ref().map_or_else(
        || "a package without a name".to_owned(),
        |name| format!("{name:?}"),
    )
}

fn broken_link(broken: &Broken) -> Error {
    let next_step = match broken.meant() {
        Some(meant) => format!(
            "the link is meant for another place; give --root {}",
            meant.display()
        ),
        None => "repair the link, or give the directory of Ghost's own package.json with --root"
            .to_owned(),
    };
    Error::NothingToWorkOn {
        problem: format!("no Ghost found: {}", broken.problem()),
        next_step,
    }
}

fn more_than_one(root: &Path, found: &[Candidate]) -> Error {
    let list: Vec<String> = found
        .iter()
        .map(|candidate| {
            format!(
                "{} in {}",
                candidate.ghost.version,
                candidate.ghost.directory.display()
            )
        })
        .collect();
    Error::NothingToWorkOn {
        problem: format!(
            "more than one Ghost in {}: {}",
            root.display(),
            list.join(", ")
        ),
        next_step: format!(
            "give the one that is meant, such as --root {}",
            found[0].ghost.directory.display()
        ),
    }
}

impl Seen {
    fn no_ghost(self, root: &Path) -> Error {
        if let Some(error) = self.broken {
            return error;
        }
        let seen = if self.others.is_empty() {
            "it has neither Ghost's package.json nor `current`, `versions` or `node_modules/ghost`"
                .to_owned()
        } else {
            self.others.join(", and ")
        };
        Error::NothingToWorkOn {
            problem: format!("no Ghost in {}: {seen}", root.display()),
            next_step:
                "give the directory of the Ghost installation with --root, such as /var/lib/ghost"
                    .to_owned(),
        }
    }
}

#[cfg(test)]
#[path = "installation_tests.rs"]
mod tests;
