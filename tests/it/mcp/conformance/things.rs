//! What the suites call by name: tools and what they take and answer, resources, prompts. Their own words for it are in
//! the descriptions of their scenarios.

use rmcp::model::{JsonObject, Tool};
use serde_json::{Value, json};

use super::server::read;

/// The smallest picture: one pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC";
/// The shortest sound: none.
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

/// Every tool. Scenarios that call any tool with nothing call the first.
const TOOLS: [&str; 33] = [
    "test_simple_text",
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
    "test_error_handling",
    "test_tool_with_logging",
    "test_logging_tool",
    "test_tool_with_progress",
    "test_sampling",
    "test_elicitation",
    "test_elicitation_sep1034_defaults",
    "test_elicitation_sep1330_enums",
    "test_reconnection",
    "json_schema_2020_12_tool",
    "test_custom_header",
    "test_missing_capability",
    "test_streaming_elicitation",
    "test_input_required_result_elicitation",
    "test_input_required_result_sampling",
    "test_input_required_result_list_roots",
    "test_input_required_result_request_state",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_multi_round",
    "test_input_required_result_tampered_state",
    "test_input_required_result_capabilities",
    "greet",
    "slow_compute",
    "failing_job",
    "protocol_error_job",
    "confirm_delete",
    "multi_input",
    "test_tool_with_task",
];

/// The tools as they are listed.
pub fn tools() -> Vec<Tool> {
    TOOLS.map(|name| Tool::new(name, format!("What the suites call {name}"), read::<JsonObject>(input(name)))).into()
}

/// Whether there is such a tool.
pub fn has_tool(name: &str) -> bool {
    TOOLS.contains(&name)
}

/// What a tool takes.
fn input(name: &str) -> Value {
    let one = |field: &str, schema: Value| json!({ "type": "object", "properties": { field: schema } });
    let text = |field| one(field, json!({ "type": "string" }));
    match name {
        "greet" => text("name"),
        "test_sampling" => text("prompt"),
        "test_elicitation" => text("message"),
        "confirm_delete" => text("filename"),
        "slow_compute" => one("seconds", json!({ "type": "integer" })),
        "test_custom_header" => one("region", json!({ "type": "string", "x-mcp-header": "Region" })),
        "json_schema_2020_12_tool" => every_keyword(),
        _ => json!({ "type": "object", "properties": {} }),
    }
}

/// A schema with the keywords that servers have been seen to drop.
fn every_keyword() -> Value {
    let text = json!({ "type": "string" });
    let address = json!({ "$anchor": "addressDef", "type": "object", "properties": { "street": text, "city": text } });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": { "address": address },
        "properties": {
            "name": text,
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": text,
            "email": text,
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    })
}

/// What a tool answers that always answers the same.
pub fn answer(name: &str) -> Option<Value> {
    let text = |text: &str| json!({ "type": "text", "text": text });
    let embedded = |uri: &str, mime: &str, text: &str| json!({ "type": "resource", "resource": { "uri": uri, "mimeType": mime, "text": text } });
    let image = json!({ "type": "image", "data": PNG, "mimeType": "image/png" });
    let content = match name {
        "test_simple_text" => vec![text("This is a simple text response for testing.")],
        "test_image_content" => vec![image],
        "test_audio_content" => vec![json!({ "type": "audio", "data": WAV, "mimeType": "audio/wav" })],
        "test_embedded_resource" => vec![embedded("test://embedded-resource", "text/plain", "An embedded resource.")],
        "test_multiple_content_types" => {
            let data = embedded("test://mixed-content-resource", "application/json", "{\"test\":\"data\"}");
            vec![text("Multiple content types test:"), image, data]
        }
        "test_error_handling" => {
            let content = [text("This tool intentionally returns an error for testing")];
            return Some(json!({ "isError": true, "content": content }));
        }
        _ => return None,
    };
    Some(json!({ "content": content }))
}

