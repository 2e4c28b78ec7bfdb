//! How many connections does the server have at this moment? Vitess is not asked: it has its own to its servers, and
//! shares them among its clients.

use super::rows;
use crate::mysql::session::{Session, column};
use crate::preflight::facts::Fact;

const STATEMENT: &str = "SHOW GLOBAL STATUS LIKE 'Threads_connected'";

pub(super) async fn ask(session: &mut Session) -> Fact<u64> {
    match rows(session, STATEMENT).await {
        Fact::Known(rows) => rows
            .first()
            .and_then(|row| column(row, "value")?.parse().ok())
            .map_or_else(
                || Fact::Unknown("the server does not say".to_owned()),
                Fact::Known,
            ),
        Fact::Unknown(why) => Fact::Unknown(why),
        Fact::NotReached => Fact::NotReached,
    }
}
