//! The document that describes the door.

use std::collections::BTreeSet;

use rackhand_agent::api::document;
use rackhand_core::ops::table;
use serde_json::Value;

use crate::harness::assert_generated;

#[test]
fn the_printed_document_is_checked_in() {
    let text = serde_json::to_string_pretty(&document()).unwrap();
    assert_generated("docs/openapi.json", &format!("{text}\n"));
}

#[test]
fn every_route_of_the_table_is_described() {
    let document = document();
    let mut ids = BTreeSet::new();
    for entry in table() {
        for rest in entry.spec.rest {
            let described = &document["paths"][rest.path][rest.method.to_string().to_lowercase()];
            assert!(described.is_object(), "{} {}", rest.method, rest.path);
            for name in rest.path_fields() {
                let parameters = described["parameters"].as_array().unwrap();
                let found = parameters.iter().find(|one| one["name"] == name && one["in"] == "path");
                assert!(found.is_some_and(|one| one["required"] == true), "{name} of {}", rest.path);
            }
            assert!(described["responses"]["401"].is_object() && described["responses"]["400"].is_object());
        }
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap().iter().filter(|(name, _)| *name != "servers") {
            assert!(
                ids.insert(described["operationId"].as_str().unwrap().to_owned()),
                "{method} {path}: its id is taken"
            );
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_no_two_types_share_a_name() {
    let document = document();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in schemas.keys() {
        let twin = name.trim_end_matches(|c: char| c.is_ascii_digit());
        assert!(twin == name || !schemas.contains_key(twin), "{name} is another type than {twin}: rename one");
    }
    assert!(!document.to_string().contains("$defs"));
}

fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            into.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| collect(field, into));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        _ => {}
    }
}
