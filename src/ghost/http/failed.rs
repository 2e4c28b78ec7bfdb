//! Why no answer came, in the words of this program.

use std::io::ErrorKind;

use super::Patience;
use super::tls::Untrusted;
use crate::ghost::failure::{Failure, quoted_line};

pub(super) fn transport_failure(error: &ureq::Error, host: &str, patience: &Patience) -> Failure {
    let host = host.to_owned();
    if let ureq::Error::Other(why) = error
        && let Some(Untrusted { host, why }) = why.downcast_ref()
    {
        return Failure::Certificate {
            host: host.clone(),
            why: why.clone(),
        };
    }
    match error {
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            Failure::Unreachable {
                host,
                why: format!("no connection within {} s", patience.connect.as_secs()),
            }
        }
        ureq::Error::Timeout(_) => Failure::Slow {
            host,
            after: patience.stall,
        },
        ureq::Error::HostNotFound => Failure::Unreachable {
            host,
            why: "no such host".to_owned(),
        },
        ureq::Error::ConnectionFailed => Failure::Unreachable {
            host,
            why: "connection refused".to_owned(),
        },
        ureq::Error::ConnectProxyFailed(why) => Failure::Unreachable {
            host,
            why: format!("the proxy refuses: {}", quoted_line(why)),
        },
        ureq::Error::Io(why) => match why.kind() {
            // What a connection that once stood ends with; all else is that none came about, a name included that
            // the resolver does not know.
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::InvalidData
            | ErrorKind::Other => Failure::Broken {
                host,
                why: quoted_line(&why.to_string()),
            },
            _ => Failure::Unreachable {
                host,
                why: quoted_line(&why.to_string()),
            },
        },
        other => Failure::Broken {
            host,
            why: quoted_line(&other.to_string()),
        },
    }
}
