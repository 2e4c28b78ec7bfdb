//! An answer: its head, and its bytes as they come.

use std::io::Read;
use std::time::Duration;

use flate2::read::MultiGzDecoder;

use super::pace::{FLOOR, TooSlow};
use crate::ghost::failure::{Failure, quoted_line};

/// What is read of a refusal, to show what the server said.
const REFUSAL_LIMIT: u64 = 4096;
/// How many bytes gzip may take more than it holds: headers, blocks that could not be packed, what is read ahead. A stream
/// of empty members takes them without an end, and whoever limits what comes out would wait for ever.
const PACKED_FOR_NOTHING: u64 = 1 << 20;

/// An answer with a good status (or 304).
pub struct Response {
    status: u16,
    headers: ureq::http::HeaderMap,
    body: Body,
}

/// The bytes of an answer, unpacked as they come. Errors are [`Failure`]s in I/O clothing.
pub struct Body(Content);

enum Content {
    Plain(Sent),
    Gzip(Box<MultiGzDecoder<Sent>>),
}

/// The bytes as the server sent them.
struct Sent {
    reader: ureq::BodyReader<'static>,
    host: String,
    stall: Duration,
    expected: Option<u64>,
    received: u64,
    /// How many were unpacked from them, where they are packed.
    unpacked: Option<u64>,
}

impl Response {
    pub(super) fn new(
        head: &ureq::http::response::Parts,
        body: ureq::Body,
        host: String,
        stall: Duration,
    ) -> Self {
        let packed = head
            .headers
            .get("content-encoding")
            .is_some_and(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"gzip"));
        let sent = Sent {
            host,
            stall,
            expected: body.content_length(),
            received: 0,
            unpacked: packed.then_some(0),
            reader: body.into_with_config().limit(u64::MAX).reader(),
        };
        Self {
            status: head.status.as_u16(),
            headers: head.headers.clone(),
            body: Body(if packed {
                Content::Gzip(Box::new(MultiGzDecoder::new(sent)))
            } else {
                Content::Plain(sent)
            }),
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
        let decoder = match &mut self.0 {
            Content::Plain(sent) => return sent.read(buffer),
            Content::Gzip(decoder) => decoder,
        };
        match decoder.read(buffer) {
            Ok(count) => {
                if let Some(unpacked) = &mut decoder.get_mut().unpacked {
                    *unpacked += count as u64;
                }
                Ok(count)
            }
            Err(error) => Err(match Failure::from(error) {
                Failure::Damaged { why } => Failure::Broken {
                    host: decoder.get_ref().host.clone(),
                    why: format!("it cannot be unpacked: {}", quoted_line(&why)),
                },
                reported => reported,
            }
            .into_io()),
        }
    }
}

impl Read for Sent {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        // Checked here because the decoder asks for more for as long as nothing comes out of it.
        if self
            .unpacked
            .is_some_and(|unpacked| self.received > unpacked + PACKED_FOR_NOTHING)
        {
            return Err(Failure::TooLarge {
                what: "the answer as it was packed",
                limit: format!("{} MB beyond what it holds", PACKED_FOR_NOTHING >> 20),
            }
            .into_io());
        }
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

impl Sent {
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
