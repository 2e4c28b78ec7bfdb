//! One judgement a file, over facts alone: nothing is asked here, so every check is tested from literals.
//!
//! A check whose facts were not reached, since something before it failed, says nothing.

mod clock;
mod collation;
mod config;
mod create_database;
mod database;
mod direct_ddl;
mod dns;
mod foreign_key_cycle;
mod foreign_keys;
mod init_rows;
mod login;
mod migration_lock;
mod migration_state;
mod newer_database;
mod patches;
mod pool;
mod privileges;
mod read_only;
mod recursive_cte;
pub(super) mod server;
mod sql_mode;
mod ssl_value;
mod tcp;
mod tls;
mod tls_identity;
mod transaction_limit;
mod views;

use super::facts::{Fact, Facts, Migration};
use super::finding::Finding;

/// A check, as it introduces itself.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Its id.
    pub id: &'static str,
    /// The question it answers.
    pub question: &'static str,
    /// Why it matters, what Ghost would say, and how it is fixed.
    pub explanation: &'static str,
    /// The judgement; nothing where its facts were not reached.
    pub judge: fn(&Facts) -> Option<Finding>,
}

/// All of them, in the order of a connection: what fails first stands first.
pub const CHECKS: &[Check] = &[
    config::CHECK,
    ssl_value::CHECK,
    dns::CHECK,
    tcp::CHECK,
    server::CHECK,
    tls::CHECK,
    tls_identity::CHECK,
    login::CHECK,
    database::CHECK,
    read_only::CHECK,
    privileges::CHECK,
    create_database::CHECK,
    direct_ddl::CHECK,
    foreign_keys::CHECK,
    foreign_key_cycle::CHECK,
    transaction_limit::CHECK,
    views::CHECK,
    recursive_cte::CHECK,
    collation::CHECK,
    sql_mode::CHECK,
    pool::CHECK,
    clock::CHECK,
    migration_lock::CHECK,
    init_rows::CHECK,
    migration_state::CHECK,
    newer_database::CHECK,
    patches::CHECK,
];

/// The ids, in their order.
#[must_use]
pub fn ids() -> Vec<&'static str> {
    CHECKS.iter().map(|check| check.id).collect()
}

/// Judges, and says which checks could not be reached.
#[must_use]
pub fn judge(facts: &Facts, skip: &[String]) -> (Vec<Finding>, Vec<&'static str>) {
    let mut findings = Vec::new();
    let mut not_reached = Vec::new();
    for check in CHECKS {
        if skip.iter().any(|id| id == check.id) {
            continue;
        }
        match (check.judge)(facts) {
            Some(finding) => findings.push(Finding {
                id: check.id,
                ..finding
            }),
            None => not_reached.push(check.id),
        }
    }
    (findings, not_reached)
}

/// The findings of some checks, as far as their facts were reached.
#[must_use]
pub fn judge_these(facts: &Facts, ids: &[&str]) -> Vec<Finding> {
    CHECKS
        .iter()
        .filter(|check| ids.contains(&check.id))
        .filter_map(|check| {
            let finding = (check.judge)(facts)?;
            Some(Finding {
                id: check.id,
                ..finding
            })
        })
        .collect()
}

/// The rows of `migrations`, or that they cannot be read; nothing where no database was reached.
fn migration_rows(facts: &Facts) -> Option<Result<&[Migration], Finding>> {
    facts.server.known()?.database.as_ref()?;
    match &facts.migrations {
        Fact::NotReached => None,
        Fact::Unknown(words) => Some(Err(Finding::unknown(
            "The rows of `migrations` cannot be read.",
        )
        .seen("SELECT … FROM migrations", words.clone()))),
        Fact::Known(rows) => Some(Ok(rows)),
    }
}

#[cfg(test)]
mod tests;
