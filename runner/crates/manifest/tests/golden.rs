//! Golden files: a manifest that was once written stays readable, and means the same.

use std::error::Error as _;

use serde_json::{Value, json};
use vmtest_manifest::{Attributes, Fresh, Manifest, Preparation, Restore, Save, Snapshot};

const HELLO: &str = include_str!("golden/hello.json");

fn hello() -> Value {
    serde_json::from_str(HELLO).expect("golden file is JSON")
}

#[test]
fn golden_manifest_round_trips() {
    let manifest = Manifest::parse(HELLO).expect("golden file is a manifest");
    insta::assert_debug_snapshot!(manifest);
    assert_eq!(
        serde_json::to_value(&manifest).expect("manifest is JSON"),
        hello()
    );
}

/// Every mistake is refused with a message that names the field.
#[test]
fn mistakes_are_named() {
    type Change = fn(&mut Value);
    let table: &[(&str, Change)] = &[
        ("unknown field `colour`", |m| m["colour"] = json!("red")),
        ("unknown field `mem`", |m| {
            m["nodes"]["client"]["mem"] = json!(1)
        }),
        ("unknown variant `image`", |m| {
            m["nodes"]["client"]["root"]["layers"][0] = json!({"image": "/x"})
        }),
        ("missing field `name`", |m| {
            m.as_object_mut().expect("object").remove("name");
        }),
        ("missing field `version`", |m| {
            m.as_object_mut().expect("object").remove("version");
        }),
        ("of version 2", |m| m["version"] = json!(2)),
        ("of version \"1\"", |m| m["version"] = json!("1")),
        ("invalid type: string \"1024\", expected u32", |m| {
            m["nodes"]["client"]["memory"] = json!("1024")
        }),
        ("invalid value: integer `-1`", |m| {
            m["nodes"]["client"]["memory"] = json!(-1)
        }),
        ("unknown variant `maybe`", |m| {
            m["acceleration"] = json!("maybe")
        }),
    ];
    for (expected, change) in table {
        let mut manifest = hello();
        change(&mut manifest);
        let error = Manifest::parse(&manifest.to_string()).expect_err(expected);
        let error = error
            .source()
            .map_or(error.to_string(), ToString::to_string);
        assert!(
            error.contains(expected),
            "expected {expected:?} in {error:?}"
        );
    }
}

#[test]
fn attributes_hold_manifest_output_and_closures() {
    let text = json!({
        "manifest": hello(),
        "outputs": { "out": "/nix/store/1-out" },
        "builder": "ignored",
        "closure.client": [{
            "path": "/nix/store/2-a", "narHash": "sha256:00", "narSize": 120, "closureSize": 120,
            "references": ["/nix/store/2-a"],
        }],
    });
    let attributes = Attributes::parse(&text.to_string()).expect("attributes");
    assert_eq!(attributes.out.to_str(), Some("/nix/store/1-out"));
    let closure = attributes.closure("closure.client").expect("closure");
    assert_eq!(closure[0].nar_size, 120);
    let error = attributes
        .closure("closure.server")
        .expect_err("no such closure");
    assert!(error.to_string().contains("`closure.server`"), "{error}");
}

#[test]
fn snapshots_are_made_gone_on_from_or_done_without() {
    let parse = |json: &str| serde_json::from_str::<Snapshot>(json);
    let save = parse(r#"{ "save": { "required": true, "prepared": false } }"#).expect("valid");
    let expected = Save {
        required: true,
        prepared: false,
    };
    assert_eq!(save, Snapshot::Save(expected));
    let restore = r#"{ "restore": { "from": "/boot", "required": false, "prepare": "pass", "fresh": ["machine-id", "ssh-host-keys"] } }"#;
    let expected = Restore {
        from: "/boot".into(),
        required: false,
        prepare: Some("pass".into()),
        fresh: vec![Fresh::MachineId, Fresh::SshHostKeys],
    };
    assert_eq!(parse(restore).expect("valid"), Snapshot::Restore(expected));
    let boot = parse(r#"{ "boot": { "prepare": "start_all()" } }"#).expect("valid");
    let expected = Preparation {
        prepare: "start_all()".into(),
    };
    assert_eq!(boot, Snapshot::Boot(expected));
    let error = parse(r#"{ "save": { "required": true, "prepared": false, "colour": 1 } }"#);
    let error = error.expect_err("refused").to_string();
    assert!(error.starts_with("unknown field `colour`"), "{error}");
}
