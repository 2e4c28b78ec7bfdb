//! The program as users and CI meet it, on real packages.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod check;
mod command;
mod common;
mod exit_codes;
mod generated;
mod ghost;
mod hostile;
mod image;
mod installation;
mod locate;
mod migrations;
mod output;
mod packages;
mod pins;
mod preflight;
mod process;
mod published;
mod tree;
mod variant_verdicts;
mod variants;
mod witness;
