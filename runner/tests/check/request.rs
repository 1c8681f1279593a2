//! What the plugin for Nix asks, and is answered.

use std::fs;

use serde_json::{Value, json};
use vmtest::check::{Answer, Request};

fn request(scripts: &Value, test: &Value) -> Answer {
    let mut subject = json!({
        "machines": { "web-1": { "startScript": false } },
        "vlans": [1],
        "enableOCR": false,
        "extraPythonPackages": [],
        "skipTypeCheck": false,
        "skipLint": false,
        "ignoredRules": [],
    });
    let changes = test.as_object().expect("an object").clone();
    subject.as_object_mut().expect("an object").extend(changes);
    let text = json!({ "scripts": scripts, "test": subject }).to_string();
    let request = Request::parse(&text).expect("a request");
    request.answer().expect("an answer")
}

fn script(text: &str) -> Value {
    json!({ "testScript": { "text": text, "file": null, "line": null } })
}

#[test]
fn a_right_script_has_nothing_to_say() {
    let answer = request(&script("web_1.succeed(\"true\")\nvlan1.nr\n"), &json!({}));
    assert_eq!(
        answer,
        Answer {
            errors: None,
            warnings: None
        }
    );
}

#[test]
fn mistakes_are_shown_where_they_stand_in_the_nix_file() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("test.nix");
    let text = "{\n  name = \"x\";\n  testScript = ''\n    start_all()\n    web_1.suceed(\"true\")\n    web_1.execute(\"false\")\n  '';\n}\n";
    fs::write(&file, text).expect("file");
    let script = "start_all()\nweb_1.suceed(\"true\")\nweb_1.execute(\"false\")\n";
    let answer = request(
        &json!({ "testScript": { "text": script, "file": file, "line": 3 } }),
        &json!({}),
    );
    let name = file.display().to_string();
    insta::assert_snapshot!(answer.errors.expect("an error").replace(&name, "test.nix"));
    insta::assert_snapshot!(
        answer
            .warnings
            .expect("a warning")
            .replace(&name, "test.nix")
    );
}

#[test]
fn where_the_lines_are_not_known_the_option_is_named() {
    let answer = request(
        &json!({ "testScript": { "text": "web_2.succeed(1)\n", "file": "/nowhere/test.nix", "line": 7 } }),
        &json!({}),
    );
    insta::assert_snapshot!(answer.errors.expect("errors"));
}

/// Until the test is built, packages may not be there, and nobody knows what they have.
#[test]
fn modules_of_packages_that_are_not_built_are_believed_in() {
    let text = "import strange_module\nstrange_module.anything()\n";
    let known = request(&script(text), &json!({}));
    assert!(
        known
            .errors
            .expect("an error")
            .contains("unresolved-import")
    );
    let packages = json!({ "extraPythonPackages": ["/nowhere/at/all"] });
    assert_eq!(request(&script(text), &packages).errors, None);
}

#[test]
fn options_silence_what_they_say() {
    let text = "web_1.succeed(1)\nassert (1, 2)\nnothing\n";
    let rules = |test: Value| -> Vec<&str> {
        let errors = request(&script(text), &test).errors.unwrap_or_default();
        [
            "invalid-argument-type",
            "assert-on-tuple",
            "unresolved-reference",
        ]
        .into_iter()
        .filter(|rule| errors.contains(rule))
        .collect()
    };
    assert_eq!(
        rules(json!({})),
        [
            "invalid-argument-type",
            "assert-on-tuple",
            "unresolved-reference"
        ]
    );
    assert_eq!(
        rules(json!({ "skipTypeCheck": true })),
        ["assert-on-tuple", "unresolved-reference"]
    );
    assert_eq!(
        rules(json!({ "skipLint": true })),
        ["invalid-argument-type", "unresolved-reference"]
    );
    assert!(rules(json!({ "skipLint": true, "skipTypeCheck": true })).is_empty());
    assert_eq!(
        rules(json!({ "ignoredRules": ["assert-on-tuple"] })),
        ["invalid-argument-type", "unresolved-reference"]
    );
}

#[test]
fn all_scripts_of_a_test_are_looked_at() {
    let answer = request(
        &json!({
            "testScript": { "text": "start_all()\n", "file": null, "line": null },
            "prepare": { "text": "web_1.bot()\n", "file": null, "line": null },
        }),
        &json!({}),
    );
    assert!(answer.errors.expect("an error").contains("--> prepare:1:7"));
}

#[test]
fn a_request_that_is_none_is_refused() {
    let error = Request::parse("{\"scripts\": {}, \"colour\": 1}").expect_err("no request");
    assert!(
        format!("{error:#}").contains("unknown field `colour`"),
        "{error:#}"
    );
}
