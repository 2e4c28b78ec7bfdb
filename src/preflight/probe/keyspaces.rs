//! Which keyspaces does this Vitess have, and what does it do with foreign keys?

use super::rows;
use crate::mysql::session::{Session, column};
use crate::preflight::facts::{Fact, Keyspace};

pub(super) async fn ask(session: &mut Session) -> Fact<Vec<Keyspace>> {
    match rows(session, "SHOW VSCHEMA KEYSPACES").await {
        Fact::Known(rows) => Fact::Known(
            rows.iter()
                .map(|row| {
                    let text = |name| column(row, name).unwrap_or_default().to_owned();
                    Keyspace {
                        name: text("keyspace"),
                        sharded: text("sharded").eq_ignore_ascii_case("true"),
                        foreign_keys: text("foreign key").to_ascii_lowercase(),
                        comment: text("comment"),
                    }
                })
                .collect(),
        ),
        Fact::Unknown(why) => Fact::Unknown(why),
        Fact::NotReached => Fact::NotReached,
    }
}
