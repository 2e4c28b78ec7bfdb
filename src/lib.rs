//! ghostfix makes self-hosted Ghost run on PlanetScale and other Vitess.
//!
//! One flow, in one direction; a later stage never calls an earlier one:
//!
//! ```text
//! locate -> read -> recognise -> transform -> prove -> write -> report
//! ```
//!
//! [`image`] touches the files, [`javascript`] knows syntax trees but no patch, [`catalogue`] knows the patches
//! but no syntax tree, [`command`] joins them, [`render`] is the only place that prints, and `main` the only one
//! that makes an exit code.

pub mod args;
pub mod bug;
pub mod catalogue;
pub mod command;
pub mod connection;
pub mod error;
pub mod ghost;
pub mod image;
pub mod javascript;
pub mod migrations;
pub mod mysql;
pub mod preflight;
pub mod render;
pub mod report;
pub mod settings;
