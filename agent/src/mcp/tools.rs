//! The table of operations as tools.

use std::sync::Arc;

use rackhand_core::{
    model::{Actor, Decision, Risk, decide},
    ops::{Awaiting, Entry, OperationView, Spec, table},
};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::{
    Schema, schema_for,
    transform::{RecursiveTransform, Transform},
};
use serde_json::{Value, json};

use super::{key, wait};

/// The formats of JSON Schema that a field's type may have, and `password`, by which forms hide what is typed.
const FORMATS: [&str; 7] = ["date", "date-time", "ipv4", "ipv6", "password", "uri", "uuid"];

/// The tools that this actor may call; `as_tasks`: as they look to a client to which what goes on is a task.
pub(super) fn offered_to(actor: &Actor, as_tasks: bool) -> Vec<Tool> {
    let may = |spec: &Spec| !matches!(decide(actor, spec.risk, spec.lowest), Decision::Refuse { .. });
    let offered = table().iter().filter(|entry| is_offered(entry) && may(&entry.spec));
    let mut tools: Vec<Tool> = offered.map(|entry| tool(entry, as_tasks)).collect();
    if may(&wait::ASKS) {
        tools.push(wait::tool());
    }
    tools
}

/// Whether it is a tool for anybody.
pub(super) fn is_offered(entry: &Entry) -> bool {
    !entry.spec.people_only
}

/// The schema as MCP wants it: an object at its root, also for an operation without any field; and no `format` that only
/// Rust knows (`uint8`, `ip`), of which clients complain to their people.
pub(super) fn object(mut schema: Schema) -> Arc<JsonObject> {
    RecursiveTransform(without_rusts_formats).transform(&mut schema);
    let mut object = match schema.to_value() {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    };
    object.insert("type".to_owned(), json!("object"));
    object.entry("properties").or_insert_with(|| json!({}));
    Arc::new(object)
}

fn without_rusts_formats(schema: &mut Schema) {
    if schema.get("format").and_then(Value::as_str).is_some_and(|format| !FORMATS.contains(&format)) {
        schema.remove("format");
    }
}

/// `list_servers` as `List servers`.
pub(super) fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn tool(entry: &Entry, as_tasks: bool) -> Tool {
    let spec = &entry.spec;
    let destroys = spec.risk == Risk::Destroy;
    let output = if as_tasks && entry.is_long() {
        schema_for!(OperationView)
    } else if destroys {
        schema_for!(Awaiting)
    } else {
        (entry.output)()
    };
    let mut input = object((entry.input)());
    key::offer(entry, Arc::make_mut(&mut input));
    let hints = ToolAnnotations::with_title(title(spec.name))
        .read_only(spec.risk == Risk::Read)
        .destructive(destroys)
        .idempotent(spec.repeatable)
        .open_world(false);
    Tool::new(spec.name, spec.summary, input)
        .with_title(title(spec.name))
        .with_raw_output_schema(object(output))
        .with_annotations(hints)
}
