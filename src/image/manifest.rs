//! package.json, as far as it tells which package this is: name, version, and what it depends on.

use std::collections::BTreeMap;
use std::path::Path;

use nodejs_semver::Version;
use serde_json::Value;

use super::source::{Links, Regular, read_regular};
use crate::error::{Error, Result};

/// Ghost's own has some 10 KB; the largest on npm have some 300 KB.
const LIMIT: u64 = 1024 * 1024;

/// What a package says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// `None` where there is none or it is no text: npm needs no name to install a project.
    pub(crate) name: Option<String>,
    /// `None` where there is none.
    version: Option<Value>,
    /// `dependencies`: what is wanted of each package. What is only optional is not among them.
    pub(crate) dependencies: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads `directory/package.json`; `None` where there is no such file.
    pub(crate) fn read(directory: &Path) -> Result<Option<Self>> {
        let path = directory.join("package.json");
        let bytes = match read_regular(&path, LIMIT, Links::Follow) {
            Ok(Regular::Whole { bytes, .. }) => bytes,
            Ok(Regular::TooLarge { length }) => {
                return Err(unusable(
                    &path,
                    format!("{length} bytes are too many for a package.json (limit {LIMIT})"),
                ));
            }
            Ok(Regular::Other(kind)) => {
                return Err(unusable(&path, format!("this is {kind}, not a file")));
            }
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(Error::file_system("read", path, error)),
        };
        // npm and Node both drop a byte order mark.
        let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        let value: Value = serde_json::from_slice(text)
            .map_err(|error| unusable(&path, format!("this is not JSON: {error}")))?;
        if !value.is_object() {
            return Err(unusable(
                &path,
                "this is JSON, but not an object".to_owned(),
            ));
        }
        Ok(Some(Self {
            name: value.get("name").and_then(Value::as_str).map(str::to_owned),
            version: value.get("version").cloned(),
            dependencies: dependencies(&value),
        }))
    }

    /// The version, which must be one: it goes into reports, and the user looks it up.
    pub(crate) fn version(&self, directory: &Path) -> Result<String> {
        let path = directory.join("package.json");
        match &self.version {
            None => Err(unusable(&path, "it has no \"version\"".to_owned())),
            Some(Value::String(version))
                if version.len() <= 256 && Version::parse(version).is_ok() =>
            {
                Ok(version.clone())
            }
            Some(other) => {
                let mut shown = other.to_string();
                if shown.len() > 60 {
                    shown.truncate(shown.floor_char_boundary(60));
                    shown.push('…');
                }
                Err(unusable(
                    &path,
                    format!("its \"version\" is {shown}, which is no version"),
                ))
            }
        }
    }
}

fn dependencies(package_json: &Value) -> BTreeMap<String, String> {
    let all = package_json.get("dependencies").and_then(Value::as_object);
    all.into_iter()
        .flatten()
        .map(|(name, wanted)| {
            let wanted = wanted.as_str().unwrap_or_default();
            (name.clone(), wanted.to_owned())
        })
        .collect()
}

fn unusable(path: &Path, problem: String) -> Error {
    let next_step = "reinstall this package, or give the right directory with --root".to_owned();
    Error::Unusable {
        path: path.to_owned(),
        problem,
        next_step,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &[u8]) -> Result<(Option<String>, String), String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("package.json"), content).unwrap();
        let told = |error: Error| {
            assert_eq!(error.exit_code(), 5);
            error
                .to_string()
                .replace(&format!("{}/", dir.path().display()), "")
        };
        let manifest = Manifest::read(dir.path()).map_err(told)?.unwrap();
        let version = manifest.version(dir.path()).map_err(told)?;
        Ok((manifest.name, version))
    }

    #[test]
    fn a_byte_order_mark_and_doubled_keys_are_read_as_npm_does() {
        let name = Some("ghost".to_owned());
        assert_eq!(
            read(b"\xef\xbb\xbf{\"name\":\"ghost\",\"version\":\"6.65.0\"}"),
            Ok((name.clone(), "6.65.0".into()))
        );
        assert_eq!(
            read(br#"{"name":"x","name":"ghost","version":"1.0.0","version":"6.0.0-rc.0"}"#),
            Ok((name, "6.0.0-rc.0".into()))
        );
    }

    #[test]
    fn each_kind_of_nonsense_has_its_own_words() {
        let long = format!(r#"{{"version":"1.0.0{}"}}"#, "x".repeat(300));
        let deep = format!("{{\"version\":\"1.0.0\",\"a\":{}", "[".repeat(100_000));
        let huge = format!(r#"{{"version":"1.0.0","a":"{}"}}"#, "x".repeat(1024 * 1024));
        for (content, words) in [
            ("", "this is not JSON: EOF"),
            (
                "<html>",
                "this is not JSON: expected value at line 1 column 1",
            ),
            (&deep, "this is not JSON: recursion limit exceeded"),
            ("[]", "this is JSON, but not an object"),
            ("{}", "it has no \"version\""),
            (
                r#"{"version":6}"#,
                "its \"version\" is 6, which is no version",
            ),
            (
                r#"{"version":"latest"}"#,
                "its \"version\" is \"latest\", which is no version",
            ),
            (
                r#"{"version":"\u001b[2J1.0.0"}"#,
                r#"its "version" is "\u001b[2J1.0.0", which is no version"#,
            ),
            (&long, "its \"version\" is \"1.0.0xxx"),
            (
                &huge,
                "1048602 bytes are too many for a package.json (limit 1048576)",
            ),
        ] {
            let told = read(content.as_bytes()).unwrap_err();
            assert!(
                told.starts_with(&format!("package.json: {words}")),
                "{told}"
            );
            assert!(told.len() < 200, "{told}");
        }
        assert!(
            read(b"{\"name\":\"\xff\",\"version\":\"1.0.0\"}")
                .unwrap_err()
                .contains("this is not JSON")
        );
    }

    #[test]
    fn what_is_no_file_is_said_so_at_once() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), None);
        let path = dir.path().join("package.json");
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            &path,
            rustix::fs::Mode::from_raw_mode(0o600),
        )
        .unwrap();
        assert!(
            Manifest::read(dir.path())
                .unwrap_err()
                .to_string()
                .ends_with("this is a named pipe, not a file")
        );
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(
            Manifest::read(dir.path())
                .unwrap_err()
                .to_string()
                .ends_with("this is a directory, not a file")
        );
    }
}
