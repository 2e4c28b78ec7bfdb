//! A MariaDB of the tests' own: on loopback, on a port that was free, as a user of its own, gone when the tests are.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use ghostfix::connection::driver::{Address, Target};
use ghostfix::mysql::session::{Answer, Protection, Row, Session};

use crate::process;

/// The password of `ghost`, who may do everything in the database `ghost`.
pub(crate) const PASSWORD: &str = "canary-of-the-account";

/// The key of a client. It stands here, since the tests have it encrypted as well.
const CLIENT_KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgvBD4Ds5T9Yaqs3SO
dOx5YUXA4mAaqeUEWEy+BhKnzW+hRANCAAS6ZnJKWqhqRSNg624/5bhAiI60qNyP
nrkhtoQTFm33ffrp+Vl8uuL7zUMqdhWY3TB3GjXzw2ObbrEv2YoCA7tZ
-----END PRIVATE KEY-----
";

pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) socket: PathBuf,
    /// Every statement that any client sent.
    pub(crate) log: PathBuf,
    /// The authority of its certificate, which is for `localhost` alone.
    pub(crate) authority: String,
    pub(crate) authority_file: PathBuf,
    /// A certificate for [`CLIENT_KEY`] that the server trusts.
    pub(crate) client: String,
    #[expect(dead_code, reason = "the directory goes with it")]
    directory: tempfile::TempDir,
}

/// One for all tests: it takes seconds to make.
pub(crate) static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

/// The user that the server runs as where the tests run as root.
const NOBODY: &str = "65534";

impl Server {
    pub(crate) fn start() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("ghostfix-mariadb-")
            .tempdir()
            .unwrap();
        let home = directory.path().to_owned();
        process::open_to_all(&home);
        let Certificates {
            authority,
            own: (certificate, key),
            client,
        } = certificates();
        for (name, text) in [
            ("ca.pem", &authority),
            ("server.pem", &certificate),
            ("server.key", &key),
        ] {
            fs::write(home.join(name), text).unwrap();
        }
        if rustix::process::getuid().is_root() {
            run(Command::new("chown").args(["-R", NOBODY]).arg(&home));
        }
        let data = home.join("data");
        run(as_nobody("mariadb-install-db")
            .arg("--no-defaults")
            .arg(format!("--datadir={}", data.display()))
            .args(["--auth-root-authentication-method=normal", "--skip-test-db"]));
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let (socket, log) = (home.join("s.sock"), home.join("statements.log"));
        let mut command = as_nobody("mariadbd");
        command
            .arg("--no-defaults")
            .args(["--bind-address=127.0.0.1", "--general-log=1"])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", socket.display()))
            .arg(format!("--port={port}"))
            .arg(format!("--general-log-file={}", log.display()))
            .arg(format!("--ssl-ca={}", home.join("ca.pem").display()))
            .arg(format!("--ssl-cert={}", home.join("server.pem").display()))
            .arg(format!("--ssl-key={}", home.join("server.key").display()))
            .arg("--innodb-flush-log-at-trx-commit=0")
            .stdin(Stdio::null())
            .stdout(fs::File::create(home.join("out.log")).unwrap())
            .stderr(fs::File::create(home.join("error.log")).unwrap());
        keep_running(command);
        let server = Self {
            port,
            socket,
            log,
            authority,
            authority_file: home.join("ca.pem"),
            client,
            directory,
        };
        server.wait(&home);
        server.set_up();
        server
    }

    fn wait(&self, home: &Path) {
        let end = Instant::now() + Duration::from_secs(60);
        while std::os::unix::net::UnixStream::connect(&self.socket).is_err() {
            assert!(
                Instant::now() < end,
                "MariaDB does not start: {}",
                fs::read_to_string(home.join("error.log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn set_up(&self) {
        // Accounts without a name shadow those that have one.
        let nameless = self.sql("SELECT host FROM mysql.global_priv WHERE user = ''");
        for row in nameless {
            let host = row[0].1.clone().unwrap();
            self.sql(&format!("DROP USER ''@'{host}'"));
        }
        for statement in [
            "CREATE DATABASE ghost CHARACTER SET utf8mb4",
            &format!("CREATE USER 'ghost'@'%' IDENTIFIED BY '{PASSWORD}'"),
            "GRANT ALL ON ghost.* TO 'ghost'@'%'",
            &format!("CREATE USER 'writer'@'%' IDENTIFIED BY '{PASSWORD}'"),
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ghost.* TO 'writer'@'%'",
        ] {
            self.sql(statement);
        }
    }

    /// A statement of the administrator's.
    pub(crate) fn sql(&self, statement: &str) -> Vec<Row> {
        let target = Target {
            address: Address::Socket(self.socket.clone()),
            user: Some("root".to_owned()),
            password: None,
            database: None,
            tls: None,
            connect_timeout: Duration::from_secs(10),
            pool: 1,
            pool_min: 1,
            collation: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let limit = Duration::from_secs(20);
            let mut session = Session::open(&target, &Protection::Plain, false, limit)
                .await
                .unwrap();
            let answer = session.ask(statement, limit).await;
            session.close().await;
            match answer {
                Answer::Rows(rows) => rows,
                other => panic!("{statement}: {other:?}"),
            }
        })
    }

    /// What clients have sent so far.
    pub(crate) fn statements(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

fn as_nobody(program: &str) -> Command {
    if !rustix::process::getuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid",
        NOBODY,
        "--regid",
        NOBODY,
        "--clear-groups",
        "--pdeathsig",
        "TERM",
        "--",
        program,
    ]);
    command
}

/// The kernel ends the server with the thread that started it, so that thread lasts as long as the tests.
fn keep_running(mut command: Command) {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let started = command.spawn().map_err(|problem| problem.to_string());
        let child = match started {
            Ok(child) => {
                sender.send(Ok(())).unwrap();
                child
            }
            Err(problem) => return sender.send(Err(problem)).unwrap(),
        };
        let _child = child;
        loop {
            std::thread::park();
        }
    });
    receiver.recv().unwrap().unwrap_or_else(|problem| {
        panic!("MariaDB cannot be started ({problem}): run `make test-tools`")
    });
}

fn run(command: &mut Command) {
    let answer = process::bounded(
        std::mem::replace(command, Command::new("true")),
        Duration::from_secs(120),
    );
    assert!(
        answer.success(),
        "{answer}; is mariadb-server-core there? `make test-tools` installs it"
    );
}

struct Certificates {
    authority: String,
    own: (String, String),
    client: String,
}

fn certificates() -> Certificates {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    parameters
        .distinguished_name
        .push(rcgen::DnType::CommonName, "The authority of the tests");
    let authority = parameters.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(parameters, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let mut own = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    own.distinguished_name
        .push(rcgen::DnType::CommonName, "localhost");
    let own = own.signed_by(&key, &issuer).unwrap();
    let client_key = rcgen::KeyPair::from_pem(CLIENT_KEY).unwrap();
    let client = rcgen::CertificateParams::new(Vec::new()).unwrap();
    let client = client.signed_by(&client_key, &issuer).unwrap();
    Certificates {
        authority: authority.pem(),
        own: (own.pem(), key.serialize_pem()),
        client: client.pem(),
    }
}
