//! Facts to judge in tests, and what holds of all checks.

use std::collections::BTreeMap;

use super::*;
use crate::connection::Told;
use crate::mysql::certificate::Certificate;
use crate::mysql::errno::ServerError;
use crate::mysql::greeting::Greeting;
use crate::mysql::tls::{Handshake, Trust};
use crate::preflight::facts::{
    Configuration, Fact, Installation, Keyspace, Lock, Login, Migration, Patch, Reached, Reply,
    Server, Table, Target, TargetTls,
};
use crate::preflight::finding::Level;
use crate::preflight::provider::Provider;
use crate::report::State;

pub(super) fn error(number: u16, message: &str) -> ServerError {
    ServerError {
        number,
        message: message.to_owned(),
    }
}

pub(super) fn reply(number: u16, message: &str) -> Fact<Reply> {
    Fact::Known(Reply {
        asked: "the statement".to_owned(),
        error: Some(error(number, message)),
    })
}

pub(super) fn migration(version: &str, name: &str) -> Migration {
    Migration {
        version: version.to_owned(),
        name: name.to_owned(),
    }
}

fn init() -> Vec<Migration> {
    vec![
        migration("init", "1-create-tables.js"),
        migration("init", "2-create-fixtures.js"),
    ]
}

/// A MySQL 8 with an empty database, everything as it should be, and a Ghost beside it.
pub(super) fn healthy() -> Facts {
    let mut files = init();
    files.push(migration("6.0", "a.js"));
    files.push(migration("6.1", "b.js"));
    Facts {
        asked_at: 1_800_000_000,
        configuration: Configuration {
            problem: None,
            told: Told {
                node_env: "production".to_owned(),
                ..Told::default()
            },
            target: Some(Target {
                host: "db.example".to_owned(),
                port: Some(3306),
                user: Some("ghost".to_owned()),
                password: true,
                database: Some("ghost".to_owned()),
                tls: None,
                pool: 10,
                pool_min: 2,
                collation: None,
            }),
        },
        installation: Some(Installation {
            ghost: "6.1.0".to_owned(),
            migrations: Some(files),
            makes_views: true,
            patches: [
                "database-exists",
                "lock-primary-key",
                "fixtures-transaction",
                "comments-parent",
                "schema-lag",
                "sessions-delete",
            ]
            .into_iter()
            .map(|id| Patch {
                id: id.to_owned(),
                state: State::AlreadyApplied,
            })
            .collect(),
            ..Installation::default()
        }),
        addresses: Fact::Known(vec!["10.0.0.1".parse().unwrap()]),
        reached: vec![Reached {
            address: "10.0.0.1".to_owned(),
            milliseconds: Some(1),
            failure: None,
        }],
        greeting: Fact::Known(Greeting::Ready {
            version: "8.0.36".to_owned(),
            capabilities: 0x0fff,
            plugin: None,
        }),
        login: Fact::Known(Login::In {
            encrypted_here_only: false,
        }),
        provider: Provider::Mysql,
        server: Fact::Known(Server {
            version: "8.0.36".to_owned(),
            database: Some("ghost".to_owned()),
            user: Some("ghost@%".to_owned()),
            clock_ms: Some(3),
            variables: BTreeMap::from([
                (
                    "collation_server".to_owned(),
                    "utf8mb4_0900_ai_ci".to_owned(),
                ),
                (
                    "default_collation_for_utf8mb4".to_owned(),
                    "utf8mb4_0900_ai_ci".to_owned(),
                ),
                ("max_connections".to_owned(), "151".to_owned()),
                ("read_only".to_owned(), "OFF".to_owned()),
            ]),
        }),
        grants: Fact::Known(vec![
            "GRANT USAGE ON *.* TO `ghost`@`%`".to_owned(),
            "GRANT ALL PRIVILEGES ON `ghost`.* TO `ghost`@`%`".to_owned(),
        ]),
        tables: Fact::Known(Vec::new()),
        foreign_keys: Fact::Known(Vec::new()),
        id_collations: Fact::Known(BTreeMap::new()),
        migrations: Fact::Known(Vec::new()),
        create_database: reply(1007, "Can't create database 'ghost'; database exists"),
        add_foreign_key: reply(1146, "Table 'ghost.x' doesn't exist"),
        drop_table: reply(1051, "Unknown table 'ghost.x'"),
        alter_view: reply(1146, "Table 'ghost.x' doesn't exist"),
        recursive: Fact::Known(Reply {
            asked: "WITH RECURSIVE".to_owned(),
            error: None,
        }),
        round_trips: 13,
        rtt_us: Some(900),
        ..Facts::default()
    }
}

