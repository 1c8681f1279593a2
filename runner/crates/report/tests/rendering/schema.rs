//! Reports have the fields that `schema.json` names, and no others. Whether their values are as it says is looked at where
//! there are real reports: in the end-to-end tests.

use serde_json::Value;

use super::story::Story;

/// What programs that read reports may rely on.
const SCHEMA: &str = include_str!("../../schema.json");

fn schema() -> Value {
    serde_json::from_str(SCHEMA).expect("the schema is JSON")
}

/// The schema that is meant by one that refers to another, or to another and null.
fn meant<'a>(schema: &'a Value, whole: &'a Value) -> &'a Value {
    let name = schema["$ref"].as_str();
    let name = name.or_else(|| schema["anyOf"][0]["$ref"].as_str());
    name.map_or(schema, |name| {
        let name = name.strip_prefix("#/$defs/").expect("a definition");
        &whole["$defs"][name]
    })
}

/// Where the fields of a value are not those of its schema.
fn differences(value: &Value, schema: &Value, whole: &Value, place: &str, found: &mut Vec<String>) {
    let schema = meant(schema, whole);
    match value {
        Value::Object(fields) if schema["properties"].is_object() => {
            let known = schema["properties"].as_object().expect("an object");
            for name in known.keys().filter(|name| !fields.contains_key(*name)) {
                found.push(format!("{place}.{name} is missing"));
            }
            let required = schema["required"].as_array().expect("a list");
            assert_eq!(
                required.len(),
                known.len(),
                "{place}: all fields are always there"
            );
            for (name, value) in fields {
                match known.get(name) {
                    Some(schema) => {
                        differences(value, schema, whole, &format!("{place}.{name}"), found)
                    }
                    None => found.push(format!("{place}.{name} is unknown")),
                }
            }
        }
        Value::Object(fields) if schema["additionalProperties"].is_object() => {
            for (name, value) in fields {
                let place = format!("{place}.{name}");
                differences(value, &schema["additionalProperties"], whole, &place, found);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                differences(
                    value,
                    &schema["items"],
                    whole,
                    &format!("{place}.{index}"),
                    found,
                );
            }
        }
        _ => {}
    }
}

#[test]
fn reports_have_the_fields_of_the_schema() {
    let schema = schema();
    for (name, Story { report, .. }) in Story::all() {
        let mut report = serde_json::to_value(&report).expect("JSON");
        let mut found = Vec::new();
        differences(&report, &schema, &schema, name, &mut found);
        assert!(found.is_empty(), "{found:#?}");
        // It does find them.
        report["colour"] = "red".into();
        report.as_object_mut().expect("an object").remove("steps");
        differences(&report, &schema, &schema, name, &mut found);
        assert_eq!(found.len(), 2, "{found:#?}");
    }
}

#[test]
fn the_schema_is_of_the_version() {
    assert_eq!(
        schema()["properties"]["version"]["const"],
        vmtest_report::VERSION
    );
}
