//! Facts in a file: no secret is in them, but hosts, accounts and tables are, so the file is for its owner alone.

use std::fs::{self, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::Path;

use super::facts::Facts;
use crate::error::{Error, Result};

/// Reads what [`write`] wrote.
///
/// # Errors
///
/// Where the file cannot be read, or holds no facts.
pub fn read(file: &Path) -> Result<Facts> {
    let bytes = fs::read(file).map_err(|error| Error::file_system("read", file, error))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::Unusable {
        path: file.to_owned(),
        problem: format!("these are no facts of ghostfix preflight: {error}"),
        next_step: "save them anew with `ghostfix preflight --facts FILE`".to_owned(),
    })
}

/// Writes them, whole or not at all: whoever opens the file finds the old facts or the new ones.
///
/// What is no plain file (a pipe, `/dev/stdout`, a link) is written to as it stands, and so is a file whose place
/// cannot be taken: one that is mounted into a container, or whose directory is not ours to write in.
///
/// # Errors
///
/// Where they cannot be written.
pub fn write(file: &Path, facts: &Facts) -> Result<()> {
    let mut text = serde_json::to_string_pretty(facts).map_err(|error| Error::Bug {
        problem: format!("facts that are no JSON: {error}"),
    })?;
    text.push('\n');
    let written = match fs::symlink_metadata(file) {
        Ok(there) if !there.is_file() => fs::write(file, text),
        Ok(there) => replace(file, &text, Some(&there)).or_else(|_| fs::write(file, text)),
        Err(_) => replace(file, &text, None),
    };
    written.map_err(|error| Error::file_system("write", file, error))
}

/// A new file beside the old one, renamed over it. It keeps the old one's owner and mode.
fn replace(file: &Path, text: &str, there: Option<&Metadata>) -> io::Result<()> {
    let directory = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(file.file_name().unwrap_or_default());
    prefix.push(".ghostfix-");
    // Made with mode 0600.
    let mut new = tempfile::Builder::new()
        .prefix(&prefix)
        .tempfile_in(directory)?;
    new.write_all(text.as_bytes())?;
    if let Some(there) = there {
        let own = new.as_file().metadata()?;
        if (own.uid(), own.gid()) != (there.uid(), there.gid()) {
            fchown(new.as_file(), Some(there.uid()), Some(there.gid()))?;
        }
        new.as_file().set_permissions(there.permissions())?;
    }
    new.as_file().sync_all()?;
    new.persist(file).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).unwrap().permissions().mode() & 0o777
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_file_is_for_its_owner_and_an_old_one_keeps_its_mode() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("facts.json");
        write(&file, &Facts::default()).unwrap();
        assert_eq!(mode(&file), 0o600);
        assert_eq!(read(&file).unwrap(), Facts::default());

        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let old = fs::File::open(&file).unwrap();
        write(&file, &Facts::default()).unwrap();
        assert_eq!(mode(&file), 0o640);
        assert_eq!(read(&file).unwrap(), Facts::default());
        assert_eq!(
            io::read_to_string(old).unwrap(),
            "old",
            "it was written in place"
        );
        assert_eq!(names(directory.path()), ["facts.json"]);
    }

    #[test]
    fn a_link_stays_one_and_what_it_leads_to_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (
            directory.path().join("facts.json"),
            directory.path().join("link"),
        );
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        write(&link, &Facts::default()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(read(&file).unwrap(), Facts::default());
    }

    #[test]
    fn what_cannot_be_written_is_an_error_and_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        assert!(write(directory.path(), &Facts::default()).is_err());
        assert!(write(&directory.path().join("none/facts.json"), &Facts::default()).is_err());
        assert!(names(directory.path()).is_empty());
    }

    #[test]
    fn a_file_that_holds_no_facts_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("facts.json");
        fs::write(&file, "{}").unwrap();
        assert!(matches!(read(&file), Err(Error::Unusable { path, .. }) if path == file));
    }
}
