//! Whether Ghost can read its own configuration, and whether that leads it to a MySQL at all.

use super::Check;
use crate::connection::{Problem, Source};
use crate::preflight::facts::Facts;
use crate::preflight::finding::{Effect, Finding};

pub(super) const CHECK: Check = Check {
    id: "config",
    question: "Does Ghost's configuration lead to a MySQL database?",
    explanation: "\
Ghost reads its database from several places. The first that has a value wins: the arguments it is started with
(--database:connection:host=…), files named by …_FILE variables (Ghost 6), environment variables (database__connection__host), config.production.json beside `current`, config.local.json(c), its own
defaults. A variable whose value is JSON is read as JSON, so a password of digits becomes a number and is refused:

  The \"data\" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received type number

Without NODE_ENV=production Ghost is in development and uses SQLite, whatever stands ready.

Fix: name each value once. A password of digits is best changed for one with a letter in it, or given in
config.production.json or in a file (Ghost 6: database__connection__password_FILE). In a variable it stays a text only with
two pairs of quotes, since Ghost parses the value twice:
  env file of docker run   database__connection__password=\"\\\"1234\\\"\"
  compose                  database__connection__password: '\"\\\"1234\\\"\"'",
    judge,
};

fn judge(facts: &Facts) -> Option<Finding> {
    let configuration = &facts.configuration;
    let told = &configuration.told;
    let finding = match &configuration.problem {
        Some(Problem::Loader(words)) => {
            Finding::error("Ghost stops while it reads its configuration.")
                .seen("Ghost's loader", words.clone())
                .fix("Put right what these words name; `ghostfix preflight --explain config` has the rules.")
        }
        Some(Problem::Sqlite) => sqlite(facts),
        Some(Problem::Client(client)) => {
            Finding::error("Ghost's configuration names a kind of database that Ghost does not know.")
                .seen(
                    "database.client",
                    format!("knex: Unknown configuration option 'client' value {client}. Note that it is case-sensitive, check documentation for supported values."),
                )
                .fix("database__client=mysql\n(mysql is right for MariaDB, Vitess and PlanetScale too)")
        }
        Some(Problem::Driver { option, .. }) if option == "ssl" => {
            Finding::passed("Ghost's configuration can be read.")
        }
        Some(Problem::Driver { option, words }) => {
            Finding::error(format!("The value of database.connection.{option} is of the wrong kind."))
                .seen(format!("database.connection.{option}"), words.clone())
                .fix(quoting(option, facts))
        }
        None => return Some(with_values(target(facts)?, facts)),
    };
    if told.values.is_empty() {
        return Some(finding);
    }
    Some(with_values(finding, facts))
}

fn target(facts: &Facts) -> Option<Finding> {
    let told = &facts.configuration.told;
    let target = facts.configuration.target.as_ref()?;
    if told.host_is_an_address {
        return Some(
            Finding::error("The host is written as an address; Ghost takes all of it for a name.")
                .fix("database__connection__host=NAME          (only the name, such as aws.connect.psdb.cloud)\ndatabase__connection__port=3306\nUser, password and database have variables of their own."),
        );
    }
    if told.url_without_protocol {
        return Some(
            Finding::error("The address of the site has no http:// or https://.")
                .seen("Ghost's loader", "URL in config must be provided with protocol, eg. \"http://my-ghost-blog.com\"")
                .fix("url=https://your-site.example"),
        );
    }
    if target.database.is_none() {
        return Some(
            Finding::error("No database is named; Ghost would try to make one called `undefined`.")
                .fix("database__connection__database=ghost"),
        );
    }
    if !told.unread_secret_files.is_empty() {
        return Some(
            Finding::warning("This version of Ghost does not read variables that end in _FILE.")
                .seen("variables", told.unread_secret_files.join(", "))
                .fix("Give the value itself (database__connection__password=…), or upgrade to a Ghost 6 that reads them."),
        );
    }
    let in_sight =
        |key: &str| key == "database.connection.password" || key == "database.connection.uri";
    if let Some(value) = told
        .values
        .iter()
        .find(|value| is_argument(&value.source) && in_sight(&value.key))
    {
        return Some(
            Finding::warning("The password stands among Ghost's arguments, which every user of the machine can read.")
                .seen(value.key.clone(), format!("(not shown), from {}", value.source))
                .fix("Give it in a variable instead: database__connection__password=…\nGhost 6 also reads it from a file: database__connection__password_FILE=/run/secrets/…"),
        );
    }
    if !told.ignored_options.is_empty() {
        return Some(
            Finding::notice("Ghost's driver ignores some of the options.")
                .seen("database.connection", told.ignored_options.join(", ")),
        );
    }
    let port = target
        .port
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let user = target.user.as_deref().unwrap_or("(nobody)");
    let database = target.database.as_deref().unwrap_or_default();
    Some(Finding::passed(format!(
        "Ghost would connect to {}{port} as {user}, database {database}.",
        target.host
    )))
}

