use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;
use crate::image::fixture::Place;
use crate::image::source::LIMIT;

fn stage(path: &Path, content: &str) -> Staged {
    Original::read(path, LIMIT)
        .unwrap()
        .unwrap()
        .stage(content.as_bytes())
        .unwrap()
}

fn names(place: &Place) -> Vec<String> {
    let mut names: Vec<_> = place
        .path
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn set(path: &Path, name: &str, value: &[u8]) {
    rustix::fs::setxattr(path, name, value, rustix::fs::XattrFlags::empty()).unwrap();
}

fn get(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 1024];
    let length = rustix::fs::getxattr(path, name, &mut value).ok()?;
    value.truncate(length);
    Some(value)
}

/// An access control list as the kernel stores it: owner rw-, user 1234 r--, group r--, mask r--, others ---.
fn access_list() -> Vec<u8> {
    let mut list = 2u32.to_le_bytes().to_vec();
    for (tag, rights, id) in [
        (1u16, 6u16, u32::MAX),
        (2, 4, 1234),
        (4, 4, u32::MAX),
        (16, 4, u32::MAX),
        (32, 0, u32::MAX),
    ] {
        list.extend(tag.to_le_bytes());
        list.extend(rights.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    list
}

#[test]
fn a_new_file_takes_the_place_and_the_hard_link_keeps_the_old_one() {
    let place = Place::new();
    let path = place.file("a.js", "old");
    std::fs::hard_link(&path, place.at("store")).unwrap();
    let inode = std::fs::metadata(&path).unwrap().ino();
    let mut staged = stage(&path, "new");
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "old",
        "staging changes nothing yet"
    );
    staged.put().unwrap();
    staged.clear().unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    assert_ne!(std::fs::metadata(&path).unwrap().ino(), inode);
    assert_eq!(std::fs::read_to_string(place.at("store")).unwrap(), "old");
    assert_eq!(names(&place), ["a.js", "store"]);
}

#[test]
fn taking_back_gives_the_very_same_file() {
    let place = Place::new();
    let path = place.file("a.js", "old");
    let before = std::fs::metadata(&path).unwrap();
    let mut staged = stage(&path, "new");
    staged.put().unwrap();
    staged.take_back().unwrap();
    staged.take_back().unwrap();
    staged.clear().unwrap();
    let after = std::fs::metadata(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(
        (after.ino(), after.mtime_nsec()),
        (before.ino(), before.mtime_nsec())
    );
    assert_eq!(names(&place), ["a.js"]);
}

#[test]
fn what_was_staged_and_not_put_leaves_nothing() {
    let place = Place::new();
    let path = place.file("a.js", "old");
    drop(stage(&path, "new"));
    stage(&path, "new").clear().unwrap();
    assert_eq!(names(&place), ["a.js"]);
    let mut new = stage_new(
        &place.at("b.js"),
        &Appearance::ours(&rustix::fs::stat(&place.path).unwrap()),
        b"x",
    )
    .unwrap();
    new.put().unwrap();
    assert_eq!(
        std::fs::metadata(place.at("b.js"))
            .unwrap()
            .permissions()
            .mode()
            & 0o7777,
        0o644
    );
    new.take_back().unwrap();
    new.clear().unwrap();
    assert_eq!(names(&place), ["a.js"]);
}

#[test]
fn mode_and_attributes_are_kept() {
    let place = Place::new();
    let path = place.file("a.js", "old");
    for mode in [0o444, 0o640, 0o755, 0o600, 0o4755] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        set(&path, "user.ghostfix.test", b"value\0with zero");
        let mut staged = stage(&path, "new");
        staged.put().unwrap();
        staged.clear().unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
            mode
        );
        assert_eq!(
            get(&path, "user.ghostfix.test").unwrap(),
            b"value\0with zero"
        );
    }
}

#[test]
fn an_access_control_list_is_kept_and_none_is_handed_down() {
    let place = Place::new();
    let path = place.file("a.js", "old");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    // The directory hands one down to new files, and the file has none.
    set(&place.path, "system.posix_acl_default", &access_list());
    let mut staged = stage(&path, "new");
    staged.put().unwrap();
    staged.clear().unwrap();
    assert_eq!(get(&path, "system.posix_acl_access"), None);
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );

    set(&path, "system.posix_acl_access", &access_list());
    let mut staged = stage(&path, "newer");
    staged.put().unwrap();
    staged.clear().unwrap();
    assert_eq!(
        get(&path, "system.posix_acl_access").unwrap(),
        access_list()
    );
}

#[test]
fn a_file_that_was_written_since_is_not_replaced() {
    let place = Place::new();
    let path = place.file("a.js", "old");
    let mut staged = stage(&path, "new");
    std::fs::write(&path, "oLd").unwrap();
    let error = staged.put().unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(
        error.to_string().contains("was changed by another program"),
        "{error}"
    );
    staged.take_back().unwrap();
    staged.clear().unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "oLd");

    // Another file with the same content and time is another file.
    let mut staged = stage(&path, "new");
    std::fs::copy(&path, place.at("copy")).unwrap();
    std::fs::rename(place.at("copy"), &path).unwrap();
    assert_eq!(staged.put().unwrap_err().exit_code(), 4);
    drop(staged);
    assert_eq!(names(&place), ["a.js"]);
}

#[test]
fn only_leftovers_of_ours_are_swept() {
    let place = Place::new();
    let path = place.file("a.js", "");
    place.file(".a.js.ghostfix-AbC123", "");
    for other in [
        ".a.js.ghostfix-",
        ".a.js.ghostfix-12345",
        ".a.js.ghostfix-1234567",
        ".b.js.ghostfix-AbC123",
        "a.js.ghostfix-AbC123",
    ] {
        place.file(other, "");
    }
    std::fs::create_dir(place.at(".a.js.ghostfix-Direct")).unwrap();
    place.link(".a.js.ghostfix-aaLink", "a.js");
    let count = names(&place).len();
    assert_eq!(sweep(&path).unwrap(), [place.at(".a.js.ghostfix-AbC123")]);
    assert_eq!(names(&place).len(), count - 1);
    assert!(sweep(&place.at("absent/a.js")).unwrap().is_empty());
}
