//! `ghostfix verify`: both proofs, made again on what is on disk. Writes nothing and believes the receipt in nothing.

use super::depth;
use super::inspection::{Inspection, Inspector, below_root, mark_interrupted};
use crate::catalogue;
use crate::error::Result;
use crate::image::installation::locate;
use crate::image::transaction;
use crate::javascript::sandbox::Sandbox;
use crate::report::{PatchCommand, PatchReport};
use crate::settings;

/// Runs the command.
///
/// # Errors
///
/// Where Ghost cannot be found or a file cannot be read.
pub fn run(settings: &settings::Verify, sandbox: &Sandbox) -> Result<PatchReport> {
    let (root, installation) = settings.root.locate(locate)?;
    let inspector = Inspector {
        installation: &installation,
        depth: depth(settings.reach),
        sandbox,
        receipt: None,
    };
    let selected = catalogue::selected(&settings.patches);
    let Inspection {
        mut entries,
        drafts: _,
        coverage,
        mut notes,
    } = inspector.inspect(&selected)?;
    mark_interrupted(
        &mut entries,
        &mut notes,
        transaction::interrupted(&installation)?.as_ref(),
    );
    Ok(PatchReport {
        command: PatchCommand::Verify,
        root,
        patches: below_root(entries, &installation),
        ghost: installation.ghost,
        coverage,
        notes,
    })
}
