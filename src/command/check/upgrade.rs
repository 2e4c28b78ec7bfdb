//! `--from`: the Ghost that is upgraded, or its live database, and what the upgrade does to it.

mod database;

use nodejs_semver::Version;

use self::database::Found;
use super::installed;
use crate::command::unpacked::Unpacked;
use crate::connection::Variables;
use crate::error::{Error, Result};
use crate::ghost::release::ResolvedVia;
use crate::ghost::target::Target;
use crate::ghost::{Files, Upstream};
use crate::image::installation::{Installation, locate};
use crate::migrations::inventory;
use crate::migrations::plan::{self, Applied, Brings};
use crate::report::check::{Asked, TargetReport, ToldBy, Upgrade};
use crate::settings::{Connection, Root};

/// What is to be said of a beginning that is not asked itself.
pub(super) fn looked_up(from: &Target) -> Option<String> {
    match from {
        Target::ImageTag { tag, wanted } => Some(format!(
            "--from ghost:{tag} was looked up on npm, as {wanted}: the image that runs may hold another version; \
             docker://docker.io/library/ghost:{tag} asks the image itself"
        )),
        Target::Npm(_)
        | Target::Image(_)
        | Target::Directory(_)
        | Target::Tarball(_)
        | Target::Archive(_) => None,
    }
}

/// Where an upgrade begins.
pub(super) enum Start {
    /// With what a Ghost has migrated.
    Ghost {
        asked: String,
        via: ResolvedVia,
        brings: Brings,
        applied: Applied,
    },
    /// With what a database says of itself.
    Database(Found),
}

impl Start {
    /// The Ghost that was named: a version and all else that a target may be.
    pub(super) fn at(text: &str, target: &Target, upstream: &Upstream) -> Result<Self> {
        Self::found(text, target, upstream).map_err(Error::without_root)
    }

    fn found(text: &str, target: &Target, upstream: &Upstream) -> Result<Self> {
        let release = match target {
            Target::Npm(wanted) | Target::ImageTag { wanted, .. } => upstream.release(wanted)?,
            Target::Tarball(path) => upstream.release_in_tarball(path)?,
            Target::Directory(path) => {
                let installation = locate(path)?;
                if installation.version_directory.join("node_modules").exists() {
                    return Self::installed(text, ResolvedVia::Directory, &installation);
                }
                upstream.release_in_directory(&installation.ghost.directory)?
            }
            Target::Archive(_) | Target::Image(_) => {
                let unpacked = Unpacked::of(target, upstream)?.ok_or_else(|| Error::Bug {
                    problem: format!("{target} was taken for an image"),
                })?;
                return unpacked
                    .locate()
                    .and_then(|found| Self::installed(text, ResolvedVia::Image, &found))
                    .map_err(|error| unpacked.error_in_image(error));
            }
        };
        let brings = Brings::of(&release);
        Self::of(text, release.resolved_via, brings, &release.files)
    }

    /// The database that Ghost has, or that was named.
    pub(super) fn in_database(
        root: &Root,
        connection: &Connection,
        variables: &Variables,
    ) -> Result<Self> {
        database::ask(root, connection, variables).map(Self::Database)
    }

    fn installed(text: &str, via: ResolvedVia, installation: &Installation) -> Result<Self> {
        let files = Files::in_directory(&installation.ghost.directory);
        Self::of(text, via, installed::brings(installation)?, &files)
    }

    fn of(text: &str, via: ResolvedVia, brings: Brings, files: &Files) -> Result<Self> {
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
        Ok(Self::Ghost {
            asked: text.to_owned(),
            via,
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
            mysql: to
                .mysql
                .as_ref()
                .and_then(|driver| driver.version.parse().ok()),
        };
        Ok(Some(match self {
            Self::Ghost {
                asked,
                via,
                brings: from,
                applied,
            } => Upgrade {
                from: asked.clone(),
                told_by: ToldBy::Ghost(*via),
                plan: plan::after(applied, from.clone(), files, brings)?,
            },
            Self::Database(Found { address, database }) => {
                let (plan, outlook) = plan::of_database(database, files, brings)?;
                Upgrade {
                    from: "database".to_owned(),
                    told_by: ToldBy::Database(Box::new(Asked {
                        address: address.clone(),
                        outlook,
                    })),
                    plan,
                }
            }
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
