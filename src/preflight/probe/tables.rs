//! Which tables and views are there?

use super::{quoted, rows};
use crate::mysql::session::{Session, column};
use crate::preflight::facts::{Fact, Table};

pub(super) async fn ask(session: &mut Session, database: &str) -> Fact<Vec<Table>> {
    let statement = format!(
        "SELECT table_name, table_type, table_collation FROM information_schema.tables WHERE table_schema = {}",
        quoted(database)
    );
    match rows(session, &statement).await {
        Fact::Known(rows) => Fact::Known(
            rows.iter()
                .map(|row| Table {
                    name: column(row, "table_name").unwrap_or_default().to_owned(),
                    view: column(row, "table_type").is_some_and(|kind| kind.contains("VIEW")),
                    collation: column(row, "table_collation").map(str::to_owned),
                })
                .collect(),
        ),
        Fact::Unknown(why) => Fact::Unknown(why),
        Fact::NotReached => Fact::NotReached,
    }
}
