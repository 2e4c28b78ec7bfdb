//! Does the server take a recursive query, as Ghost's comments need it?

use super::reply;
use crate::mysql::session::Session;
use crate::preflight::facts::{Fact, Reply};

const STATEMENT: &str = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 3) SELECT n FROM numbers";

pub(super) async fn ask(session: &mut Session) -> Fact<Reply> {
    reply(session, STATEMENT).await
}
