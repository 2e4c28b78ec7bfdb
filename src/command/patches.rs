//! `ghostfix patches`: what the catalogue holds.

use crate::catalogue::{self, Patch};
use crate::error::{Error, Result};
use crate::report::{PatchDescription, PatchesReport};
use crate::settings;

/// Runs the command.
///
/// # Errors
///
/// Where the catalogue has no patch of that id; the settings have checked that it has.
pub fn run(settings: &settings::Patches) -> Result<PatchesReport> {
    match settings {
        settings::Patches::List => Ok(PatchesReport::List(
            catalogue::patches().iter().map(describe).collect(),
        )),
        settings::Patches::Show(id) => {
            let patch = catalogue::patch(id).ok_or_else(|| Error::Bug {
                problem: format!("the catalogue has lost the patch {id}"),
            })?;
            Ok(PatchesReport::Page {
                patch: describe(patch),
                page: patch.page.to_owned(),
            })
        }
    }
}

pub(super) fn describe(patch: &Patch) -> PatchDescription {
    let definition = &patch.definition;
    PatchDescription {
        id: definition.id.clone(),
        title: definition.title.clone(),
        package: definition.target.package.clone(),
        files: definition.target.files.clone(),
        profiles: definition.profiles.clone(),
        shapes: definition
            .shapes
            .iter()
            .map(|shape| shape.id.clone())
            .collect(),
    }
}
