//! The OpenAPI 3.1 document, made from the table of operations.
//!
//! The schemas of inputs and outputs are JSON Schema 2020-12 already, which is what OpenAPI 3.1 speaks; what they share
//! moves to `components`.

mod platform;
mod schemas;

use rackhand_core::{
    model::Risk,
    ops::{Awaiting, Choice, Method, Reach},
};
use schemars::schema_for;
use serde_json::{Map, Value, json};

use self::schemas::Schemas;
use super::{
    call::LONGEST_KEY,
    problem,
    routes::{Offer, PREFIXES, Route, routes},
};

/// The document.
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    schemas.add(&schema_for!(problem::Body<'_>));
    let mut paths = Map::new();
    for route in routes() {
        let at = paths.entry(route.path).or_insert_with(|| json!({}));
        at[route.method.to_string().to_lowercase()] = operation(&mut schemas, &route);
    }
    for (path, described) in platform::paths(&mut schemas) {
        paths.insert(path.to_owned(), described);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Rackhand",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "The hired hand for your servers.",
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": PREFIXES[0] }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": PROBLEMS.iter().map(|(status, about)| ((*status).to_owned(), problem_response(about))).collect::<Map<_, _>>(),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "Made by `rackhand token create`; or, where `api.auth` is `jwt`, by an issuer that is trusted." }
            },
        },
    })
}

const ABOUT: &str = "Every path is also served below /api and without a prefix. Whatever goes wrong is an \
    `application/problem+json`. What destroys is never done at once: the answer is 202 with `awaiting_approval`, and a \
    person answers in the chat. Times are milliseconds since 1970-01-01 UTC.";

fn operation(schemas: &mut Schemas, route: &Route) -> Value {
    let specs: Vec<_> = route.offers.iter().map(|offer| offer.entry.spec).collect();
    let summary: Vec<&str> = specs.iter().map(|spec| spec.summary).collect();
    let roles: Vec<String> = specs
        .iter()
        .map(|spec| {
            let lowest = spec.lowest.max(spec.risk.floor());
            format!("`{}`: role {lowest} or higher", spec.name)
        })
        .collect();
    let mut described = json!({
        "operationId": id(route),
        "summary": summary.join(". Or: "),
        "description": roles.join("; "),
        "tags": specs.first().map(|spec| [spec.topic.to_string()]),
        "parameters": parameters(schemas, route),
        "responses": responses(schemas, route),
    });
    if route.has_body() {
        described["requestBody"] = body(schemas, route);
    }
    described
}

/// The operation's name where it is the only one here and this its first route; else the route's own.
fn id(route: &Route) -> String {
    match route.offers.as_slice() {
        [only] if only.entry.spec.rest.first() == Some(&only.rest) => only.entry.spec.name.to_owned(),
        _ => {
            let path = route.path.replace(['{', '}'], "").replace(['/', '-'], "_");
            format!("{}{path}", route.method.to_string().to_lowercase())
        }
    }
}

fn parameters(schemas: &mut Schemas, route: &Route) -> Vec<Value> {
    let mut all = Vec::new();
    for (offer, named) in route.offers.first().into_iter().flat_map(|offer| [(offer, true), (offer, false)]) {
        if !named && route.has_body() {
            continue;
        }
        let taken: Vec<&str> = offer.rest.path_fields().collect();
        let input = schemas.input(offer.entry);
        for (name, schema) in input["properties"].as_object().into_iter().flatten() {
            let in_path = taken.contains(&name.as_str());
            if in_path == named && offer.rest.says != Some(name.as_str()) {
                let place = if named { "path" } else { "query" };
                let required =
                    named || input["required"].as_array().is_some_and(|all| all.contains(&name.as_str().into()));
                all.push(json!({ "name": name, "in": place, "required": required, "schema": texted(schema) }));
            }
        }
    }
    all.extend(headers(route));
    all
}

/// A field as the text of a path or a query can give it: never nothing, and without control characters.
fn texted(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(types) = schema["type"].as_array() {
        schema["type"] = types.iter().find(|one| one.as_str() != Some("null")).cloned().unwrap_or_default();
    }
    if schema["type"] == "string" {
        schema["pattern"] = CLEAN.into();
    }
    schema
}

/// Text without control characters.
const CLEAN: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$";

