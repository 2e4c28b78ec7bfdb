//! Which server is it, which database are we in, as whom, and what time is it there?

use std::time::{SystemTime, UNIX_EPOCH};

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
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let fraction = text
        .get(20..23)
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0);
    // Days since 1970, counted in years that begin in March.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let days =
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + day
            - 1
            - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + fraction)
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
