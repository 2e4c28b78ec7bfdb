//! What would the server say to what Ghost does on its first boot and in its upgrades?
//!
//! Four statements that cannot succeed, each sent only where what makes it fail was just seen: a database that is there
//! cannot be created, and what is not there can be neither dropped nor changed.

use super::reply;
use crate::connection::driver::Target;
use crate::mysql::session::Session;
use crate::preflight::facts::{Fact, Facts};

pub(super) async fn ask(session: &mut Session, database: &str, target: &Target, facts: &mut Facts) {
    if target.database.as_deref() == Some(database) {
        let statement = format!(
            "CREATE DATABASE {} CHARACTER SET utf8mb4",
            identifier(database)
        );
        facts.create_database = reply(session, &statement).await;
    } else {
        facts.create_database = Fact::Unknown(format!(
            "not asked: the server calls the database {database}, so that another might be created"
        ));
    }
    let name = format!("ghostfix_absent_{:016x}", random());
    let other = format!("{name}_too");
    let is_absent = [&name, &other]
        .into_iter()
        .all(|name| facts.has_table(name) == Some(false));
    if !is_absent {
        let reason = "not asked: it cannot be told which tables are there";
        for fact in [
            &mut facts.drop_table,
            &mut facts.add_foreign_key,
            &mut facts.alter_view,
        ] {
            *fact = Fact::Unknown(reason.to_owned());
        }
        return;
    }
    facts.drop_table = reply(session, &format!("DROP TABLE {name}")).await;
    let statement = format!("ALTER TABLE {name} ADD FOREIGN KEY (p) REFERENCES {other} (id)");
    facts.add_foreign_key = reply(session, &statement).await;
    facts.alter_view = reply(session, &format!("ALTER VIEW {name} AS SELECT 1")).await;
}

fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Different in each run; nobody is kept out by it.
fn random() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish()
}