fn headers(route: &Route) -> Vec<Value> {
    let text = |name: &str, about: &str, schema: Value| json!({ "name": name, "in": "header", "description": about, "schema": schema });
    // Tags that nobody gave are tags that fit nothing: whatever stands there is taken.
    let tags = || json!({ "type": "string" });
    let mut all = Vec::new();
    if route.method == Method::Get {
        all.push(text("If-None-Match", "The ETag of what is known: 304 where nothing changed", tags()));
    } else {
        let about =
            "The same key with the same request gives the same answer, and does nothing twice; kept for 24 hours";
        let key = json!({ "type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$" });
        all.push(text("Idempotency-Key", about, key));
    }
    if route.reading.is_some() {
        let about = "The ETag that GET gave at this path: 412 where something changed since";
        all.push(text("If-Match", about, tags()));
    }
    all
}

fn body(schemas: &mut Schemas, route: &Route) -> Value {
    let mut bodies: Vec<Value> = route.offers.iter().map(|offer| body_of(schemas, offer)).collect();
    let required = bodies.iter().any(|body| body["required"].as_array().is_some_and(|names| !names.is_empty()));
    let schema = if bodies.len() == 1 { bodies.remove(0) } else { json!({ "oneOf": bodies }) };
    json!({ "required": required, "content": { "application/json": { "schema": schema } } })
}

fn body_of(schemas: &mut Schemas, offer: &Offer) -> Value {
    let mut body = schemas.input(offer.entry);
    let taken: Vec<&str> = offer.rest.path_fields().chain(offer.rest.says).collect();
    if let Some(fields) = body["properties"].as_object_mut() {
        fields.retain(|name, _| !taken.contains(&name.as_str()));
    }
    let mut required: Vec<Value> = body["required"].as_array().cloned().unwrap_or_default();
    required.retain(|name| !name.as_str().is_some_and(|name| taken.contains(&name)));
    match offer.rest.when {
        Some(Choice::Is(field, value)) => {
            body["properties"][field] = json!({ "const": value });
            required.push(field.into());
        }
        Some(Choice::Has(field)) if !required.contains(&field.into()) => required.push(field.into()),
        _ => {}
    }
    body["required"] = required.into();
    body["type"] = "object".into();
    body
}

fn responses(schemas: &mut Schemas, route: &Route) -> Value {
    let mut all = json!({});
    for offer in &route.offers {
        let asked = offer.entry.spec.risk == Risk::Destroy;
        let (status, schema) = if asked {
            (202, schemas.add(&schema_for!(Awaiting)))
        } else {
            (offer.rest.status, schemas.add(&(offer.entry.output)()))
        };
        let known = all[status.to_string()]["content"]["application/json"]["schema"].take();
        let schema = if known.is_null() || known == schema { schema } else { json!({ "oneOf": [known, schema] }) };
        let about = if asked { "A person has to approve it first" } else { "Done" };
        all[status.to_string()] =
            json!({ "description": about, "content": { "application/json": { "schema": schema } } });
    }
    if route.method == Method::Get {
        all["304"] = json!({ "description": "Nothing changed" });
    }
    for status in problems(route) {
        all[status] = refused(status);
    }
    all
}

/// What can go wrong, by status.
const PROBLEMS: [(&str, &str); 14] = [
    ("400", "The request is wrong; `errors` says where"),
    ("401", "No token, or one that is worth nothing"),
    ("403", "The token's role is too low, or only a person may do this, or nothing may be done to this"),
    ("404", "What it names does not exist"),
    ("406", "`Accept` does not allow application/json"),
    ("408", "The body did not end in time"),
    ("409", "The world is not in the state that this needs, or the key was used for another request"),
    ("412", "It changed since it was read"),
    ("413", "The body is too long"),
    ("415", "The body is not application/json"),
    ("429", "Too many requests; `Retry-After` says when"),
    ("500", "An error of Rackhand's own"),
    ("502", "An outside system is away; `Retry-After` says when"),
    ("503", "The database is away, or it took too long; `Retry-After` says when"),
];

fn problem_response(about: &str) -> Value {
    let schema = json!({ "$ref": "#/components/schemas/Problem" });
    json!({ "description": about, "content": { "application/problem+json": { "schema": schema } } })
}

fn refused(status: &str) -> Value {
    json!({ "$ref": format!("#/components/responses/{status}") })
}

/// The statuses of what can go wrong at a route.
fn problems(route: &Route) -> Vec<&'static str> {
    let outside = route.offers.iter().any(|offer| offer.entry.reach != Reach::Store);
    let mut all = vec!["400", "401", "403", "404", "406", "429", "500", "503"];
    if route.method != Method::Get || outside {
        all.push("409");
    }
    if route.reading.is_some() {
        all.push("412");
    }
    if route.has_body() {
        all.extend(["408", "413", "415"]);
    }
    if outside {
        all.push("502");
    }
    all
}
