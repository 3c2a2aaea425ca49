//! What is beside the table: streams, health, numbers, this document.

use schemars::schema_for;
use serde_json::{Value, json};

use super::{refused, schemas::Schemas};
use crate::api::health::{Health, Readiness};

/// Paths with what is there.
pub(super) fn paths(schemas: &mut Schemas) -> Vec<(&'static str, Value)> {
    let health = json_of("It lives", &schemas.add(&schema_for!(Health)));
    let readiness = schemas.add(&schema_for!(Readiness));
    let ready = json!({ "200": json_of("Requests are answered", &readiness),
        "503": json_of("They cannot be", &readiness) });
    let numbers = json!({ "200": content("Numbers", "text/plain", &json!({ "type": "string" })) });
    let document = json!({ "200": json_of("OpenAPI 3.1", &json!({ "type": "object" })) });
    vec![
        (
            "/events",
            stream(
                "events",
                "Tells what happens to jobs, servers and incidents, as it happens",
                &[],
                &["topic", "subject", "after"],
            ),
        ),
        (
            "/jobs/{job}/events",
            stream("job_events", "Tells what happens in one job, as it happens", &["job"], &["after"]),
        ),
        ("/healthz", open("healthz", "Says that the process lives", &json!({ "200": health }))),
        ("/readyz", open("readyz", "Says how ready everything is", &ready)),
        ("/metrics", guarded("metrics", "Numbers for Prometheus", numbers)),
        ("/openapi.json", guarded("openapi", "This document", document)),
    ]
}

/// For everybody, at the root.
fn open(id: &str, summary: &str, responses: &Value) -> Value {
    let get = json!({ "operationId": id, "summary": summary, "tags": ["platform"], "security": [],
        "responses": responses });
    json!({ "servers": [{ "url": "/" }], "get": get })
}

/// For whoever has a token, at the root.
fn guarded(id: &str, summary: &str, mut responses: Value) -> Value {
    for status in ["401", "403", "429", "500", "503"] {
        responses[status] = refused(status);
    }
    let get = json!({ "operationId": id, "summary": summary, "tags": ["platform"], "responses": responses });
    json!({ "servers": [{ "url": "/" }], "get": get })
}

/// A stream of server-sent events, beside the routes of the table.
fn stream(id: &str, summary: &str, path_fields: &[&str], query_fields: &[&str]) -> Value {
    let text = |name: &str, place: &str, about: &str| {
        json!({ "name": name, "in": place, "required": place == "path", "description": about,
            "schema": { "type": "string", "maxLength": 200 } })
    };
    let mut parameters: Vec<Value> = path_fields.iter().map(|name| text(name, "path", "The job's id")).collect();
    parameters.extend(
        query_fields.iter().map(|name| text(name, "query", "Which events: of a topic, of one thing, after an id")),
    );
    // An id that is none of ours is answered by a stream that says so, however long it is.
    parameters.push(json!({ "name": "Last-Event-ID", "in": "header", "required": false,
        "description": "The id of the last event that arrived: the stream goes on after it",
        "schema": { "type": "string" } }));
    let mut responses =
        // OpenAPI 3.1 has no words for what one event of a stream is: a schema here would be one of the whole.
        json!({ "200": { "description": "Events without end", "content": { "text/event-stream": {} } } });
    for status in ["400", "401", "403", "404", "406", "429", "500", "503"] {
        responses[status] = refused(status);
    }
    json!({ "get": { "operationId": id, "summary": summary, "tags": ["work"], "parameters": parameters,
        "responses": responses } })
}

fn json_of(about: &str, schema: &Value) -> Value {
    content(about, "application/json", schema)
}

fn content(about: &str, kind: &str, schema: &Value) -> Value {
    json!({ "description": about, "content": { kind: { "schema": schema } } })
}
