//! `POST /v3/auth/tokens`.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderName, StatusCode},
    response::{IntoResponse, Response},
};
use rackhand_core::units::Timestamp;
use serde_json::{Value, json};

use super::{Inner, PROJECT, USER, World, random};

/// What a token is for.
enum Scope {
    Nothing,
    System,
    Project,
}

/// Gives out a token for a login that is right.
pub async fn tokens(
    State(inner): State<Arc<Inner>>,
    body: Result<Json<Value>, axum::extract::rejection::JsonRejection>,
) -> Response {
    let mut world = inner.world();
    world.asked += 1;
    if let Some(status) = world.broken {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return refusal(status, "It is broken.");
    }
    let Ok(Json(body)) = body else { return refusal(StatusCode::BAD_REQUEST, "Expecting to find valid JSON.") };
    let scope = match judge(&world, &body["auth"]) {
        Ok(scope) => scope,
        Err(refused) => return refused,
    };
    let (token, now) = (format!("gAAAA{}", random()), inner.clock.now());
    let end = now.plus(world.life);
    world.tokens.insert(token.clone(), end);
    world.given += 1;
    let body = json!({ "token": described(&world, &scope, &body["auth"]["identity"]["methods"], now, end) });
    (StatusCode::CREATED, [(HeaderName::from_static("x-subject-token"), token)], Json(body)).into_response()
}

/// What the login may act on, or why it is refused.
#[allow(clippy::result_large_err, reason = "the refusal is the answer, which goes out as it is")]
fn judge(world: &World, auth: &Value) -> Result<Scope, Response> {
    let schema = |missing: &str| refusal(StatusCode::BAD_REQUEST, &format!("'{missing}' is a required property"));
    let unknown = || refusal(StatusCode::UNAUTHORIZED, "The request you have made requires authentication.");
    let identity = &auth["identity"];
    match identity["methods"][0].as_str() {
        Some("password") => {
            let user = &identity["password"]["user"];
            let password = user["password"].as_str().ok_or_else(|| schema("password"))?;
            let known = user["name"] == USER && user["domain"]["name"] == "Default" && password == world.password;
            if known { scope(&auth["scope"]).ok_or_else(unknown) } else { Err(unknown()) }
        }
        Some("application_credential") => {
            let application = &identity["application_credential"];
            let secret = application["secret"].as_str().ok_or_else(|| schema("secret"))?;
            let known = application["id"] == world.application.0.as_str() && secret == world.application.1;
            // It carries its own scope, and may ask for no other.
            if known && auth.get("scope").is_none() { Ok(Scope::Project) } else { Err(unknown()) }
        }
        _ => Err(schema("methods")),
    }
}

fn scope(asked: &Value) -> Option<Scope> {
    let project = &asked["project"];
    match asked {
        Value::Null => Some(Scope::Nothing),
        _ if asked["system"]["all"] == true => Some(Scope::System),
        _ => (project["name"] == PROJECT && project["domain"]["name"] == "Default").then_some(Scope::Project),
    }
}

fn described(world: &World, scope: &Scope, methods: &Value, now: Timestamp, end: Timestamp) -> Value {
    let domain = json!({ "id": "default", "name": "Default" });
    let mut token = json!({
        "methods": methods,
        "user": { "domain": domain, "id": "u1", "name": USER, "password_expires_at": null },
        "audit_ids": [random()],
        "issued_at": written(now),
        "expires_at": written(end),
    });
    // A token for nothing comes without a catalogue.
    match scope {
        Scope::Nothing => return token,
        Scope::System => token["system"] = json!({ "all": true }),
        Scope::Project => token["project"] = json!({ "domain": domain, "id": "p1", "name": PROJECT }),
    }
    let services = world.catalogue.iter();
    let services = services
        .map(|(service, endpoints)| json!({ "type": service, "name": service, "id": service, "endpoints": endpoints }));
    token["catalog"] = services.collect();
    token["roles"] = json!([{ "id": "r1", "name": "admin" }]);
    token
}

/// `2026-11-20T10:00:00.000000Z`
fn written(at: Timestamp) -> String {
    at.to_string().replace('Z', ".000000Z")
}

fn refusal(status: StatusCode, message: &str) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    (status, Json(json!({ "error": { "code": status.as_u16(), "message": message, "title": title } }))).into_response()
}
