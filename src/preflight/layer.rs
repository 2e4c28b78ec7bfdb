//! The way to the database in the parts that a watcher sees it go: each begins, ends, and has then a mark and a short
//! fact, long before the last check is judged.

use super::check;
use super::facts::{Facts, Login};
use super::finding::{Finding, Level};
use crate::connection::Source;
use crate::mysql::greeting::Greeting;

/// A part of the way.
#[derive(Debug)]
pub struct Layer {
    /// Its name.
    pub title: &'static str,
    /// The checks whose worst finding is its mark. Their facts are there when it ends.
    pub checks: &'static [&'static str],
    fact: fn(&Facts) -> String,
}

/// What Ghost is told.
pub const CONFIGURATION: Layer = Layer {
    title: "configuration",
    checks: &["config", "ssl-value"],
    fact: configuration,
};
/// The host's name.
pub const NAME: Layer = Layer {
    title: "name",
    checks: &["dns"],
    fact: name,
};
/// The connection to its port or socket.
pub const CONNECTION: Layer = Layer {
    title: "connection",
    checks: &["tcp"],
    fact: connection,
};
/// The server's first words.
pub const GREETING: Layer = Layer {
    title: "greeting",
    checks: &["server"],
    fact: greeting,
};
/// The handshake of TLS.
pub const ENCRYPTION: Layer = Layer {
    title: "encryption",
    checks: &["tls"],
    fact: encryption,
};
/// Whose the certificate is.
pub const CERTIFICATE: Layer = Layer {
    title: "certificate",
    checks: &["tls-identity"],
    fact: certificate,
};
/// User and password; whether the server insists on encryption is told here too.
pub const LOGIN: Layer = Layer {
    title: "login",
    checks: &["login", "tls"],
    fact: login,
};
/// How the server is set up.
pub const SETTINGS: Layer = Layer {
    title: "settings",
    checks: &["database", "sql-mode", "pool", "clock"],
    fact: settings,
};
/// What is in the database.
pub const TABLES: Layer = Layer {
    title: "tables",
    checks: &[
        "database",
        "migration-lock",
        "init-rows",
        "migration-state",
        "newer-database",
    ],
    fact: tables,
};
/// What Ghost will do, tried where it cannot succeed; with it everything that depends on the Ghost that is installed.
pub const REHEARSAL: Layer = Layer {
    title: "rehearsal",
    checks: &[
        "read-only",
        "privileges",
        "create-database",
        "direct-ddl",
        "foreign-keys",
        "foreign-key-cycle",
        "collation",
        "transaction-limit",
        "views",
        "recursive-cte",
    ],
    fact: rehearsal,
};
/// Whether the image has what this database needs.
pub const PATCHES: Layer = Layer {
    title: "patches",
    checks: &["patches"],
    fact: patches,
};

/// All of them, in the order of the way.
pub const LAYERS: [&Layer; 11] = [
    &CONFIGURATION,
    &NAME,
    &CONNECTION,
    &GREETING,
    &ENCRYPTION,
    &CERTIFICATE,
    &LOGIN,
    &SETTINGS,
    &TABLES,
    &REHEARSAL,
    &PATCHES,
];

/// What happens on the way.
pub enum Event<'f> {
    /// A part begins.
    Begun(&'static Layer),
    /// A part is over; the facts are as far as they go.
    Ended(&'static Layer, &'f Facts),
}

impl Layer {
    /// The findings of its checks, from facts that go as far as this part.
    #[must_use]
    pub fn findings(&self, facts: &Facts) -> Vec<Finding> {
        check::judge_these(facts, self.checks)
    }

    /// The short fact; the worst finding's words where it is a bad one.
    #[must_use]
    pub fn words(&self, facts: &Facts, worst: Option<&Finding>) -> String {
        match worst {
            Some(finding) if finding.level >= Level::Unknown => finding.title.clone(),
            Some(_) | None => (self.fact)(facts),
        }
    }
}

