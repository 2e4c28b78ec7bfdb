use super::*;
use crate::render::tests::fixtures::{STATES, hostile_report, report_for};

fn run_of(text: &str) -> Value {
    let log: Value = serde_json::from_str(text).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(log["runs"].as_array().unwrap().len(), 1);
    log["runs"][0].clone()
}

#[test]
fn what_is_wrong_is_a_result_and_what_is_fine_is_none() {
    for state in STATES {
        let report = report_for(state);
        let run = run_of(&patch_report(&report));
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.is_empty(), level(state).is_none(), "{state:?}");
        for result in results {
            assert_eq!(result["ruleId"], "database-exists");
            let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], result["ruleId"]);
            assert_eq!(result["properties"]["state"], state.word());
        }
        assert_eq!(
            run["invocations"][0]["exitCode"],
            report.outcome().exit_code()
        );
    }
}

#[test]
fn a_patch_in_several_copies_is_one_rule() {
    let mut report = report_for(State::NotApplied);
    let mut other = report.patches[0].clone();
    other.id = "schema-lag".to_owned();
    report.patches = vec![report.patches[0].clone(), other, report.patches[0].clone()];
    let run = run_of(&patch_report(&report));
    let rules: Vec<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["database-exists", "schema-lag"]);
    let indexes: Vec<u64> = run["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["ruleIndex"].as_u64().unwrap())
        .collect();
    assert_eq!(indexes, [0, 1, 0]);
}

#[test]
fn places_are_regions_the_first_of_them_the_location() {
    let run = run_of(&patch_report(&report_for(State::Ambiguous)));
    let result = &run["results"][0];
    assert_eq!(
        result["locations"],
        json!([{
            "physicalLocation": {
                "artifactLocation": { "uri": "node_modules/knex-migrator/lib/database.js", "uriBaseId": "GHOST" },
                "region": { "startLine": 44, "startColumn": 13, "endLine": 44, "endColumn": 29 },
            },
            "message": { "text": "the first" },
        }])
    );
    assert_eq!(
        result["relatedLocations"][0]["message"]["text"],
        "the second"
    );
    assert_eq!(
        result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"],
        47
    );
}

#[test]
fn a_change_is_at_its_first_line() {
    let run = run_of(&patch_report(&report_for(State::WouldApply)));
    assert_eq!(
        run["results"][0]["locations"][0]["physicalLocation"]["region"],
        json!({ "startLine": 44 })
    );
}

#[test]
fn a_relative_root_gives_paths_relative_to_the_checkout() {
    let mut report = report_for(State::NotApplied);
    report.root = "./site/ghost".into();
    let run = run_of(&patch_report(&report));
    assert_eq!(run.get("originalUriBaseIds"), None);
    assert_eq!(
        run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"],
        json!({ "uri": "site/ghost/node_modules/knex-migrator/lib/database.js" })
    );
}

#[test]
fn paths_are_uris() {
    assert_eq!(
        relative_uri(Path::new("./a b/@x/c#?%:é.js")),
        "a%20b/@x/c%23%3F%25%3A%C3%A9.js"
    );
    assert_eq!(file_uri(Path::new("/")).unwrap(), "file:///");
    assert_eq!(
        file_uri(Path::new("/var/lib/ghost")).unwrap(),
        "file:///var/lib/ghost/"
    );
    assert_eq!(file_uri(Path::new("ghost")), None);
}

#[cfg(unix)]
#[test]
fn a_path_that_is_not_text_keeps_its_bytes() {
    use std::os::unix::ffi::OsStrExt;
    let path = Path::new(std::ffi::OsStr::from_bytes(b"caf\xe9/x"));
    assert_eq!(relative_uri(path), "caf%E9/x");
}

#[test]
fn an_error_is_a_notification_of_a_run_that_failed() {
    let error = Error::Refused {
        problem: "the receipt is newer".to_owned(),
        next_step: "update".to_owned(),
    };
    let run = run_of(&super::error(&error));
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    assert_eq!(run["invocations"][0]["exitCode"], 4);
    assert_eq!(
        run["invocations"][0]["toolExecutionNotifications"],
        json!([{ "level": "error", "message": { "text": "the receipt is newer\nupdate" } }])
    );
    assert_eq!(run["results"], json!([]));
}

#[test]
fn hostile_text_arrives_whole_and_does_nothing_on_the_way() {
    let report = hostile_report();
    let shown = patch_report(&report);
    assert!(
        !shown
            .chars()
            .any(|character| text::is_hidden(character) && character != '\n')
    );
    let run = run_of(&shown);
    assert!(
        run["results"][0]["message"]["text"]
            .as_str()
            .unwrap()
            .contains(&report.patches[0].reason)
    );
}
