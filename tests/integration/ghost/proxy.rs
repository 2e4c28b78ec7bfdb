//! What a proxy is asked, beside what npm asks it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::thread::JoinHandle;

use ghostfix::error::Error;
use ghostfix::ghost::npm_config::{NpmConfig, Surroundings};
use ghostfix::ghost::registry::Registry;

use crate::ghost::registry::{certificate, quick};
use crate::ghost::server::{Reply, Seen, Server};

const GHOST: &str = r#"{"name":"ghost","version":"6.65.0","dist":{"tarball":"t"}}"#;
/// `me:p@ss`, as it stands in an address and in a header.
const USER: (&str, &str) = ("me:p%40ss@", "Basic bWU6cEBzcw==");

/// Knows registries that nobody else does.
fn proxy() -> Server {
    Server::start(|seen| match seen.target.as_str() {
        "registry.test:443" => Reply::status(403),
        "unknown.test:443" | "http://unknown.test/ghost/6.65.0" => Reply::status(407),
        target if target.ends_with("/ghost/6.65.0") => Reply::json(GHOST),
        target if target.ends_with("/ghost") => Reply::json(
            r#"{"name":"ghost","dist-tags":{"latest":"6.65.0"},"versions":{"6.65.0":{"name":"ghost","version":"6.65.0"}}}"#,
        ),
        _ => Reply::status(502),
    })
}

fn ask(registry: &str, npmrc: &str) -> Result<bool, Error> {
    registry_at(registry, npmrc)
        .manifest("ghost", "6.65.0")
        .map(|found| found.is_some())
}

fn registry_at(registry: &str, npmrc: &str) -> Registry {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".npmrc"), npmrc).unwrap();
    let variables = [("HOME".to_owned(), home.path().to_str().unwrap().to_owned())];
    let surroundings = Surroundings::new(variables, home.path());
    let config = NpmConfig::read(&surroundings, Some(registry)).unwrap();
    Registry::new(config, quick())
}

/// What a proxy goes by: the target, whose host, and who asks.
fn essence(seen: &Seen) -> (String, Option<String>, Option<String>, Option<String>) {
    let header = |name| seen.header(name).map(str::to_owned);
    (
        seen.target.clone(),
        header("host"),
        header("proxy-authorization"),
        header("authorization"),
    )
}

#[test]
fn a_plain_registry_is_fetched_by_the_proxy_as_for_npm() {
    let proxy = proxy();
    let npmrc = format!(
        "proxy=http://{}{}\n//registry.test:99/x/:_authToken=token",
        USER.0, proxy.address
    );
    assert!(ask("http://registry.test:99/x/", &npmrc).unwrap());
    let ours = essence(&proxy.seen()[0]);
    assert_eq!(
        ours,
        (
            "http://registry.test:99/x/ghost/6.65.0".to_owned(),
            Some("registry.test:99".to_owned()),
            Some(USER.1.to_owned()),
            Some("Bearer token".to_owned()),
        )
    );

    let home = tempfile::tempdir().unwrap();
    std::fs::write(
        home.path().join(".npmrc"),
        format!("{npmrc}\nregistry=http://registry.test:99/x/"),
    )
    .unwrap();
    let output = Command::new("npm")
        .args(["view", "ghost", "version"])
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", home.path())
        .env("PREFIX", home.path())
        .env("npm_config_update_notifier", "false")
        .current_dir(home.path())
        .output()
        .expect("these tests need npm on PATH");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let npms = essence(&proxy.seen()[1]);
    assert_eq!(npms.0, "http://registry.test:99/x/ghost");
    assert_eq!((npms.1, npms.2, npms.3), (ours.1, ours.2, ours.3));
}

#[test]
fn each_request_on_a_connection_that_is_kept_has_the_whole_address() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let proxy = listener.local_addr().unwrap();
    // All on the first connection: who opens another is never answered.
    let asked = std::thread::spawn(move || {
        let mut client = BufReader::new(listener.accept().unwrap().0);
        let mut asked = Vec::new();
        let mut line = String::new();
        while client.read_line(&mut line).unwrap_or(0) > 0 {
            let end_of_head = line == "\r\n";
            if line.starts_with("GET") {
                asked.push(line.trim().to_owned());
            }
            line.clear();
            if end_of_head {
                let length = GHOST.len();
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{GHOST}");
                client.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        }
        asked
    });
    let registry = registry_at("http://registry.test/", &format!("proxy=http://{proxy}"));
    for _ in 0..2 {
        assert!(registry.manifest("ghost", "6.65.0").unwrap().is_some());
    }
    drop(registry);
    let line = "GET http://registry.test/ghost/6.65.0 HTTP/1.1";
    assert_eq!(asked.join().unwrap(), [line, line]);
}

