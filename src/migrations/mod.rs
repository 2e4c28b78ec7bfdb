//! What an upgrade of Ghost will do to its database, read from the code of its migrations and from nothing else.
//!
//! ```text
//! inventory -> plan -> read -> hazards
//! ```
//!
//! [`inventory`] knows which migrations a Ghost brings, [`plan`] which of them knex-migrator would run and in which
//! order, [`read`] what each of them does, and [`hazards`] what of that goes wrong on Vitess. Pure functions over
//! the files of one Ghost: no database is asked, no JavaScript is run. What a database was found to say of its own
//! migrations, [`database`] judges.

pub mod database;
pub mod facts;
pub mod hazards;
pub mod inventory;
pub mod plan;
pub mod read;
mod sql;
pub mod summary;

pub use database::Database;
pub use facts::Migration;
pub use hazards::Hazard;
pub use inventory::Inventory;
pub use plan::Plan;
pub use summary::Summary;
