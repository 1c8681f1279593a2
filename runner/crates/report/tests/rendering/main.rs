//! What a report looks like: for programs, on a terminal, as cases, as a page.

mod pages;
mod schema;
mod story;

use vmtest_report::{Outcome, junit, text};

use story::Story;

#[test]
fn as_text() {
    insta::assert_snapshot!("text_failed", text::render(&Story::failed().report));
    insta::assert_snapshot!("text_passed", text::render(&Story::passed().report));
}

/// The traceback and the message stand before it in the log.
#[test]
fn as_last_words() {
    let Story { report, logs } = Story::failed();
    insta::assert_snapshot!("diagnosis_failed", text::diagnosis(&report, &logs));
    let Story { report, logs } = Story::panicked();
    insta::assert_snapshot!("diagnosis_panicked", text::diagnosis(&report, &logs));
    let Story { report, logs } = Story::went_on();
    insta::assert_snapshot!("diagnosis_went_on", text::diagnosis(&report, &logs));
}

/// Nobody reads a log of a thousand lines.
#[test]
fn last_words_are_few() {
    let Story { mut report, logs } = Story::failed();
    let unit = report.machines["server"].failed_units[0].clone();
    let machine = report.machines.get_mut("server").expect("a machine");
    machine.failed_units = vec![unit; 500];
    let finding = report.findings[0].clone();
    report.findings = vec![finding; 500];
    let failure = report.failure.clone().expect("a failure");
    report.failed_subtests = (0..500)
        .map(|line| vmtest_report::model::FailureReport {
            line: Some(line),
            ..failure.clone()
        })
        .collect();
    let said = text::diagnosis(&report, &logs);
    assert!(said.lines().count() < 400, "{said}");
}

/// A log of a test is shown on terminals.
#[test]
fn nothing_acts_on_the_terminal() {
    let mut report = Story::failed().report;
    report.failure.as_mut().expect("a failure").message = "\u{1b}[2Jgone\r\u{9b}1m".into();
    let said = text::render(&report);
    assert!(said.contains("\u{fffd}[2Jgone\u{fffd}\u{fffd}1m"), "{said}");
    assert!(!said.contains(['\u{1b}', '\r', '\u{9b}']));
}

#[test]
fn as_cases() {
    for (name, Story { report, logs }) in Story::all() {
        let xml = junit::render(&report, &logs).expect("XML");
        insta::assert_snapshot!(format!("junit_{name}"), xml);
        let cases = quick_junit::Report::deserialize_from_str(&xml).expect("cases");
        let cases = &cases.test_suites[0].test_cases;
        let bad = cases
            .iter()
            .filter(|case| !matches!(case.status, quick_junit::TestCaseStatus::Success { .. }));
        // A program that only looks at the cases knows whether the test has passed.
        let failed = report.outcome != Outcome::Passed;
        assert_eq!(bad.count() > 0, failed, "{name}");
    }
}

/// What a report is read from is what it was written to.
#[test]
fn reports_are_read_back() {
    let folder = tempfile::tempdir().expect("folder");
    let Story { report, logs } = Story::failed();
    vmtest_report::files::write(&report, &logs, folder.path()).expect("written");
    let read = vmtest_report::files::read(folder.path()).expect("read");
    assert_eq!(text::render(&read), text::render(&report));
    let products = std::fs::read_to_string(folder.path().join("nix-support/hydra-build-products"));
    let products = products.expect("a file");
    for line in products.lines() {
        let file = line.split_whitespace().nth(2).expect("a path");
        assert!(std::path::Path::new(file).exists(), "{line}");
    }
    let error = vmtest_report::files::read(&folder.path().join("junit.xml"));
    let error = error.expect_err("not JSON").to_string();
    assert!(error.contains("junit.xml: not a report: "), "{error}");
}
