//! Which foreign keys are there, and what do they do when a row is deleted?

use super::{quoted, rows};
use crate::mysql::session::{Session, column};
use crate::preflight::facts::{Fact, ForeignKey};

pub(super) async fn ask(session: &mut Session, database: &str) -> Fact<Vec<ForeignKey>> {
    let statement = format!(
        "SELECT constraint_name, table_name, referenced_table_name, delete_rule FROM information_schema.referential_constraints WHERE constraint_schema = {}",
        quoted(database)
    );
    match rows(session, &statement).await {
        Fact::Known(rows) => Fact::Known(
            rows.iter()
                .map(|row| {
                    let text = |name| column(row, name).unwrap_or_default().to_owned();
                    ForeignKey {
                        name: text("constraint_name"),
                        table: text("table_name"),
                        parent: text("referenced_table_name"),
                        on_delete: text("delete_rule").to_ascii_uppercase(),
                    }
                })
                .collect(),
        ),
        Fact::Unknown(why) => Fact::Unknown(why),
        Fact::NotReached => Fact::NotReached,
    }
}
