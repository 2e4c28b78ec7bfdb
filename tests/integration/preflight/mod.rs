//! `ghostfix preflight` against a real MariaDB, and beside the real loader and driver of Ghost.

mod answers;
mod configurations;
mod node;
mod secrets;
pub(crate) mod server;
mod terminal;
