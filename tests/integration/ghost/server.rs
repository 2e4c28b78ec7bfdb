//! An HTTP server for tests: answers by a function, remembers what it was asked, and can misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// How a request is answered.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// As HTTP wants it.
    Send {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// With a Content-Length of its own invention.
    Claim { length: usize, body: Vec<u8> },
    /// The beginning of an answer, then nothing more on an open connection.
    Stall { length: usize, body: Vec<u8> },
    /// The whole answer in pieces, with a pause before each.
    Trickle {
        body: Vec<u8>,
        piece: usize,
        pause: Duration,
    },
    /// Not a byte, on an open connection.
    Silence,
    /// The connection is closed at once.
    HangUp,
}

impl Reply {
    pub(crate) fn json(text: impl Into<String>) -> Self {
        Self::bytes("application/json", text.into().into_bytes())
    }

    pub(crate) fn bytes(kind: &str, body: Vec<u8>) -> Self {
        Self::Send {
            status: 200,
            headers: vec![("Content-Type", kind.to_owned())],
            body,
        }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Send {
            status,
            headers: vec![],
            body: Vec::new(),
        }
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self::Send {
            status: 302,
            headers: vec![("Location", to.to_owned())],
            body: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Send { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

type Handler = dyn Fn(&Seen) -> Reply + Send + Sync;

/// A server on a port of its own; it ends with the value.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    scheme: &'static str,
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(handler, None)
    }

    /// The same over TLS.
    pub(crate) fn start_tls(
        tls: Arc<rustls::ServerConfig>,
        handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::listen(handler, Some(tls))
    }

    fn listen(
        handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
        tls: Option<Arc<rustls::ServerConfig>>,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let handler: Arc<Handler> = Arc::new(handler);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let thread = std::thread::spawn({
            let (seen, stop) = (Arc::clone(&seen), Arc::clone(&stop));
            move || {
                for connection in listener.incoming() {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let Ok(connection) = connection else { continue };
                    let (seen, stop) = (Arc::clone(&seen), Arc::clone(&stop));
                    let (handler, tls) = (Arc::clone(&handler), tls.clone());
                    std::thread::spawn(move || {
                        // A client that hangs up early is part of the tests.
                        let _ = match tls {
                            None => answer(connection, &handler, &seen, &stop),
                            Some(tls) => {
                                let session = rustls::ServerConnection::new(tls).unwrap();
                                answer(
                                    rustls::StreamOwned::new(session, connection),
                                    &handler,
                                    &seen,
                                    &stop,
                                )
                            }
                        };
                    });
                }
            }
        });
        Self {
            address,
            scheme,
            seen,
            stop,
            thread: Some(thread),
        }
    }

    /// `http://127.0.0.1:PORT/`
    pub(crate) fn url(&self) -> String {
        format!("{}://{}/", self.scheme, self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener up; if that fails, it is gone already.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(
    connection: impl Read + Write,
    handler: &Arc<Handler>,
    seen: &Mutex<Vec<Seen>>,
    stop: &AtomicBool,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((key, value)) = line.split_once(':') {
            headers.push((key.trim().to_owned(), value.trim().to_owned()));
        }
    }
    let request = Seen { target, headers };
    seen.lock().unwrap().push(request.clone());
    let reply = handler(&request);
    let connection = reader.get_mut();
    let hold = || {
        while !stop.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    let head = |length: usize| {
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n")
    };
    match reply {
        Reply::Send {
            status,
            headers,
            body,
        } => {
            write!(
                connection,
                "HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Length: {}\r\n",
                body.len()
            )?;
            for (name, value) in headers {
                write!(connection, "{name}: {value}\r\n")?;
            }
            connection.write_all(b"\r\n")?;
            connection.write_all(&body)?;
        }
        Reply::Claim { length, body } => {
            connection.write_all(head(length).as_bytes())?;
            connection.write_all(&body)?;
        }
        Reply::Stall { length, body } => {
            connection.write_all(head(length).as_bytes())?;
            connection.write_all(&body)?;
            connection.flush()?;
            hold();
        }
        Reply::Trickle { body, piece, pause } => {
            connection.write_all(head(body.len()).as_bytes())?;
            for piece in body.chunks(piece) {
                connection.flush()?;
                std::thread::sleep(pause);
                connection.write_all(piece)?;
            }
        }
        Reply::Silence => hold(),
        Reply::HangUp => {}
    }
    connection.flush()
}
