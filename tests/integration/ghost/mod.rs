//! The upstream side, against servers of our own and against the registry that npm is configured for.

pub(crate) mod fake_registry;
mod image;
pub(crate) mod image_builder;
pub(crate) mod image_registry;
mod npm_config;
mod proxy;
mod published;
mod registry;
pub(crate) mod server;
mod slow;
mod tls;
mod upstream;
