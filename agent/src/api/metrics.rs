//! Numbers for Prometheus.
//!
//! What happens in a process (requests, calls to the outside) is counted by that process since its start, and shown at its
//! own door: one without a door (`--only bot`, `--only worker`) shows nothing. What the database knows is read when it is
//! asked for, so it outlives every process, and each replica shows the same: take the maximum of them, not the sum.

use std::{sync::OnceLock, time::Duration};

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use rackhand_core::{
    clients::calls,
    model::IncidentKind,
    ops::{OpError, Ops, PROVISION_VPS},
    states::{JobStatus, ServerStatus},
    store::RunTimes,
};
use strum::IntoEnumIterator;

use super::{Api, Problem};

/// The upper ends of the ranges that durations are counted in; seconds.
const RANGES: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// The same for calls to the outside, a run of a playbook among them.
const CALL_RANGES: [f64; 14] = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0, 60.0, 300.0, 900.0];
/// The same for setting a server up; minutes.
const MINUTES: [i64; 9] = [1, 2, 3, 5, 10, 15, 20, 30, 60];

/// The recorder of this process; none where somebody else has put one in place.
fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER.get_or_init(|| install().ok()).as_ref()
}

fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &RANGES)?
        .set_buckets_for_metric(Matcher::Full(calls::DURATIONS.to_owned()), &CALL_RANGES)?
        .install_recorder()?;
    describe();
    Ok(handle)
}

fn describe() {
    metrics::describe_counter!("http_requests_total", "Requests by route, method and status");
    metrics::describe_histogram!("http_request_duration_seconds", "Time until an answer began, by route and method");
    metrics::describe_histogram!(calls::DURATIONS, "Time of calls to the outside, by system and by how they ended");
    metrics::describe_gauge!("jobs", "Jobs by state");
    metrics::describe_gauge!("job_queue_wait_seconds", "How long the job waits that has waited longest for a worker");
    metrics::describe_counter!("server_provisioning_attempts_total", "Attempts to set a server up, by how they ended");
    metrics::describe_gauge!("servers", "Servers by status");
    metrics::describe_counter!("incidents_total", "Incidents that were ever opened, by kind");
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
    let times = facts(&api.ops).await?;
    let text = recorder().map(PrometheusHandle::render).unwrap_or_default() + &provisioning(&times);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// Numbers as the database has them now; and the times of setting servers up, which no recorder takes as they are.
async fn facts(ops: &Ops) -> Result<Vec<RunTimes>, OpError> {
    let now = ops.clock.now();
    let mut tx = ops.store.read().await?;
    let jobs = tx.count_jobs().await?;
    for status in JobStatus::iter() {
        metrics::gauge!("jobs", "status" => status.to_string()).set(float(of(&jobs, status)));
    }
    let waited = tx.queued_since(now).await?.map_or(Duration::ZERO, |since| now.since(since));
    metrics::gauge!("job_queue_wait_seconds").set(waited.as_secs_f64());
    let ends = tx.count_ends(PROVISION_VPS).await?;
    for end in [JobStatus::Succeeded, JobStatus::Failed, JobStatus::Cancelled] {
        metrics::counter!("server_provisioning_attempts_total", "outcome" => end.to_string())
            .absolute(of(&ends, end).unsigned_abs());
    }
    let servers = tx.count_servers().await?;
    for status in ServerStatus::iter() {
        metrics::gauge!("servers", "status" => status.to_string()).set(float(of(&servers, status)));
    }
    let incidents = tx.count_incidents().await?;
    for kind in IncidentKind::iter() {
        metrics::counter!("incidents_total", "kind" => kind.to_string()).absolute(of(&incidents, kind).unsigned_abs());
    }
    let open = i64::try_from(tx.open_incidents().await?.len()).unwrap_or(i64::MAX);
    metrics::gauge!("incidents_open").set(float(open));
    let (depth, since) = tx.outbox_depth().await?;
    metrics::gauge!("outbox_depth").set(float(depth));
    metrics::gauge!("outbox_age_seconds").set(since.map_or(Duration::ZERO, |since| now.since(since)).as_secs_f64());
    Ok(tx.run_times(PROVISION_VPS).await?)
}

/// The times of setting servers up, as a histogram.
fn provisioning(times: &[RunTimes]) -> String {
    const NAME: &str = "server_provisioning_duration_seconds";
    let jobs = |most: i64| times.iter().filter(|time| time.minutes <= most).map(|time| time.jobs).sum::<i64>();
    let buckets = MINUTES.map(|most| format!("{NAME}_bucket{{le=\"{}\"}} {}\n", most * 60, jobs(most))).concat();
    let (all, total_ms) = (jobs(i64::MAX), times.iter().map(|time| time.total_ms).sum::<i64>());
    format!(
        "# HELP {NAME} How long it took to set a server up, where it went well\n# TYPE {NAME} histogram\n{buckets}\
         {NAME}_bucket{{le=\"+Inf\"}} {all}\n{NAME}_sum {}\n{NAME}_count {all}\n",
        float(total_ms) / 1000.0
    )
}

/// How many there are of this one; none are not told.
fn of<T: Copy + PartialEq>(counts: &[(T, i64)], one: T) -> i64 {
    counts.iter().find(|(other, _)| *other == one).map_or(0, |(_, count)| *count)
}

/// Counts are far below the numbers that this type cannot hold exactly.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn float(count: i64) -> f64 {
    count as f64
}
