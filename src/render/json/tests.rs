use std::path::PathBuf;

use jsonschema::{Resource, Validator};
use serde_json::{Value, json};

use super::*;
use crate::render::tests::fixtures::{STATES, hostile_report, report_for};

fn schema(name: &str) -> Value {
    let file = format!(
        "{}/src/render/schema/{name}.v1.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn validator(name: &str) -> Validator {
    let common = Resource::from_contents(schema("common")).unwrap();
    jsonschema::options()
        .with_resource("json-schema:///common.v1.json", common)
        .build(&schema(name))
        .unwrap()
}

pub(in crate::render) fn assert_valid(name: &str, text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap();
    let problems: Vec<String> = validator(name)
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(problems.is_empty(), "{problems:#?}\n{text}");
    value
}

fn command_word(report: &PatchReport) -> &'static str {
    match report.command {
        PatchCommand::Patch | PatchCommand::PatchDryRun => "patch",
        PatchCommand::Verify => "verify",
        PatchCommand::Revert => "revert",
    }
}

#[test]
fn every_report_is_as_its_schema_says() {
    for state in STATES {
        let report = report_for(state);
        let value = assert_valid(command_word(&report), &patch_report(&report));
        assert_eq!(value["patches"][0]["state"], state.word());
        assert_eq!(value["exit_code"], report.outcome().exit_code());
    }
}

#[test]
fn every_state_may_stand_under_every_command() {
    for command in [
        PatchCommand::Patch,
        PatchCommand::PatchDryRun,
        PatchCommand::Verify,
        PatchCommand::Revert,
    ] {
        for state in STATES {
            let report = PatchReport {
                command,
                ..report_for(state)
            };
            let value = assert_valid(command_word(&report), &patch_report(&report));
            assert_eq!(
                value.get("dry_run").and_then(Value::as_bool),
                match command {
                    PatchCommand::Patch => Some(false),
                    PatchCommand::PatchDryRun => Some(true),
                    PatchCommand::Verify | PatchCommand::Revert => None,
                }
            );
        }
    }
}

#[test]
fn an_empty_report_is_as_its_schema_says() {
    let report = PatchReport {
        patches: Vec::new(),
        ..report_for(State::Applied)
    };
    let value = assert_valid("patch", &patch_report(&report));
    assert_eq!(value["outcome"], "nothing-to-work-on");
    assert_eq!(value["exit_code"], 3);
}

/// Without this the tests above could pass with a schema that lets everything through.
#[test]
fn the_schemas_refuse_what_is_not_in_them() {
    let sound = assert_valid("patch", &patch_report(&report_for(State::Drifted)));
    let validator = validator("patch");
    let spoiled = |pointer: &str, change: &dyn Fn(&mut Value)| {
        let mut value = sound.clone();
        change(value.pointer_mut(pointer).unwrap());
        !validator.is_valid(&value)
    };
    for object in [
        "",
        "/ghost",
        "/coverage",
        "/patches/0",
        "/patches/0/proof",
        "/patches/0/evidence",
        "/patches/0/evidence/places/0",
    ] {
        assert!(
            spoiled(object, &|value| value["more"] = json!(1)),
            "{object} takes more fields"
        );
        let keys: Vec<String> = sound
            .pointer(object)
            .unwrap()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        for key in keys {
            assert!(
                spoiled(object, &|value| drop(
                    value.as_object_mut().unwrap().remove(&key)
                )),
                "{object} does without {key}"
            );
        }
    }
    assert!(spoiled("/patches/0/state", &|state| *state = json!("fine")));
    assert!(spoiled("/patches/0/proof/syntax", &|result| *result =
        json!("maybe")));
    assert!(spoiled("/schema", &|schema| *schema = json!("ghostfix.patch.v2")));
    assert!(spoiled("/exit_code", &|code| *code = json!(-1)));
}

#[test]
fn the_schemas_are_schemas() {
    for name in [
        "common", "patch", "verify", "revert", "patches", "check", "error",
    ] {
        let schema = schema(name);
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        jsonschema::meta::validate(&schema).unwrap();
    }
}

#[test]
fn an_error_is_as_its_schema_says() {
    let error = Error::NothingToWorkOn {
        problem: "no Ghost in /x".to_owned(),
        next_step: "give --root".to_owned(),
    };
    let value = assert_valid("error", &super::error(&error));
    assert_eq!(
        value,
        json!({
            "schema": "ghostfix.error.v1",
            "ghostfix": env!("CARGO_PKG_VERSION"),
            "error": "no Ghost in /x",
            "next_step": "give --root",
            "exit_code": 3,
        })
    );
}

#[test]
fn the_list_and_the_page_are_as_their_schema_says() {
    let [list, page] = crate::render::patches::tests::reports();
    let list = assert_valid("patches", &patches_report(&list));
    assert_eq!(list["patches"].as_array().unwrap().len(), 2);
    assert_eq!(list["patches"][0].get("page"), None);
    let page = assert_valid("patches", &patches_report(&page));
    assert!(
        page["patches"][0]["page"]
            .as_str()
            .unwrap()
            .starts_with("# What breaks")
    );
}

#[test]
fn hostile_text_arrives_whole_and_does_nothing_on_the_way() {
    let report = hostile_report();
    let shown = patch_report(&report);
    assert!(
        !shown
            .chars()
            .any(|character| text::is_hidden(character) && character != '\n'),
        "{shown:?}"
    );
    let value = assert_valid("patch", &shown);
    assert_eq!(value["patches"][0]["reason"], report.patches[0].reason);
    assert_eq!(value["patches"][0]["diff"], report.patches[0].diff);
    assert_eq!(value["ghost"]["version"], report.ghost.version);
}

#[cfg(unix)]
#[test]
fn a_path_that_is_not_text_is_written_with_its_bytes() {
    use std::os::unix::ffi::OsStringExt;
    let mut report = report_for(State::Applied);
    let path = PathBuf::from(std::ffi::OsString::from_vec(
        b"node_modules/caf\xe9/lib".to_vec(),
    ));
    report.root.clone_from(&path);
    report.coverage.unreadable = vec![path.clone()];
    report.patches[0].path = path;
    let value = assert_valid("patch", &patch_report(&report));
    for pointer in ["/root", "/coverage/unreadable/0", "/patches/0/path"] {
        assert_eq!(
            value.pointer(pointer).unwrap(),
            "node_modules/caf\\xe9/lib",
            "{pointer}"
        );
    }
}
