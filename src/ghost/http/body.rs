//! An answer: its head, and its bytes as they come.

use std::io::Read;
use std::time::Duration;

use super::pace::{FLOOR, TooSlow};
use crate::ghost::failure::{Failure, quoted_line};

/// What is read of a refusal, to show what the server said.
const REFUSAL_LIMIT: u64 = 4096;

/// An answer with a good status (or 304).
pub struct Response {
    status: u16,
    headers: ureq::http::HeaderMap,
    body: Body,
}

/// The bytes of an answer, as they come. Errors are [`Failure`]s in I/O clothing.
pub struct Body {
    reader: ureq::BodyReader<'static>,
    host: String,
    stall: Duration,
    expected: Option<u64>,
    received: u64,
}

impl Response {
    pub(super) fn new(
        head: &ureq::http::response::Parts,
        body: ureq::Body,
        host: String,
        stall: Duration,
    ) -> Self {
        // With a content encoding the length is that of other bytes than those we count.
        let expected = match head.headers.get("content-encoding") {
            Some(_) => None,
            None => body.content_length(),
        };
        Self {
            status: head.status.as_u16(),
            headers: head.headers.clone(),
            body: Body {
                reader: body.into_with_config().limit(u64::MAX).reader(),
                host,
                stall,
                expected,
                received: 0,
            },
        }
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// The answer is: what you have is still right.
    #[must_use]
    pub fn is_not_modified(&self) -> bool {
        self.status == 304
    }

    /// One header's text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body, to be streamed.
    #[must_use]
    pub fn into_body(self) -> Body {
        self.body
    }

    /// The whole body in memory, where it is no larger than `limit`.
    pub fn read(self, limit: u64) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        self.body.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(Failure::TooLarge {
                what: "the answer",
                limit: format!("{} MB", limit >> 20),
            });
        }
        Ok(bytes)
    }

    /// What a server says beside its status: npm and Docker both answer in JSON.
    pub(super) fn refusal(self) -> String {
        let mut bytes = Vec::new();
        if self
            .body
            .take(REFUSAL_LIMIT)
            .read_to_end(&mut bytes)
            .is_err()
        {
            return String::new();
        }
        let Ok(json) = serde_json::from_slice::<serde_json::Value>(&bytes) else {
            return String::new();
        };
        let words = [
            &json["error"],
            &json["message"],
            &json["errors"][0]["message"],
            &json["details"],
        ];
        words
            .into_iter()
            .find_map(serde_json::Value::as_str)
            .map(quoted_line)
            .unwrap_or_default()
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.reader.read(buffer) {
            Ok(0) if !buffer.is_empty() => match self.expected {
                Some(expected) if self.received != expected => Err(Failure::Broken {
                    host: self.host.clone(),
                    why: format!("{} of {expected} bytes came", self.received),
                }
                .into_io()),
                _ => Ok(0),
            },
            Ok(count) => {
                self.received += count as u64;
                Ok(count)
            }
            Err(error) => Err(self.failure(&error.into()).into_io()),
        }
    }
}

impl Body {
    fn failure(&self, error: &ureq::Error) -> Failure {
        let host = self.host.clone();
        let too_slow = match error {
            ureq::Error::Other(why) => why.downcast_ref::<TooSlow>(),
            _ => None,
        };
        match (too_slow, error) {
            (Some(&TooSlow { received, waited }), _) => Failure::TooSlow {
                host,
                received,
                within: waited,
                floor: FLOOR,
            },
            (None, ureq::Error::Timeout(_)) => Failure::Slow {
                host,
                after: self.stall,
            },
            (None, other) => Failure::Broken {
                host,
                why: quoted_line(&other.to_string()),
            },
        }
    }
}
