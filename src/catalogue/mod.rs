//! The patches: what `patches/` holds, embedded in the binary and parsed once.
//!
//! The list is written by hand and its order is the order in reports; a test compares it with the folders.

pub mod definition;
pub mod published;

use std::sync::LazyLock;

use definition::{Case, Cases, Definition};

use crate::catalogue::definition::Profile;

/// A patch: its data, its behaviour cases and the harness they run in.
#[derive(Debug, Clone)]
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
    folder!("fixtures-owner", shapes: ["generated"]),
    folder!("comments-parent", shapes: ["column", "restricting"]),
    folder!("schema-lag", shapes: ["connect"]),
    folder!("sessions-delete", shapes: ["truncate"]),
];

static PATCHES: LazyLock<Vec<Patch>> = LazyLock::new(|| FOLDERS.iter().map(Folder::read).collect());

impl Folder {
    fn read(&self) -> Patch {
        let Self {
            name,
            definition,
            cases,
            harness,
            page,
            examples,
        } = *self;
        let definition = toml::from_str::<Definition>(definition)
            .unwrap_or_else(|error| panic!("patches/{name}/patch.toml: {error}"));
        let cases = toml::from_str::<Cases>(cases)
            .unwrap_or_else(|error| panic!("patches/{name}/cases.toml: {error}"));
        Patch {
            definition,
            cases: cases.cases,
            harness,
            page,
            examples: examples.to_vec(),
        }
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

/// The patches of those ids, in the order of reports.
#[must_use]
pub fn selected(ids: &[String]) -> Vec<&'static Patch> {
    patches()
        .iter()
        .filter(|patch| ids.contains(&patch.definition.id))
        .collect()
}

/// The other patches that are made in the same file.
pub fn siblings(patch: &Patch) -> impl Iterator<Item = &'static Patch> {
    let (id, target) = (&patch.definition.id, &patch.definition.target);
    patches().iter().filter(move |other| {
        other.definition.id != *id
            && other.definition.target.package == target.package
            && other
                .definition
                .target
                .files
                .iter()
                .any(|file| target.files.contains(file))
    })
}

/// Every id with the profiles that select it, for checking what was typed.
#[must_use]
pub fn ids() -> Vec<(&'static str, &'static [Profile])> {
    patches()
        .iter()
        .map(|patch| {
            (
                patch.definition.id.as_str(),
                patch.definition.profiles.as_slice(),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn folder(path: &str) -> BTreeSet<String> {
        let names = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn the_list_is_what_the_folders_hold() {
        let listed = patches()
            .iter()
            .map(|patch| patch.definition.id.clone())
            .collect::<BTreeSet<_>>();
        let there = folder("patches")
            .into_iter()
            .filter(|name| !name.contains('.'))
            .collect::<BTreeSet<_>>();
        assert_eq!(listed, there);
        for (folder, patch) in FOLDERS.iter().zip(patches()) {
            assert_eq!(folder.name, patch.definition.id);
        }
    }

    #[test]
    fn every_shape_has_its_example_and_its_edit() {
        for patch in patches() {
            let id = &patch.definition.id;
            let shapes = patch
                .definition
                .shapes
                .iter()
                .map(|shape| shape.id.as_str())
                .collect::<Vec<_>>();
            assert_eq!(
                shapes,
                patch.examples.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
                "{id}"
            );
            let files = folder(&format!("patches/{id}/shapes"));
            let wanted = shapes
                .iter()
                .flat_map(|id| [format!("{id}.js"), format!("{id}.patched.js")])
                .collect();
            assert_eq!(files, wanted, "{id}");
            for shape in &patch.definition.shapes {
                assert!(
                    patch
                        .definition
                        .edits
                        .iter()
                        .any(|edit| edit.id == shape.edit),
                    "{id}: {}",
                    shape.id
                );
            }
        }
    }

    #[test]
    fn every_edit_is_of_the_kind_it_says() {
        for patch in patches() {
            for edit in &patch.definition.edits {
                let keeps = edit.template.contains("$ANCHOR");
                assert_eq!(
                    keeps,
                    edit.kind != definition::EditKind::Replace,
                    "{}: {}",
                    patch.definition.id,
                    edit.id
                );
                assert_eq!(
                    keeps,
                    edit.original.is_none(),
                    "{}: {}",
                    patch.definition.id,
                    edit.id
                );
            }
        }
    }

    #[test]
    fn every_patch_changes_something_and_leaves_something_as_it_is() {
        for patch in patches() {
            let names = patch
                .cases
                .iter()
                .map(|case| case.name.as_str())
                .collect::<BTreeSet<_>>();
            assert_eq!(
                names.len(),
                patch.cases.len(),
                "{}: names are unique",
                patch.definition.id
            );
            assert!(
                patch.cases.iter().any(|case| case.changes),
                "{}",
                patch.definition.id
            );
            for case in patch.cases.iter().filter(|case| case.like.is_some()) {
                let model = patch
                    .cases
                    .iter()
                    .find(|other| case.like.as_ref() == Some(&other.name));
                assert!(
                    case.changes && model.is_some_and(|model| !model.changes),
                    "{}: {}",
                    patch.definition.id,
                    case.name
                );
            }
            assert!(
                patch
                    .page
                    .starts_with(&format!("# {}\n", patch.definition.id)),
                "{}",
                patch.definition.id
            );
        }
    }
}
