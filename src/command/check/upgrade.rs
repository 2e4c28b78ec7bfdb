//! `--from`: the Ghost that is upgraded, and what the upgrade of its database does.

use std::path::Path;

use nodejs_semver::Version;

use super::installed;
use crate::command::unpacked::Unpacked;
use crate::error::{Error, Result};
use crate::ghost::target::Target;
use crate::ghost::{Files, Upstream};
use crate::image::installation::{Installation, locate};
use crate::migrations::inventory;
use crate::migrations::plan::{self, Applied, Brings};
use crate::report::check::{TargetReport, Upgrade};

/// Where an upgrade begins.
pub(super) struct Start {
    asked: String,
    brings: Brings,
    applied: Applied,
}

impl Start {
    /// The Ghost that was named: a version and all else that a target may be.
    pub(super) fn at(text: &str, directory: &Path, upstream: &Upstream) -> Result<Self> {
        let target = Target::parse(text, directory)?;
        let release = match &target {
            Target::Npm(wanted) | Target::ImageTag { wanted, .. } => upstream.release(wanted)?,
            Target::Tarball(path) => upstream.release_in_tarball(path)?,
            Target::Directory(path) => {
                let installation = locate(path)?;
                if installation.version_directory.join("node_modules").exists() {
                    return Self::installed(text, &installation);
                }
                upstream.release_in_directory(&installation.ghost.directory)?
            }
            Target::Archive(_) | Target::Image(_) => {
                let unpacked = Unpacked::of(&target, upstream)?.ok_or_else(|| Error::Bug {
                    problem: format!("{target} was taken for an image"),
                })?;
                return Self::installed(text, &unpacked.locate()?);
            }
        };
        Self::of(text, Brings::of(&release), &release.files)
    }

    fn installed(text: &str, installation: &Installation) -> Result<Self> {
        let files = Files::in_directory(&installation.ghost.directory);
        Self::of(text, installed::brings(installation)?, &files)
    }

    fn of(text: &str, brings: Brings, files: &Files) -> Result<Self> {
        let inventory = inventory::read(files)?;
        if inventory.folders.is_empty() {
            return Err(Error::Upstream {
                problem: format!(
                    "Ghost {} has no migrations of knex-migrator: what its database has cannot be told from its files",
                    brings.ghost
                ),
                next_step: "upgrade to the latest 1.x first, and give that with --from".to_owned(),
            });
        }
        Ok(Self {
            asked: text.to_owned(),
            brings,
            applied: Applied::by(&inventory),
        })
    }

    /// What the upgrade to a target does; `None` where the target itself is unknown.
    pub(super) fn upgrade(&self, to: &TargetReport, files: &Files) -> Result<Option<Upgrade>> {
        let Some(ghost) = &to.ghost else {
            return Ok(None);
        };
        let brings = Brings {
            ghost: version(ghost)?,
            node: to.node.clone(),
            knex_migrator: to
                .knex_migrator
                .as_ref()
                .and_then(|migrator| migrator.version.parse().ok()),
            mysql2: to
                .mysql2
                .as_ref()
                .and_then(|driver| driver.version.parse().ok()),
        };
        Ok(Some(Upgrade {
            from: self.asked.clone(),
            plan: plan::after(&self.applied, self.brings.clone(), files, brings)?,
        }))
    }
}

/// Ghost's version, which its package.json says.
pub(super) fn version(text: &str) -> Result<Version> {
    text.parse().map_err(|_| Error::Upstream {
        problem: format!("`{text}` is no version of Ghost"),
        next_step: "look at the version in Ghost's package.json".to_owned(),
    })
}
