//! Numbers for Prometheus. The process has one recorder; what is counted in the database is read when it is asked for.

use std::{sync::OnceLock, time::Duration};

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use rackhand_core::ops::{OpError, Ops};

use super::{Api, Problem};

/// The upper ends of the ranges that durations are counted in; seconds.
const RANGES: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// The recorder of this process; none where somebody else has put one in place.
fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let install = || {
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &RANGES).ok()?;
        let handle = builder.install_recorder().ok()?;
        describe();
        Some(handle)
    };
    RECORDER.get_or_init(install).as_ref()
}

fn describe() {
    metrics::describe_counter!("http_requests_total", "Requests by route, method and status");
    metrics::describe_histogram!("http_request_duration_seconds", "Time until an answer began, by route and method");
    metrics::describe_gauge!("jobs", "Jobs by state");
    metrics::describe_gauge!("servers", "Servers by status");
    metrics::describe_gauge!("incidents_open", "Incidents that are not over");
    metrics::describe_gauge!("outbox_depth", "Messages that wait to be sent");
    metrics::describe_gauge!("outbox_age_seconds", "How long the oldest of them waits");
}

/// Counts a request.
pub(super) fn count(route: &str, method: &str, status: u16, took: Duration) {
    if recorder().is_none() {
        return;
    }
    let (route, method) = (route.to_owned(), method.to_owned());
    metrics::counter!("http_requests_total", "route" => route.clone(), "method" => method.clone(),
        "status" => status.to_string())
    .increment(1);
    metrics::histogram!("http_request_duration_seconds", "route" => route, "method" => method)
        .record(took.as_secs_f64());
}

/// Folds what was counted since the last time, so that it does not pile up where nobody reads it.
pub(super) fn fold() {
    if let Some(recorder) = recorder() {
        recorder.run_upkeep();
    }
}

/// `/metrics`.
pub(super) async fn metrics(State(api): State<Api>) -> Result<Response, Problem> {
    gauge(&api.ops).await?;
    let text = recorder().map(PrometheusHandle::render).unwrap_or_default();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// Numbers as the database has them now.
async fn gauge(ops: &Ops) -> Result<(), OpError> {
    let mut tx = ops.store.read().await?;
    for (status, count) in tx.count_jobs().await? {
        metrics::gauge!("jobs", "status" => status.to_string()).set(float(count));
    }
    for (status, count) in tx.count_servers().await? {
        metrics::gauge!("servers", "status" => status.to_string()).set(float(count));
    }
    let open = i64::try_from(tx.open_incidents().await?.len()).unwrap_or(i64::MAX);
    metrics::gauge!("incidents_open").set(float(open));
    let (depth, since) = tx.outbox_depth().await?;
    metrics::gauge!("outbox_depth").set(float(depth));
    let age = since.map_or(Duration::ZERO, |since| ops.clock.now().since(since));
    metrics::gauge!("outbox_age_seconds").set(age.as_secs_f64());
    Ok(())
}

/// Counts are far below the numbers that this type cannot hold exactly.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn float(count: i64) -> f64 {
    count as f64
}
