//! The first packet of a server, before anybody has said who they are: version, capabilities, the plugin for passwords.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::errno::ServerError;
use super::stream::{Duplex, Failure};

const CLIENT_SSL: u32 = 0x0800;
/// Protocol 4.1, secure connection, plugin authentication, long password.
const CLIENT_BASE: u32 = 0x0001 | 0x0200 | 0x8000 | 0x0008_0000;
/// No greeting is longer.
const LONGEST: usize = 4096;

/// What a server says first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "said")]
pub enum Greeting {
    /// It is a MySQL server, and ready.
    Ready {
        /// Its version, as it says it.
        version: String,
        /// What it can do: the protocol's flags.
        capabilities: u32,
        /// How it would like to see the password.
        plugin: Option<String>,
    },
    /// It is a MySQL server, and refuses.
    Refused(ServerError),
    /// It speaks something else.
    Foreign {
        /// Its first bytes, as far as they are text.
        words: String,
    },
    /// It closed the connection, or broke it.
    Closed {
        /// In which words the operating system says so.
        words: String,
    },
    /// It says nothing.
    Silent {
        /// After how many seconds nobody waited any longer.
        seconds: u64,
    },
}

impl Greeting {
    /// Whether the server can encrypt.
    #[must_use]
    pub fn offers_tls(&self) -> bool {
        matches!(self, Self::Ready { capabilities, .. } if capabilities & CLIENT_SSL != 0)
    }

    /// Its version, where it says one.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Ready { version, .. } => Some(version),
            _ => None,
        }
    }
}

/// Reads what the server says first.
pub async fn read(stream: &mut dyn Duplex, limit: Duration) -> Greeting {
    match timeout(limit, packet(stream)).await {
        Err(_) => Greeting::Silent {
            seconds: limit.as_secs(),
        },
        Ok(Err(Broken::Io(error))) => Greeting::Closed {
            words: error.to_string(),
        },
        Ok(Err(Broken::Foreign(bytes))) => Greeting::Foreign {
            words: printable(&bytes),
        },
        Ok(Ok(payload)) => parse(&payload).unwrap_or_else(|| Greeting::Foreign {
            words: printable(&payload),
        }),
    }
}

/// Asks the server to go on encrypted.
///
/// # Errors
///
/// Where the connection breaks.
pub async fn request_tls(stream: &mut dyn Duplex, limit: Duration) -> Result<(), Failure> {
    let mut packet = vec![32, 0, 0, 1];
    packet.extend((CLIENT_BASE | CLIENT_SSL).to_le_bytes());
    packet.extend(0x0100_0000_u32.to_le_bytes());
    packet.push(45);
    packet.extend([0; 23]);
    timeout(limit, async {
        stream.write_all(&packet).await?;
        stream.flush().await
    })
    .await
    .map_err(|_| Failure::TimedOut(limit))??;
    Ok(())
}

enum Broken {
    Io(std::io::Error),
    Foreign(Vec<u8>),
}

async fn packet(stream: &mut dyn Duplex) -> Result<Vec<u8>, Broken> {
    let mut header = [0; 4];
    let mut filled = 0;
    while filled < header.len() {
        match stream
            .read(&mut header[filled..])
            .await
            .map_err(Broken::Io)?
        {
            0 if filled == 0 => {
                return Err(Broken::Io(std::io::ErrorKind::UnexpectedEof.into()));
            }
            0 => return Err(Broken::Foreign(header[..filled].to_vec())),
            more => filled += more,
        }
    }
    let length =
        usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16;
    if length == 0 || length > LONGEST || header[3] > 1 {
        let mut bytes = header.to_vec();
        let mut more = [0; 60];
        let soon = timeout(Duration::from_millis(200), stream.read(&mut more)).await;
        if let Ok(Ok(read)) = soon {
            bytes.extend(&more[..read]);
        }
        return Err(Broken::Foreign(bytes));
    }
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await.map_err(Broken::Io)?;
    Ok(payload)
}

