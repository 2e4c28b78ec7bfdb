//! One file a command, glue only: locate, read, judge, write, report. Nothing is printed here.

pub mod check;
mod connecting;
mod inspection;
mod judging;
pub mod patch;
pub mod patches;
pub mod preflight;
pub mod revert;
mod unpacked;
pub mod verify;

use std::time::Duration;

use crate::image::copies::Depth;
use crate::settings::Reach;

/// How long a command that writes waits for another ghostfix on the same installation.
const LOCK_WAIT: Duration = Duration::from_secs(30);

fn depth(reach: Reach) -> Depth {
    match reach {
        Reach::Packages => Depth::PackageDirectories,
        Reach::Everything => Depth::Everything,
    }
}
