//! An image written out to be looked at like an installation; it goes with the value, or with the process.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::ghost::Upstream;
use crate::ghost::image::{Image, Limits, Scratch, read_archive};
use crate::ghost::target::Target;
use crate::image::installation::{Installation, locate};
use crate::report::check::TargetReport;

/// Where the official image has Ghost.
const OFFICIAL: &str = "/var/lib/ghost";

/// ghost-cli's link to the version that runs.
const CURRENT: &str = "current";

/// What is kept of an image, on disk.
pub(super) struct Unpacked {
    directory: Scratch,
    image: Image,
    subject: String,
}

impl Unpacked {
    /// Reads an archive, or pulls from a registry; `None` for a target that is no image.
    pub(super) fn of(target: &Target, upstream: &Upstream) -> Result<Option<Self>> {
        let image = match target {
            Target::Archive(path) => read_archive(path, &Limits::default())?,
            Target::Image(reference) => upstream.image(reference)?,
            Target::Npm(_)
            | Target::ImageTag { .. }
            | Target::Directory(_)
            | Target::Tarball(_) => return Ok(None),
        };
        let directory = Scratch::new()?;
        image.tree.write_below(directory.path())?;
        Ok(Some(Self {
            directory,
            image,
            subject: target.to_string(),
        }))
    }

    /// The digest of the image's manifest, where it has one.
    pub(super) fn digest(&self) -> Option<&str> {
        self.image.digest.as_deref()
    }

    /// The one Ghost in it: where the image's own configuration says, else where the official image has it.
    pub(super) fn locate(&self) -> Result<Installation> {
        let config = &self.image.config;
        let mut places: Vec<&str> = Vec::new();
        let named = config.environment.get("GHOST_INSTALL").map(String::as_str);
        for place in [
            named,
            Some(config.working_directory.as_str()),
            Some(OFFICIAL),
        ] {
            if let Some(place) = place.filter(|place| !place.is_empty())
                && !places.contains(&place)
            {
                places.push(place);
            }
        }
        let mut answers = Vec::new();
        let mut next_step = "check the image's name and tag; where Ghost lies elsewhere, set GHOST_INSTALL in the image";
        for place in places {
            let place = self.directory.path().join(place.trim_start_matches('/'));
            if place.join(CURRENT).is_symlink() {
                next_step = "let `current` lead to the version that is meant: `ln -sfn versions/VERSION current`";
            }
            match locate(&place) {
                Ok(installation) => return Ok(installation),
                Err(Error::NothingToWorkOn { problem, .. }) => answers.push(problem),
                Err(other) => return Err(other),
            }
        }
        Err(Error::NothingToWorkOn {
            problem: self.as_in_image(&format!(
                "there is no Ghost in {}\n{}",
                self.subject,
                answers.join("\n")
            )),
            next_step: next_step.to_owned(),
        })
    }

    /// What is to be said where the image of one platform stands for those of several.
    pub(super) fn other_platforms(&self) -> Option<String> {
        let others = &self.image.other_platforms;
        (!others.is_empty()).then(|| {
            format!(
                "this is about the image for {}; under the same name are others, for {}, which were not looked at",
                self.image.config.platform,
                others.join(", ")
            )
        })
    }

    /// What is to be said where a Ghost was found that the image's command does not find: the only one in `versions`,
    /// and no `current` that leads there.
    pub(super) fn without_current(&self, installation: &Installation) -> Option<String> {
        let root = &installation.real_root;
        let version = installation.version_directory.strip_prefix(root).ok()?;
        if !version.starts_with("versions") || root.join(CURRENT).is_symlink() {
            return None;
        }
        let config = &self.image.config;
        let command: Vec<&str> = config
            .entrypoint
            .iter()
            .chain(&config.command)
            .map(String::as_str)
            .collect();
        let goes_through = |word: &&str| word.split('/').any(|part| part == CURRENT);
        let consequence = if command.iter().any(goes_through) {
            format!(
                "the image's command, `{}`, finds no Ghost",
                command.join(" ")
            )
        } else {
            "`node current/index.js` finds no Ghost".to_owned()
        };
        Some(format!(
            "there is no `current` in {}, and this is about {}, the only Ghost there: {consequence}",
            self.path_in_image(root).display(),
            version.display(),
        ))
    }

    /// The same path in the image.
    pub(super) fn path_in_image(&self, path: &Path) -> PathBuf {
        let real = self.directory.path().canonicalize();
        let base = real.as_deref().unwrap_or(self.directory.path());
        path.strip_prefix(base)
            .or_else(|_| path.strip_prefix(self.directory.path()))
            .map_or_else(|_| path.to_owned(), |below| Path::new("/").join(below))
    }

    /// The same report, about paths in the image.
    pub(super) fn report_in_image(&self, mut report: TargetReport) -> TargetReport {
        let words = |text: &mut String| *text = self.as_in_image(text);
        words(&mut report.reason);
        report.next_step.as_mut().map(words);
        report.notes.iter_mut().for_each(words);
        for entry in &mut report.patches {
            words(&mut entry.reason);
            entry.next_step.as_mut().map(words);
        }
        report
    }

    /// The same error, about paths in the image.
    pub(super) fn error_in_image(&self, error: Error) -> Error {
        error.renamed(
            |words| self.as_in_image(words),
            |path| self.path_in_image(path),
        )
    }

    /// The same words, about paths in the image.
    pub(super) fn as_in_image(&self, words: &str) -> String {
        let mut words = words.to_owned();
        let real = self.directory.path().canonicalize();
        for base in [real.as_deref().ok(), Some(self.directory.path())]
            .into_iter()
            .flatten()
        {
            words = words.replace(&base.display().to_string(), "");
        }
        words
    }
}
