//! One literal report for each state, as the commands make them.

use std::path::PathBuf;

use crate::report::{
    CaseResult, Coverage, Evidence, GhostFound, PatchCommand, PatchEntry, PatchReport, Proof,
    ProofResult, State,
};

pub(in crate::render) const STATES: [State; 15] = [
    State::Applied,
    State::WouldApply,
    State::AlreadyApplied,
    State::NotApplied,
    State::Reverted,
    State::Outdated,
    State::ByHand,
    State::FixedUpstream,
    State::NotNeeded,
    State::Interrupted,
    State::Drifted,
    State::Ambiguous,
    State::BrokenByHand,
    State::Missing,
    State::ProofFailed,
];

pub(in crate::render) const PATH: &str = "node_modules/knex-migrator/lib/database.js";

/// A file that a patch could be for, of the length that a migration library's may have.
pub(in crate::render) fn source() -> String {
    let mut source = "'use strict';\n".to_owned();
    for line in 2..40 {
        source.push_str(&format!("const value{line} = {line};\n"));
    }
    source.push_str(
        "\
module.exports.makeSure = async function makeSure(connection, name) {
    try {
        await connection.raw(`CREATE DATABASE ${name}`);
    } catch (problem) {
        if (isKnown(problem)) {
            return;
        }
        throw problem;
    } finally {
        await connection.destroy();
    }
};
",
    );
    source
}

