//! Writing into an installation, under everything that can go wrong while it happens.

mod faults;
mod order;
mod refusals;
mod together;
mod trace;

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::process::{Answer, bounded};

/// The two files that are written, relative to the version directory.
const TARGETS: [&str; 2] = [
    "node_modules/.pnpm/knex-migrator@6.2.1/node_modules/knex-migrator/lib/database.js",
    "node_modules/.pnpm/knex-migrator@6.2.1/node_modules/knex-migrator/migrations/add-primary-key-to-lock-table.js",
];

/// What the files hold before and after: the first is also a hard link into a store, as pnpm makes it.
const BEFORE: [&str; 2] = [
    "exports.createDatabaseIfNotExist = 1;\n",
    "module.exports.up = 1;\n",
];
const AFTER: [&str; 2] = [
    "exports.createDatabaseIfNotExist = 1;\n// patched\n",
    "module.exports.up = 1;\n// patched\n",
];

/// The program that writes: `examples/write_path.rs`, which recognises and proves nothing, so that what is stopped and
/// made to fail here is the writing.
fn program(root: &Path, verb: &str) -> Command {
    let mut command = Command::new(program_path());
    command.arg(root).arg(verb);
    command
}

fn program_path() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        // `cargo test --test integration` builds no examples.
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--locked", "--example", "write_path"]);
        let binary = Path::new(env!("CARGO_BIN_EXE_ghostfix"));
        let directory = binary.parent().unwrap();
        if directory.ends_with("release") {
            build.arg("--release");
        }
        let answer = bounded(build, Duration::from_secs(900));
        assert!(answer.success(), "{answer}");
        directory.join("examples/write_path")
    })
}

fn run(root: &Path, verb: &str) -> Answer {
    bounded(program(root, verb), Duration::from_secs(60))
}

/// A small installation as pnpm lays it out.
struct Bed {
    directory: tempfile::TempDir,
    root: PathBuf,
}

impl Bed {
    fn new() -> Self {
        Self::below(Path::new(env!("CARGO_TARGET_TMPDIR")))
    }

    fn below(place: &Path) -> Self {
        let directory = tempfile::tempdir_in(place).unwrap();
        let root = directory.path().canonicalize().unwrap().join("ghost");
        let bed = Self { directory, root };
        bed.file("package.json", r#"{"name":"ghost","version":"6.65.0"}"#);
        bed.file(
            "node_modules/.pnpm/knex-migrator@6.2.1/node_modules/knex-migrator/package.json",
            r#"{"name":"knex-migrator","version":"6.2.1"}"#,
        );
        for (target, content) in TARGETS.into_iter().zip(BEFORE) {
            bed.file(target, content);
        }
        std::fs::hard_link(
            bed.root.join(TARGETS[0]),
            bed.directory.path().join("store.js"),
        )
        .unwrap();
        std::os::unix::fs::symlink(
            ".pnpm/knex-migrator@6.2.1/node_modules/knex-migrator",
            bed.root.join("node_modules/knex-migrator"),
        )
        .unwrap();
        bed
    }

    fn file(&self, path: &str, content: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn targets(&self) -> [String; 2] {
        TARGETS.map(|target| std::fs::read_to_string(self.root.join(target)).unwrap())
    }

    /// Everything in the bed, the store included.
    fn snapshot(&self) -> Snapshot {
        let mut all = Snapshot::new();
        let mut open = vec![self.directory.path().to_owned()];
        while let Some(directory) = open.pop() {
            for entry in directory.read_dir().unwrap() {
                let path = entry.unwrap().path();
                let metadata = path.symlink_metadata().unwrap();
                let content = if metadata.is_dir() {
                    open.push(path.clone());
                    Vec::new()
                } else if metadata.is_symlink() {
                    path.read_link()
                        .unwrap()
                        .into_os_string()
                        .into_encoded_bytes()
                } else {
                    std::fs::read(&path).unwrap()
                };
                let relative = path.strip_prefix(self.directory.path()).unwrap().to_owned();
                let entry = Entry {
                    content: String::from_utf8(content).unwrap(),
                    mode: metadata.mode(),
                    owner: (metadata.uid(), metadata.gid()),
                };
                all.insert(relative, entry);
            }
        }
        all
    }

    /// The inodes of the targets: the same as before only where they were not written at all.
    fn inodes(&self) -> [u64; 2] {
        TARGETS.map(|target| self.root.join(target).metadata().unwrap().ino())
    }
}

type Snapshot = BTreeMap<PathBuf, Entry>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    content: String,
    mode: u32,
    owner: (u32, u32),
}

/// The whole bed before and after a run of the verb where nothing goes wrong.
fn undisturbed(verb: &str) -> (Snapshot, Snapshot) {
    let bed = Bed::new();
    let original = bed.snapshot();
    assert!(run(&bed.root, "patch").success());
    assert_eq!(bed.targets(), AFTER);
    let patched = bed.snapshot();
    assert!(run(&bed.root, "revert").success());
    assert_eq!(bed.snapshot(), original);
    match verb {
        "patch" => (original, patched),
        "revert" => (patched, original),
        other => panic!("{other} writes nothing"),
    }
}