fn sqlite(facts: &Facts) -> Finding {
    let told = &facts.configuration.told;
    let by_default = told.values.iter().any(|value| {
        value.key == "database.client"
            && matches!(value.source, Source::EnvironmentDefault | Source::Defaults)
    });
    let finding = if by_default && told.node_env == "development" {
        Finding::error("NODE_ENV is not set to production, so Ghost would use SQLite and no MySQL.")
            .fix("NODE_ENV=production\n(the official image sets it; a shell beside it may not)")
    } else {
        Finding::error("Ghost is told to use SQLite, so there is no MySQL to look at.")
            .fix("database__client=mysql")
    };
    Finding {
        effect: Some(Effect::FailsInUse),
        ..finding
    }
}

fn is_argument(source: &Source) -> bool {
    matches!(source, Source::Argument(_))
}

fn quoting(option: &str, facts: &Facts) -> String {
    let key = format!("database.connection.{option}");
    let mut values = facts.configuration.told.values.iter();
    match option {
        "port" => "database__connection__port=3306".to_owned(),
        "connection" => "database__connection__host=…\ndatabase__connection__user=…\ndatabase__connection__password=…\ndatabase__connection__database=…".to_owned(),
        "uri" => "Take database__connection__uri away, and give host, user, password and database each for itself.".to_owned(),
        _ if values.any(|value| value.key == key && is_argument(&value.source)) => format!(
            "Ghost reads an argument of digits as a number, one without a value as `true`, and one that is given twice as a list. Give this in a variable in place of the argument:\n  database__connection__{option}=…\nIf it is all digits: take one with a letter in it, or put it into config.production.json, in quotes."
        ),
        _ => format!(
            "Ghost reads a value of digits as a number. Best take one with a letter in it, or give it in config.production.json, in quotes. In a variable it needs two pairs of quotes to stay a text:\n  env file of docker run   database__connection__{option}=\"\\\"…\\\"\"\n  compose                  database__connection__{option}: '\"\\\"…\\\"\"'"
        ),
    }
}

fn with_values(mut finding: Finding, facts: &Facts) -> Finding {
    for value in &facts.configuration.told.values {
        let shown = value.value.as_deref().unwrap_or("(not shown)");
        finding = finding.seen(value.key.clone(), format!("{shown}, from {}", value.source));
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::super::tests::healthy;
    use super::*;
    use crate::connection::ReadValue;
    use crate::preflight::finding::Level;

    fn with(problem: Problem) -> Finding {
        let mut facts = healthy();
        facts.configuration.problem = Some(problem);
        facts.configuration.target = None;
        judge(&facts).unwrap()
    }

    #[test]
    fn what_stops_the_loader_is_an_error_in_its_words() {
        let finding = with(Problem::Loader("Cannot set both a and b".to_owned()));
        assert_eq!(finding.level, Level::Error);
        assert_eq!(finding.evidence[0].answered, "Cannot set both a and b");
    }

    #[test]
    fn sqlite_by_default_is_for_want_of_node_env() {
        let mut facts = healthy();
        facts.configuration.problem = Some(Problem::Sqlite);
        facts.configuration.told.node_env = "development".to_owned();
        facts.configuration.told.values = vec![ReadValue {
            key: "database.client".to_owned(),
            value: Some("sqlite3".to_owned()),
            source: Source::EnvironmentDefault,
        }];
        let finding = judge(&facts).unwrap();
        assert!(finding.fix.starts_with("NODE_ENV=production"));
        assert_eq!(finding.effect, Some(Effect::FailsInUse));
    }

    #[test]
    fn a_number_for_a_password_is_an_error_with_its_quotes() {
        let finding = with(Problem::Driver {
            option: "password".to_owned(),
            words: "w".to_owned(),
        });
        assert_eq!(finding.level, Level::Error);
        assert!(finding.fix.contains("two pairs of quotes"));
    }

    #[test]
    fn a_password_among_the_arguments_is_a_warning() {
        for (key, source, expected) in [
            (
                "password",
                Source::Argument("--p".to_owned()),
                Level::Warning,
            ),
            ("password", Source::Variable("p".to_owned()), Level::Passed),
            ("host", Source::Argument("--h".to_owned()), Level::Passed),
        ] {
            let mut facts = healthy();
            facts.configuration.told.values = vec![ReadValue {
                key: format!("database.connection.{key}"),
                value: None,
                source,
            }];
            assert_eq!(judge(&facts).unwrap().level, expected, "{key}");
        }
    }

    #[test]
    fn a_refused_ssl_is_left_to_its_own_check() {
        let finding = with(Problem::Driver {
            option: "ssl".to_owned(),
            words: "w".to_owned(),
        });
        assert_eq!(finding.level, Level::Passed);
    }

    #[test]
    fn a_host_with_a_protocol_a_site_without_and_no_database_are_errors() {
        let mut facts = healthy();
        facts.configuration.told.host_is_an_address = true;
        assert_eq!(judge(&facts).unwrap().level, Level::Error);
        let mut facts = healthy();
        facts.configuration.told.url_without_protocol = true;
        assert_eq!(judge(&facts).unwrap().level, Level::Error);
        let mut facts = healthy();
        facts.configuration.target.as_mut().unwrap().database = None;
        assert_eq!(judge(&facts).unwrap().level, Level::Error);
        assert_eq!(judge(&healthy()).unwrap().level, Level::Passed);
    }
}
