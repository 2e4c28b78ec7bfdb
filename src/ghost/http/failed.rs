//! Why no answer came, in the words of this program.

use std::io::ErrorKind;

use super::Patience;
use crate::ghost::failure::{Failure, quoted_line};

pub(super) fn transport_failure(error: &ureq::Error, host: &str, patience: &Patience) -> Failure {
    let host = host.to_owned();
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
        ureq::Error::Rustls(rustls::Error::InvalidCertificate(why)) => Failure::Certificate {
            host,
            why: quoted_line(&why.to_string()),
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
        ureq::Error::Io(why) => match (certificate_problem(why), why.kind()) {
            (Some(why), _) => Failure::Certificate { host, why },
            // What a connection that once stood ends with; all else is that none came about, a name included that
            // the resolver does not know.
            (
                None,
                ErrorKind::UnexpectedEof
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
                | ErrorKind::InvalidData
                | ErrorKind::Other,
            ) => Failure::Broken {
                host,
                why: quoted_line(&why.to_string()),
            },
            (None, _) => Failure::Unreachable {
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

/// rustls reports a certificate that it refuses from within the handshake's I/O.
fn certificate_problem(error: &std::io::Error) -> Option<String> {
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(why) => Some(quoted_line(&why.to_string())),
        _ => None,
    }
}
