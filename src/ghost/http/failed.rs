//! Why no answer came, in the words of this program.

use std::io::ErrorKind;

use super::tls::Untrusted;
use super::{Patience, proxy};
use crate::ghost::failure::{Failure, quoted_line};

pub(super) fn transport_failure(
    error: &ureq::Error,
    host: &str,
    proxy: Option<&ureq::Proxy>,
    patience: &Patience,
) -> Failure {
    let host = host.to_owned();
    if let ureq::Error::Other(why) = error
        && let Some(Untrusted { host, why }) = why.downcast_ref()
    {
        return Failure::Certificate {
            host: host.clone(),
            why: why.clone(),
        };
    }
    if let ureq::Error::Io(why) = error
        && let Some(words) = of_tls(why)
    {
        return Failure::Broken {
            host,
            why: words.to_owned(),
        };
    }
    let unreachable = |why: String| Failure::Unreachable {
        host: host.clone(),
        proxy: proxy.map(proxy::place),
        why,
    };
    match error {
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => unreachable(
            format!("no connection within {} s", patience.connect.as_secs()),
        ),
        ureq::Error::Timeout(_) => Failure::Slow {
            host,
            after: patience.stall,
        },
        ureq::Error::HostNotFound => unreachable("no such host".to_owned()),
        ureq::Error::ConnectionFailed => unreachable("connection refused".to_owned()),
        ureq::Error::ConnectProxyFailed(why) => match (answered(why), proxy) {
            (Some(407), Some(proxy)) => unknown_to(proxy),
            (Some(code), _) => unreachable(format!("the proxy answered {code}")),
            (None, _) => unreachable(quoted_line(why)),
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
            _ => unreachable(quoted_line(&why.to_string())),
        },
        other => Failure::Broken {
            host,
            why: quoted_line(&other.to_string()),
        },
    }
}

/// What went wrong with TLS itself; rustls names these as its source code does.
fn of_tls(error: &std::io::Error) -> Option<&'static str> {
    use rustls::AlertDescription as Alert;
    Some(match error.get_ref()?.downcast_ref()? {
        rustls::Error::InvalidMessage(_) => {
            "what came is not TLS: perhaps it is an address for http:// and not for https://"
        }
        rustls::Error::PeerIncompatible(_)
        | rustls::Error::AlertReceived(Alert::ProtocolVersion | Alert::InsufficientSecurity) => {
            "it offers no TLS that is spoken here, which is 1.2 or 1.3 with ephemeral keys"
        }
        rustls::Error::AlertReceived(
            Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied,
        ) => {
            "it wants a certificate of its client (`certfile` and `keyfile`), or another than it got"
        }
        rustls::Error::AlertReceived(Alert::HandshakeFailure) => {
            "it ended the handshake: it offers no TLS that is spoken here, or wants a certificate of its client (`certfile` and `keyfile`)"
        }
        rustls::Error::AlertReceived(Alert::UnrecognisedName) => {
            "it ended the handshake: it does not know that name"
        }
        rustls::Error::AlertReceived(_) => "it ended the handshake",
        _ => return None,
    })
}

/// The proxy wants to know who asks.
pub(super) fn unknown_to(proxy: &ureq::Proxy) -> Failure {
    Failure::Status {
        place: format!("the proxy {}", proxy::place(proxy)),
        code: 407,
        said: String::new(),
        authorized: proxy::authorization(proxy).is_some(),
        challenge: None,
    }
}

/// The status with which a proxy refused a tunnel; ureq has it as `proxy server responded 403/403` and no otherwise.
fn answered(why: &str) -> Option<u16> {
    why.rsplit('/').next()?.parse().ok()
}
