//! Ghost installations laid out as npm, yarn, pnpm and ghost-cli leave them, from the real packages.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::packages;
use crate::process;
use crate::variants::DATABASE;

/// Ghost 5 and 6 as people run them: the versions that the project was asked to patch.
pub(crate) const GHOST_5: &str = "5.75.1";
pub(crate) const GHOST_6: &str = "6.65.0";

/// A temporary directory with an installation in it.
pub(crate) struct Installation {
    directory: tempfile::TempDir,
    /// What `--root` is given.
    pub(crate) root: PathBuf,
    /// The real directory of Ghost's package.json.
    pub(crate) ghost: PathBuf,
    /// Every real `lib/database.js` that this Ghost can load; the one that Node finds first comes first.
    pub(crate) databases: Vec<PathBuf>,
    /// pnpm's store: outside of the installation, and not to be written through.
    pub(crate) store: Option<PathBuf>,
}

/// The ways of installing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// npm or yarn: packages side by side.
    Flat,
    /// pnpm: links into `.pnpm`, whose files are hard links to a store.
    Pnpm,
    /// ghost-cli: `current` leads to `versions/X`, relative.
    GhostCli,
    /// The same with an absolute link and pnpm inside: the official image.
    OfficialImage,
    /// A project of one's own that depends on Ghost.
    Project,
    /// A workspace of npm: Ghost is one of its packages, and what it needs is hoisted.
    Workspace,
}

impl Layout {
    pub(crate) const ALL: [Self; 6] = [
        Self::Flat,
        Self::Pnpm,
        Self::GhostCli,
        Self::OfficialImage,
        Self::Project,
        Self::Workspace,
    ];
}

impl Installation {
    /// The real Ghost of that version, with the knex-migrator that it asks for.
    pub(crate) fn real(layout: Layout, ghost: &str) -> Self {
        let wanted = dependency(&packages::unpacked("ghost", ghost), "knex-migrator");
        let empty = Self::empty();
        let top = empty.root.clone();
        match layout {
            Layout::Flat => empty
                .with_ghost(ghost, &top)
                .with_neighbours()
                .with_knex_migrator("node_modules", &wanted),
            Layout::Pnpm => empty
                .with_ghost(ghost, &top)
                .with_neighbours()
                .with_pnpm(&wanted),
            Layout::GhostCli => empty
                .with_ghost_cli(ghost, false)
                .with_neighbours()
                .with_knex_migrator("node_modules", &wanted),
            Layout::OfficialImage => empty
                .with_ghost_cli(ghost, true)
                .with_neighbours()
                .with_pnpm(&wanted),
            Layout::Project => {
                write(
                    &top.join("package.json"),
                    &format!(
                        r#"{{"name": "blog", "private": true, "dependencies": {{"ghost": "{ghost}"}}}}"#
                    ),
                );
                let mut installation = empty.with_ghost(ghost, &top.join("node_modules/ghost"));
                installation.add_copy(&top.join("node_modules/knex-migrator"), &wanted);
                installation
            }
            Layout::Workspace => {
                write(
                    &top.join("package.json"),
                    r#"{"name": "monorepo", "private": true, "workspaces": ["ghost/*"], "dependencies": {"ghost": "*"}}"#,
                );
                let mut installation = empty.with_ghost(ghost, &top.join("ghost/core"));
                fs::create_dir_all(top.join("node_modules")).unwrap();
                symlink("../ghost/core", top.join("node_modules/ghost")).unwrap();
                installation.add_copy(&top.join("node_modules/knex-migrator"), &wanted);
                installation
            }
        }
    }

    /// Little more than a package.json that says it is Ghost, and the real knex-migrator of that version.
    pub(crate) fn small(knex_migrator: &str) -> Self {
        let mut installation = Self::empty();
        let root = installation.root.clone();
        write(
            &root.join("package.json"),
            r#"{"name": "ghost", "version": "6.65.0"}"#,
        );
        installation.add_copy(&root.join("node_modules/knex-migrator"), knex_migrator);
        installation
    }

    /// A root with nothing in it.
    pub(crate) fn empty() -> Self {
        // Beside the cache of packages, so that hard links to it are possible.
        let directory = tempfile::Builder::new()
            .prefix("ghost-")
            .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
            .unwrap();
        process::open_to_all(directory.path());
        let root = directory.path().canonicalize().unwrap().join("ghost");
        fs::create_dir(&root).unwrap();
        Self {
            directory,
            ghost: root.clone(),
            root,
            databases: Vec::new(),
            store: None,
        }
    }

    /// The same installation in another temporary directory.
    pub(crate) fn moved_to(self, directory: tempfile::TempDir) -> Self {
        process::open_to_all(directory.path());
        let top = directory.path().canonicalize().unwrap().join("ghost");
        copy_tree(&self.root, &top);
        let moved = |path: &Path| top.join(path.strip_prefix(&self.root).unwrap());
        Self {
            ghost: moved(&self.ghost),
            databases: self.databases.iter().map(|path| moved(path)).collect(),
            store: None,
            root: top,
            directory,
        }
    }

