//! `junit.xml`: the result for programs that know tests by their cases.
//!
//! Each subtest is a case, and the rest of the script is one more, so that a test without subtests has one. The form is the
//! one that Jenkins and GitLab read; where they read attachments (`[[ATTACHMENT|path]]`), those are the machines' logs.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::log::{Logs, Source};
use crate::model::{FailureReport, Report, Step};
use crate::outcome::Outcome;

/// Lines of each console and journal that stand in the file itself.
const TAIL: usize = 100;

/// What the case is called that is all of the script but its subtests.
const REST: &str = "test script";

/// The text of `junit.xml`.
///
/// # Errors
/// When the XML cannot be written, which it always can.
pub fn render(report: &Report, logs: &Logs) -> Result<String, quick_junit::SerializeError> {
    let mut suite = TestSuite::new(&report.name);
    suite.set_time(seconds(report.duration));
    let mut subtests: Vec<&Step> = report
        .steps
        .iter()
        .filter(|step| step.subtest.is_some())
        .collect();
    subtests.sort_by_key(|step| step.id);
    for subtest in &subtests {
        let mut case = TestCase::new(names(report, subtest.id), status_of(report, subtest));
        case.set_classname(&report.name)
            .set_time(seconds(subtest.duration));
        suite.add_test_case(case);
    }
    suite.add_test_case(rest(report, &subtests));
    suite.set_system_out(attachments(report, logs));
    let mut whole = quick_junit::Report::new(&report.name);
    whole.set_time(seconds(report.duration));
    whole.add_test_suite(suite);
    whole.to_string()
}

fn names(report: &Report, id: u64) -> String {
    report.subtests_around(id).join(" / ")
}

/// Subtests around one that failed have failed with it: each says why.
fn status_of(report: &Report, subtest: &Step) -> TestCaseStatus {
    if subtest.passed {
        return TestCaseStatus::success();
    }
    let failure = report.failures().find(|failure| {
        failure.subtest == Some(subtest.id)
            || failure
                .step
                .is_some_and(|step| is_inside(report, step, subtest.id))
    });
    match failure {
        Some(failure) => failed(report.outcome, failure),
        None => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(subtest.error.as_deref().unwrap_or("it was not finished"));
            status
        }
    }
}

/// Whether a step is the other one, or lies in it.
fn is_inside(report: &Report, id: u64, outer: u64) -> bool {
    let mut next = Some(id);
    while let Some(id) = next {
        if id == outer {
            return true;
        }
        next = report
            .step(id)
            .and_then(|step| step.parent)
            .filter(|parent| *parent < id);
    }
    false
}

fn failed(outcome: Outcome, failure: &FailureReport) -> TestCaseStatus {
    let kind = match outcome {
        Outcome::AssertionFailed => NonSuccessKind::Failure,
        _ => NonSuccessKind::Error,
    };
    let mut status = TestCaseStatus::non_success(kind);
    let first = failure.message.lines().next().unwrap_or_default();
    let text = format!("{}\n{}", failure.traceback.trim_end(), failure.message);
    status
        .set_message(first)
        .set_type(outcome.describe())
        .set_description(text.trim());
    status
}

/// The script without its subtests.
fn rest(report: &Report, subtests: &[&Step]) -> TestCase {
    let ids: BTreeSet<u64> = subtests.iter().map(|step| step.id).collect();
    let outermost = subtests.iter().filter(|step| {
        let mut around = step.parent;
        while let Some(id) = around {
            if ids.contains(&id) {
                return false;
            }
            around = report.step(id).and_then(|step| step.parent);
        }
        true
    });
    let inside: f64 = outermost.map(|step| step.duration).sum();
    let is_of_subtest = |failure: &&FailureReport| {
        let step = failure.step.or(failure.subtest);
        step.is_some_and(|step| ids.iter().any(|id| is_inside(report, step, *id)))
    };
    let failure = report
        .failure
        .as_ref()
        .filter(|failure| !is_of_subtest(failure));
    let status = failure.map_or_else(TestCaseStatus::success, |failure| {
        failed(report.outcome, failure)
    });
    let mut case = TestCase::new(REST, status);
    case.set_classname(&report.name)
        .set_time(seconds((report.duration - inside).max(0.0)));
    case
}

/// The logs of the machines: their ends, and where the rest is.
fn attachments(report: &Report, logs: &Logs) -> String {
    let mut text = String::new();
    for (name, machine) in &report.machines {
        let files = [
            (&machine.console_log, Source::Console),
            (&machine.journal_log, Source::Journal),
        ];
        for (file, source) in files {
            let Some(file) = file else { continue };
            let _ = writeln!(text, "[[ATTACHMENT|{file}]]");
            let tail = logs.tail(name, source, TAIL);
            if !tail.is_empty() {
                let _ = writeln!(text, "{name}: the last {} lines of {file}:", tail.len());
                for line in tail {
                    let _ = writeln!(text, "{line}");
                }
            }
        }
    }
    text
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
