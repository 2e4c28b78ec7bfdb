//! The commands, each on real installations.

mod patch;
mod patches;
mod revert;
mod verify;
