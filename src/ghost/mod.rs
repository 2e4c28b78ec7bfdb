//! Ghost as it is published: on npm, as a tarball, in an image; and the exact packages that it would install.
//!
//! Everything here answers with plain values; what they mean for a patch is judged elsewhere.

pub mod cache;
mod failure;
pub mod files;
mod gzip;
pub mod http;
pub mod image;
pub mod integrity;
pub mod npm_config;
pub mod prefetch;
pub mod priority;
pub mod registry;
pub mod release;
mod secret;
pub mod tarball;
pub mod target;
pub mod upstream;
pub mod wanted;

pub use failure::Failure;
pub use files::Files;
pub use release::Release;
pub use secret::Secret;
pub use upstream::Upstream;
