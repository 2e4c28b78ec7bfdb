//! Installations for unit tests, laid out as npm, pnpm and ghost-cli do.

use std::path::{Path, PathBuf};

use super::installation::{Installation, locate};

/// A directory that is removed with the test; its path is real, so that paths can be compared.
pub(super) struct Place {
    _dir: tempfile::TempDir,
    pub(super) path: PathBuf,
}

impl Place {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            path: dir.path().canonicalize().unwrap(),
            _dir: dir,
        }
    }

    /// A path in this place, `""` being the place itself.
    pub(super) fn at(&self, path: &str) -> PathBuf {
        let inside = path
            .split('/')
            .filter(|part| !part.is_empty() && *part != "..");
        inside.fold(self.path.clone(), |path, part| path.join(part))
    }

    pub(super) fn file(&self, path: &str, content: &str) -> PathBuf {
        let path = self.at(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(super) fn link(&self, path: &str, to: impl AsRef<Path>) {
        let path = self.at(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(to, path).unwrap();
    }

    /// A package with `lib/database.js`.
    pub(super) fn package(&self, directory: &str, name: &str, version: &str) -> PathBuf {
        let manifest = format!(r#"{{"name":"{name}","version":"{version}"}}"#);
        self.file(&format!("{directory}/package.json"), &manifest);
        self.file(
            &format!("{directory}/lib/database.js"),
            &format!("// {name} {version}\n"),
        );
        self.at(directory)
    }

    pub(super) fn locate(&self, root: &str) -> Installation {
        locate(&self.at(root)).unwrap()
    }

    /// Text with this place's path taken out.
    pub(super) fn shown(&self, text: impl std::fmt::Display) -> String {
        text.to_string().replace(self.path.to_str().unwrap(), "")
    }

    /// Every path below with what it holds, to compare before and after.
    pub(super) fn snapshot(&self) -> Vec<(String, String)> {
        let mut all: Vec<_> = walkdir::WalkDir::new(&self.path)
            .into_iter()
            .map(|entry| {
                let entry = entry.unwrap();
                let content = if entry.file_type().is_file() {
                    String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned()
                } else {
                    format!("{:?}", entry.file_type())
                };
                (self.shown(entry.path().display()), content)
            })
            .collect();
        all.sort();
        all
    }
}
