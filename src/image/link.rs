//! Resolving a path whose end must stay below a boundary, with every way in which a link can fail told apart.

use std::path::{Path, PathBuf};

use crate::error::Error;

/// Why a path does not lead to something below the boundary.
#[derive(Debug)]
pub(crate) enum Broken {
    /// There is nothing at the path at all, not even a link.
    Absent,
    /// A link whose end does not exist.
    Dangling { link: PathBuf, to: PathBuf },
    /// Its end is outside of the boundary.
    Leaves {
        link: PathBuf,
        to: PathBuf,
        boundary: PathBuf,
    },
    /// Links that lead to each other.
    Circle { link: PathBuf },
    /// The operating system does not tell.
    Unreadable(Error),
}

/// The real path of `path`, all links resolved, if it is `boundary` or below it. `boundary` is a real path.
pub(crate) fn resolve_below(boundary: &Path, path: &Path) -> Result<PathBuf, Broken> {
    let link = path.to_owned();
    match path.canonicalize() {
        Ok(real) if real.starts_with(boundary) => Ok(real),
        Ok(real) => {
            let to = path.read_link().unwrap_or(real);
            Err(Broken::Leaves {
                link,
                to,
                boundary: boundary.to_owned(),
            })
        }
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            Err(Broken::Circle { link })
        }
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            match path.read_link() {
                // An absolute link in an image that was unpacked elsewhere: it means a path of the image, not of here.
                Ok(to) if to.is_absolute() && !begins_below(boundary, &to) => Err(Broken::Leaves {
                    link,
                    to,
                    boundary: boundary.to_owned(),
                }),
                Ok(to) => Err(Broken::Dangling { link, to }),
                Err(_) => Err(Broken::Absent),
            }
        }
        Err(error) => Err(Broken::Unreadable(Error::file_system(
            "follow", path, error,
        ))),
    }
}

/// Whether as much of an absolute path as exists is below the boundary.
fn begins_below(boundary: &Path, path: &Path) -> bool {
    path.ancestors()
        .find_map(|part| part.canonicalize().ok())
        .is_some_and(|real| real.starts_with(boundary))
}

impl Broken {
    /// What is wrong, in one sentence without a full stop.
    pub(crate) fn problem(&self) -> String {
        match self {
            Self::Absent => "there is nothing".to_owned(),
            Self::Dangling { link, to } => {
                format!(
                    "{} is a link to {}, which does not exist",
                    link.display(),
                    to.display()
                )
            }
            Self::Leaves { link, to, boundary } => {
                format!(
                    "{} leads to {}, which is outside of {}",
                    link.display(),
                    to.display(),
                    boundary.display()
                )
            }
            Self::Circle { link } => {
                format!("{} leads through links that go in circles", link.display())
            }
            Self::Unreadable(error) => error.to_string(),
        }
    }

    /// The directory below the boundary that a link out of it means, when the boundary is an image unpacked elsewhere.
    pub(crate) fn meant(&self) -> Option<PathBuf> {
        let Self::Leaves { to, boundary, .. } = self else {
            return None;
        };
        let parts: Vec<_> = to.components().skip(1).collect();
        (0..parts.len())
            .map(|skip| boundary.join(parts[skip..].iter().collect::<PathBuf>()))
            // Not the link itself, which is there and leads out again.
            .find(|path| {
                path.canonicalize()
                    .is_ok_and(|real| real.starts_with(boundary) && real.is_dir())
            })
    }
}
