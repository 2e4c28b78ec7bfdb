//! JUnit's XML: a test case for each finding or patch, for CI systems that read nothing else.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{preflight, text};
use crate::error::Error;
use crate::preflight::finding::Level;
use crate::report::{PatchReport, PreflightReport};

pub(super) fn preflight_report(report: &PreflightReport) -> String {
    let mut suite = suite("preflight");
    for finding in &report.findings {
        let words = preflight::words(finding);
        let counts = finding.level >= report.least && finding.accepted.is_none();
        let status = match finding.level {
            _ if counts => failure(NonSuccessKind::Failure, finding.level.word(), &words),
            Level::Unknown | Level::Warning | Level::Error => skipped(&words),
            Level::Passed | Level::Notice => TestCaseStatus::success(),
        };
        suite.add_test_case(case(finding.id, "preflight", status));
    }
    for id in &report.not_reached {
        suite.add_test_case(case(
            id,
            "preflight",
            skipped("not reached: something before it failed"),
        ));
    }
    finished(suite)
}

pub(super) fn patch_report(report: &PatchReport) -> String {
    let mut suite = suite("verify");
    for entry in &report.patches {
        let status = if entry.state.is_satisfied() {
            TestCaseStatus::success()
        } else {
            let step = entry.next_step.as_deref().unwrap_or_default();
            let words = format!("{}\n{step}", entry.reason);
            failure(NonSuccessKind::Failure, entry.state.word(), &words)
        };
        let name = format!("{} {}", entry.id, text::path_text(&entry.path));
        suite.add_test_case(case(&name, "verify", status));
    }
    finished(suite)
}

pub(super) fn error(error: &Error) -> String {
    let mut suite = suite("ghostfix");
    let words = format!("{error}\n{}", error.next_step());
    let status = failure(NonSuccessKind::Error, "error", &words);
    suite.add_test_case(case("ghostfix", "ghostfix", status));
    finished(suite)
}

fn suite(name: &str) -> TestSuite {
    TestSuite::new(name)
}

fn case(name: &str, class: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(text::clean(name).into_owned(), status);
    case.set_classname(format!("ghostfix.{class}"));
    case
}

fn failure(kind: NonSuccessKind, word: &str, words: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    let first = words.lines().next().unwrap_or_default();
    status
        .set_type(word)
        .set_message(text::clean(first).into_owned());
    status.set_description(cleaned(words));
    status
}

fn skipped(words: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(cleaned(words));
    status
}

fn cleaned(words: &str) -> String {
    words
        .lines()
        .map(text::clean)
        .collect::<Vec<_>>()
        .join("\n")
}

fn finished(suite: TestSuite) -> String {
    let mut report = Report::new("ghostfix");
    report.add_test_suite(suite);
    report
        .to_string()
        .unwrap_or_else(|problem| format!("<!-- {problem} -->\n"))
}
