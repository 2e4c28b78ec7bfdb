//! Everything that can go wrong between a request and the last verified byte, as a type; and how each is told.
//!
//! A failure knows no package or image: whoever asked names it when the failure becomes an [`Error`].

use std::io;
use std::time::Duration;

use super::http::Distrust;
use crate::error::Error;

/// Where a proxy looks for who asks.
const PROXY_CREDENTIALS: &str = "the proxy wants credentials, or others: give them in its address, http://USER:PASSWORD@HOST:PORT, as `https-proxy` in an .npmrc or in HTTPS_PROXY";

/// Why something upstream could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The server answered, but not with what was asked for.
    #[error("{place} answered {code}{}", with_colon(said))]
    Status {
        /// The address, without query or credentials.
        place: String,
        /// The HTTP status.
        code: u16,
        /// What the server said about it, on one line; often empty.
        said: String,
        /// Whether credentials went with the request.
        authorized: bool,
        /// How the server wants to be shown credentials: its `WWW-Authenticate`.
        challenge: Option<String>,
    },
    /// No connection: the name, the network, the port or the proxy.
    #[error("{host} could not be reached{}: {why}", through(proxy.as_deref()))]
    Unreachable {
        /// The server.
        host: String,
        /// Host and port of the proxy that was to reach it.
        proxy: Option<String>,
        /// The operating system's or resolver's words.
        why: String,
    },
    /// The server's certificate is not believed.
    #[error("the certificate of {host} is not trusted: {why}")]
    Certificate {
        /// The server.
        host: String,
        /// What is wrong with the certificate.
        why: Distrust,
    },
    /// Nothing came for too long.
    #[error("{host} sent nothing for {} s", seconds(*after))]
    Slow {
        /// The server.
        host: String,
        /// How long was waited.
        after: Duration,
    },
    /// Something came, but so little that it would go on for days.
    #[error(
        "{host} is too slow: {received} B came in {} s, and less than {floor} B a second is not waited for",
        seconds(*within)
    )]
    TooSlow {
        /// The server.
        host: String,
        /// Bytes that came.
        received: u64,
        /// How long they were waited for.
        within: Duration,
        /// What would have to come in a second.
        floor: u64,
    },
    /// The connection broke, or what came is not HTTP.
    #[error("the answer of {host} broke off: {why}")]
    Broken {
        /// The server.
        host: String,
        /// What was seen.
        why: String,
    },
    /// One redirect after the other, or one that leaves HTTPS.
    #[error("{place} redirects {problem}")]
    Redirect {
        /// The address that redirected.
        place: String,
        /// `too often`, `from https to http`, …
        problem: &'static str,
    },
    /// More bytes, entries or levels than anything honest has.
    #[error("{what} is larger than the limit of {limit}")]
    TooLarge {
        /// What grew: `the answer`, `the archive unpacked`, …
        what: &'static str,
        /// The limit, with its unit.
        limit: String,
    },
    /// The bytes are not those that were published.
    #[error("its {algorithm} digest is {found}, but {expected} was published")]
    Digest {
        /// `sha512`, `sha256`, `sha1`.
        algorithm: &'static str,
        /// What the metadata says.
        expected: String,
        /// What the bytes have.
        found: String,
    },
    /// An entry whose path leads out of the archive.
    #[error("it holds the path `{path}`, which leads out of it")]
    Escape {
        /// The path as the archive has it.
        path: String,
    },
    /// The bytes are not what they should be: no gzip, no tar, no JSON, …
    #[error("it is damaged: {why}")]
    Damaged {
        /// What does not fit.
        why: String,
    },
}

