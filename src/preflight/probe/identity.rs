//! Which server is it, which database are we in, as whom, and what time is it there?

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::NaiveDateTime;

use super::rows;
use crate::mysql::session::{Session, column};
use crate::preflight::facts::{Fact, Server};

const STATEMENT: &str = "SELECT VERSION() AS version, DATABASE() AS current_database, CURRENT_USER() AS account, UTC_TIMESTAMP(6) AS utc";

pub(super) async fn ask(session: &mut Session) -> Fact<Server> {
    let before = now_ms();
    let answer = rows(session, STATEMENT).await;
    let after = now_ms();
    let rows = match answer {
        Fact::Known(rows) => rows,
        Fact::Unknown(why) => return Fact::Unknown(why),
        Fact::NotReached => return Fact::NotReached,
    };
    let Some(row) = rows.first() else {
        return Fact::Unknown("the server answered with no row".to_owned());
    };
    let text = |name: &str| column(row, name).map(str::to_owned);
    // The server read its clock about half-way.
    let here = before
        .zip(after)
        .map(|(before, after)| before.midpoint(after));
    let there = column(row, "utc").and_then(milliseconds);
    Fact::Known(Server {
        version: text("version").unwrap_or_default(),
        database: text("current_database").filter(|name| !name.is_empty()),
        user: text("account"),
        clock_ms: there.zip(here).map(|(there, here)| there - here),
        ..Server::default()
    })
}

fn now_ms() -> Option<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

/// Milliseconds since 1970 of `2026-11-21 10:25:03.123456`.
fn milliseconds(text: &str) -> Option<i64> {
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    Some(time.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn a_time_is_counted_from_1970() {
        for (text, expected) in [
            ("1970-01-01 00:00:00.000000", Some(0)),
            ("2000-02-29 12:00:00.500000", Some(951_825_600_500)),
            ("2026-11-21 10:25:03", Some(1_795_256_703_000)),
            ("nonsense", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }
}
