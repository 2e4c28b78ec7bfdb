//! Which collations have the columns that foreign keys lead to, and has the lock's table its key?

use std::collections::BTreeMap;

use super::{quoted, rows};
use crate::mysql::session::{Session, column};
use crate::preflight::facts::{Fact, Facts};

pub(super) async fn ask(session: &mut Session, database: &str, facts: &mut Facts) {
    let statement = format!(
        "SELECT table_name, column_name, collation_name, column_key FROM information_schema.columns WHERE table_schema = {} AND column_name IN ('id', 'lock_key')",
        quoted(database)
    );
    match rows(session, &statement).await {
        Fact::Known(rows) => {
            let mut collations = BTreeMap::new();
            for row in &rows {
                let own = |table: &str, name: &str| {
                    column(row, "table_name") == Some(table)
                        && column(row, "column_name") == Some(name)
                };
                if own("migrations_lock", "lock_key") {
                    facts.lock_has_key = Fact::Known(column(row, "column_key") == Some("PRI"));
                } else if column(row, "column_name") == Some("id")
                    && let Some(collation) = column(row, "collation_name")
                {
                    *collations.entry(collation.to_owned()).or_insert(0) += 1;
                }
            }
            facts.id_collations = Fact::Known(collations);
        }
        Fact::Unknown(why) => facts.id_collations = Fact::Unknown(why),
        Fact::NotReached => {}
    }
}
