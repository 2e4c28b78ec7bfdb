//! `ghostfix patches list` and `show`.

use serde_json::Value;

use crate::common::{PATCH, ghostfix};

#[test]
fn the_list_names_every_folder_of_the_catalogue() {
    let answer = ghostfix(["patches", "list", "--format", "json"]);
    assert_eq!(answer.code(), 0, "{answer}");
    let json: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(json["schema"], "ghostfix.patches.v1");
    let mut listed: Vec<&str> = json["patches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|patch| patch["id"].as_str().unwrap())
        .collect();
    listed.sort_unstable();
    let mut folders: Vec<String> =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/patches"))
            .unwrap()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().unwrap().is_dir())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
    folders.sort();
    assert_eq!(listed, folders);
}

#[test]
fn the_page_of_a_patch_says_what_it_is_about() {
    let answer = ghostfix(["patches", "show", PATCH]);
    assert_eq!(answer.code(), 0, "{answer}");
    for word in [PATCH, "CREATE DATABASE", "1105"] {
        assert!(answer.stdout.contains(word), "{word}: {answer}");
    }
}
