//! Whether what listens there is a MySQL server that takes connections, and which.

use super::Check;
use crate::mysql::errno::{HOST_BLOCKED, HOST_NOT_PRIVILEGED, ServerError, TOO_MANY_CONNECTIONS};
use crate::mysql::greeting::Greeting;
use crate::mysql::session::Break;
use crate::preflight::facts::Facts;
use crate::preflight::finding::Finding;
use crate::preflight::provider::Provider;

pub(super) const CHECK: Check = Check {
    id: "server",
    question: "Is it a MySQL server that takes connections, and which one?",
    explanation: "\
A MySQL server speaks first. Where something else listens (a web server, a proxy, Postgres), Ghost waits and ends with
`connect ETIMEDOUT`, or with `Packets out of order`. A server that is full says `Too many connections`, one that has seen too
many broken connections from this machine `Host … is blocked`. A connection that ends in the middle of an answer, again and
again, ends Ghost too:

  Connection lost: The server closed the connection.   (PROTOCOL_CONNECTION_LOST)

Ghost's makers support MySQL 8 only. MariaDB and Vitess work as far as the other checks say so.

Fix: the right host and port; for a full server fewer clients or a larger max_connections; for a blocked host
`TRUNCATE TABLE performance_schema.host_cache` (or `mysqladmin flush-hosts`) by its administrator.",
    judge,
};

fn judge(facts: &Facts) -> Option<Finding> {
    Some(match facts.greeting.known()? {
        Greeting::Ready { version, .. } => match &facts.broke {
            Some(broke) if !broke.timed_out => cut(broke),
            Some(_) | None => ready(facts, version),
        },
        Greeting::Refused(error) => refused(error),
        Greeting::Foreign { words } => {
            Finding::error("What listens there is not a MySQL server.")
                .seen("its first bytes", if words.is_empty() { "(not text)" } else { words })
                .fix("Correct database__connection__host and database__connection__port: MySQL's own port is 3306.")
        }
        Greeting::Closed { words } => {
            Finding::error("The server hangs up before it says a word.")
                .seen("greeting", words.clone())
                .fix("A proxy or a firewall may stand before the database, or the database is just starting: ghostfix preflight --wait 60s")
        }
        Greeting::Silent { seconds } => {
            Finding::error("Something listens there, but it does not speak as a MySQL server does.")
                .seen("greeting", format!("nothing within {seconds} s"))
                .fix("Correct database__connection__host and database__connection__port: a web server waits in silence, too. MySQL's own port is 3306.")
        }
    })
}

fn ready(facts: &Facts, version: &str) -> Finding {
    let version = plain(version);
    let comment = facts.variable("version_comment").unwrap_or_default();
    let title = format!("It is {}, version {version}.", facts.provider.name());
    let finding = match facts.provider {
        Provider::Mariadb => Finding::notice(format!(
            "{title} Ghost's makers support MySQL 8 only; most of Ghost works on MariaDB."
        )),
        Provider::Mysql | Provider::Amazon | Provider::Azure if version.starts_with("5.") => {
            Finding::warning(format!("{title} Ghost needs MySQL 8."))
                .fix("Upgrade the server to MySQL 8.0 or later.")
        }
        Provider::Tidb => Finding::notice(format!("{title} Ghost is not tested on it.")),
        Provider::Planetscale
        | Provider::Vitess
        | Provider::Amazon
        | Provider::Azure
        | Provider::Digitalocean
        | Provider::Aiven
        | Provider::Mysql
        | Provider::Unknown => Finding::passed(title),
    };
    finding.seen("greeting", format!("{version} {comment}").trim().to_owned())
}

/// MariaDB puts a version of MySQL's before its own.
pub(in crate::preflight) fn plain(version: &str) -> &str {
    version.strip_prefix("5.5.5-").unwrap_or(version)
}

fn cut(broke: &Break) -> Finding {
    Finding::error("The server, or something on the way, ends the connection in the middle of an answer.")
        .seen(broke.asked.clone(), broke.words.clone())
        .fix("Run this again: a server that is just being restarted does it once. Where it happens every time, look for a proxy, a VPN or a firewall on the way that ends connections or lets no large packets through, and into the server's log.")
}

fn refused(error: &ServerError) -> Finding {
    let finding = match error.number {
        TOO_MANY_CONNECTIONS => Finding::error("The server has no connection left.")
            .fix("End clients that hold connections, lower database__pool__max, or raise the server's max_connections."),
        HOST_BLOCKED => Finding::error("The server has shut this machine out after too many broken connections.")
            .fix("Its administrator lets it in again with: TRUNCATE TABLE performance_schema.host_cache;  (older servers: FLUSH HOSTS;)"),
        HOST_NOT_PRIVILEGED => Finding::error("The server lets nobody in from this machine.")
            .fix("Make an account for this machine's address: CREATE USER 'ghost'@'%' IDENTIFIED BY '…'; GRANT ALL ON `ghost`.* TO 'ghost'@'%';"),
        _ => Finding::error("The server refuses the connection at once.").fix("Its words say why."),
    };
    finding.seen("greeting", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{error, healthy};
    use super::*;
    use crate::preflight::facts::Fact;
    use crate::preflight::finding::Level;

    fn greeted(greeting: Greeting) -> Finding {
        let greeting = Fact::Known(greeting);
        judge(&Facts {
            greeting,
            ..healthy()
        })
        .unwrap()
    }

    #[test]
    fn what_does_not_speak_mysql_is_an_error() {
        for greeting in [
            Greeting::Foreign {
                words: "SSH-2.0-OpenSSH".to_owned(),
            },
            Greeting::Closed {
                words: "unexpected end of file".to_owned(),
            },
            Greeting::Silent { seconds: 10 },
            Greeting::Refused(error(1040, "Too many connections")),
            Greeting::Refused(error(1129, "Host is blocked")),
            Greeting::Refused(error(1130, "Host is not allowed")),
        ] {
            let finding = greeted(greeting);
            assert_eq!(finding.level, Level::Error);
            assert!(!finding.fix.is_empty());
        }
    }

    #[test]
    fn a_connection_that_ends_in_an_answer_is_an_error_and_a_slow_answer_is_not() {
        for (timed_out, expected) in [(false, Level::Error), (true, Level::Passed)] {
            let broke = Some(Break {
                asked: "SHOW TABLES".to_owned(),
                words: "got 0 bytes at EOF".to_owned(),
                timed_out,
            });
            let facts = Facts { broke, ..healthy() };
            assert_eq!(judge(&facts).unwrap().level, expected);
        }
    }

    #[test]
    fn kinds_of_servers_are_told_apart() {
        for (provider, version, expected) in [
            (Provider::Mysql, "8.0.36", Level::Passed),
            (Provider::Mysql, "5.7.44", Level::Warning),
            (Provider::Mariadb, "5.5.5-10.11.6-MariaDB", Level::Notice),
            (Provider::Vitess, "8.0.34-Vitess", Level::Passed),
        ] {
            let greeting = Fact::Known(Greeting::Ready {
                version: version.to_owned(),
                capabilities: 0,
                plugin: None,
            });
            let facts = Facts {
                provider,
                greeting,
                ..healthy()
            };
            assert_eq!(judge(&facts).unwrap().level, expected, "{version}");
        }
    }
}