    /// A place beside the installation.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join(name)
    }

    /// The file that Node would load.
    pub(crate) fn database(&self) -> &Path {
        &self.databases[0]
    }

    /// The package that the file belongs to.
    pub(crate) fn package(&self) -> &Path {
        self.database().parent().and_then(Path::parent).unwrap()
    }

    /// Puts a real knex-migrator there.
    pub(crate) fn add_copy(&mut self, directory: &Path, version: &str) {
        copy_tree(&packages::unpacked("knex-migrator", version), directory);
        self.databases
            .push(directory.canonicalize().unwrap().join(DATABASE));
    }

    /// A second copy, of a version of its own, within another package.
    pub(crate) fn with_nested_copy(mut self, version: &str) -> Self {
        let plugin = self.ghost.join("node_modules/@acme/storage-plugin");
        write(
            &plugin.join("package.json"),
            r#"{"name": "@acme/storage-plugin", "version": "1.0.0"}"#,
        );
        self.add_copy(&plugin.join("node_modules/knex-migrator"), version);
        self
    }

    /// A second entry of pnpm's virtual store (another peer) with the same files of the store.
    pub(crate) fn with_second_pnpm_entry(mut self, version: &str) -> Self {
        let store = self.store.clone().unwrap();
        let entry = self.ghost.join(format!(
            "node_modules/.pnpm/knex-migrator@{version}_knex@3.1.0/node_modules/knex-migrator"
        ));
        link_tree(&store.join(format!("knex-migrator-{version}")), &entry);
        self.databases.push(entry.join(DATABASE));
        self
    }

    fn with_ghost(mut self, version: &str, directory: &Path) -> Self {
        // Thousands of files that no test changes: linked, not copied, like a store's. package.json is one that tests change.
        let unpacked = packages::unpacked("ghost", version);
        link_tree(&unpacked, directory);
        fs::remove_file(directory.join("package.json")).unwrap();
        fs::copy(
            unpacked.join("package.json"),
            directory.join("package.json"),
        )
        .unwrap();
        self.ghost = directory.canonicalize().unwrap();
        self
    }

    fn with_ghost_cli(mut self, version: &str, absolute: bool) -> Self {
        let root = self.root.clone();
        let real = root.join("versions").join(version);
        self = self.with_ghost(version, &real);
        let target = if absolute {
            real
        } else {
            Path::new("versions").join(version)
        };
        symlink(target, root.join("current")).unwrap();
        write(
            &root.join(".ghost-cli"),
            &format!(
                r#"{{"cli-version": "1.29.1", "active-version": "{version}", "name": "blog"}}"#
            ),
        );
        write(
            &root.join("config.production.json"),
            r#"{"url": "https://blog.example", "database": {"client": "mysql"}}"#,
        );
        for directory in ["apps", "data", "images", "themes"] {
            fs::create_dir_all(root.join("content").join(directory)).unwrap();
        }
        symlink(
            self.ghost.join("content/themes/source"),
            root.join("content/themes/source"),
        )
        .unwrap();
        self
    }

    /// A directory with a package.json for each other dependency of Ghost: names and versions are Ghost's own.
    fn with_neighbours(self) -> Self {
        let manifest: serde_json::Value =
            serde_json::from_slice(&fs::read(self.ghost.join("package.json")).unwrap()).unwrap();
        for (name, version) in manifest["dependencies"].as_object().unwrap() {
            if name != "knex-migrator" {
                let directory = self.ghost.join("node_modules").join(name);
                write(
                    &directory.join("package.json"),
                    &format!(r#"{{"name": "{name}", "version": {version}}}"#),
                );
                write(&directory.join("index.js"), "module.exports = {};\n");
            }
        }
        self
    }

    fn with_knex_migrator(mut self, directory: &str, version: &str) -> Self {
        let target = self.ghost.join(directory).join("knex-migrator");
        self.add_copy(&target, version);
        self
    }

    fn with_pnpm(mut self, version: &str) -> Self {
        let store = self.beside("store");
        let stored = store.join(format!("knex-migrator-{version}"));
        copy_tree(&packages::unpacked("knex-migrator", version), &stored);
        let name = format!("knex-migrator@{version}_knex@2.4.2");
        let entry = self.ghost.join(format!(
            "node_modules/.pnpm/{name}/node_modules/knex-migrator"
        ));
        link_tree(&stored, &entry);
        fs::create_dir_all(self.ghost.join("node_modules")).unwrap();
        symlink(
            format!(".pnpm/{name}/node_modules/knex-migrator"),
            self.ghost.join("node_modules/knex-migrator"),
        )
        .unwrap();
        // As pnpm hoists: a second way to the same directory.
        let hoisted = self.ghost.join("node_modules/.pnpm/node_modules");
        fs::create_dir_all(&hoisted).unwrap();
        symlink(
            format!("../{name}/node_modules/knex-migrator"),
            hoisted.join("knex-migrator"),
        )
        .unwrap();
        self.databases.push(entry.join(DATABASE));
        self.store = Some(store);
        self
    }
}

/// The version that a package.json asks for.
fn dependency(package: &Path, name: &str) -> String {
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(package.join("package.json")).unwrap()).unwrap();
    manifest["dependencies"][name].as_str().unwrap().to_owned()
}

/// Writes a file, and the directories above it.
pub(crate) fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn copy_tree(from: &Path, to: &Path) {
    each_file(from, to, &|from, to| {
        fs::copy(from, to).unwrap();
    });
}

/// The same files under other names: what pnpm makes of its store.
fn link_tree(from: &Path, to: &Path) {
    each_file(from, to, &|from, to| {
        if fs::hard_link(from, to).is_err() {
            fs::copy(from, to).unwrap();
        }
    });
}

fn each_file(from: &Path, to: &Path, place: &impl Fn(&Path, &Path)) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            each_file(&entry.path(), &target, place);
        } else {
            place(&entry.path(), &target);
        }
    }
}
