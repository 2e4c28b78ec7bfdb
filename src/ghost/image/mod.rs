//! Ghost in an image: on a registry, or in an archive of one.

mod reference;

pub use reference::{Reference, Version as ReferenceVersion};
