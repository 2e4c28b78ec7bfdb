//! Everything that will stop Ghost on a database, told before it starts.
//!
//! [`probe`] asks and fills [`facts::Facts`]; [`check`] judges them, without asking anything more. So facts can be saved,
//! sent, and judged again elsewhere, and no check needs a server to be tested.

pub mod accepted;
pub mod check;
pub mod facts;
pub mod finding;
pub mod layer;
pub mod probe;
pub mod provider;
pub mod saved;
