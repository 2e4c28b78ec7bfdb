//! The upstream side, against servers of our own and against the registry that npm is configured for.

mod fake_registry;
mod image;
mod image_builder;
mod image_registry;
mod npm_config;
mod published;
mod registry;
mod server;
mod upstream;
