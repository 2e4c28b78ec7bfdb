//! `--from database`: what the live database has recorded, asked as `ghostfix preflight --read-only` asks it.

use std::time::Duration;

use crate::command::connecting::{approach, find, wait_for};
use crate::connection::{Variables, ssl};
use crate::error::{Error, Result};
use crate::image::copies::reached;
use crate::migrations::Database;
use crate::migrations::database::{Collations, Holds, Lock, Row};
use crate::mysql::session::{Answer, Session, column};
use crate::preflight::check;
use crate::preflight::facts::{Fact, Facts, Login};
use crate::preflight::finding::{Finding, Level};
use crate::preflight::probe::{self, Manner};
use crate::settings::{Connection, Root};

/// The statement takes no longer.
const LIMIT: Duration = Duration::from_secs(10);

/// Tables that every Ghost has had.
const OWN: [&str; 3] = ["posts", "settings", "users"];

const ROWS: &str = "SELECT name, version, currentVersion FROM migrations";

/// What was read, and where.
pub(in crate::command::check) struct Found {
    pub(super) address: String,
    pub(super) database: Database,
}

/// Asks the database that Ghost would connect to, or the one that was named.
///
/// # Errors
///
/// Where a file that was named cannot be read, and where the database cannot be asked.
pub(super) fn ask(root: &Root, connection: &Connection, variables: &Variables) -> Result<Found> {
    let installation = find(root)?;
    let driver = match &installation {
        Some(installation) => {
            let copies = reached(installation, &["mysql2"])?;
            let copy = copies.first().and_then(|copies| copies.found.first());
            ssl::Rules::of(copy.map(|copy| copy.version.as_str()))
        }
        None => ssl::Rules::of(None),
    };
    let (before, target) = approach(connection, installation.as_ref(), variables, driver)?;
    let Some(target) = target else {
        return Err(not_reached(&before));
    };
    let manner = Manner {
        read_only: true,
        ..Manner::of(variables)
    };
    wait_for(async {
        // Who answers, and whether Ghost would trust it, is found out before anything else.
        let (mut facts, mut session) = probe::connect(before, &target, &manner, &mut |_| {}).await;
        if let Some(session) = &mut session {
            probe::ask(&mut facts, session, &target, &manner, &mut |_| {}).await;
        }
        let rows = rows(&facts, session.as_mut()).await;
        if let Some(session) = session {
            session.close().await;
        }
        Ok(Found {
            address: address(&facts),
            database: Database {
                rows: rows?,
                lock: lock(&facts),
                holds: holds(&facts),
                collations: collations(&facts),
            },
        })
    })?
}

/// The rows of `migrations`, each with the Ghost that wrote it.
async fn rows(facts: &Facts, session: Option<&mut Session>) -> Result<Vec<Row>> {
    match facts.login.known() {
        Some(Login::In { .. }) => {}
        // Ghost makes the database, where it can.
        Some(Login::WithoutDatabase { .. }) if stops(facts).is_none() => return Ok(Vec::new()),
        Some(_) | None => return Err(not_reached(facts)),
    }
    let plain = match (&facts.tables, &facts.migrations) {
        (Fact::Known(_), Fact::Known(rows)) => rows,
        (Fact::Unknown(words), _) => return Err(unreadable("its tables", words)),
        (_, Fact::Unknown(words)) => return Err(unreadable("the rows of `migrations`", words)),
        (_, Fact::NotReached) | (Fact::NotReached, _) => return Err(not_reached(facts)),
    };
    let complete = match session {
        Some(session) if !plain.is_empty() => with_ghosts(session).await,
        Some(_) | None => None,
    };
    Ok(complete.unwrap_or_else(|| {
        let rows = plain.iter();
        rows.map(|row| Row {
            version: row.version.clone(),
            name: row.name.clone(),
            by: None,
        })
        .collect()
    }))
}

/// The same rows with the column that preflight has no use for; `None` where it cannot be read.
async fn with_ghosts(session: &mut Session) -> Option<Vec<Row>> {
    let Answer::Rows(rows) = session.ask(ROWS, LIMIT).await else {
        return None;
    };
    let text = |row, name| column(row, name).map(str::to_owned);
    let rows = rows.iter().map(|row| Row {
        version: text(row, "version").unwrap_or_default(),
        name: text(row, "name").unwrap_or_default(),
        by: text(row, "currentversion").filter(|by| !by.is_empty()),
    });
    Some(rows.collect())
}

