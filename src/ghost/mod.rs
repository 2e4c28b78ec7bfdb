//! Ghost as it is published: on npm, as a tarball, in an image; and the exact packages that it would install.
//!
//! Everything here answers with plain values; what they mean for a patch is judged elsewhere.

pub mod npm_config;
mod secret;

pub use secret::Secret;
