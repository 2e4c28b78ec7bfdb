//! Whether the server lets Ghost in.

use super::Check;
use crate::mysql::errno::{
    ACCESS_DENIED, HOST_NOT_PRIVILEGED, Meaning, TOO_MANY_CONNECTIONS, USER_LIMIT,
};
use crate::preflight::facts::{Fact, Facts, Login};
use crate::preflight::finding::Finding;

pub(super) const CHECK: Check = Check {
    id: "login",
    question: "Does the server let Ghost in with this user and password?",
    explanation: "\
The server compares user, password and the machine that the connection comes from, and says of all three the same:

  Access denied for user 'ghost'@'10.0.0.5' (using password: YES)

`using password: NO` means that none arrived: the variable has another name, or is empty. At PlanetScale a password belongs to
one branch, and is shown only once: a lost one is made anew.

Fix: database__connection__user and database__connection__password as the provider shows them; on a server of your own:
  CREATE USER 'ghost'@'%' IDENTIFIED BY '…'; GRANT ALL ON `ghost`.* TO 'ghost'@'%';",
    judge,
};

fn judge(facts: &Facts) -> Option<Finding> {
    let error = match &facts.login {
        Fact::NotReached => return None,
        Fact::Unknown(words) => {
            let finding =
                Finding::unknown("Whether the server lets Ghost in cannot be told from here.")
                    .seen("login", words.clone());
            let target = facts.configuration.target.as_ref()?;
            let sealed = target.tls.as_ref().is_some_and(|tls| tls.sealed_key);
            return Some(if sealed {
                finding.fix(super::ssl_value::OPEN_KEY)
            } else {
                finding
            });
        }
        Fact::Known(
            Login::In {
                encrypted_here_only: false,
            }
            | Login::WithoutDatabase { .. },
        ) => {
            return Some(Finding::passed("The server lets Ghost in."));
        }
        Fact::Known(Login::In {
            encrypted_here_only: true,
        }) => {
            return Some(
                Finding::passed("The server lets Ghost in.")
                    .seen("login", "made over TLS; Ghost's would not be encrypted and exchanges a key for its password"),
            );
        }
        Fact::Known(Login::Broken { words }) => {
            return Some(
                Finding::error("The connection breaks while Ghost logs in.")
                    .seen("login", words.clone())
                    .fix("Look into the server's log. A proxy between, or a server that is just starting, does this: ghostfix preflight --wait 60s"),
            );
        }
        Fact::Known(Login::Refused(error)) => error,
    };
    if error.meaning() == Meaning::TlsRequired {
        return None;
    }
    let without_password = facts
        .configuration
        .target
        .as_ref()
        .is_some_and(|target| !target.password);
    let finding = match error.number {
        ACCESS_DENIED if without_password => Finding::error("The server does not let Ghost in: Ghost has no password to show.")
            .fix("database__connection__password=…"),
        ACCESS_DENIED => Finding::error("The server does not let Ghost in: user or password is wrong, or this machine is not allowed.")
            .fix("Compare database__connection__user and database__connection__password with what the provider shows. On a server of your own, the account has to be for this machine:\n  CREATE USER 'ghost'@'%' IDENTIFIED BY '…';\n  GRANT ALL ON `ghost`.* TO 'ghost'@'%';"),
        HOST_NOT_PRIVILEGED => Finding::error("The server lets nobody in from this machine.")
            .fix("CREATE USER 'ghost'@'%' IDENTIFIED BY '…';\nGRANT ALL ON `ghost`.* TO 'ghost'@'%';"),
        TOO_MANY_CONNECTIONS | USER_LIMIT | 1226 => Finding::error("The server has no connection left for Ghost.")
            .fix("End clients that hold connections, lower database__pool__max, or raise the limit at the server."),
        3118 => Finding::error("The account is locked.").fix("ALTER USER 'ghost'@'%' ACCOUNT UNLOCK;"),
        1820 | 1862 => Finding::error("The account's password has run out.").fix("ALTER USER 'ghost'@'%' IDENTIFIED BY '…';"),
        _ => Finding::error("The server does not let Ghost in.").fix("Its words say why."),
    };
    Some(finding.seen("login", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{error, healthy};
    use super::*;
    use crate::preflight::finding::Level;

    fn with(login: Fact<Login>) -> Option<Finding> {
        judge(&Facts { login, ..healthy() })
    }

    #[test]
    fn a_refusal_is_an_error_and_its_words_are_kept() {
        let finding = with(Fact::Known(Login::Refused(error(
            1045,
            "Access denied for user 'ghost'@'x'",
        ))))
        .unwrap();
        assert_eq!(finding.level, Level::Error);
        assert_eq!(
            finding.evidence[0].answered,
            "errno 1045: Access denied for user 'ghost'@'x'"
        );
    }

    #[test]
    fn a_missing_password_is_said() {
        let mut facts = healthy();
        facts.configuration.target.as_mut().unwrap().password = false;
        facts.login = Fact::Known(Login::Refused(error(1045, "Access denied")));
        assert!(judge(&facts).unwrap().title.contains("no password"));
    }

    #[test]
    fn what_is_about_encryption_is_left_to_tls() {
        let refused = error(3159, "Connections using insecure transport are prohibited");
        assert_eq!(with(Fact::Known(Login::Refused(refused))), None);
    }

    #[test]
    fn what_cannot_be_tried_is_unknown() {
        assert_eq!(
            with(Fact::Unknown("x".to_owned())).unwrap().level,
            Level::Unknown
        );
        assert_eq!(
            with(Fact::Known(Login::In {
                encrypted_here_only: true
            }))
            .unwrap()
            .level,
            Level::Passed
        );
        assert_eq!(with(Fact::NotReached), None);
    }
}