/// What the patch does to [`source`] with a comparison in place of `isKnown`.
pub(in crate::render) const DIFF: &str = "\
--- a/node_modules/knex-migrator/lib/database.js
+++ b/node_modules/knex-migrator/lib/database.js
@@ -41,7 +41,7 @@
     try {
         await connection.raw(`CREATE DATABASE ${name}`);
     } catch (problem) {
-        if (problem.errno === 1007) {
+        if (problem.errno === 1007 || (problem.errno === 1105 && /database exists/.test(problem.sqlMessage || problem.message))) {
             return;
         }
         throw problem;
";

const SHAPE: &str = "\
try {
    await connection.raw(statement);
} catch (err) {
    if (err.errno === 1007) {
        return;
    }
    throw err;
}
";

const SHAPE_DIFF: &str = "\
--- shape try-catch
+++ node_modules/knex-migrator/lib/database.js
@@ -1,8 +1,8 @@
 try {
-    await connection.raw(statement);
-} catch (err) {
-    if (err.errno === 1007) {
+    await connection.raw(`CREATE DATABASE ${name}`);
+} catch (problem) {
+    if (isKnown(problem)) {
         return;
     }
-    throw err;
+    throw problem;
 }
";

fn range_of(source: &str, part: &str) -> std::ops::Range<usize> {
    let start = source.find(part).unwrap();
    start..start + part.len()
}

fn evidence(labels: &[(&str, &str)]) -> Evidence {
    let source = source();
    let labels = labels
        .iter()
        .map(|(part, label)| (range_of(&source, part), (*label).to_owned()))
        .collect();
    Evidence {
        source,
        labels,
        nearest_shape: Some(("try-catch".to_owned(), SHAPE.to_owned())),
        shape_diff: SHAPE_DIFF.to_owned(),
    }
}

pub(in crate::render) fn case(name: &str, result: ProofResult, detail: &str) -> CaseResult {
    CaseResult {
        name: name.to_owned(),
        result,
        detail: detail.to_owned(),
    }
}

fn passed(number: usize) -> Proof {
    let names = [
        "1007",
        "1105 exists, PlanetScale",
        "1105 exists, older Vitess",
        "1105 TLS",
        "1105 without message",
    ];
    Proof {
        syntax: ProofResult::Passed,
        behaviour: ProofResult::Passed,
        cases: names[..number]
            .iter()
            .map(|name| case(name, ProofResult::Passed, ""))
            .collect(),
    }
}

/// The command in whose report a state stands, and the words that go with it.
pub(in crate::render) fn report_for(state: State) -> PatchReport {
    let entry = PatchEntry {
        id: "database-exists".to_owned(),
        package: "knex-migrator".to_owned(),
        version: "6.2.1".to_owned(),
        path: PathBuf::from(PATH),
        state,
        shape: Some("try-catch".to_owned()),
        proof: passed(5),
        diff: String::new(),
        reason: String::new(),
        next_step: None,
        evidence: None,
    };
    let (command, entry) = match state {
        State::Applied => (
            PatchCommand::Patch,
            PatchEntry {
                diff: DIFF.to_owned(),
                reason: "errno 1105 whose message says that the database exists is now accepted beside 1007.".to_owned(),
                ..entry
            },
        ),
        State::WouldApply => (
            PatchCommand::PatchDryRun,
            PatchEntry {
                diff: DIFF.to_owned(),
                reason: "errno 1105 whose message says that the database exists would be accepted beside 1007."
                    .to_owned(),
                ..entry
            },
        ),
        State::AlreadyApplied => (
            PatchCommand::Verify,
            PatchEntry { reason: "The edit is in place, and does what it should.".to_owned(), ..entry },
        ),
        State::NotApplied => (
            PatchCommand::Verify,
            PatchEntry {
                proof: Proof::default(),
                reason: "The code is as published: the first boot on PlanetScale ends in DATABASE_CREATION_FAILED."
                    .to_owned(),
                next_step: Some("run ghostfix patch in the image build".to_owned()),
                ..entry
            },
        ),
        State::Reverted => (
            PatchCommand::Revert,
            PatchEntry {
                diff: "@@ -44,1 +44,1 @@\n-        if (problem.errno === 1007 || exists(problem)) {\n+        if (problem.errno === 1007) {\n".to_owned(),
                proof: Proof { syntax: ProofResult::Passed, ..Proof::default() },
                reason: "The file is byte for byte the one that was patched.".to_owned(),
                ..entry
            },
        ),
        State::Outdated => (
            PatchCommand::Verify,
            PatchEntry {
                reason: "ghostfix 0.0.9 made this edit; it has since been changed to accept a message without a code."
                    .to_owned(),
                next_step: Some("run ghostfix patch: it brings the edit up to date".to_owned()),
                ..entry
            },
        ),
        State::ByHand => (
            PatchCommand::Verify,
            PatchEntry {
                reason: "Somebody's own edit gives the same behaviour in every case.".to_owned(),
                ..entry
            },
        ),
        State::FixedUpstream => (
            PatchCommand::Verify,
            PatchEntry {
                version: "7.0.0".to_owned(),
                shape: None,
                reason: "The code as published handles this already.".to_owned(),
                ..entry
            },
        ),
        State::NotNeeded => (
            PatchCommand::Verify,
            PatchEntry {
                version: "0.0.2".to_owned(),
                shape: None,
                proof: Proof::default(),
                reason: "This version does not create the database.".to_owned(),
                ..entry
            },
        ),
        State::Interrupted => (
            PatchCommand::Verify,
            PatchEntry {
                shape: None,
                proof: Proof::default(),
                reason: "A run of ghostfix patch ended after it had replaced 1 of 2 files.".to_owned(),
                next_step: Some("run ghostfix patch again: it finishes the run, or undoes it".to_owned()),
                ..entry
            },
        ),
        State::Drifted => (
            PatchCommand::Patch,
            PatchEntry {
                version: "6.9.0".to_owned(),
                shape: None,
                proof: Proof::default(),
                reason: "No comparison of an errno with 1007 decides what happens to the error here.".to_owned(),
                next_step: Some(
                    "look whether this version still needs the patch, and report it with the code shown here; until then, stay on the version you have"
                        .to_owned(),
                ),
                evidence: Some(evidence(&[("isKnown(problem)", "expected a comparison with 1007 here")])),
                ..entry
            },
        ),
        State::Ambiguous => (
            PatchCommand::Patch,
            PatchEntry {
                shape: None,
                proof: Proof::default(),
                reason: "Two places fit the shape try-catch, and only one of them may be changed.".to_owned(),
                next_step: Some("report this version of knex-migrator".to_owned()),
                evidence: Some(Evidence {
                    nearest_shape: None,
                    shape_diff: String::new(),
                    ..evidence(&[("isKnown(problem)", "the first"), ("throw problem", "the second")])
                }),
                ..entry
            },
        ),
        State::BrokenByHand => (
            PatchCommand::Patch,
            PatchEntry {
                proof: Proof {
                    syntax: ProofResult::NotRun,
                    behaviour: ProofResult::Failed,
                    cases: vec![
                        case("1007", ProofResult::Passed, ""),
                        case("1105 TLS", ProofResult::Failed, "must be thrown on, was swallowed: client must use SSL/TLS"),
                    ],
                },
                reason: "Somebody's own edit accepts every errno 1105, whatever its message.".to_owned(),
                next_step: Some("take the edit out (install the package anew), then run ghostfix patch".to_owned()),
                evidence: Some(Evidence {
                    nearest_shape: None,
                    shape_diff: String::new(),
                    ..evidence(&[("isKnown(problem)", "accepts too much")])
                }),
                ..entry
            },
        ),
        State::Missing => (
            PatchCommand::Patch,
            PatchEntry {
                shape: None,
                proof: Proof::default(),
                reason: "knex-migrator is here, but has no lib/database.js.".to_owned(),
                next_step: Some("install the package anew: it is incomplete".to_owned()),
                ..entry
            },
        ),
        State::ProofFailed => (
            PatchCommand::Patch,
            PatchEntry {
                proof: Proof {
                    syntax: ProofResult::Passed,
                    behaviour: ProofResult::Failed,
                    cases: vec![
                        case("1007", ProofResult::Passed, ""),
                        case("success", ProofResult::Failed, "wanted: returns, the connection destroyed once; seen: returns, the connection destroyed twice"),
                        case("1044", ProofResult::NotRun, "the time limit was reached"),
                    ],
                },
                reason: "With the edit the code does not do in every case what it must.".to_owned(),
                next_step: Some("report this with the file".to_owned()),
                ..entry
            },
        ),
    };
    PatchReport {
        command,
        root: PathBuf::from("/var/lib/ghost"),
        ghost: GhostFound {
            version: "6.65.0".to_owned(),
            directory: PathBuf::from("/var/lib/ghost/versions/6.65.0"),
        },
        coverage: Coverage {
            node_resolution: true,
            package_directories: true,
            everything: false,
            unreadable: Vec::new(),
        },
        patches: vec![entry],
        notes: Vec::new(),
    }
}

/// What every text of a hostile installation holds: escapes, a line that a CI runner would obey, turned reading
/// direction, characters without width.
pub(in crate::render) const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}1m\r\n::error::no\n##[error]no\u{202e}\u{2066}\u{200b}\u{2028}\u{feff}\u{e0041}\u{7f} end";

/// A report in which every text that comes from files or their names is hostile.
pub(in crate::render) fn hostile_report() -> PatchReport {
    let source = format!("// {HOSTILE}\ncatch(err) {{}} // {HOSTILE}\n");
    let place = range_of(&source, "catch(err)");
    let one_line = HOSTILE.replace(['\r', '\n'], "");
    let mut report = report_for(State::Drifted);
    report.root = PathBuf::from(format!("/srv/{HOSTILE}"));
    report.ghost = GhostFound {
        version: HOSTILE.to_owned(),
        directory: PathBuf::from(HOSTILE),
    };
    report.coverage.unreadable = vec![PathBuf::from(HOSTILE)];
    report.notes = vec![HOSTILE.to_owned()];
    report.patches[0] = PatchEntry {
        id: "database-exists".to_owned(),
        package: HOSTILE.to_owned(),
        version: HOSTILE.to_owned(),
        path: PathBuf::from(HOSTILE),
        state: State::Drifted,
        shape: Some(HOSTILE.to_owned()),
        proof: Proof {
            syntax: ProofResult::Passed,
            behaviour: ProofResult::Failed,
            cases: vec![case(HOSTILE, ProofResult::Failed, HOSTILE)],
        },
        diff: format!("@@ -1,1 +1,1 @@\n-{one_line}\n+::error::{one_line}\n"),
        reason: HOSTILE.to_owned(),
        next_step: Some(HOSTILE.to_owned()),
        evidence: Some(Evidence {
            source,
            labels: vec![(place, HOSTILE.to_owned())],
            nearest_shape: Some((HOSTILE.to_owned(), HOSTILE.to_owned())),
            shape_diff: format!("@@ -1,1 +1,1 @@\n-{one_line}\n+##[error]{one_line}\n"),
        }),
    };
    report
}