fn parse(payload: &[u8]) -> Option<Greeting> {
    match payload.first()? {
        0xff => {
            let number = u16::from_le_bytes([*payload.get(1)?, *payload.get(2)?]);
            let words = payload.get(3..)?;
            let words = match words.first() {
                Some(b'#') => words.get(6..)?,
                _ => words,
            };
            Some(Greeting::Refused(ServerError {
                number,
                message: String::from_utf8_lossy(words).into_owned(),
            }))
        }
        10 => {
            let end = payload.iter().position(|byte| *byte == 0)?;
            let version = String::from_utf8_lossy(payload.get(1..end)?).into_owned();
            let rest = payload.get(end + 1 + 4 + 8 + 1..)?;
            let low = u32::from(u16::from_le_bytes([*rest.first()?, *rest.get(1)?]));
            let high = match rest.get(5..7) {
                Some(high) => u32::from(u16::from_le_bytes([high[0], high[1]])),
                None => 0,
            };
            let second = rest
                .get(7)
                .map_or(0, |length| usize::from(length.saturating_sub(8)).max(13));
            let plugin = rest.get(18 + second..).map(|name| {
                let end = name
                    .iter()
                    .position(|byte| *byte == 0)
                    .unwrap_or(name.len());
                String::from_utf8_lossy(&name[..end]).into_owned()
            });
            Some(Greeting::Ready {
                version,
                capabilities: high << 16 | low,
                plugin: plugin.filter(|name| !name.is_empty()),
            })
        }
        _ => None,
    }
}

/// The text in some bytes, as far as it shows itself.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .take(60)
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MySQL 8.0.36's own, its salt changed.
    fn mysql() -> Vec<u8> {
        let mut payload = vec![10];
        payload.extend(b"8.0.36\0");
        payload.extend([9, 0, 0, 0]);
        payload.extend([1; 8]);
        payload.push(0);
        payload.extend([0xff, 0xff, 0xff, 2, 0, 0xff, 0xdf, 21]);
        payload.extend([0; 10]);
        payload.extend([1; 12]);
        payload.push(0);
        payload.extend(b"caching_sha2_password\0");
        payload
    }

    #[test]
    fn a_greeting_is_taken_apart() {
        let greeting = parse(&mysql()).unwrap();
        assert_eq!(
            greeting,
            Greeting::Ready {
                version: "8.0.36".to_owned(),
                capabilities: 0xdfff_ffff,
                plugin: Some("caching_sha2_password".to_owned()),
            }
        );
        assert!(greeting.offers_tls());
    }

    #[test]
    fn a_greeting_cut_anywhere_is_none_and_no_panic() {
        let whole = mysql();
        for end in 0..whole.len() {
            let _ = parse(&whole[..end]);
        }
        assert_eq!(parse(&whole[..9]), None);
    }

    #[test]
    fn a_server_may_refuse_at_once() {
        let mut payload = vec![0xff];
        payload.extend(1040_u16.to_le_bytes());
        payload.extend(b"#08004Too many connections");
        assert_eq!(
            parse(&payload),
            Some(Greeting::Refused(ServerError {
                number: 1040,
                message: "Too many connections".to_owned()
            }))
        );
    }

    #[tokio::test(flavor = "current_thread")]
    async fn another_protocol_is_told_by_its_words() {
        let (mut server, mut client) = tokio::io::duplex(1000);
        tokio::io::AsyncWriteExt::write_all(&mut server, b"HTTP/1.1 400 Bad Request\r\n")
            .await
            .unwrap();
        let greeting = read(&mut client, Duration::from_secs(2)).await;
        assert_eq!(
            greeting,
            Greeting::Foreign {
                words: "HTTP/1.1 400 Bad Request".to_owned()
            }
        );
    }

    #[tokio::test(flavor = "current_thread")]
    async fn silence_has_an_end() {
        let (_server, mut client) = tokio::io::duplex(1000);
        let greeting = read(&mut client, Duration::from_millis(20)).await;
        assert_eq!(greeting, Greeting::Silent { seconds: 0 });
    }
}