/// The form that a tool shows to the person at the client.
pub fn form(name: &str, message: &str) -> Option<Value> {
    let options = ["option1", "option2", "option3"];
    let titled = json!([{ "const": "value1", "title": "First" }, { "const": "value2", "title": "Second" }]);
    let properties = match name {
        "test_elicitation" => json!({ "username": { "type": "string" }, "email": { "type": "string" } }),
        "test_elicitation_sep1034_defaults" => json!({
            "name": { "type": "string", "default": "John Doe" },
            "age": { "type": "integer", "default": 30 },
            "score": { "type": "number", "default": 95.5 },
            "status": { "type": "string", "enum": ["active", "inactive", "pending"], "default": "active" },
            "verified": { "type": "boolean", "default": true },
        }),
        "test_elicitation_sep1330_enums" => json!({
            "untitledSingle": { "type": "string", "enum": options },
            "titledSingle": { "type": "string", "oneOf": titled },
            "legacyEnum": { "type": "string", "enum": options, "enumNames": ["One", "Two", "Three"] },
            "untitledMulti": { "type": "array", "items": { "type": "string", "enum": options } },
            "titledMulti": { "type": "array", "items": { "anyOf": titled } },
        }),
        _ => return None,
    };
    let message = if message.is_empty() { "Please fill this in" } else { message };
    let schema = json!({ "type": "object", "properties": properties });
    Some(json!({ "mode": "form", "message": message, "requestedSchema": schema }))
}

/// The resources as they are listed.
pub fn resources() -> Value {
    json!([
        { "uri": "test://static-text", "name": "text", "description": "A text", "mimeType": "text/plain" },
        { "uri": "test://static-binary", "name": "picture", "description": "A picture", "mimeType": "image/png" },
    ])
}

/// The kinds of addresses as they are listed.
pub fn templates() -> Value {
    json!([{ "uriTemplate": "test://template/{id}/data", "name": "data", "mimeType": "application/json" }])
}

/// What is at an address.
pub fn resource(uri: &str) -> Option<Value> {
    let id = uri.strip_prefix("test://template/").and_then(|rest| rest.strip_suffix("/data"));
    match (uri, id) {
        ("test://static-text", _) => Some(json!({ "uri": uri, "mimeType": "text/plain", "text": "A static text." })),
        ("test://static-binary", _) => Some(json!({ "uri": uri, "mimeType": "image/png", "blob": PNG })),
        (_, Some(id)) => {
            let text = json!({ "id": id, "templateTest": true }).to_string();
            Some(json!({ "uri": uri, "mimeType": "application/json", "text": text }))
        }
        _ => None,
    }
}

/// The prompts as they are listed.
pub fn prompts() -> Value {
    let needs = |name: &str| json!({ "name": name, "description": "A text", "required": true });
    let prompt = |name: &str, arguments: Value| json!({ "name": name, "description": format!("What the suites call {name}"), "arguments": arguments });
    json!([
        prompt("test_simple_prompt", json!([])),
        prompt("test_prompt_with_arguments", json!([needs("arg1"), needs("arg2")])),
        prompt("test_prompt_with_embedded_resource", json!([needs("resourceUri")])),
        prompt("test_prompt_with_image", json!([])),
        prompt(super::rounds::PROMPT, json!([])),
    ])
}

/// The messages of a prompt.
pub fn prompt(name: &str, arguments: &JsonObject) -> Option<Value> {
    let given = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    let text = |text: &str| json!({ "type": "text", "text": text });
    let contents = match name {
        "test_simple_prompt" => vec![text("This is a simple prompt for testing.")],
        "test_prompt_with_arguments" => vec![text(&format!("arg1='{}', arg2='{}'", given("arg1"), given("arg2")))],
        "test_prompt_with_embedded_resource" => {
            let embedded = json!({ "uri": given("resourceUri"), "mimeType": "text/plain", "text": "Embedded." });
            vec![json!({ "type": "resource", "resource": embedded }), text("Please process the embedded resource.")]
        }
        "test_prompt_with_image" => {
            vec![json!({ "type": "image", "data": PNG, "mimeType": "image/png" }), text("Please analyze the image.")]
        }
        super::rounds::PROMPT => vec![text("The context is known.")],
        _ => return None,
    };
    Some(contents.into_iter().map(|content| json!({ "role": "user", "content": content })).collect())
}
