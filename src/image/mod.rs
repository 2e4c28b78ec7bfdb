//! The files of a Ghost installation: where they are, what they hold, and how they are replaced.
//!
//! [`installation`] and [`copies`] locate, [`source`] reads. What a file means is left to others: here it is bytes.

pub mod change;
pub mod copies;
#[cfg(test)]
mod fixture;
pub mod installation;
mod link;
mod manifest;
mod search;
pub mod source;
