//! Asks a database everything that the checks need, as Ghost would connect to it, and writes nothing.
//!
//! One question a file. A layer that fails ends the asking: what lies behind it stays [`Fact::NotReached`], so that no
//! later failure is invented. Statements other than SELECT and SHOW are sent only where what makes them fail was just
//! seen.

mod absent;
mod account;
mod columns;
mod connections;
mod foreign_keys;
mod grants;
mod identity;
mod keyspaces;
mod lock;
mod migrations;
mod names;
mod reach;
mod recursive;
mod tables;
mod variables;

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::CertificateDer;

use super::facts::{Fact, Facts, Login};
use super::layer::{self, Event};
use super::provider::Provider;
use crate::connection::Variables;
use crate::connection::driver::{Address, Target};
use crate::mysql::greeting::{self, Greeting};
use crate::mysql::session::{Answer, Session};
use crate::mysql::tls::{self, Terms, Trust};
use crate::mysql::{errno, roots};

/// No step takes longer, however long Ghost itself would wait.
const LONGEST_STEP: Duration = Duration::from_secs(10);

/// Why nobody logs in with a key that only Ghost can open.
const SEALED: &str = "not tried: the key in database.connection.ssl is encrypted; Ghost opens it with its passphrase, ghostfix does not";

/// How to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manner {
    /// Nothing but SELECT and SHOW.
    pub read_only: bool,
    /// `NODE_EXTRA_CA_CERTS`, whose certificates Node trusts as well.
    pub extra_roots: Option<PathBuf>,
}

impl Manner {
    /// As the environment has it, with nothing forbidden.
    #[must_use]
    pub fn of(variables: &Variables) -> Self {
        Self {
            read_only: false,
            extra_roots: variables.get("NODE_EXTRA_CA_CERTS").map(Into::into),
        }
    }

    /// The authorities that Ghost would believe, or its own process's where it names none.
    fn trusted(&self, target: &Target) -> Vec<CertificateDer<'static>> {
        match target.tls.as_ref().map(|tls| &tls.ca) {
            Some(Some(texts)) => texts
                .iter()
                .flat_map(|text| roots::certificates(text))
                .collect(),
            Some(None) => roots::of_node(self.extra_roots.as_deref()),
            None => Vec::new(),
        }
    }
}

