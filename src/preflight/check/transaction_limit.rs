//! Whether Ghost's longest transaction fits into the time that Vitess gives one, at this distance.

use super::Check;
use crate::preflight::facts::Facts;
use crate::preflight::finding::Finding;
use crate::preflight::provider::Provider;
use crate::report::State;

pub(super) const CHECK: Check = Check {
    id: "transaction-limit",
    question: "Does Ghost's longest transaction fit into the limit, at this distance?",
    explanation: "\
On first boot Ghost adds its roles, permissions and settings in one transaction of about a thousand statements, one after the
other. PlanetScale ends a transaction after 20 seconds (its documentation; Vitess as it comes: 30), so that 20 ms between
Ghost and the database are too many:

  transaction 1795…: ended at … (exceeded timeout: 20s)   (errno 1317; in use: for tx killer rollback)

A container that is restarted after that begins again, for ever.

Fix: `ghostfix patch` (fixtures-transaction) takes that transaction apart, safely: what is there already is not added again. Or
put Ghost into the database's region.",
    judge,
};

/// Statements in the transaction of a first boot; each waits for the one before it.
const STATEMENTS: u64 = 1000;

fn judge(facts: &Facts) -> Option<Finding> {
    facts.server.known()?.database.as_ref()?;
    if !facts.is_vitess() {
        return Some(Finding::passed(
            "This server sets no limit to a transaction's time that Ghost would reach.",
        ));
    }
    let (limit, whose) = match facts.provider {
        Provider::Planetscale => (20, "PlanetScale's documentation"),
        _ => (20, "as PlanetScale has it; other Vitess may differ"),
    };
    if facts.is_initialised() == Some(true) {
        return Some(
            Finding::passed("Ghost has been here: its longest transaction is behind it.")
                .documented(),
        );
    }
    let Some(rtt) = facts.rtt_us else {
        return Some(Finding::unknown(
            "How far the database is could not be measured.",
        ));
    };
    let seconds = rtt * STATEMENTS / 1_000_000;
    let words = format!(
        "{:.1} ms a statement, so about {seconds} s for {STATEMENTS} of them",
        rtt as f64 / 1000.0
    );
    let patched = facts.patch("fixtures-transaction").map(State::is_satisfied);
    let fix = "In the Dockerfile, behind FROM ghost:…\n  RUN ghostfix patch\nor run Ghost in the region of the database.";
    let finding = match (patched, seconds * 10 / limit) {
        (Some(true), _) => Finding::passed("This Ghost is patched: its first boot needs no long transaction."),
        (_, 0..=6) => Finding::passed("The database is near enough for Ghost's longest transaction."),
        (Some(false), 13..) => Finding::error(format!(
            "The database is too far away: Ghost's first boot would need about {seconds} s in one transaction, and {limit} s are allowed."
        ))
        .fix(fix),
        (_, _) => Finding::warning(format!(
            "Ghost's first boot would need about {seconds} s in one transaction; {limit} s are allowed."
        ))
        .fix(fix),
    };
    Some(
        finding
            .seen("round-trip time", words)
            .seen("limit", format!("{limit} s ({whose})"))
            .documented(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{booted, healthy, vitess, without_installation, without_patch};
    use super::*;
    use crate::preflight::finding::Level;

    fn at(milliseconds: u64, facts: Facts) -> Level {
        let rtt_us = Some(milliseconds * 1000);
        judge(&Facts { rtt_us, ..facts }).unwrap().level
    }

    #[test]
    fn distance_counts_for_a_first_boot_without_the_patch() {
        let unpatched = || without_patch(vitess("managed"), "fixtures-transaction");
        assert_eq!(at(1, unpatched()), Level::Passed);
        assert_eq!(at(20, unpatched()), Level::Warning);
        assert_eq!(at(40, unpatched()), Level::Error);
        assert_eq!(at(40, vitess("managed")), Level::Passed);
        assert_eq!(
            at(40, without_installation(vitess("managed"))),
            Level::Warning
        );
        assert_eq!(at(40, healthy()), Level::Passed);
        let mut standing = unpatched();
        standing.migrations = booted().migrations;
        assert_eq!(at(40, standing), Level::Passed);
    }
}
