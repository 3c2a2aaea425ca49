//! JSON schemas that share their parts under `#/components/schemas`.

use rackhand_core::ops::Entry;
use schemars::Schema;
use serde_json::{Map, Value, json};

/// What the document's schemas share.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    /// By name.
    pub(super) components: Map<String, Value>,
}

impl Schemas {
    /// Adds a schema by its title, and its parts; returns a reference to it.
    pub(super) fn add(&mut self, schema: &Schema) -> Value {
        let whole = self.hoisted(schema.as_value().clone());
        let Some(title) = whole["title"].as_str() else { return whole };
        let name = name(title);
        self.put(&name, whole)
    }

    /// An operation's input as it is, its parts shared.
    pub(super) fn input(&mut self, entry: &Entry) -> Value {
        let mut input = self.hoisted((entry.input)().as_value().clone());
        if let Some(fields) = input.as_object_mut() {
            fields.remove("title");
            fields.remove("description");
        }
        input
    }

    fn hoisted(&mut self, mut schema: Value) -> Value {
        let parts = schema.as_object_mut().and_then(|fields| {
            fields.remove("$schema");
            fields.remove("$defs")
        });
        for (title, part) in parts.as_ref().and_then(Value::as_object).into_iter().flatten() {
            let mut part = part.clone();
            refer(&mut part);
            self.put(&name(title), part);
        }
        refer(&mut schema);
        schema
    }

    /// Two types of one name would be one by mistake: the second gets a number.
    fn put(&mut self, name: &str, mut schema: Value) -> Value {
        if let Some(fields) = schema.as_object_mut() {
            fields.remove("title");
        }
        let mut free = name.to_owned();
        let mut number = 1;
        while self.components.get(&free).is_some_and(|known| *known != schema) {
            number += 1;
            free = format!("{name}{number}");
        }
        let reference = json!({ "$ref": format!("#/components/schemas/{free}") });
        self.components.insert(free, schema);
        reference
    }
}

/// Points every reference to where the parts are.
fn refer(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get_mut("$ref")
                && let Some(part) = reference.strip_prefix("#/$defs/")
            {
                *reference = format!("#/components/schemas/{}", name(part));
            }
            fields.values_mut().for_each(refer);
        }
        Value::Array(items) => items.iter_mut().for_each(refer),
        _ => {}
    }
}

/// A title as OpenAPI allows names to be.
fn name(title: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    title.chars().map(fits).collect::<String>().trim_end_matches('_').to_owned()
}
