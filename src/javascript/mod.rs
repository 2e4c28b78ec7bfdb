//! Recognising, changing and proving JavaScript. Knows syntax trees and an embedded engine, but no patch:
//! what to look for and what to put there comes from the catalogue.
//!
//! ```text
//! parse -> tree -> recognise -> edit -> syntax -> behaviour
//! ```
//!
//! [`assess`] is the one way in: it takes a patch and a file's bytes and says in which state the file is, and,
//! where the patch is to be made, the proved change.

pub mod assess;
pub mod behaviour;
pub mod dress;
pub mod edit;
pub mod engine;
pub mod nearest;
pub mod parse;
pub mod pattern;
pub mod recognise;
pub mod sandbox;
pub mod syntax;
pub mod tree;
