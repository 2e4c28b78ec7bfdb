//! `ghostfix preflight`: connects as Ghost would, asks, and judges.

use std::time::{Duration, Instant};

use crate::command::connecting::{approach, find, wait_for};
use crate::connection::{Variables, ssl};
use crate::error::{Error, Result};
use crate::image::installation::Installation;
use crate::javascript::sandbox::Sandbox;
use crate::preflight::accepted::Accepted;
use crate::preflight::facts::{Fact, Facts};
use crate::preflight::finding::Level;
use crate::preflight::layer::{self, Event};
use crate::preflight::probe::{self, Manner};
use crate::preflight::{check, saved};
use crate::report::{CheckDescription, ChecksReport, PreflightReport, Report};
use crate::settings::{Ask, FailOn, Preflight};

mod ghost_facts;
mod telling;

use telling::Telling;
pub use telling::{Progress, Step};

/// Between two tries of a database that is still starting.
const PAUSE: Duration = Duration::from_millis(1000);

/// Runs the command.
///
/// # Errors
///
/// Where a file that was named cannot be read or written, or an address is none. That a database cannot be reached is a
/// finding, not an error.
pub fn run(
    settings: &Preflight,
    sandbox: &Sandbox,
    variables: &Variables,
    progress: Progress<'_>,
) -> Result<Report> {
    let kept = match &settings.ask {
        Ask::Checks => {
            let checks = check::CHECKS.iter().map(describe).collect();
            return Ok(ChecksReport::List(checks).into());
        }
        Ask::Explanation(id) => return explain(id).map(Into::into),
        Ask::Saved(file) => Some(file),
        Ask::Database => None,
    };
    let accepted = match &settings.accepted {
        Some(file) => Accepted::read(file, &check::ids())?,
        None => Accepted::default(),
    };
    let facts = match kept {
        Some(file) => saved::read(file)?,
        None => {
            let mut telling = Telling::new(settings, &accepted, today(), progress);
            gather(settings, sandbox, variables, &mut telling)?
        }
    };
    if let Some(file) = &settings.facts {
        saved::write(file, &facts)?;
    }
    let (mut findings, not_reached) = check::judge(&facts, &settings.skip);
    accepted.mark(&mut findings, &today());
    let least = match settings.fail_on {
        FailOn::Error => Level::Error,
        FailOn::Warning => Level::Warning,
    };
    Ok(PreflightReport {
        findings,
        not_reached,
        facts,
        least,
    }
    .into())
}

fn describe(check: &check::Check) -> CheckDescription {
    CheckDescription {
        id: check.id,
        question: check.question,
        explanation: check.explanation,
    }
}

fn explain(id: &str) -> Result<ChecksReport> {
    let check = check::CHECKS.iter().find(|check| check.id == id);
    check
        .map(|check| ChecksReport::Page(describe(check)))
        .ok_or_else(|| Error::Bug {
            problem: format!("the list has lost the check {id}"),
        })
}

fn gather(
    settings: &Preflight,
    sandbox: &Sandbox,
    variables: &Variables,
    telling: &mut Telling<'_>,
) -> Result<Facts> {
    telling.tell(Event::Begun(&layer::CONFIGURATION));
    let found = find(&settings.root)?;
    // Whether the patches are in place takes a moment to prove: the database is asked meanwhile.
    std::thread::scope(|scope| {
        let proof = found
            .as_ref()
            .map(|found| scope.spawn(|| ghost_facts::patches(found, sandbox)));
        let mut facts = ask(settings, found.as_ref(), variables, telling)?;
        if let (Some(proof), Some(installation)) = (proof, &mut facts.installation) {
            let proved = proof.join();
            installation.patches = proved.unwrap_or_else(|bug| std::panic::resume_unwind(bug))?;
        }
        if !matches!(facts.create_database, Fact::NotReached) {
            telling.tell(Event::Ended(&layer::REHEARSAL, &facts));
            telling.tell(Event::Begun(&layer::PATCHES));
            telling.tell(Event::Ended(&layer::PATCHES, &facts));
        }
        Ok(facts)
    })
}

/// Asks the database; which patches are in place is left open.
fn ask(
    settings: &Preflight,
    found: Option<&Installation>,
    variables: &Variables,
    telling: &mut Telling<'_>,
) -> Result<Facts> {
    let installation = found.map(ghost_facts::read);
    let driver = ssl::Rules::of(installation.as_ref().and_then(|one| one.mysql2.as_deref()));
    let (facts, target) = approach(&settings.connection, found, variables, driver)?;
    let before = Facts {
        installation,
        ..facts
    };
    telling.tell(Event::Ended(&layer::CONFIGURATION, &before));
    let Some(target) = target else {
        return Ok(before);
    };
    let manner = Manner {
        read_only: settings.read_only,
        ..Manner::of(variables)
    };
    let mut facts = wait_for(async {
        let end = Instant::now() + settings.wait;
        let (mut facts, session) = loop {
            let (facts, session) = probe::connect(before.clone(), &target, &manner, &mut |event| {
                telling.tell(event);
            })
            .await;
            if !probe::may_pass(&facts) || Instant::now() + PAUSE > end {
                break (facts, session);
            }
            telling.wait(end);
            tokio::time::sleep(PAUSE).await;
        };
        if let Some(mut session) = session {
            probe::ask(&mut facts, &mut session, &target, &manner, &mut |event| {
                telling.tell(event);
            })
            .await;
            session.close().await;
        }
        facts
    })?;
    if let Some(found) = found {
        let referencing = ghost_facts::referencing(&facts, &found.ghost.directory);
        if let Some(installation) = &mut facts.installation {
            installation.referencing = referencing;
        }
    }
    Ok(facts)
}

/// The day, as `2026-11-21`, in UTC.
fn today() -> String {
    // A clock that is out of all bounds lets every acceptance be over.
    chrono::DateTime::from_timestamp(probe::now(), 0).map_or_else(
        || "9999-12-31".to_owned(),
        |now| now.format("%Y-%m-%d").to_string(),
    )
}
