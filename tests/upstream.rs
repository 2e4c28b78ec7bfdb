//! What Ghost's registry, tarballs and images are read with, against servers that are honest and servers that are not.

#[path = "integration/ghost/mod.rs"]
mod ghost;
