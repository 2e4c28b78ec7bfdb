//! The files of a Ghost installation: where they are, what they hold, and how they are replaced.
//!
//! [`installation`] and [`copies`] locate, [`source`] reads, [`change`] says what is to be different, [`transaction`]
//! makes all of it so or none of it, and [`receipt`] remembers it for the way back. What a change means is left to
//! others: here a file is bytes.

mod appearance;
pub mod change;
pub mod copies;
pub mod draft;
#[cfg(test)]
mod fixture;
pub mod installation;
mod journal;
mod link;
mod listing;
pub mod lock;
mod manifest;
pub mod receipt;
mod replace;
mod run;
mod search;
pub mod source;
pub mod transaction;
