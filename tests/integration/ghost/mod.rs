//! The upstream side, against servers of our own and against the registry that npm is configured for.

mod fake_registry;
mod npm_config;
mod registry;
mod server;
