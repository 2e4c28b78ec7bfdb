//! A server that always has one byte more, and a reader that takes its time.

use std::io::{BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use ghostfix::ghost::Failure;
use ghostfix::ghost::http::{Body, Client, Patience, Request, Route};
use ghostfix::ghost::npm_config::Trust;
use url::Url;

use crate::ghost::registry::certificate;
use crate::ghost::server::{Reply, Server};

const STALL: Duration = Duration::from_millis(400);
/// Between two bytes.
const DRIP: Duration = Duration::from_millis(20);
/// For anything here, on a busy machine.
const LONGEST: Duration = Duration::from_secs(10);

/// Answers once: with `head`, and then with the bytes of `drip` over and over, one at a time.
struct Dripping {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Dripping {
    fn start(head: Vec<u8>, drip: &'static [u8]) -> Self {
        Self::answer(move |mut client, stop| {
            let _ = client.read(&mut [0; 4096]);
            if client.write_all(&head).is_ok() {
                drip_into(&mut client, drip.iter().copied().cycle(), &stop);
            }
        })
    }

    /// Between a client and `server`: what the server sends is handed on byte by byte, but for its first `whole`.
    fn before(server: SocketAddr, whole: usize) -> Self {
        Self::answer(move |mut client, stop| {
            let server = TcpStream::connect(server).unwrap();
            let (mut up, mut from) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let asking = std::thread::spawn(move || std::io::copy(&mut from, &mut up));
            let mut down = (&server).take(whole as u64);
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = down.read(&mut buffer) {
                if client.write_all(&buffer[..count]).is_err() {
                    break;
                }
            }
            let rest = BufReader::new(&server).bytes();
            drip_into(&mut client, rest.map_while(Result::ok), &stop);
            let _ = server.shutdown(std::net::Shutdown::Both);
            let _ = client.shutdown(std::net::Shutdown::Both);
            let _ = asking.join();
        })
    }

    fn answer(conversation: impl FnOnce(TcpStream, Arc<AtomicBool>) + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                let (client, _) = listener.accept().unwrap();
                conversation(client, stop);
            }
        });
        Self {
            address,
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Dripping {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Where nobody ever came, it still waits.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Until nobody takes it any more, or somebody has taken it for far too long.
fn drip_into(client: &mut TcpStream, bytes: impl Iterator<Item = u8>, stop: &AtomicBool) {
    client.set_nodelay(true).unwrap();
    let end = Instant::now() + 2 * LONGEST;
    for byte in bytes {
        std::thread::sleep(DRIP);
        let over = stop.load(Ordering::SeqCst) || Instant::now() > end;
        if over || client.write_all(&[byte]).is_err() {
            return;
        }
    }
}

fn client() -> Client {
    let trust = Trust {
        exclusive: None,
        extra: None,
        verify: false,
    };
    let patience = Patience {
        connect: Duration::from_secs(5),
        stall: STALL,
        retries: 0,
        pause: Duration::from_millis(1),
    };
    Client::new(trust, |_| Route::default(), patience)
}

fn get(address: &str, compressed: bool) -> Result<Body, Failure> {
    let request = Request {
        address: Url::parse(address).unwrap(),
        accept: "*/*",
        authorize: &|_| None,
        etag: None,
        compressed,
        form: None,
    };
    client()
        .get(&request)
        .unwrap()
        .map(|response| response.into_body())
}

/// The whole of it, and why there is no more.
fn read(body: Result<Body, Failure>) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    body?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[test]
fn a_drip_is_given_up_on_wherever_it_disappears() {
    const OK: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
    let (tls, _) = certificate();
    let encrypted = Server::start_tls(tls, |_| Reply::bytes("text/plain", vec![b'x'; 100_000]));
    // The name of the file that was packed, which has no end.
    let gzip = [
        format!("{OK}Content-Encoding: gzip\r\n\r\n").as_bytes(),
        b"\x1f\x8b\x08\x08\0\0\0\0\0\x03name",
    ]
    .concat();
    for (name, scheme, server) in [
        (
            "a body",
            "http",
            Dripping::start(
                format!("{OK}Content-Length: 100000\r\n\r\n").into_bytes(),
                b"x",
            ),
        ),
        (
            "a body of chunks",
            "http",
            Dripping::start(
                format!("{OK}Transfer-Encoding: chunked\r\n\r\n").into_bytes(),
                b"1\r\nx\r\n",
            ),
        ),
        ("a compressed body", "http", Dripping::start(gzip, b"a")),
        // The handshake takes some 1,500 bytes, and a record up to 16,384, of which nothing is seen before its end.
        (
            "a record of TLS",
            "https",
            Dripping::before(encrypted.address, 10_000),
        ),
    ] {
        let begun = Instant::now();
        let body = get(&format!("{scheme}://{}/", server.address), true);
        let failure = read(body).expect_err(name);
        let took = begun.elapsed();
        let Failure::TooSlow {
            host,
            received,
            within,
            floor,
        } = &failure
        else {
            panic!("{name}: {failure}");
        };
        assert_eq!((host, *floor), (&server.address.to_string(), 1024));
        // What came with the head, or whole, is the exception.
        assert!((1..400).contains(received), "{name}: {failure}");
        assert!((STALL..3 * STALL).contains(within), "{name}: {failure}");
        assert!(took < LONGEST, "{name}: {took:?}");
    }
}

#[test]
fn a_head_has_one_time_limit_for_all_of_it() {
    let server = Dripping::start(b"HTTP/1.1 200 OK\r\nX-Long: ".to_vec(), b"x");
    let begun = Instant::now();
    let failure = read(get(&format!("http://{}/", server.address), false))
        .expect_err("a head without an end");
    assert_eq!(
        failure,
        Failure::Slow {
            host: server.address.to_string(),
            after: STALL
        }
    );
    assert!(begun.elapsed() < LONGEST);
}

#[test]
fn a_reader_may_take_its_time() {
    let server = Server::start(|_| Reply::Trickle {
        body: vec![b'x'; 200],
        piece: 50,
        pause: DRIP,
    });
    let mut body = get(&server.url(), false).unwrap();
    body.read_exact(&mut [0; 50]).unwrap();
    // The rest is there long before it is read: too little for the time that went by, but whose fault is that?
    std::thread::sleep(2 * STALL);
    assert_eq!(read(Ok(body)).map(|bytes| bytes.len()), Ok(150));
}

#[test]
fn a_line_that_is_slow_and_a_body_that_is_small_are_waited_for() {
    for (length, piece) in [(20_000, 500), (5, 1)] {
        let server = Server::start(move |_| Reply::Trickle {
            body: vec![b'x'; length],
            piece,
            pause: DRIP,
        });
        let body = get(&server.url(), false);
        assert_eq!(read(body).map(|bytes| bytes.len()), Ok(length));
    }
}

/// The smallest that gzip has: a member with nothing in it.
const NOTHING: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0";

#[test]
fn an_answer_that_is_packed_for_nothing_is_not_unpacked_for_ever() {
    let one = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"x").unwrap();
        encoder.finish().unwrap()
    };
    for (name, members, compressed) in [
        ("empty members", NOTHING.repeat(1000), true),
        ("although it was not asked for", NOTHING.repeat(1000), false),
        // Of these each read gives something, and a limit on that would be reached after hours.
        (
            "empty members but for one byte",
            [NOTHING.repeat(1000), one].concat(),
            true,
        ),
    ] {
        let server = Dripping::answer(move |mut client, stop| {
            let _ = client.read(&mut [0; 4096]);
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n");
            let end = Instant::now() + 2 * LONGEST;
            while !stop.load(Ordering::SeqCst)
                && Instant::now() < end
                && client.write_all(&members).is_ok()
            {}
        });
        let begun = Instant::now();
        let body = get(&format!("http://{}/", server.address), compressed);
        let failure = read(body).expect_err(name);
        assert_eq!(
            failure.to_string(),
            "the answer as it was packed is larger than the limit of 1 MB beyond what it holds",
            "{name}"
        );
        assert!(!failure.is_passing());
        assert!(begun.elapsed() < LONGEST, "{name}: {:?}", begun.elapsed());
    }
}

#[test]
fn packed_answers_come_whole_or_are_told_to_be_broken() {
    let packed = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    // What gzip can do nothing about, and what it makes next to nothing of.
    let mut state = 1u64;
    let noise: Vec<u8> = (0..3_000_000)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    for bytes in [noise.clone(), vec![b'x'; 3_000_000], Vec::new()] {
        let body = packed(&bytes);
        let server = Server::start(move |seen| {
            assert_eq!(seen.header("accept-encoding"), Some("gzip"));
            Reply::bytes("text/plain", body.clone()).with("Content-Encoding", "gzip")
        });
        assert_eq!(read(get(&server.url(), true)), Ok(bytes));
    }
    let half = packed(&noise)[..1_500_000].to_vec();
    let server = Server::start(move |_| {
        Reply::bytes("text/plain", half.clone()).with("Content-Encoding", "gzip")
    });
    let failure = read(get(&server.url(), true)).expect_err("a half");
    assert!(matches!(failure, Failure::Broken { .. }), "{failure}");
}