impl Failure {
    /// Whether the same request may well succeed a moment later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Status { code, .. } => matches!(code, 408 | 429 | 500 | 502 | 503 | 504),
            Self::Unreachable { .. }
            | Self::Slow { .. }
            | Self::TooSlow { .. }
            | Self::Broken { .. } => true,
            Self::Certificate { .. }
            | Self::Redirect { .. }
            | Self::TooLarge { .. }
            | Self::Digest { .. }
            | Self::Escape { .. }
            | Self::Damaged { .. } => false,
        }
    }

    /// The HTTP status, where the failure is one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// The failure as the error of a command; `subject` names what was asked for, as in `ghost@6.65.0`.
    #[must_use]
    pub fn about(self, subject: &str) -> Error {
        let next_step = match &self {
            Self::Status { code: 407, .. } => PROXY_CREDENTIALS,
            Self::Status {
                code: 401 | 403,
                authorized: true,
                ..
            } => {
                "the credentials in npm's configuration were refused: renew the token, or name another registry with --registry"
            }
            Self::Status {
                code: 401 | 403, ..
            } => {
                "the registry wants credentials: put `//HOST/:_authToken=…` into an .npmrc, or name another registry with --registry"
            }
            Self::Status {
                code: 404 | 410, ..
            } => "check the name, and with --registry where it is looked for",
            Self::Status { .. } => {
                "try again in a few minutes, or name another registry with --registry"
            }
            Self::Unreachable { proxy: Some(_), .. } => {
                "check the proxy: it is that of `https-proxy` or `proxy` in an .npmrc, or of HTTPS_PROXY; `noproxy` and NO_PROXY name hosts to be reached without it"
            }
            Self::Unreachable { .. } => {
                "check the network and npm's `proxy` settings, name another registry with --registry, or use what is cached with --offline"
            }
            Self::Certificate { why, .. } => {
                &why.next_step("with `cafile` in an .npmrc, or in SSL_CERT_FILE")
            }
            Self::Slow { .. } | Self::TooSlow { .. } | Self::Broken { .. } => {
                "try again, name another registry with --registry, or use what is cached with --offline"
            }
            Self::Redirect { .. } => "check the address, or name another registry with --registry",
            Self::TooLarge { .. } | Self::Escape { .. } => {
                "it is not safe to unpack; nothing of it was kept. Check where it comes from"
            }
            Self::Digest { .. } => {
                "something between you and the publisher changes it; nothing of it was kept. Try another registry with --registry, and tell whoever runs this one"
            }
            Self::Damaged { .. } => {
                "nothing of it was kept. Fetch it again, or try another registry with --registry"
            }
        };
        Error::Upstream {
            problem: format!("{subject}: {self}"),
            next_step: next_step.to_owned(),
        }
    }

    /// The same for an image or an archive of one.
    #[must_use]
    pub fn about_image(self, subject: &str) -> Error {
        let next_step = match &self {
            Self::Status { code: 407, .. } => PROXY_CREDENTIALS,
            Self::Status {
                code: 401 | 403, ..
            } => {
                "log in to the registry with `docker login`, as a user who may pull it, and check the image's name"
            }
            Self::Status {
                code: 404 | 410, ..
            } => "check the image's name and tag",
            Self::Status { .. } => "try again in a few minutes",
            Self::Unreachable { proxy: Some(_), .. } => {
                "check the proxy that HTTPS_PROXY names; NO_PROXY names hosts to be reached without it"
            }
            Self::Unreachable { .. } => "check the registry's name, the network and HTTPS_PROXY",
            Self::Certificate { why, .. } => &why.next_step("in SSL_CERT_FILE"),
            Self::Slow { .. } | Self::Broken { .. } => "try again",
            Self::TooSlow { .. } => {
                "try again, or save the image where the line is faster (`docker save`) and check that archive"
            }
            Self::Redirect { .. } => "check the image's name",
            Self::TooLarge { .. } | Self::Escape { .. } => {
                "it is not safe to unpack; nothing of it was kept. Check where it comes from"
            }
            Self::Digest { .. } => {
                "it was changed on its way here; nothing of it was kept. Pull or save it again"
            }
            Self::Damaged { .. } => "nothing of it was kept. Pull or save it again",
        };
        Error::Upstream {
            problem: format!("{subject}: {self}"),
            next_step: next_step.to_owned(),
        }
    }

    /// The failure as an I/O error, to pass through readers; [`From`] gets it out again.
    #[must_use]
    pub fn into_io(self) -> io::Error {
        io::Error::other(self)
    }
}

impl From<io::Error> for Failure {
    /// The failure that a reader further down reported; anything else is damage that a decoder found.
    fn from(error: io::Error) -> Self {
        let mut source: Option<&(dyn std::error::Error + 'static)> =
            error.get_ref().map(|inner| inner as _);
        while let Some(inner) = source {
            if let Some(failure) = inner.downcast_ref::<Self>() {
                return failure.clone();
            }
            source = match inner
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref)
            {
                Some(nested) => Some(nested as _),
                None => inner.source(),
            };
        }
        Self::Damaged {
            why: error.to_string(),
        }
    }
}

fn through(proxy: Option<&str>) -> String {
    proxy.map_or_else(String::new, |proxy| format!(" through the proxy {proxy}"))
}

fn with_colon(said: &str) -> String {
    if said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    }
}

fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 10.0 {
        format!("{seconds:.1}")
    } else {
        format!("{seconds:.0}")
    }
}

/// One line of somebody else's words: no control characters, no more than fits.
pub(super) fn quoted_line(text: &str) -> String {
    const LENGTH: usize = 160;
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut line: String = line
        .chars()
        .filter(|character| !character.is_control())
        .collect();
    if line.chars().count() > LENGTH {
        line = line.chars().take(LENGTH).chain(['…']).collect();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::Failure;
    use std::io;

    #[test]
    fn a_failure_survives_the_readers_that_wrap_it() {
        let failure = Failure::Slow {
            host: "a.test".to_owned(),
            after: std::time::Duration::from_secs(30),
        };
        let inner = failure.clone().into_io();
        let wrapped = io::Error::new(io::ErrorKind::InvalidData, io::Error::other(inner));
        assert_eq!(Failure::from(wrapped), failure);
    }

    #[test]
    fn other_errors_are_damage() {
        let error = io::Error::new(io::ErrorKind::UnexpectedEof, "early end");
        assert_eq!(
            Failure::from(error),
            Failure::Damaged {
                why: "early end".to_owned()
            }
        );
    }
}
