//! `ghostfix verify`: both proofs, made again on what is on disk or in an image. Writes nothing and believes the receipt
//! in nothing.

use std::path::PathBuf;

use super::depth;
use super::inspection::{Inspection, Inspector, below_root, mark_interrupted};
use super::unpacked::Unpacked;
use crate::catalogue;
use crate::error::{Error, Result};
use crate::ghost::npm_config::Surroundings;
use crate::ghost::target::Target;
use crate::ghost::{Upstream, upstream};
use crate::image::installation::{Installation, locate};
use crate::image::transaction;
use crate::javascript::sandbox::Sandbox;
use crate::report::{PatchCommand, PatchReport};
use crate::settings;

/// Runs the command.
///
/// # Errors
///
/// Where Ghost or the image cannot be found, or a file cannot be read.
pub fn run(
    settings: &settings::Verify,
    sandbox: &Sandbox,
    surroundings: &Surroundings,
) -> Result<PatchReport> {
    let Some(image) = &settings.image else {
        let (root, installation) = settings.root.locate(locate)?;
        return verify(settings, root, installation, sandbox);
    };
    let unpacked = unpacked(image, surroundings)?;
    let mut report =
        in_image(settings, &unpacked, sandbox).map_err(|error| unpacked.error_in_image(error))?;
    report.notes.insert(
        0,
        match unpacked.digest() {
            Some(digest) => format!("This is about the image {image} ({digest})."),
            None => format!("This is about the image {image}."),
        },
    );
    Ok(report)
}

fn in_image(
    settings: &settings::Verify,
    unpacked: &Unpacked,
    sandbox: &Sandbox,
) -> Result<PatchReport> {
    let installation = unpacked.locate()?;
    let root = unpacked.path_in_image(&installation.root);
    let without_current = unpacked.without_current(&installation);
    let mut report = verify(settings, root, installation, sandbox)?;
    report.ghost.directory = unpacked.path_in_image(&report.ghost.directory);
    for directory in &mut report.coverage.unreadable {
        *directory = unpacked.path_in_image(directory);
    }
    for note in &mut report.notes {
        *note = unpacked.as_in_image(note);
    }
    report.notes.extend(unpacked.other_platforms());
    report.notes.extend(without_current);
    Ok(report)
}

fn verify(
    settings: &settings::Verify,
    root: PathBuf,
    installation: Installation,
    sandbox: &Sandbox,
) -> Result<PatchReport> {
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
        absent: _,
        coverage,
        mut notes,
    } = inspector.inspect(&selected)?.complete()?;
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

fn unpacked(image: &str, surroundings: &Surroundings) -> Result<Unpacked> {
    let target = if image.starts_with("docker://") {
        Target::parse(image, surroundings.working_directory())?
    } else {
        let path = surroundings.working_directory().join(image);
        if !path.exists() {
            return Err(Error::NothingToWorkOn {
                problem: format!("there is no file {}", path.display()),
                next_step:
                    "check the path; an image on a registry is docker://REGISTRY/REPOSITORY:TAG"
                        .to_owned(),
            });
        }
        Target::on_disk(path)?
    };
    let upstream = Upstream::open(&upstream::Settings::new(surroundings.clone()))?;
    Unpacked::of(&target, &upstream)?.ok_or_else(|| Error::Usage {
        problem: format!("{target} is no image"),
        next_step: "give a file from `docker save` or `skopeo copy`, or docker://REGISTRY/REPOSITORY:TAG; a directory is \
                    for --root"
            .to_owned(),
    })
}
