//! Every copy of an npm package that a Ghost can load, and the files in it.
//!
//! Node's own resolution says which copy Ghost itself loads; the search finds those that other packages load. Two paths
//! are two copies even where they are hard links to one file (pnpm does that): each is replaced by a file of its own.

use std::path::{Component, Path, PathBuf};

use super::installation::Installation;
use super::link::{Broken, resolve_below};
use super::manifest::Manifest;
use super::search::{self, Search};
use super::source::not_a_file;
use crate::error::{Error, Result};
use crate::report::Coverage;

/// How far the search for further copies goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Every `node_modules` of a package, and pnpm's `.pnpm`: milliseconds.
    PackageDirectories,
    /// Every directory (`--deep`).
    Everything,
}

/// The copies of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies {
    /// The package's name.
    pub package: String,
    /// First the one that Node's resolution reaches from Ghost's own directory, then the others by path.
    pub found: Vec<PackageCopy>,
    /// Where was looked.
    pub coverage: Coverage,
    /// Oddities worth a line that change no verdict.
    pub notes: Vec<String>,
}

/// One directory with an npm package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageCopy {
    /// The name under which it is loaded.
    pub name: String,
    /// `version` in its package.json.
    pub version: String,
    /// The real directory, every link resolved.
    pub directory: PathBuf,
    /// The same, relative to the version directory.
    pub relative: PathBuf,
    /// Whether Node's resolution from Ghost's own directory ends here.
    pub reached_by_node: bool,
}

/// A file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// It is there.
    Present {
        /// Its real path, every link resolved.
        path: PathBuf,
        /// The same, relative to the version directory.
        relative: PathBuf,
    },
    /// The package does not have it.
    Missing {
        /// Where it would be, relative to the version directory.
        relative: PathBuf,
    },
}

/// A package that Ghost's own package.json declares and that is not installed where Ghost would load it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// The package.
    pub package: String,
    /// The version or range that Ghost declares.
    pub wanted: String,
    /// Why Ghost does not load it, in one sentence.
    pub problem: String,
    /// What to do about it.
    pub next_step: String,
}

/// Which of the packages Ghost declares and cannot load: Node's resolution from Ghost's own directory finds none. A Ghost
/// that does not declare a package (the oldest have no knex-migrator) does without it.
///
/// # Errors
///
/// Where Ghost's package.json cannot be read.
pub fn absent(installation: &Installation, all: &[Copies]) -> Result<Vec<Absent>> {
    let ghost = &installation.ghost;
    let declared = match Manifest::read(&ghost.directory)? {
        Some(manifest) => manifest.dependencies,
        None => return Ok(Vec::new()),
    };
    let is_reached = |copies: &&Copies| copies.found.iter().any(|copy| copy.reached_by_node);
    let one = |copies: &Copies| {
        let package = &copies.package;
        let wanted = declared.get(package)?;
        let what = format!(
            "Ghost {} depends on {package} {wanted}, which is not installed",
            ghost.version
        );
        let (why, next_step) = match plug_and_play(&ghost.directory) {
            Some(file) => (
                format!(
                    "packages come out of Yarn's archives here ({}), which cannot be patched",
                    file.display()
                ),
                "install them as files: `nodeLinker: node-modules` in .yarnrc.yml, then `yarn install`"
                    .to_owned(),
            ),
            None => (
                format!("Node finds none from {}", ghost.directory.display()),
                format!(
                    "install it with Ghost's other dependencies (Ghost does not start without {package}), then run this again"
                ),
            ),
        };
        Some(Absent {
            package: package.clone(),
            wanted: wanted.clone(),
            problem: format!("{what}: {why}"),
            next_step,
        })
    };
    Ok(all
        .iter()
        .filter(|copies| !is_reached(copies))
        .filter_map(one)
        .collect())
}

