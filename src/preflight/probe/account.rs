//! Does the server let Ghost in, and into its database?

use std::time::Duration;

use rustls::pki_types::CertificateDer;

use crate::connection::driver::Target;
use crate::mysql::errno::{DATABASE_ACCESS_DENIED, Meaning};
use crate::mysql::roots;
use crate::mysql::session::{NoSession, Protection, Session};
use crate::preflight::facts::{Fact, Login};

/// Logs in as Ghost would. Where that would send the password by an exchange of keys that is not known here, the login
/// is made encrypted instead, and the fact says so.
pub(super) async fn log_in(
    target: &Target,
    trusted: &[CertificateDer<'static>],
    offers_tls: bool,
    limit: Duration,
) -> (Fact<Login>, Option<Session>) {
    let protection = match &target.tls {
        None => Protection::Plain,
        Some(tls) if tls.reject_unauthorized => Protection::Verified(roots::pem(trusted)),
        Some(_) => Protection::Encrypted,
    };
    match enter(target, &protection, false, limit).await {
        Err(NoSession::NeedsKeyExchange) if offers_tls => {
            match enter(target, &Protection::Encrypted, true, limit).await {
                Ok((login, session)) => (Fact::Known(login), Some(session)),
                Err(why) => (refused(why), None),
            }
        }
        Ok((login, session)) => (Fact::Known(login), Some(session)),
        Err(why) => (refused(why), None),
    }
}

async fn enter(
    target: &Target,
    protection: &Protection,
    encrypted_here_only: bool,
    limit: Duration,
) -> Result<(Login, Session), NoSession> {
    match Session::open(target, protection, true, limit).await {
        Ok(session) => Ok((
            Login::In {
                encrypted_here_only,
            },
            session,
        )),
        Err(NoSession::Refused(error))
            if error.number == DATABASE_ACCESS_DENIED
                || error.meaning() == Meaning::UnknownDatabase =>
        {
            let session = Session::open(target, protection, false, limit).await?;
            Ok((Login::WithoutDatabase { refused: error }, session))
        }
        Err(why) => Err(why),
    }
}

fn refused(why: NoSession) -> Fact<Login> {
    match why {
        NoSession::Refused(error) => Fact::Known(Login::Refused(error)),
        NoSession::NeedsKeyExchange => Fact::Unknown(
            "without encryption this server takes the password only by an exchange of keys, which Ghost can do and ghostfix cannot"
                .to_owned(),
        ),
        NoSession::Failed(words) => Fact::Known(Login::Broken { words }),
        NoSession::TimedOut(limit) => Fact::Known(Login::Broken {
            words: format!("no answer within {} s", limit.as_secs()),
        }),
    }
}