/// The same after Ghost's first boot.
pub(super) fn booted() -> Facts {
    let mut rows = init();
    rows.push(migration("6.0", "a.js"));
    rows.push(migration("6.1", "b.js"));
    let table = |name: &str| Table {
        name: name.to_owned(),
        view: false,
        collation: Some("utf8mb4_0900_ai_ci".to_owned()),
    };
    Facts {
        tables: Fact::Known(
            [
                "posts",
                "settings",
                "users",
                "comments",
                "migrations",
                "migrations_lock",
            ]
            .map(table)
            .to_vec(),
        ),
        id_collations: Fact::Known(BTreeMap::from([("utf8mb4_0900_ai_ci".to_owned(), 80)])),
        migrations: Fact::Known(rows),
        lock: Fact::Known(Some(Lock {
            locked: false,
            acquired_at: None,
            released_at: None,
        })),
        lock_has_key: Fact::Known(true),
        ..healthy()
    }
}

/// A Vitess with foreign keys as told, and an empty database.
pub(super) fn vitess(foreign_keys: &str) -> Facts {
    Facts {
        provider: Provider::Vitess,
        keyspaces: Fact::Known(vec![Keyspace {
            name: "ghost".to_owned(),
            sharded: false,
            foreign_keys: foreign_keys.to_owned(),
            comment: String::new(),
        }]),
        create_database: reply(
            1105,
            "VT06001: cannot create database 'ghost'; database exists",
        ),
        grants: Fact::Known(vec![
            "GRANT ALL PRIVILEGES ON *.* TO 'ghost'@'%'".to_owned(),
        ]),
        ..with_tls(healthy())
    }
}

/// The same facts over a good TLS.
pub(super) fn with_tls(mut facts: Facts) -> Facts {
    if let Some(target) = &mut facts.configuration.target {
        target.tls = Some(TargetTls {
            reject_unauthorized: true,
            name: Some("db.example".to_owned()),
            authorities: None,
            client_certificate: false,
            sealed_key: false,
        });
    }
    facts.configuration.told.ssl = Some(crate::connection::ssl::Form::Object);
    facts.tls = Fact::Known(Handshake {
        failure: None,
        protocol: Some("TLSv1.3".to_owned()),
        cipher: Some("TLS13_AES_256_GCM_SHA384".to_owned()),
        chain: vec![Certificate {
            subject: "CN=db.example".to_owned(),
            common_name: Some("db.example".to_owned()),
            issuer: "CN=An authority".to_owned(),
            names: vec!["db.example".to_owned()],
            addresses: Vec::new(),
            not_before: 1_790_000_000,
            not_after: 1_810_000_000,
        }],
        client_certificate_asked: false,
        by_ghost: Some(Trust::Trusted),
        by_system: Some(Trust::Trusted),
    });
    facts
}

/// Without a Ghost beside it.
pub(super) fn without_installation(facts: Facts) -> Facts {
    Facts {
        installation: None,
        ..facts
    }
}

/// With one patch not in place.
pub(super) fn without_patch(mut facts: Facts, id: &str) -> Facts {
    let installation = facts.installation.as_mut().unwrap();
    for patch in installation
        .patches
        .iter_mut()
        .filter(|patch| patch.id == id)
    {
        patch.state = State::NotApplied;
    }
    facts
}

#[test]
fn nothing_is_held_against_what_is_healthy() {
    for (name, facts) in [
        ("MySQL, empty", healthy()),
        ("MySQL, in use", booted()),
        ("MySQL with TLS", with_tls(booted())),
        ("Vitess, managed", vitess("managed")),
        ("Vitess, unmanaged", vitess("unmanaged")),
    ] {
        let (findings, not_reached) = judge(&facts, &[]);
        for finding in &findings {
            assert!(finding.level < Level::Unknown, "{name}: {finding:?}");
        }
        assert!(not_reached.is_empty(), "{name}: {not_reached:?}");
    }
}

#[test]
fn without_facts_no_check_invents_a_failure() {
    let (findings, _) = judge(&Facts::default(), &[]);
    for finding in findings {
        assert_eq!(finding.id, "patches");
        assert_eq!(finding.level, Level::Unknown);
    }
}

#[test]
fn the_list_has_every_file_and_every_id_is_its_files_name() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/preflight/check");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "mod.rs" && name != "tests.rs")
        .map(|name| name.trim_end_matches(".rs").replace('_', "-"))
        .collect();
    files.sort();
    let mut listed: Vec<String> = ids().into_iter().map(str::to_owned).collect();
    listed.sort();
    assert_eq!(listed, files);
}

#[test]
fn the_ids_of_the_contract_are_there() {
    for id in [
        "config",
        "dns",
        "tcp",
        "tls",
        "tls-identity",
        "ssl-value",
        "login",
        "database",
        "create-database",
        "foreign-keys",
        "foreign-key-cycle",
        "direct-ddl",
        "privileges",
        "collation",
        "transaction-limit",
        "views",
        "recursive-cte",
        "migration-lock",
        "migration-state",
        "newer-database",
        "init-rows",
        "patches",
        "server",
        "read-only",
        "clock",
    ] {
        assert!(ids().contains(&id), "{id}");
    }
}

#[test]
fn every_check_explains_itself() {
    for check in CHECKS {
        assert!(check.question.ends_with('?'), "{}", check.id);
        assert!(check.explanation.len() > 120, "{}", check.id);
        assert!(!check.explanation.contains("TODO"), "{}", check.id);
    }
}
