//! Pages. They are left in the folder of the build, to be looked at.

use std::fs;
use std::path::{Path, PathBuf};

use vmtest_report::{Report, files, page};

use super::story::Story;

/// The markup without what is the same on every page.
fn body(page: &str) -> String {
    let start = page.find("<body").expect("a body");
    let end = page.rfind("<script>").expect("a program");
    let lines = page[start..end].replace("<section", "\n<section");
    lines
        .replace("<article", "\n<article")
        .replace("<li", "\n<li")
        .replace("<tr", "\n<tr")
        .replace("<div class=\"label\"", "\n<div class=\"label\"")
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("pages")
        .join(name);
    fs::create_dir_all(&folder).expect("folder");
    folder
}

#[test]
fn pages_of_all_stories() {
    for (name, Story { report, logs }) in Story::all() {
        let folder = folder(name);
        files::write(&report, &logs, &folder).expect("written");
        let page = fs::read_to_string(folder.join("index.html")).expect("a page");
        insta::assert_snapshot!(format!("page_{name}"), body(&page));
    }
}

/// The cause stands before everything else, in all of its parts.
#[test]
fn the_cause_comes_first() {
    let Story { report, logs } = Story::failed();
    let page = page::render(&report, &logs, Path::new("/"));
    let cause = page.find("id=\"cause\"").expect("the cause");
    let rest = page.find("id=\"time\"").expect("the rest");
    assert!(cause < rest);
    let cause = &page[cause..rest];
    for part in [
        "command `test -e /there` failed (exit code 1)",
        "<mark><b data-n=\"12\"></b>    client.succeed(&quot;test -e /there&quot;)",
        "&lt;nothing&gt; is there",
        "no standard output",
        "Out of memory: Killed process 99 (tail)",
        "broken.service has failed",
    ] {
        assert!(cause.contains(part), "no `{part}` in:\n{cause}");
    }
}

/// Whatever a test prints, the page has no element of its, and asks nobody for anything.
#[test]
fn nothing_of_a_test_is_markup() {
    let evil = "</script><script>alert(1)</script><img src=//evil onerror=alert(1)>\" ' onload=x";
    let Story { report, logs } = Story::went_on();
    let json = serde_json::to_string(&report).expect("JSON");
    // Every text of the report at once.
    let mut value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    poison(&mut value, evil);
    let report: Report = serde_json::from_value(value).expect("a report");
    let page = page::render(&report, &logs, Path::new("/"));
    assert!(page.matches("alert(1)").count() > 50);
    assert!(
        !page.contains("<script>alert") && !page.contains("<img src=//"),
        "{page}"
    );
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(!page.contains("\" ' onload"));
}

/// Puts the text behind every text that is not a name with a meaning.
fn poison(value: &mut serde_json::Value, evil: &str) {
    match value {
        serde_json::Value::String(text) => text.push_str(evil),
        serde_json::Value::Array(values) => values.iter_mut().for_each(|value| poison(value, evil)),
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                if !["outcome", "kind", "source", "stream", "ending"].contains(&name.as_str()) {
                    poison(value, evil);
                }
            }
        }
        _ => {}
    }
}

/// A page of a large test is no larger than people wait for.
#[test]
fn pages_are_bounded() {
    let Story {
        mut report,
        mut logs,
    } = Story::failed();
    let step = report.steps[1].clone();
    for id in 100..50_000 {
        report
            .steps
            .push(vmtest_report::model::Step { id, ..step.clone() });
    }
    for number in 0..50 {
        for _ in 0..5000 {
            let line = vmtest_report::LogLine {
                time: 1.0,
                unit: None,
                priority: None,
                text: "x".repeat(200),
            };
            logs.push(
                &format!("machine{number}"),
                vmtest_report::Source::Console,
                line,
            );
        }
    }
    let page = page::render(&report, &logs, Path::new("/"));
    assert!(page.len() < 6 << 20, "{} bytes", page.len());
}
