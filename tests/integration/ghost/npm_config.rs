//! ghostfix reads npm's configuration by itself: here npm says what it would have read, and whom it shows which token.

use std::path::Path;
use std::process::Command;

use ghostfix::ghost::npm_config::{NpmConfig, Surroundings};
use url::Url;

use crate::ghost::fake_registry::{FakeRegistry, Package};

/// Home, project and global configuration of one case; `{registry}` in any text becomes the fake registry's address.
struct Case {
    name: &'static str,
    user: &'static str,
    project: &'static str,
    global: &'static str,
    environment: &'static [(&'static str, &'static str)],
    /// Where below the project npm is run.
    below: &'static str,
}

const EMPTY: Case = Case {
    name: "",
    user: "",
    project: "",
    global: "",
    environment: &[],
    below: "",
};

fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "user",
            user: "registry=http://user.test/",
            ..EMPTY
        },
        Case {
            name: "without slash",
            user: "registry=http://user.test/npm",
            ..EMPTY
        },
        Case {
            name: "project over user",
            user: "registry=http://user.test/",
            project: "registry = http://project.test/",
            ..EMPTY
        },
        Case {
            name: "user over global",
            user: "registry=http://user.test/",
            global: "registry=http://global.test/",
            ..EMPTY
        },
        Case {
            name: "global",
            global: "registry=http://global.test/",
            ..EMPTY
        },
        Case {
            name: "environment over all",
            user: "registry=http://user.test/",
            project: "registry=http://project.test/",
            environment: &[("NPM_CONFIG_REGISTRY", "http://environment.test/")],
            ..EMPTY
        },
        Case {
            name: "empty environment",
            user: "registry=http://user.test/",
            environment: &[("npm_config_registry", "")],
            ..EMPTY
        },
        Case {
            name: "variables",
            user: "registry=http://${WHERE}/${MISSING?}",
            environment: &[("WHERE", "variable.test")],
            ..EMPTY
        },
        Case {
            name: "quotes",
            user: "registry=\"http://user.test/\" ",
            ..EMPTY
        },
        Case {
            name: "comments",
            user: "; registry=http://no.test/\nregistry=http://user.test/ ; why",
            ..EMPTY
        },
        Case {
            name: "last line",
            user: "registry=http://first.test/\r\nregistry=http://last.test/\r\n",
            ..EMPTY
        },
        Case {
            name: "section",
            user: "registry=http://user.test/\n[other]\nregistry=http://section.test/",
            ..EMPTY
        },
        Case {
            name: "below the project",
            user: "registry=http://user.test/",
            project: "registry=http://project.test/",
            below: "a/b",
            ..EMPTY
        },
        Case {
            name: "user file moved",
            user: "registry=http://user.test/",
            environment: &[("npm_config_userconfig", "{root}/elsewhere/npmrc")],
            ..EMPTY
        },
        Case {
            name: "global mode",
            user: "registry=http://user.test/",
            project: "registry=http://project.test/",
            environment: &[("npm_config_location", "global")],
            ..EMPTY
        },
        Case {
            name: "scope",
            user: "registry=http://user.test/\n@tryghost:registry=http://scope.test/npm",
            project: "@other:registry=http://other.test/",
            ..EMPTY
        },
        Case {
            name: "scope in the project",
            user: "registry=http://user.test/\n@tryghost:registry=http://scope.test/",
            project: "@tryghost:registry=http://nearer.test/",
            ..EMPTY
        },
    ]
}

