//! The patches: what `patches/` holds, embedded in the binary and parsed once.
//!
//! The list is written by hand and its order is the order in reports; a test compares it with the folders.

pub mod definition;

use std::sync::LazyLock;

use definition::{Case, Cases, Definition};

use crate::catalogue::definition::Profile;

/// A patch: its data, its behaviour cases and the harness they run in.
#[derive(Debug)]
pub struct Patch {
    /// `patch.toml`.
    pub definition: Definition,
    /// `cases.toml`, in order.
    pub cases: Vec<Case>,
    /// `harness.js`: drives the file under proof with stubs, and tells what it saw.
    pub harness: &'static str,
    /// `page.md`: what `ghostfix patches show` prints.
    pub page: &'static str,
    /// The examples under `shapes/`: shape id, source.
    pub examples: Vec<(&'static str, &'static str)>,
}

/// The text of a patch's folder, embedded.
struct Folder {
    name: &'static str,
    definition: &'static str,
    cases: &'static str,
    harness: &'static str,
    page: &'static str,
    examples: &'static [(&'static str, &'static str)],
}

macro_rules! folder {
    ($name:literal, shapes: [$($shape:literal),+ $(,)?]) => {
        Folder {
            name: $name,
            definition: include_str!(concat!("../../patches/", $name, "/patch.toml")),
            cases: include_str!(concat!("../../patches/", $name, "/cases.toml")),
            harness: include_str!(concat!("../../patches/", $name, "/harness.js")),
            page: include_str!(concat!("../../patches/", $name, "/page.md")),
            examples: &[$(($shape, include_str!(concat!("../../patches/", $name, "/shapes/", $shape, ".js")))),+],
        }
    };
}

/// One line for each folder under `patches/`, in the order of reports.
const FOLDERS: &[Folder] = &[
    folder!("database-exists", shapes: ["try-catch", "promise-catch", "promise-then", "handler"]),
    folder!("lock-primary-key", shapes: ["try-catch", "promise-catch"]),
    folder!("fixtures-transaction", shapes: ["config-transaction"]),
    folder!("comments-parent", shapes: ["column"]),
    folder!("schema-lag", shapes: ["connect"]),
    folder!("sessions-delete", shapes: ["truncate"]),
];

static PATCHES: LazyLock<Vec<Patch>> = LazyLock::new(|| FOLDERS.iter().map(Folder::read).collect());

impl Folder {
    fn read(&self) -> Patch {
        let Self { name, definition, cases, harness, page, examples } = *self;
        let definition = toml::from_str::<Definition>(definition)
            .unwrap_or_else(|error| panic!("patches/{name}/patch.toml: {error}"));
        let cases =
            toml::from_str::<Cases>(cases).unwrap_or_else(|error| panic!("patches/{name}/cases.toml: {error}"));
        Patch { definition, cases: cases.cases, harness, page, examples: examples.to_vec() }
    }
}

/// All patches, in the order of reports.
#[must_use]
pub fn patches() -> &'static [Patch] {
    &PATCHES
}

/// The patch of that id.
#[must_use]
pub fn patch(id: &str) -> Option<&'static Patch> {
    patches().iter().find(|patch| patch.definition.id == id)
}

/// Every id with the profiles that select it, for checking what was typed.
#[must_use]
pub fn ids() -> Vec<(&'static str, &'static [Profile])> {
    patches().iter().map(|patch| (patch.definition.id.as_str(), patch.definition.profiles.as_slice())).collect()
}