fn lock(facts: &Facts) -> Lock {
    match (facts.has_table("migrations_lock"), &facts.lock) {
        (Some(false), _) => Lock::TableMissing,
        (_, Fact::Known(None)) => Lock::RowMissing,
        (_, Fact::Known(Some(lock))) if lock.locked => Lock::Held {
            since: lock.acquired_at.clone(),
        },
        (_, Fact::Known(Some(_))) => Lock::Free,
        (_, Fact::Unknown(words)) => Lock::Unknown(words.clone()),
        // A database that is not there yet has no tables.
        (None, Fact::NotReached) => Lock::TableMissing,
        (Some(true), Fact::NotReached) => Lock::Unknown("it was not asked".to_owned()),
    }
}

fn holds(facts: &Facts) -> Holds {
    let own = OWN.iter().filter(|own| facts.has_table(own) == Some(true));
    match own.count() {
        0 if facts.is_empty() == Some(false) => Holds::Foreign,
        0 => Holds::Nothing,
        count if count == OWN.len() => Holds::Ghost,
        _ => Holds::PartOfGhost,
    }
}

/// Preflight's own comparison, where it came to an end.
fn collations(facts: &Facts) -> Collations {
    let (findings, _) = check::judge(facts, &[]);
    let finding = findings
        .into_iter()
        .find(|finding| finding.id == "collation");
    match finding {
        Some(finding) if finding.level == Level::Passed => Collations::Fit,
        Some(finding) if matches!(finding.level, Level::Warning | Level::Error) => {
            let seen = finding.evidence.iter().map(|seen| &seen.answered);
            let seen: Vec<&str> = seen.map(String::as_str).collect();
            Collations::Differ {
                words: format!("{} There: {}", finding.title, seen.join("; ")),
                fix: finding.fix,
                everywhere: facts
                    .id_collations
                    .known()
                    .is_some_and(|all| all.len() == 1),
            }
        }
        Some(_) | None => Collations::Unknown,
    }
}

/// Server, port and database, as they may be shown.
fn address(facts: &Facts) -> String {
    let Some(target) = &facts.configuration.target else {
        return String::new();
    };
    let port = target.port.map(|port| format!(":{port}"));
    format!(
        "{}{}/{}",
        target.host,
        port.unwrap_or_default(),
        target.database.as_deref().unwrap_or_default()
    )
}

/// What stops the asking, in preflight's judgement: what fails first stands first.
fn stops(facts: &Facts) -> Option<Finding> {
    let (findings, _) = check::judge(facts, &[]);
    findings
        .into_iter()
        .find(|finding| finding.level == Level::Error && BEFORE.contains(&finding.id))
}

/// The checks of everything up to the database.
const BEFORE: [&str; 9] = [
    "config",
    "ssl-value",
    "dns",
    "tcp",
    "server",
    "tls",
    "tls-identity",
    "login",
    "database",
];

const ALL_OF_IT: &str = "`ghostfix preflight` with the same options tells all that it finds";

fn not_reached(facts: &Facts) -> Error {
    let Some(finding) = stops(facts) else {
        return Error::Database {
            problem: "the database cannot be asked".to_owned(),
            next_step: ALL_OF_IT.to_owned(),
        };
    };
    let seen = finding.evidence.first();
    Error::Database {
        problem: format!(
            "the database cannot be asked: {}{}",
            finding.title.trim_end_matches('.'),
            seen.map_or_else(String::new, |seen| format!(
                " ({}: {})",
                seen.asked,
                seen.answered
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
            ))
        ),
        next_step: if finding.fix.is_empty() {
            ALL_OF_IT.to_owned()
        } else {
            format!("{}\n{ALL_OF_IT}", finding.fix)
        },
    }
}

fn unreadable(what: &str, words: &str) -> Error {
    Error::Database {
        problem: format!("the database does not let {what} be read: {words}"),
        next_step: "give the account that Ghost has, which reads them at every start".to_owned(),
    }
}