/// The surroundings that a case describes, below `root`.
fn surroundings(
    case: &Case,
    root: &Path,
    registry: &str,
) -> (Vec<(String, String)>, std::path::PathBuf) {
    let fill = |text: &str| {
        let place = registry.trim_start_matches("http:").trim_end_matches('/');
        text.replace("{registry}", registry)
            .replace("{place}", place)
            .replace("{root}", root.to_str().unwrap())
    };
    let (home, project, prefix) = (root.join("home"), root.join("project"), root.join("prefix"));
    let below = project.join(case.below);
    for directory in [&home, &below, &prefix.join("etc"), &root.join("elsewhere")] {
        std::fs::create_dir_all(directory).unwrap();
    }
    std::fs::write(project.join("package.json"), "{}").unwrap();
    std::fs::write(
        root.join("elsewhere/npmrc"),
        "registry=http://elsewhere.test/\n",
    )
    .unwrap();
    for (path, text) in [
        (home.join(".npmrc"), case.user),
        (project.join(".npmrc"), case.project),
        (prefix.join("etc/npmrc"), case.global),
    ] {
        if !text.is_empty() {
            std::fs::write(path, fill(text)).unwrap();
        }
    }
    let mut environment = vec![
        ("PATH".to_owned(), std::env::var("PATH").unwrap()),
        ("HOME".to_owned(), home.to_str().unwrap().to_owned()),
        // Node's own prefix holds the machine's settings: the cases bring their own.
        ("PREFIX".to_owned(), prefix.to_str().unwrap().to_owned()),
        (
            "npm_config_cache".to_owned(),
            root.join("cache").to_str().unwrap().to_owned(),
        ),
        ("npm_config_update_notifier".to_owned(), "false".to_owned()),
    ];
    environment.extend(
        case.environment
            .iter()
            .map(|(key, value)| ((*key).to_owned(), fill(value))),
    );
    (environment, below)
}

