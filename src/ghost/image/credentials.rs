//! Who one is to an image registry: Docker's own configuration file, and the helpers that it names.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::ghost::npm_config::Surroundings;
use crate::ghost::secret::Secret;

/// A helper may have to wake a keychain, but nobody sits there to type a password.
const HELPER_TIMEOUT: Duration = Duration::from_secs(15);
const ANSWER_LIMIT: u64 = 1 << 20;

/// What a registry is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Credentials {
    /// A user and a password.
    Password { user: String, password: Secret },
    /// A token that is exchanged for shorter-lived ones.
    Identity(Secret),
    /// A token that is shown as it is.
    Bearer(Secret),
}

impl Credentials {
    /// What Docker's configuration has for `registry`; `None`: one goes there unknown.
    pub(super) fn find(registry: &str, surroundings: &Surroundings) -> Result<Option<Self>> {
        let Some(path) = configuration_file(surroundings) else {
            return Ok(None);
        };
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::file_system("read", path, error)),
        };
        let configuration: Value =
            serde_json::from_slice(&text).map_err(|error| Error::Unusable {
                path: path.clone(),
                // Only where: what stands there may be a password.
                problem: format!("it is no JSON at line {}", error.line()),
                next_step: "correct it, or name another directory in DOCKER_CONFIG".to_owned(),
            })?;
        let helper = configuration["credHelpers"][registry]
            .as_str()
            .or(configuration["credsStore"].as_str());
        if let Some(helper) = helper.filter(|helper| !helper.is_empty())
            && let Some(found) = ask_helper(helper, registry, surroundings)?
        {
            return Ok(Some(found));
        }
        let entries = configuration["auths"].as_object().into_iter().flatten();
        Ok(entries
            .filter(|(key, _)| host_of(key) == registry)
            .find_map(|(_, entry)| from_entry(entry)))
    }
}

fn configuration_file(surroundings: &Surroundings) -> Option<PathBuf> {
    let directory = match surroundings
        .variable("DOCKER_CONFIG")
        .filter(|directory| !directory.is_empty())
    {
        Some(directory) => surroundings.working_directory().join(directory),
        None => surroundings.home()?.join(".docker"),
    };
    Some(directory.join("config.json"))
}

/// Keys are hosts, formerly whole addresses.
fn host_of(key: &str) -> &str {
    let key = key
        .trim_start_matches("https://")
        .trim_start_matches("http://");
    key.split('/').next().unwrap_or(key)
}

fn from_entry(entry: &Value) -> Option<Credentials> {
    let text = |name: &str| entry[name].as_str().filter(|text| !text.is_empty());
    if let Some(token) = text("identitytoken") {
        return Some(Credentials::Identity(Secret::new(token)));
    }
    if let Some(token) = text("registrytoken") {
        return Some(Credentials::Bearer(Secret::new(token)));
    }
    if let Some(pair) = text("auth") {
        let bytes = STANDARD
            .decode(pair)
            .or_else(|_| STANDARD_NO_PAD.decode(pair))
            .ok()?;
        let pair = String::from_utf8(bytes).ok()?;
        let (user, password) = pair.split_once(':')?;
        // Docker pads with zero bytes.
        return Some(password_of(user, password.trim_end_matches('\0')));
    }
    Some(password_of(text("username")?, text("password")?))
}

fn password_of(user: &str, password: &str) -> Credentials {
    // Registries that hand out tokens for passwords say so by this name.
    if user == "<token>" {
        return Credentials::Identity(Secret::new(password));
    }
    Credentials::Password {
        user: user.to_owned(),
        password: Secret::new(password),
    }
}

