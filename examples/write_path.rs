//! Patches and reverts two files by what writes alone, without recognising or proving anything: for the tests that stop
//! it at every system call. `write_path ROOT patch|revert|verify`

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use ghostfix::error::{Error, Result};
use ghostfix::image::change::{Change, Edit};
use ghostfix::image::copies::{Depth, Target, reached, target, with_further};
use ghostfix::image::draft::Draft;
use ghostfix::image::installation::{Installation, locate};
use ghostfix::image::lock::Lock;
use ghostfix::image::receipt::{Receipt, Which, plan_revert};
use ghostfix::image::source::{Reading, Source};
use ghostfix::image::transaction::{commit, finish, interrupted};

const FILES: [&str; 2] = [
    "lib/database.js",
    "migrations/add-primary-key-to-lock-table.js",
];
const LINE: &str = "// patched\n";

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, root, verb] = &arguments[..] else {
        return 2.into();
    };
    // The tests also make these writes fail.
    match run(Path::new(root), verb) {
        Ok((code, words)) => {
            let _ = writeln!(std::io::stdout(), "{words}");
            code.into()
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}\n{}", error.next_step());
            error.exit_code().into()
        }
    }
}

fn run(root: &Path, verb: &str) -> Result<(u8, String)> {
    let installation = locate(root)?;
    if verb == "verify" {
        let patched = texts(&installation)?
            .iter()
            .all(|(.., text)| text.ends_with(LINE));
        let interrupted = interrupted(&installation)?;
        return Ok((
            u8::from(!patched || interrupted.is_some()),
            format!("{interrupted:?}"),
        ));
    }
    let lock = Lock::acquire(&installation, Duration::from_secs(30))?;
    let finished = finish(&installation, &lock)?;
    let receipt = Receipt::read(&installation)?;
    let mut changes = Vec::new();
    for (path, package, version, text) in texts(&installation)? {
        changes.extend(match verb {
            "patch" if text.ends_with(LINE) => None,
            "patch" => Some(patched(receipt.as_ref(), &path, &package, &version, text)?),
            "revert" if receipt.is_some() => Some(
                plan_revert(receipt.as_ref(), &path, text.as_bytes(), Which::All).map_err(
                    |reason| Error::Refused {
                        problem: reason.to_string(),
                        next_step: String::new(),
                    },
                )?,
            ),
            _ => None,
        });
    }
    let committed = commit(&installation, &lock, &changes)?;
    Ok((
        0,
        format!("{} changed, {finished:?}, {committed:?}", changes.len()),
    ))
}

fn patched(
    receipt: Option<&Receipt>,
    path: &Path,
    package: &str,
    version: &str,
    text: String,
) -> Result<Change> {
    let bug = |error| Error::Bug {
        problem: format!("{error}"),
    };
    let mut draft = Draft::new(receipt, path, package, version, text);
    let end = draft.text().len();
    let edit = Edit::new("line", "1", draft.text(), [(end..end, LINE.to_owned())]).map_err(bug)?;
    draft.make(&edit).map_err(bug)?;
    Ok(draft.finish())
}

/// Relative path, package, version and text of every copy of the files.
fn texts(installation: &Installation) -> Result<Vec<(std::path::PathBuf, String, String, String)>> {
    let mut texts = Vec::new();
    let reached = reached(installation, &["knex-migrator"])?;
    let all = with_further(installation, reached, Depth::PackageDirectories)?;
    for copy in all.into_iter().flat_map(|copies| copies.found) {
        for file in FILES {
            let Target::Present { path, relative } = target(installation, &copy, file)? else {
                continue;
            };
            let Reading::Whole(source) = Source::read(&path)? else {
                continue;
            };
            let text = String::from_utf8_lossy(&source.bytes).into_owned();
            texts.push((relative, copy.name.clone(), copy.version.clone(), text));
        }
    }
    Ok(texts)
}
