//! Is knex-migrator's lock held?

use super::rows;
use crate::mysql::session::{Session, column};
use crate::preflight::facts::{Fact, Lock};

const STATEMENT: &str =
    "SELECT locked, acquired_at, released_at FROM migrations_lock WHERE lock_key = 'km01'";

pub(super) async fn ask(session: &mut Session) -> Fact<Option<Lock>> {
    match rows(session, STATEMENT).await {
        Fact::Known(rows) => Fact::Known(rows.first().map(|row| {
            let text = |name| column(row, name).map(str::to_owned);
            Lock {
                locked: column(row, "locked").is_some_and(|value| value != "0"),
                acquired_at: text("acquired_at"),
                released_at: text("released_at"),
            }
        })),
        Fact::Unknown(why) => Fact::Unknown(why),
        Fact::NotReached => Fact::NotReached,
    }
}