/// Where Yarn's Plug'n'Play takes the place of Node's resolution: its file.
fn plug_and_play(directory: &Path) -> Option<PathBuf> {
    directory
        .ancestors()
        .map(|directory| directory.join(".pnp.cjs"))
        .find(|file| file.is_file())
}

/// What Node's resolution reaches from Ghost's own directory: for each package one copy or none. `ghost` itself is a
/// package, too.
///
/// # Errors
///
/// Where the copy lies outside of the installation, or what leads there cannot be read.
pub fn reached(installation: &Installation, packages: &[&str]) -> Result<Vec<Copies>> {
    let root = &installation.version_directory;
    let one = |package: &&str| {
        let mut copies = Copies {
            package: (*package).to_owned(),
            found: Vec::new(),
            coverage: Coverage {
                node_resolution: true,
                ..Coverage::default()
            },
            notes: Vec::new(),
        };
        let directory = if *package == "ghost" {
            Some(installation.ghost.directory.clone())
        } else {
            node_resolution(installation, package)?
        };
        match directory {
            Some(directory) => copies.add(root, directory, true)?,
            None => outside(installation, package)?,
        }
        Ok(copies)
    };
    packages.iter().map(one).collect()
}

/// Adds every further copy of the packages that this Ghost can load, in one walk for all of them. `all` is what was
/// [`reached`].
///
/// No copy at all is an answer, not an error.
///
/// # Errors
///
/// Where a copy's package.json cannot be read.
pub fn with_further(
    installation: &Installation,
    mut all: Vec<Copies>,
    depth: Depth,
) -> Result<Vec<Copies>> {
    let root = &installation.version_directory;
    let packages = all
        .iter()
        .map(|copies| copies.package.clone())
        .collect::<Vec<_>>();
    let mut search = Search::new(&packages);
    match depth {
        Depth::PackageDirectories => {
            for directory in upwards(&installation.ghost.directory, root) {
                search.package_directories(&directory.join("node_modules"));
            }
        }
        Depth::Everything => search.everything(root),
    }
    let Search {
        found, unreadable, ..
    } = search;
    for (copies, found) in all.iter_mut().zip(found) {
        copies.coverage.package_directories = true;
        copies.coverage.everything = depth == Depth::Everything;
        copies.coverage.unreadable.clone_from(&unreadable);
        for directory in found {
            let known = copies.found.iter().any(|copy| copy.directory == directory);
            // A directory on the way may be a link that was replaced in the meantime: only what is where it seems to
            // be counts.
            if !known && directory.canonicalize().is_ok_and(|real| real == directory) {
                copies.add(root, directory, false)?;
            }
        }
        copies.notes.dedup();
        if copies
            .found
            .first()
            .is_some_and(|copy| !copy.reached_by_node)
        {
            copies.notes.push(format!(
                "no copy of {} is reached by Node's resolution from Ghost's own directory",
                copies.package
            ));
        }
    }
    Ok(all)
}

impl Copies {
    fn add(&mut self, root: &Path, directory: PathBuf, reached_by_node: bool) -> Result<()> {
        let package = &self.package;
        let relative = relative_to(root, &directory)?;
        let Some(manifest) = Manifest::read(&directory)? else {
            self.notes.push(format!(
                "{} has no package.json and is not taken for a copy",
                relative.display()
            ));
            return Ok(());
        };
        if manifest.name.as_deref() != Some(package.as_str()) {
            let own = manifest
                .name
                .as_deref()
                .unwrap_or("a package without a name");
            self.notes.push(format!(
                "{} is loaded as {package} and calls itself {own:?}",
                relative.display()
            ));
        }
        let version = manifest.version(&directory)?;
        self.found.push(PackageCopy {
            name: package.clone(),
            version,
            directory,
            relative,
            reached_by_node,
        });
        Ok(())
    }
}

