//! The API, compared with that of upstream's driver: `fixtures/upstream-api.json`, read off its source. What it has, by the
//! names, defaults and kinds of parameters that it has, must be here.

use std::collections::BTreeMap;

use serde_json::Value;
use vmtest_script::api;

/// Entries that are here in another way, with the reason.
const KNOWN: &[(&str, &str)] = &[
    (
        "VLan:",
        "the networks are those of the test: a script cannot make one",
    ),
    (
        "QMPSession:",
        "the runner holds the only connection: a script cannot make one",
    ),
    ("QMPSession.pending_events: cannot", "None"),
    ("QMPSession.reader: cannot", "None"),
    ("QMPSession.results: cannot", "None"),
    ("QMPSession.sock: cannot", "None"),
    ("QMPSession.writer: cannot", "None"),
];

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn by_name(list: &Value) -> BTreeMap<&str, &Value> {
    let entries = list.as_array().into_iter().flatten();
    entries.map(|entry| (text(entry, "name"), entry)).collect()
}

/// The parameters that upstream has and this function has not, or in another way.
fn compare_params(place: &str, upstream: &Value, ours: &Value, problems: &mut Vec<String>) {
    let our_params = by_name(ours);
    let positional = |list: &Value| -> Vec<String> {
        let params = list.as_array().into_iter().flatten();
        let params = params.filter(|param| text(param, "kind") == "positional");
        params.map(|param| text(param, "name").to_owned()).collect()
    };
    let (their_order, our_order) = (positional(upstream), positional(ours));
    if !our_order.starts_with(&their_order) {
        problems.push(format!(
            "{place}: {our_order:?} in place of {their_order:?}"
        ));
    }
    for (name, param) in by_name(upstream) {
        let Some(our) = our_params.get(name) else {
            problems.push(format!("{place}: no parameter {name}"));
            continue;
        };
        if text(our, "kind") != text(param, "kind") {
            problems.push(format!("{place}: {name} is {}", text(our, "kind")));
        }
        let default = our["default"].as_str();
        let wanted = [
            param["default"].as_str(),
            param["effective_default"].as_str(),
        ];
        if !wanted.contains(&default) {
            problems.push(format!(
                "{place}: {name} is {default:?} by default, not {wanted:?}"
            ));
        }
        for old_name in param["old_names"].as_array().into_iter().flatten() {
            let known = our["old_names"]
                .as_array()
                .is_some_and(|names| names.contains(old_name));
            if !known {
                problems.push(format!("{place}: {name} is not called {old_name}"));
            }
        }
    }
}

fn compare_class(name: &str, upstream: &Value, ours: &Value, problems: &mut Vec<String>) {
    let methods = by_name(&ours["methods"]);
    for (method, described) in by_name(&upstream["methods"]) {
        let place = format!("{name}.{method}");
        match methods.get(method) {
            Some(our) => {
                compare_params(&place, &described["params"], &our["params"], problems);
                if described["static"] == true && our["static"] != true {
                    problems.push(format!("{place}: called on an object"));
                }
            }
            None => problems.push(format!("{place}: missing")),
        }
    }
    let properties = by_name(&ours["properties"]);
    for (property, described) in by_name(&upstream["properties"]) {
        let place = format!("{name}.{property}");
        let Some(our) = properties.get(property) else {
            problems.push(format!("{place}: missing"));
            continue;
        };
        if described["writable"] == true && our["writable"] != true {
            problems.push(format!("{place}: cannot be written"));
        }
        for old_name in described["old_names"].as_array().into_iter().flatten() {
            if !properties.contains_key(old_name.as_str().expect("a name")) {
                problems.push(format!("{place}: no {old_name}"));
            }
        }
    }
    if upstream["init"].is_array() {
        compare_params(name, &upstream["init"], &ours["init"], problems);
    }
    if upstream["context_manager"] == true && ours["context_manager"] != true {
        problems.push(format!("{name}: not for with statements"));
    }
    for other in upstream["also"].as_array().into_iter().flatten() {
        if !ours["also"]
            .as_array()
            .is_some_and(|names| names.contains(other))
        {
            problems.push(format!("{name}: not called {other}"));
        }
    }
}

#[test]
fn what_upstream_has_is_here() {
    let fixture = include_str!("fixtures/upstream-api.json");
    let upstream: Value = serde_json::from_str(fixture).expect("the fixture is JSON");
    let ours: Value = serde_json::from_str(&api::json()).expect("the list is JSON");
    let mut problems = Vec::new();

    let symbols = by_name(&ours["symbols"]);
    for (name, symbol) in by_name(&upstream["symbols"]) {
        match symbols.get(name) {
            Some(our) if symbol["params"].is_array() => {
                compare_params(name, &symbol["params"], &our["params"], &mut problems);
            }
            Some(_) => {}
            None => problems.push(format!("{name}: missing")),
        }
    }
    for (name, class) in upstream["classes"].as_object().expect("classes") {
        match &ours["classes"][name] {
            Value::Null => problems.push(format!("class {name}: missing")),
            our => compare_class(name, class, our, &mut problems),
        }
    }
    for key in ["modules", "old_modules"] {
        for (module, names) in upstream[key].as_object().expect("modules") {
            let our_names = ours["modules"][module].as_array();
            for name in names.as_array().into_iter().flatten() {
                if !our_names.is_some_and(|names| names.contains(name)) {
                    problems.push(format!("{module}: no {name}"));
                }
            }
        }
    }
    for (known, _) in KNOWN {
        let before = problems.len();
        problems.retain(|problem| !problem.starts_with(known));
        assert_ne!(problems.len(), before, "{known} is no problem any more");
    }
    assert_eq!(problems, Vec::<String>::new());
}