/// Runs `docker-credential-NAME get`; `None` where the helper knows nothing of the registry.
fn ask_helper(
    helper: &str,
    registry: &str,
    surroundings: &Surroundings,
) -> Result<Option<Credentials>> {
    let failed = |why: String| Error::Upstream {
        problem: format!("docker-credential-{helper}, which Docker's configuration names, {why}"),
        next_step: "put the helper on PATH and try it by hand, or log in anew with `docker login`"
            .to_owned(),
    };
    if !helper
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    {
        return Err(failed("is no name of a program".to_owned()));
    }
    let program = format!("docker-credential-{helper}");
    let Some(program) = surroundings.program(&program) else {
        return Err(failed("is not on PATH".to_owned()));
    };
    let mut child = Command::new(program)
        .arg("get")
        .env_clear()
        .envs(surroundings.environment())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(format!("could not be run: {error}")))?;
    if let Some(mut input) = child.stdin.take() {
        // A helper that does not read its question answers all the same.
        let _ = input.write_all(registry.as_bytes());
    }
    let answer = child.stdout.take().map(|output| {
        std::thread::spawn(move || {
            let mut answer = Vec::new();
            output
                .take(ANSWER_LIMIT)
                .read_to_end(&mut answer)
                .map(|_| answer)
        })
    });
    let started = Instant::now();
    let status = loop {
        match child
            .try_wait()
            .map_err(|error| failed(format!("could not be awaited: {error}")))?
        {
            Some(status) => break status,
            None if started.elapsed() > HELPER_TIMEOUT => {
                // Both fail only when it has just ended by itself.
                let _ = child.kill();
                let _ = child.wait();
                return Err(failed(format!(
                    "did not answer within {} s",
                    HELPER_TIMEOUT.as_secs()
                )));
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let answer = answer
        .and_then(|thread| thread.join().ok()?.ok())
        .unwrap_or_default();
    if !status.success() {
        // Helpers fail when they know nothing, and say so on standard output, in these words.
        if String::from_utf8_lossy(&answer).contains("credentials not found") {
            return Ok(None);
        }
        return Err(failed(format!("failed ({status})")));
    }
    let answer: Value =
        serde_json::from_slice(&answer).map_err(|_| failed("answered with no JSON".to_owned()))?;
    match (answer["Username"].as_str(), answer["Secret"].as_str()) {
        (Some(user), Some(secret)) if !secret.is_empty() => Ok(Some(password_of(user, secret))),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::Credentials;
    use crate::ghost::Secret;
    use crate::ghost::npm_config::Surroundings;
    use std::os::unix::fs::PermissionsExt;

    fn find(configuration: &str, helpers: &[(&str, &str)]) -> Result<Option<Credentials>, String> {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().to_str().expect("Unicode").to_owned();
        std::fs::write(home.path().join("config.json"), configuration).expect("written");
        for (name, script) in helpers {
            let program = home.path().join(format!("docker-credential-{name}"));
            std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("written");
            std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755))
                .expect("made executable");
        }
        let environment = [
            ("DOCKER_CONFIG".to_owned(), path.clone()),
            ("PATH".to_owned(), format!("{path}:/usr/bin:/bin")),
        ];
        Credentials::find("registry.test:5000", &Surroundings::new(environment, "/"))
            .map_err(|error| error.to_string())
    }

    fn password(user: &str, password: &str) -> Result<Option<Credentials>, String> {
        Ok(Some(Credentials::Password {
            user: user.to_owned(),
            password: Secret::new(password),
        }))
    }

    #[test]
    fn entries_of_the_configuration() {
        for (configuration, expected) in [
            ("{}", Ok(None)),
            (
                r#"{"auths": {"registry.test:5000": {"auth": "bWU6aHVudGVyOjI="}}}"#,
                password("me", "hunter:2"),
            ),
            (
                r#"{"auths": {"https://registry.test:5000/v2/": {"auth": "bWU6aHVudGVyOjI="}}}"#,
                password("me", "hunter:2"),
            ),
            (
                r#"{"auths": {"registry.test": {"auth": "bWU6aHVudGVyOjI="}}}"#,
                Ok(None),
            ),
            (r#"{"auths": {"registry.test:5000": {}}}"#, Ok(None)),
            (
                r#"{"auths": {"registry.test:5000": {"username": "me", "password": "p"}}}"#,
                password("me", "p"),
            ),
            (
                r#"{"auths": {"registry.test:5000": {"auth": "bWU6eA==", "identitytoken": "t"}}}"#,
                Ok(Some(Credentials::Identity(Secret::new("t")))),
            ),
            (
                r#"{"auths": {"registry.test:5000": {"registrytoken": "t"}}}"#,
                Ok(Some(Credentials::Bearer(Secret::new("t")))),
            ),
        ] {
            assert_eq!(find(configuration, &[]), expected, "{configuration}");
        }
        let broken = find("{\"auths\": {\"hunter2\"", &[]).expect_err("no JSON");
        assert!(
            broken.ends_with("config.json: it is no JSON at line 1"),
            "{broken}"
        );
    }

    #[test]
    fn helpers_are_asked_for_their_registries() {
        let own = r#"{"credHelpers": {"registry.test:5000": "own"}, "credsStore": "common"}"#;
        let answers = |user: &str| {
            format!(
                r#"[ "$1" = get ] && read -r host; printf '{{"ServerURL":"%s","Username":"{user}","Secret":"s-%s"}}' "$host" "$host""#
            )
        };
        let (me, token) = (answers("me"), answers("<token>"));
        assert_eq!(
            find(own, &[("own", &me), ("common", "exit 9")]),
            password("me", "s-registry.test:5000")
        );
        assert_eq!(
            find(r#"{"credsStore": "common"}"#, &[("common", &token)]),
            Ok(Some(Credentials::Identity(Secret::new(
                "s-registry.test:5000"
            ))))
        );
        let unknown = "echo 'credentials not found in native keychain'; exit 1";
        assert_eq!(find(own, &[("own", unknown)]), Ok(None));
        let beside =
            r#"{"credsStore": "own", "auths": {"registry.test:5000": {"auth": "bWU6eA=="}}}"#;
        assert_eq!(find(beside, &[("own", unknown)]), password("me", "x"));
    }

    #[test]
    fn a_helper_that_does_not_help_is_named() {
        let own = |name: &str| format!(r#"{{"credsStore": "{name}"}}"#);
        let start = "docker-credential-own, which Docker's configuration names, ";
        for (script, why) in [
            ("exit 3", "failed (exit status: 3)"),
            ("echo hunter2", "answered with no JSON"),
        ] {
            assert_eq!(
                find(&own("own"), &[("own", script)]),
                Err(format!("{start}{why}"))
            );
        }
        assert_eq!(
            find(&own("own"), &[]),
            Err(format!("{start}is not on PATH"))
        );
        assert_eq!(
            find(&own("../x"), &[]),
            Err("docker-credential-../x, which Docker's configuration names, is no name of a program".to_owned())
        );
    }
}