/// Finds `file` (with `/` between the parts) in a copy of a package.
pub fn target(installation: &Installation, copy: &PackageCopy, file: &str) -> Result<Target> {
    let part = Path::new(file);
    if file.is_empty()
        || !part
            .components()
            .all(|component| matches!(component, Component::Normal(_)))
    {
        return Err(Error::Bug {
            problem: format!("{file:?} is not a path inside of a package"),
        });
    }
    let root = &installation.version_directory;
    let path = copy.directory.join(part);
    let real = match resolve_below(root, &path) {
        Ok(real) => real,
        Err(Broken::Absent) => {
            return Ok(Target::Missing {
                relative: copy.relative.join(part),
            });
        }
        Err(broken) => return Err(refused(broken, &copy.name)),
    };
    let stat = rustix::fs::lstat(&real)
        .map_err(|error| Error::file_system("read", &real, error.into()))?;
    if let Some(kind) = not_a_file(&stat) {
        return Err(Error::Unusable {
            path: real,
            problem: format!("this is {kind}, not a file"),
            next_step: format!("reinstall {}", copy.name),
        });
    }
    Ok(Target::Present {
        relative: relative_to(root, &real)?,
        path: real,
    })
}

/// The directories from `inner` up to `outer`, outermost first.
fn upwards(inner: &Path, outer: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = inner
        .ancestors()
        .take_while(|directory| directory.starts_with(outer))
        .map(Path::to_owned)
        .collect();
    all.reverse();
    // Node does not look for node_modules in node_modules.
    all.retain(|directory| {
        directory
            .file_name()
            .is_none_or(|name| name != "node_modules")
    });
    all
}

/// What `require(package)` finds from Ghost's own directory, as far up as the version directory.
fn node_resolution(installation: &Installation, package: &str) -> Result<Option<PathBuf>> {
    let root = &installation.version_directory;
    for directory in upwards(&installation.ghost.directory, root)
        .into_iter()
        .rev()
    {
        let path = directory.join("node_modules").join(package);
        match resolve_below(root, &path) {
            // Node passes over a directory that holds nothing to load, such as one with only its own node_modules.
            Ok(real) if search::is_package(&real) => return Ok(Some(real)),
            Ok(_) | Err(Broken::Absent) => {}
            Err(broken) => return Err(refused(broken, package)),
        }
    }
    Ok(None)
}

/// An error where Node's resolution goes on above the version directory and finds the package there.
fn outside(installation: &Installation, package: &str) -> Result<()> {
    let root = &installation.version_directory;
    let above = root
        .ancestors()
        .skip(1)
        .map(|directory| directory.join("node_modules").join(package));
    match above.into_iter().find(|path| search::is_package(path)) {
        Some(path) => Err(Error::NothingToWorkOn {
            problem: format!(
                "the Ghost in {} loads {package} from {}, which is outside of it and may serve other programs",
                root.display(),
                path.display()
            ),
            next_step: "install Ghost with its dependencies in its own node_modules".to_owned(),
        }),
        None => Ok(()),
    }
}

fn refused(broken: Broken, package: &str) -> Error {
    match broken {
        Broken::Unreadable(error) => error,
        broken @ Broken::Leaves { .. } => Error::Refused {
            problem: format!("{}: other programs may use that file", broken.problem()),
            next_step: match broken.meant() {
                Some(meant) => format!(
                    "the link means {}: run ghostfix where the image's paths hold",
                    meant.display()
                ),
                None => format!(
                    "install {package} as files of its own (pnpm: no global virtual store, no `pnpm link`)"
                ),
            },
        },
        broken => Error::Refused {
            problem: broken.problem(),
            next_step: format!("reinstall {package}"),
        },
    }
}

fn relative_to(root: &Path, path: &Path) -> Result<PathBuf> {
    path.strip_prefix(root)
        .map(Path::to_owned)
        .map_err(|_| Error::Bug {
            problem: format!("{} is not below {}", path.display(), root.display()),
        })
}

#[cfg(test)]
#[path = "copies_tests.rs"]
mod tests;