fn npm(arguments: &[&str], environment: &[(String, String)], directory: &Path) -> String {
    let output = Command::new("npm")
        .args(arguments)
        .env_clear()
        .envs(environment.iter().cloned())
        .current_dir(directory)
        .output()
        .expect("these tests need npm on PATH");
    assert!(
        output.status.success(),
        "npm {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn with_slash(address: &str) -> String {
    format!("{}/", address.trim_end_matches('/'))
}

#[test]
fn registries_are_those_that_npm_names() {
    for case in cases() {
        let root = tempfile::tempdir().unwrap();
        let (environment, directory) = surroundings(&case, root.path(), "");
        let ours =
            NpmConfig::read(&Surroundings::new(environment.clone(), &directory), None).unwrap();
        let theirs = npm(&["config", "get", "registry"], &environment, &directory);
        assert_eq!(
            ours.registry().unwrap().as_str(),
            with_slash(&theirs),
            "{}",
            case.name
        );
        let scoped = npm(
            &["config", "get", "@tryghost:registry"],
            &environment,
            &directory,
        );
        let expected = if scoped == "undefined" {
            theirs
        } else {
            scoped
        };
        assert_eq!(
            ours.registry_for("@tryghost/errors").unwrap().as_str(),
            with_slash(&expected),
            "scope: {}",
            case.name
        );
    }
}

/// npm and we ask the same server; what counts is the header that arrives.
#[test]
fn credentials_are_shown_to_whom_npm_shows_them() {
    let cases = [
        Case {
            name: "none",
            user: "registry={registry}",
            ..EMPTY
        },
        Case {
            name: "token",
            user: "registry={registry}\n{place}/:_authToken=secret=token==",
            ..EMPTY
        },
        Case {
            name: "no slash",
            user: "registry={registry}\n{place}:_authToken=secret",
            ..EMPTY
        },
        Case {
            name: "another host",
            user: "registry={registry}\n//other.test/:_authToken=secret",
            ..EMPTY
        },
        Case {
            name: "another port",
            user: "registry={registry}\n//127.0.0.1:1/:_authToken=secret",
            ..EMPTY
        },
        Case {
            name: "host without port",
            user: "registry={registry}\n//127.0.0.1/:_authToken=secret",
            ..EMPTY
        },
        Case {
            name: "below",
            user: "registry={registry}\n{place}/other/:_authToken=secret",
            ..EMPTY
        },
        Case {
            name: "directory",
            user: "registry={registry}npm/\n{place}/npm/:_authToken=secret",
            ..EMPTY
        },
        Case {
            name: "above",
            user: "registry={registry}npm/\n{place}/:_authToken=secret",
            ..EMPTY
        },
        Case {
            name: "pair",
            user: "registry={registry}\n{place}/:_auth=dTpw",
            ..EMPTY
        },
        Case {
            name: "user and password",
            user: "registry={registry}\n{place}/:username=me\n{place}/:_password=aHVudGVyMg==",
            ..EMPTY
        },
        Case {
            name: "variable",
            user: "registry={registry}\n{place}/:_authToken=${TOKEN}",
            environment: &[("TOKEN", "from the environment")],
            ..EMPTY
        },
        Case {
            name: "project over user",
            user: "registry={registry}\n{place}/:_authToken=user",
            project: "{place}/:_authToken=project",
            ..EMPTY
        },
    ];
    for case in cases {
        let package = || {
            vec![
                Package::new("ghost", "6.65.0"),
                Package::new("npm/ghost", "6.65.0"),
            ]
        };
        let registry = FakeRegistry::start(package());
        let root = tempfile::tempdir().unwrap();
        let (environment, directory) = surroundings(&case, root.path(), &registry.url());
        // The packument of the directory case carries another name, which npm does not mind.
        npm(&["view", "ghost", "version"], &environment, &directory);
        let theirs = registry.server.seen()[0]
            .header("authorization")
            .map(str::to_owned);
        let config = NpmConfig::read(&Surroundings::new(environment, &directory), None).unwrap();
        let base = config.registry().unwrap();
        let ours = config
            .authorization(&base.join("ghost").unwrap(), base)
            .map(|authorization| authorization.header().expose().to_owned());
        assert_eq!(ours, theirs, "{}", case.name);
    }
}

#[test]
fn nothing_secret_is_shown() {
    let root = tempfile::tempdir().unwrap();
    let case = Case {
        user: "registry=http://me:hunter2@user.test/\n//user.test/:_authToken=hunter2\n\
               https-proxy=http://me:hunter2@proxy.test:8080/\n//user.test/:_password=hunter2",
        ..EMPTY
    };
    let (environment, directory) = surroundings(&case, root.path(), "");
    let surroundings = Surroundings::new(environment, &directory);
    let config = NpmConfig::read(&surroundings, None).unwrap();
    assert!(!format!("{config:?} {config:#?}").contains("hunter2"));
    assert_eq!(config.registry().unwrap().as_str(), "http://user.test/");
    let proxied = Url::parse("https://user.test/ghost").unwrap();
    assert_eq!(
        config.proxy_for(&proxied).unwrap().expose(),
        "http://me:hunter2@proxy.test:8080/"
    );
    assert_eq!(config.proxy_for(&proxied).unwrap().to_string(), "…");
}

#[test]
fn proxies_come_from_the_configuration_then_from_the_environment() {
    let proxy = |user: &'static str,
                 environment: &'static [(&'static str, &'static str)],
                 address: &str| {
        let root = tempfile::tempdir().unwrap();
        let case = Case {
            user,
            environment,
            ..EMPTY
        };
        let (environment, directory) = surroundings(&case, root.path(), "");
        let config = NpmConfig::read(&Surroundings::new(environment, directory), None).unwrap();
        config
            .proxy_for(&Url::parse(address).unwrap())
            .map(|proxy| proxy.expose().to_owned())
    };
    let (secure, plain) = ("https://a.test/x", "http://a.test/x");
    let found = |address: &str| Some(address.to_owned());
    assert_eq!(proxy("", &[], secure), None);
    assert_eq!(
        proxy("proxy=http://p.test:1", &[], secure),
        found("http://p.test:1")
    );
    assert_eq!(
        proxy(
            "proxy=http://p.test:1\nhttps-proxy=http://s.test:2",
            &[],
            plain
        ),
        found("http://s.test:2")
    );
    assert_eq!(
        proxy("", &[("HTTPS_PROXY", "http://e.test:3")], secure),
        found("http://e.test:3")
    );
    assert_eq!(
        proxy("", &[("http_proxy", "http://e.test:3")], secure),
        None
    );
    assert_eq!(
        proxy("", &[("http_proxy", "http://e.test:3")], plain),
        found("http://e.test:3")
    );
    assert_eq!(
        proxy(
            "proxy=http://p.test:1",
            &[("HTTPS_PROXY", "http://e.test:3")],
            secure
        ),
        found("http://p.test:1")
    );
    assert_eq!(
        proxy("proxy=http://p.test:1\nnoproxy=b.test,.a.test", &[], secure),
        None
    );
    assert_eq!(
        proxy("proxy=http://p.test:1", &[("NO_PROXY", "a.test")], secure),
        None
    );
    assert_eq!(
        proxy("proxy=http://p.test:1", &[("NO_PROXY", "est")], secure),
        found("http://p.test:1")
    );
}

#[test]
fn the_registry_flag_wins_and_without_any_registry_the_error_names_it() {
    let root = tempfile::tempdir().unwrap();
    let (environment, directory) = surroundings(
        &Case {
            user: "registry=http://user.test/",
            ..EMPTY
        },
        root.path(),
        "",
    );
    let surroundings_ = Surroundings::new(environment, &directory);
    let config = NpmConfig::read(&surroundings_, Some("http://flag.test/npm")).unwrap();
    assert_eq!(config.registry().unwrap().as_str(), "http://flag.test/npm/");

    let project = Case {
        user: "registry=http://user.test/",
        project: "registry=nothing",
        ..EMPTY
    };
    let (environment, directory) = surroundings(&project, root.path(), "");
    let error = NpmConfig::read(&Surroundings::new(environment, &directory), None).unwrap_err();
    assert_eq!(error.exit_code(), 6);
    assert_eq!(
        error.to_string(),
        format!(
            "`nothing` is no registry address: relative URL without a base (from {})",
            root.path().join("project/.npmrc").display()
        )
    );
    assert_eq!(
        error.next_step(),
        "correct it there, or name a registry with --registry URL"
    );

    let empty = tempfile::tempdir().unwrap();
    let nowhere = Surroundings::new(
        [("HOME".to_owned(), empty.path().to_str().unwrap().to_owned())],
        empty.path(),
    );
    let config = NpmConfig::read(&nowhere, None).unwrap();
    assert_eq!(nowhere.ask_npm_for_registry().unwrap(), None);
    let error = config.registry().unwrap_err();
    assert_eq!(error.exit_code(), 6);
    assert!(
        error.next_step().contains("--registry"),
        "{}",
        error.next_step()
    );
}

#[test]
fn npm_is_asked_as_the_last_resort() {
    let root = tempfile::tempdir().unwrap();
    let (environment, directory) = surroundings(&EMPTY, root.path(), "");
    let theirs = npm(&["config", "get", "registry"], &environment, &directory);
    let surroundings = Surroundings::new(environment, &directory);
    assert!(
        NpmConfig::read(&surroundings, None)
            .unwrap()
            .registry_source()
            .is_none()
    );
    let answer = surroundings
        .ask_npm_for_registry()
        .unwrap()
        .expect("npm is here");
    assert_eq!(answer.as_str(), with_slash(&theirs));
}

#[test]
fn certificate_authorities_come_from_the_nearest_level() {
    let trust = |user: &'static str, project: &'static str| {
        let root = tempfile::tempdir().unwrap();
        let case = Case {
            user,
            project,
            ..EMPTY
        };
        let (environment, directory) = surroundings(&case, root.path(), "");
        std::fs::write(root.path().join("a.pem"), "A").unwrap();
        std::fs::write(root.path().join("b.pem"), "B").unwrap();
        let config = NpmConfig::read(&Surroundings::new(environment, directory), None).unwrap();
        (
            config
                .trust()
                .exclusive
                .as_ref()
                .map(|bundle| bundle.pem.clone()),
            config.trust().verify,
        )
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(trust("", ""), (None, true));
    assert_eq!(trust("cafile={root}/a.pem", ""), (text("A"), true));
    assert_eq!(
        trust("cafile={root}/a.pem", "cafile={root}/b.pem"),
        (text("B"), true)
    );
    assert_eq!(
        trust("cafile={root}/a.pem", "cafile={root}/absent.pem"),
        (text("A"), true)
    );
    assert_eq!(
        trust("cafile={root}/a.pem\nca=\"X\\nY\"", ""),
        (text("X\nY"), true)
    );
    assert_eq!(
        trust("ca[]=X\nca[]=Y\nstrict-ssl=false", ""),
        (text("X\nY"), false)
    );
}
