//! The wire: what a call does, and what the fault that waits for it makes of the answer.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use rackhand_core::clients::time4vps::TaskKind;
use serde_json::{Value, json};

use super::{
    Inner,
    faults::{Fault, Route},
    net::Scissors,
    render,
    world::{Call, Refusal},
};

/// The longest that a call waits for the machines that tasks work on.
const SETTLE: Duration = Duration::from_secs(5);

pub(super) fn router(inner: Arc<Inner>) -> Router {
    Router::new().fallback(any(handle)).with_state(inner)
}

async fn handle(
    State(inner): State<Arc<Inner>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 64 * 1024).await else { return StatusCode::BAD_REQUEST.into_response() };
    let Some((route, server, task)) = Route::parse(head.method.as_str(), head.uri.path()) else {
        return answer(StatusCode::NOT_FOUND, &json!({ "error": ["Method not found"] }));
    };
    let authorization = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let fault = {
        let mut world = inner.world();
        world.calls.push(Call { route, server, at: inner.clock.now() });
        world.faults.take(route, server)
    };
    if authorization != Some(inner.authorization.as_str()) {
        return unauthorized(&json!("wronglogin"));
    }
    let work = || work(&inner, route, server, task, &body);
    let effect = async |effect: bool| {
        if effect {
            drop(work().await);
        }
    };
    match fault {
        None => work().await,
        Some(Fault::RateLimited(seconds)) => unauthorized(&json!(["wait_x_between_action", seconds])),
        Some(Fault::AddressNotAllowed) => unauthorized(&json!("ipnotallowed")),
        Some(Fault::WrongLogin) => unauthorized(&json!("wronglogin")),
        Some(Fault::Errors(words)) => answer(StatusCode::OK, &json!({ "error": words })),
        Some(Fault::Html { status, effect: done }) => {
            effect(done).await;
            page(status)
        }
        Some(Fault::BrokenJson { effect: done }) => {
            effect(done).await;
            answer(StatusCode::OK, &json!({ "task_id": null })).map(|_| axum::body::Body::from("{\"task_id\": 49"))
        }
        Some(Fault::Hang { effect: done }) => {
            effect(done).await;
            std::future::pending().await
        }
        Some(Fault::Drop { effect: done }) => {
            effect(done).await;
            scissors.cut();
            StatusCode::OK.into_response()
        }
        Some(Fault::Slow(span)) => {
            inner.clock.sleep(span).await;
            work().await
        }
    }
}

async fn work(inner: &Arc<Inner>, route: Route, server: Option<i64>, task: &str, body: &Bytes) -> Response {
    settle(inner).await;
    if route.is_action() {
        let answered = act(inner, route, server.unwrap_or_default(), body);
        settle(inner).await;
        return answered;
    }
    let world = inner.world();
    let found = server.and_then(|id| world.servers.get(&id));
    let told = match (route, found) {
        (Route::Servers, _) => render::servers(&world),
        (_, None) => json!({ "error": ["Invalid server ID"] }),
        (Route::Oses, Some(server)) => render::oses(server),
        (Route::Task, Some(server)) => {
            let mut tasks = world.tasks.iter().rev().filter(|one| one.server == server.spec.id);
            let found = tasks.find(|one| one.id.to_string() == task || one.kind.wire_name() == task);
            found.map_or_else(|| json!({ "error": ["Invalid task ID"] }), |one| render::task(one, inner.clock.now()))
        }
        (_, Some(server)) => render::server(&world, server),
    };
    answer(StatusCode::OK, &world.dialect.apply(told))
}

/// Lets the machines catch up, in a task of its own: a caller who goes away must not leave one half done.
async fn settle(inner: &Arc<Inner>) {
    let settling = tokio::spawn(Arc::clone(inner).settle());
    drop(tokio::time::timeout(SETTLE, settling).await);
}

fn act(inner: &Arc<Inner>, route: Route, server: i64, body: &Bytes) -> Response {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let kind = match route {
        Route::ResetPassword => TaskKind::ResetPassword,
        Route::Reinstall => TaskKind::Reinstall,
        _ => TaskKind::Reboot,
    };
    let (os, ssh_key) = (body["os"].as_str(), body["ssh_key"].as_str());
    let mut world = inner.world();
    match world.ask(server, kind, os, ssh_key, inner.clock.now()) {
        Ok(task) => {
            inner.settle_later(world.tasks.last().map(|task| task.due));
            answer(StatusCode::OK, &world.dialect.apply(json!({ "task_id": task })))
        }
        Err(Refusal::NoServer) => answer(StatusCode::OK, &json!({ "error": ["Invalid server ID"] })),
        Err(Refusal::NoOs) => answer(StatusCode::OK, &json!({ "error": ["Invalid operating system"] })),
        Err(Refusal::Busy) => answer(StatusCode::OK, &json!({ "error": ["Server has an active task"] })),
        Err(Refusal::TooSoon(seconds)) => unauthorized(&json!(["wait_x_between_action", seconds])),
    }
}

fn unauthorized(word: &Value) -> Response {
    answer(StatusCode::UNAUTHORIZED, &json!({ "error": [word, "unauthorized"] }))
}

fn answer(status: StatusCode, told: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], told.to_string()).into_response()
}

fn page(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let text =
        format!("<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>");
    (status, [(header::CONTENT_TYPE, "text/html")], text).into_response()
}
