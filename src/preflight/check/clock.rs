//! Whether the server's clock agrees with this machine's.

use super::Check;
use crate::preflight::facts::Facts;
use crate::preflight::finding::Finding;

pub(super) const CHECK: Check = Check {
    id: "clock",
    question: "Do the clocks of Ghost and the database agree?",
    explanation: "\
Ghost writes times by its own clock and compares some with the database's. Where the two are minutes apart, posts appear early
or late, sign-in links run out at once, and a certificate can seem to have expired:

  certificate is not yet valid

The server's time zone does not matter: Ghost speaks UTC with it.

Fix: set this machine's clock (timedatectl set-ntp true), or have the provider set the server's.",
    judge,
};

/// Five minutes.
const FAR: i64 = 300_000;
const NEAR: i64 = 30_000;

fn judge(facts: &Facts) -> Option<Finding> {
    let server = facts.server.known()?;
    let Some(apart) = server.clock_ms else {
        return Some(Finding::unknown("The server's clock cannot be read."));
    };
    let words = format!(
        "{:.1} s {}",
        apart.unsigned_abs() as f64 / 1000.0,
        if apart < 0 { "behind" } else { "ahead" }
    );
    let finding = match apart.abs() {
        0..=NEAR => Finding::passed("The clocks agree."),
        ..FAR => Finding::notice(format!("The server's clock is {words}.")),
        _ => Finding::warning(format!("The server's clock is {words} of this machine's."))
            .fix("timedatectl set-ntp true    (on the machine that is wrong)"),
    };
    Some(finding.seen("UTC_TIMESTAMP()", words))
}

#[cfg(test)]
mod tests {
    use super::super::tests::booted;
    use super::*;
    use crate::preflight::facts::Fact;
    use crate::preflight::finding::Level;

    #[test]
    fn minutes_count_and_seconds_do_not() {
        for (apart, expected) in [
            (Some(20), Level::Passed),
            (Some(-60_000), Level::Notice),
            (Some(3_600_000), Level::Warning),
            (None, Level::Unknown),
        ] {
            let mut facts = booted();
            let Fact::Known(server) = &mut facts.server else {
                panic!()
            };
            server.clock_ms = apart;
            assert_eq!(judge(&facts).unwrap().level, expected, "{apart:?}");
        }
    }
}