fn configuration(facts: &Facts) -> String {
    let values = &facts.configuration.told.values;
    let from = if values.iter().any(|value| value.source == Source::Url) {
        "from --url, for"
    } else {
        "of"
    };
    match &facts.installation {
        None => format!("{from} a Ghost that is not here"),
        Some(installation) => match &installation.mysql2 {
            Some(driver) => format!("{from} Ghost {}, mysql2 {driver}", installation.ghost),
            None => format!("{from} Ghost {}", installation.ghost),
        },
    }
}

fn name(facts: &Facts) -> String {
    const SHOWN: usize = 2;
    let addresses = facts
        .addresses
        .known()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let first: Vec<String> = addresses
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    match addresses.len().saturating_sub(SHOWN) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

fn connection(facts: &Facts) -> String {
    let open: Vec<_> = facts
        .reached
        .iter()
        .filter_map(|one| Some((&one.address, one.milliseconds?)))
        .collect();
    match open.as_slice() {
        [] => "none".to_owned(),
        [(address, milliseconds)] if facts.reached.len() == 1 => {
            format!("{address} in {milliseconds} ms")
        }
        [(_, milliseconds), ..] => format!(
            "{} of {} addresses, the first in {milliseconds} ms",
            open.len(),
            facts.reached.len()
        ),
    }
}

fn greeting(facts: &Facts) -> String {
    match facts.greeting.known() {
        Some(Greeting::Ready { version, .. }) => check::server::plain(version).to_owned(),
        _ => String::new(),
    }
}

fn encryption(facts: &Facts) -> String {
    let Some(handshake) = facts.tls.known() else {
        return String::new();
    };
    let protocol = handshake.protocol.clone().unwrap_or_default();
    match handshake.days_left(facts.asked_at) {
        Some(days) => format!("{protocol}, certificate good for {days} days"),
        None => protocol,
    }
}

fn certificate(facts: &Facts) -> String {
    let own = facts
        .tls
        .known()
        .and_then(|handshake| handshake.chain.first());
    let names = own.map(|own| own.names.join(", ")).unwrap_or_default();
    let target = facts.configuration.target.as_ref();
    match target.and_then(|target| target.tls.as_ref()?.name.clone()) {
        Some(name) => format!("for {name}"),
        None if names.is_empty() => "its name is not checked".to_owned(),
        None => format!("for {names}; Ghost does not check it"),
    }
}

fn login(facts: &Facts) -> String {
    let target = facts.configuration.target.as_ref();
    let user = target
        .and_then(|target| target.user.as_deref())
        .unwrap_or("(nobody)");
    match facts.login.known() {
        Some(Login::WithoutDatabase { .. }) => format!("as {user}, but not into the database"),
        _ => format!("as {user}"),
    }
}

fn settings(facts: &Facts) -> String {
    facts.provider.name().to_owned()
}

fn tables(facts: &Facts) -> String {
    let server = facts.server.known();
    let database = server
        .and_then(|server| server.database.as_deref())
        .unwrap_or_default();
    match facts.tables.known().map(Vec::len) {
        Some(0) => format!("{database}: none yet"),
        Some(number) => format!("{database}: {number}"),
        None => database.to_owned(),
    }
}

fn rehearsal(facts: &Facts) -> String {
    match facts.rtt_us {
        Some(rtt) => format!(
            "{} statements in all, {:.1} ms each",
            facts.round_trips,
            rtt as f64 / 1000.0
        ),
        None => String::new(),
    }
}

fn patches(_: &Facts) -> String {
    "what this database needs is in place".to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_check_has_its_place_on_the_way() {
        let here: BTreeSet<&str> = LAYERS
            .iter()
            .flat_map(|layer| layer.checks)
            .copied()
            .collect();
        let all: BTreeSet<&str> = check::ids().into_iter().collect();
        assert_eq!(here, all);
    }
}
