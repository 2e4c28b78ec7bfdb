//! Which migrations does the database say it has had?

use super::rows;
use crate::mysql::session::{Session, column};
use crate::preflight::facts::{Fact, Migration};

pub(super) async fn ask(session: &mut Session) -> Fact<Vec<Migration>> {
    match rows(session, "SELECT name, version FROM migrations").await {
        Fact::Known(rows) => Fact::Known(
            rows.iter()
                .map(|row| {
                    let text = |name| column(row, name).unwrap_or_default().to_owned();
                    Migration {
                        version: text("version"),
                        name: text("name"),
                    }
                })
                .collect(),
        ),
        Fact::Unknown(why) => Fact::Unknown(why),
        Fact::NotReached => Fact::NotReached,
    }
}