/// Told of each part of the way as it begins and ends.
pub type Progress<'a> = &'a mut dyn FnMut(Event<'_>);

/// Connects as Ghost would and logs in, beginning with the facts about configuration and installation. Without a session
/// the facts say what stopped it.
pub async fn connect(
    mut facts: Facts,
    target: &Target,
    manner: &Manner,
    progress: Progress<'_>,
) -> (Facts, Option<Session>) {
    facts.asked_at = now();
    facts.read_only_run = manner.read_only;
    facts.provider = Provider::of(target.host(), None);
    let limit = target.connect_timeout.min(LONGEST_STEP);

    let addresses = match &target.address {
        Address::Host { host, port } => {
            progress(Event::Begun(&layer::NAME));
            facts.addresses = names::resolve(host, *port, limit).await;
            progress(Event::Ended(&layer::NAME, &facts));
            facts.addresses.known().cloned()
        }
        Address::Socket(_) => Some(Vec::new()),
    };
    let Some(addresses) = addresses else {
        return (facts, None);
    };

    progress(Event::Begun(&layer::CONNECTION));
    let (reached, stream) = reach::reach(&target.address, &addresses, limit).await;
    facts.reached = reached;
    progress(Event::Ended(&layer::CONNECTION, &facts));
    let Some(mut stream) = stream else {
        return (facts, None);
    };

    progress(Event::Begun(&layer::GREETING));
    let greeting = greeting::read(stream.as_mut(), limit).await;
    facts.provider = Provider::of(target.host(), greeting.version());
    let ready = matches!(greeting, Greeting::Ready { .. });
    let offers_tls = greeting.offers_tls();
    facts.greeting = Fact::Known(greeting);
    progress(Event::Ended(&layer::GREETING, &facts));
    if !ready {
        return (facts, None);
    }

    let trusted = manner.trusted(target);
    if let Some(wanted) = &target.tls {
        progress(Event::Begun(&layer::ENCRYPTION));
        if !offers_tls {
            progress(Event::Ended(&layer::ENCRYPTION, &facts));
            return (facts, None);
        }
        if let Err(failure) = greeting::request_tls(stream.as_mut(), limit).await {
            facts.tls = Fact::Unknown(failure.to_string());
            progress(Event::Ended(&layer::ENCRYPTION, &facts));
            return (facts, None);
        }
        let terms = Terms {
            host: target.host(),
            roots: &trusted,
            client: wanted.client.as_ref(),
        };
        let handshake = tls::shake_hands(stream, &terms, limit).await;
        let stops = handshake.failure.is_some()
            || (wanted.reject_unauthorized && handshake.by_ghost != Some(Trust::Trusted))
            || !names_match(&handshake, target);
        facts.tls = Fact::Known(handshake);
        progress(Event::Ended(&layer::ENCRYPTION, &facts));
        if facts
            .tls
            .known()
            .is_some_and(|handshake| handshake.failure.is_none())
        {
            progress(Event::Begun(&layer::CERTIFICATE));
            progress(Event::Ended(&layer::CERTIFICATE, &facts));
        }
        if stops {
            return (facts, None);
        }
    }

    progress(Event::Begun(&layer::LOGIN));
    let client = target.tls.as_ref().and_then(|tls| tls.client.as_ref());
    if client.is_some_and(|client| client.is_sealed()) {
        facts.login = Fact::Unknown(SEALED.to_owned());
        progress(Event::Ended(&layer::LOGIN, &facts));
        return (facts, None);
    }
    let (login, session) = account::log_in(target, &trusted, offers_tls, limit).await;
    facts.login = login;
    progress(Event::Ended(&layer::LOGIN, &facts));
    (facts, session)
}

fn names_match(handshake: &tls::Handshake, target: &Target) -> bool {
    use crate::connection::ssl::Identity;
    let name = match target.tls.as_ref().map(|tls| &tls.identity) {
        Some(Identity::Host) => target.host(),
        Some(Identity::Localhost) => "localhost",
        Some(Identity::NotChecked) | None => return true,
    };
    handshake.chain.first().is_some_and(|own| own.is_for(name))
}

/// Asks everything that the checks need of a session, which is left open.
pub async fn ask(
    facts: &mut Facts,
    session: &mut Session,
    target: &Target,
    manner: &Manner,
    progress: Progress<'_>,
) {
    let inside = matches!(facts.login.known(), Some(Login::In { .. })) && target.database.is_some();
    progress(Event::Begun(&layer::SETTINGS));
    facts.server = identity::ask(session).await;
    variables::ask(session, &mut facts.server).await;
    if let Some(server) = facts.server.known() {
        let host = target.host();
        let known = Provider::of(host, Some(&server.version));
        if known != Provider::Unknown {
            facts.provider = known;
        }
    }
    facts.grants = grants::ask(session).await;
    if facts.provider.is_vitess() {
        facts.keyspaces = keyspaces::ask(session).await;
    } else {
        facts.connections = connections::ask(session).await;
    }
    progress(Event::Ended(&layer::SETTINGS, facts));
    let database = facts
        .server
        .known()
        .and_then(|server| server.database.clone());
    if let Some(database) = database.filter(|_| inside) {
        progress(Event::Begun(&layer::TABLES));
        facts.tables = tables::ask(session, &database).await;
        columns::ask(session, &database, facts).await;
        facts.foreign_keys = foreign_keys::ask(session, &database).await;
        if facts.has_table("migrations_lock") == Some(true) {
            facts.lock = lock::ask(session).await;
        }
        if facts.has_table("migrations") == Some(true) {
            facts.migrations = migrations::ask(session).await;
        } else if facts.has_table("migrations") == Some(false) {
            facts.migrations = Fact::Known(Vec::new());
        }
        progress(Event::Ended(&layer::TABLES, facts));
        // Whether it ends well depends on the patches too, so that its end is told by who knows them.
        progress(Event::Begun(&layer::REHEARSAL));
        if manner.read_only {
            not_asked(facts);
        } else {
            absent::ask(session, &database, target, facts).await;
            facts.recursive = recursive::ask(session).await;
        }
    }
    facts.broke = session.broken().cloned();
    facts.round_trips = session.round_trips();
    facts.rtt_us = session
        .round_trip()
        .and_then(|time| u64::try_from(time.as_micros()).ok());
}

fn not_asked(facts: &mut Facts) {
    let reason = "not asked: --read-only sends nothing but SELECT and SHOW";
    for fact in [
        &mut facts.create_database,
        &mut facts.add_foreign_key,
        &mut facts.drop_table,
        &mut facts.alter_view,
        &mut facts.recursive,
    ] {
        *fact = Fact::Unknown(reason.to_owned());
    }
}

/// How long one statement may take.
const STATEMENT: Duration = Duration::from_secs(10);

/// Rows, or why there are none.
async fn rows(session: &mut Session, statement: &str) -> Fact<Vec<crate::mysql::session::Row>> {
    match session.ask(statement, STATEMENT).await {
        Answer::Rows(rows) => Fact::Known(rows),
        Answer::Error(error) => Fact::Unknown(error.to_string()),
        Answer::Lost(words) => Fact::Unknown(lost(&words)),
    }
}

/// An error, or none, or why there is no answer.
async fn reply(session: &mut Session, statement: &str) -> Fact<super::facts::Reply> {
    let asked = statement.to_owned();
    match session.ask(statement, STATEMENT).await {
        Answer::Rows(_) => Fact::Known(super::facts::Reply { asked, error: None }),
        Answer::Error(error) => Fact::Known(super::facts::Reply {
            asked,
            error: Some(error),
        }),
        Answer::Lost(words) => Fact::Unknown(lost(&words)),
    }
}

fn lost(words: &str) -> String {
    format!("the connection broke: {words}")
}

/// A text as SQL has it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Seconds since 1970.
#[must_use]
pub fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .unwrap_or_default()
}

/// Whether what stopped the asking may be over in a moment: a database that is still starting.
#[must_use]
pub fn may_pass(facts: &Facts) -> bool {
    if let Fact::Unknown(_) = facts.addresses {
        return true;
    }
    if !facts.reached.is_empty() && facts.reached.iter().all(|one| one.milliseconds.is_none()) {
        return true;
    }
    match facts.greeting.known() {
        Some(Greeting::Refused(error)) => error.number == errno::TOO_MANY_CONNECTIONS,
        Some(Greeting::Closed { .. } | Greeting::Silent { .. }) => true,
        Some(Greeting::Foreign { .. }) => false,
        Some(Greeting::Ready { .. }) => match &facts.login {
            Fact::Known(Login::Broken { .. }) => true,
            Fact::Known(Login::Refused(error)) => {
                [errno::TOO_MANY_CONNECTIONS, errno::USER_LIMIT].contains(&error.number)
            }
            Fact::Known(_) | Fact::Unknown(_) | Fact::NotReached => false,
        },
        None => false,
    }
}
