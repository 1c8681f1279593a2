//! Results that stay when the test fails, and the gate that looks at them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{End, Site, VMTEST};

impl Site {
    /// Runs a test whose results are the output, whatever the outcome is.
    fn run_for_report(&self, attributes: &Value) -> End {
        fs::write(self.path("attrs.json"), attributes.to_string()).expect("file");
        let child = Command::new(VMTEST)
            .args(["build", "--report"])
            .env("NIX_ATTRS_JSON_FILE", self.path("attrs.json"))
            .env("NIX_BUILD_TOP", self.path("scratch"))
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        self.end(child.expect("the program starts"))
    }

    /// Runs the gate: its exit code and its words.
    fn gate(&self) -> (Option<i32>, String) {
        let attributes = json!({
            "results": self.path("result"),
            "outputs": { "out": self.path("gate") },
        });
        fs::write(self.path("gate.json"), attributes.to_string()).expect("file");
        let output = Command::new(VMTEST)
            .arg("gate")
            .env("NIX_ATTRS_JSON_FILE", self.path("gate.json"))
            .output();
        let output = output.expect("the program ends");
        let said = String::from_utf8(output.stderr).expect("text");
        (output.status.code(), said)
    }
}

#[test]
fn the_gate_is_open_after_a_passed_test() {
    let site = Site::new();
    let end = site.run_for_report(&site.attributes("print('fine')\n"));
    assert_eq!(end.code, Some(0), "{}", end.stderr);
    let (code, said) = site.gate();
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.starts_with("vmtest: test `alone` passed in "),
        "{said}"
    );
    for file in [
        "report.json",
        "junit.xml",
        "index.html",
        "nix-support/hydra-build-products",
    ] {
        let there = fs::read(site.path("gate").join(file)).expect(file);
        assert_eq!(
            there,
            fs::read(site.path("result").join(file)).expect(file),
            "{file}"
        );
    }
}

#[test]
fn the_gate_fails_as_the_test_has() {
    for (script, outcome) in [("assert 1 == 2\n", 1), ("1 / 0\n", 3)] {
        let site = Site::new();
        let end = site.run_for_report(&site.attributes(script));
        assert_eq!(end.code, Some(0), "there are results: {}", end.stderr);
        assert_eq!(end.report()["exitCode"], outcome);
        let (code, said) = site.gate();
        assert_eq!(code, Some(outcome), "{said}");
        assert!(said.contains("testScript, line 1:"), "{said}");
        let page = site.path("result/index.html");
        assert!(
            said.contains(&format!("the whole report: {}", page.display())),
            "{said}"
        );
        assert!(
            !site.path("gate").exists(),
            "a build that fails has no output"
        );
    }
}

#[test]
fn a_gate_without_results_says_so() {
    let (code, said) = Site::new().gate();
    assert_eq!(code, Some(4));
    assert!(said.contains("result: No such file"), "{said}");
}

#[test]
fn reports_are_printed() {
    let site = Site::new();
    site.run(&site.attributes("with subtest('sums'):\n    assert 1 == 2, 'no'\n"));
    let show = |path: &Path| {
        Command::new(VMTEST)
            .arg("report")
            .arg(path)
            .output()
            .expect("it ends")
    };
    let folder = show(&site.path("result"));
    let said = String::from_utf8(folder.stdout).expect("text");
    assert!(folder.status.success());
    assert!(
        said.contains("subtest: sums") && said.contains("AssertionError: no"),
        "{said}"
    );
    assert_eq!(
        show(&site.path("result/report.json")).stdout,
        said.into_bytes()
    );
    assert!(!show(&site.path("nothing")).status.success());
}

/// A script that goes on has all of its failures in the report, and the exit code of the first.
#[test]
fn a_script_goes_on_if_it_may() {
    let site = Site::new();
    let script =
        "with subtest('a'):\n    assert 1 == 2\nwith subtest('b'):\n    1 / 0\nprint('the end')\n";
    let mut attributes = site.attributes(script);
    attributes["manifest"]["failures"] = json!({ "keepGoing": true, "failOn": [], "except": [] });
    let end = site.run(&attributes);
    assert_eq!(end.code, Some(1), "{}", end.stderr);
    assert!(end.stderr.contains("\nthe end\n"), "{}", end.stderr);
    let failures = end.report()["failedSubtests"].as_array().expect("a list");
    let lines: Vec<u64> = failures
        .iter()
        .filter_map(|failure| failure["line"].as_u64())
        .collect();
    assert_eq!(lines, [2, 4]);
    assert_eq!(end.report()["failure"], failures[0]);
}

#[test]
fn patterns_are_regular_expressions() {
    let site = Site::new();
    let mut attributes = site.attributes("print('fine')\n");
    attributes["manifest"]["failures"] =
        json!({ "keepGoing": false, "failOn": ["BUG", "("], "except": ["["] });
    let end = site.run(&attributes);
    assert_eq!(end.code, Some(6), "{}", end.stderr);
    for place in [
        "failOn.1: `(` is no regular expression",
        "failOnExcept.0: `[` is no regular expression",
    ] {
        assert!(end.stderr.contains(place), "{}", end.stderr);
    }
}