#[test]
fn a_proxy_that_speaks_tls_fetches_as_well() {
    let (tls, authority) = certificate();
    let proxy = Server::start_tls(tls, |seen| match seen.target.as_str() {
        "http://registry.test/ghost/6.65.0" => Reply::json(GHOST),
        _ => Reply::status(502),
    });
    let ca = format!("ca={}", serde_json::to_string(&authority).unwrap());
    let npmrc = format!("{ca}\nproxy={}", proxy.url());
    assert!(ask("http://registry.test/", &npmrc).unwrap());

    let untrusted = ask("http://registry.test/", &format!("proxy={}", proxy.url())).unwrap_err();
    let begin = format!("ghost@6.65.0: the certificate of {} is ", proxy.address);
    assert!(untrusted.to_string().starts_with(&begin), "{untrusted}");
}

#[test]
fn exceptions_are_asked_directly() {
    let (server, proxy) = (Server::start(|_| Reply::json(GHOST)), proxy());
    let npmrc = format!("proxy={}\nnoproxy=127.0.0.1", proxy.url());
    assert!(ask(&server.url(), &npmrc).unwrap());
    assert_eq!(proxy.seen().len(), 0);
    assert_eq!(server.seen()[0].target, "/ghost/6.65.0");
}

#[test]
fn a_proxy_that_refuses_or_is_not_there_is_named_without_its_credentials() {
    let proxy = proxy();
    let dead = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.local_addr().unwrap()
    };
    let check_it = "check the proxy: it is that of `https-proxy` or `proxy` in an .npmrc, or of HTTPS_PROXY; `noproxy` and NO_PROXY name hosts to be reached without it";
    let credentials = "the proxy wants credentials, or others: give them in its address, http://USER:PASSWORD@HOST:PORT, as `https-proxy` in an .npmrc or in HTTPS_PROXY";
    for (registry, address, problem, next_step) in [
        (
            "http://registry.test/",
            dead,
            format!(
                "registry.test could not be reached through the proxy {dead}: Connection refused (os error 111)"
            ),
            check_it,
        ),
        (
            "https://registry.test/",
            dead,
            format!(
                "registry.test could not be reached through the proxy {dead}: Connection refused (os error 111)"
            ),
            check_it,
        ),
        (
            "https://registry.test/",
            proxy.address,
            format!(
                "registry.test could not be reached through the proxy {}: the proxy answered 403",
                proxy.address
            ),
            check_it,
        ),
        (
            "https://unknown.test/",
            proxy.address,
            format!("the proxy {} answered 407", proxy.address),
            credentials,
        ),
        (
            "http://unknown.test/",
            proxy.address,
            format!("the proxy {} answered 407", proxy.address),
            credentials,
        ),
    ] {
        let error = ask(registry, &format!("https-proxy=http://{}{address}", USER.0)).unwrap_err();
        assert_eq!(error.to_string(), format!("ghost@6.65.0: {problem}"));
        assert_eq!(error.next_step(), next_step, "{problem}");
        assert_eq!(error.exit_code(), 6);
    }
}

/// Opens one tunnel, to `server` whatever it is asked for; gives back how it was asked.
fn tunnel_to(server: SocketAddr) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        client.write_all(b"HTTP/1.1 200 Go\r\n\r\n").unwrap();
        let server = TcpStream::connect(server).unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let up = std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let _ = std::io::copy(&mut &server, &mut client);
        let _ = client.shutdown(Shutdown::Both);
        let _ = up.join();
        String::from_utf8(head).unwrap()
    });
    (address, thread)
}

#[test]
fn an_encrypted_registry_is_reached_through_a_tunnel() {
    let (tls, authority) = certificate();
    let server = Server::start_tls(tls, |_| Reply::json(GHOST));
    let (proxy, asked) = tunnel_to(server.address);
    let npmrc = format!(
        "ca={}\nproxy=http://{}{proxy}\n//{}/:_authToken=token",
        serde_json::to_string(&authority).unwrap(),
        USER.0,
        server.address
    );
    assert!(ask(&server.url(), &npmrc).unwrap());
    let (target, _, user, token) = essence(&server.seen()[0]);
    assert_eq!(target, "/ghost/6.65.0");
    assert_eq!((user, token.as_deref()), (None, Some("Bearer token")));
    let asked = asked.join().unwrap();
    let connect = format!("CONNECT {} HTTP/1.1\r\n", server.address);
    assert!(asked.starts_with(&connect), "{asked}");
    assert!(
        asked.contains(&format!("Proxy-Authorization: {}\r\n", USER.1)),
        "{asked}"
    );
    assert!(!asked.contains("token"), "{asked}");
}
