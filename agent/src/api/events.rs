//! What happens, as server-sent events: `GET /events` and `GET /jobs/{job}/events`.
//!
//! Each stream reads the database at its own pace ([`follow`]) and stops reading while its reader takes nothing. An `id`
//! is on every event; whoever comes back with the last one in `Last-Event-ID`, here or at another replica, goes on right
//! after it.

use std::{convert::Infallible, time::Duration};

use axum::{
    Extension, Router,
    extract::{Path, RawQuery, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response, Sse, sse},
    routing::get,
};
use futures::{
    StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use rackhand_core::{
    clock::SharedClock,
    fault::chain,
    model::{Actor, EventId, EventTopic, Role},
    ops::{Answer, JobInput, OpError, ShowJob},
    store::{EventFilter, Following, Heard, Start, StoreResult, follow},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Api, Caller, Problem, input::parse_query, routes::PREFIXES, serve::Stopping, streams::Slot};

/// How often a sign of life is sent, and the caller's role looked up again.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How soon a reader whose stream broke may come back.
const COME_BACK: Duration = Duration::from_secs(2);
/// No id or handle is longer; bytes.
const LONGEST_SUBJECT: usize = 200;
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Proxies of one kind keep an answer until it is whole, unless they are told.
const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// The routes of this file, under every prefix.
pub(super) fn routes() -> Router<Api> {
    PREFIXES.iter().fold(Router::new(), |router, prefix| {
        router.route(&format!("{prefix}/events"), get(all)).route(&format!("{prefix}/jobs/{{job}}/events"), get(of_job))
    })
}

/// What the query asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    filter: EventFilter,
    after: Option<EventId>,
}

async fn all(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Problem> {
    let wanted = Wanted::read(query.as_deref().unwrap_or_default(), &["topic", "subject", "after"])?;
    let has = api.ops.role_of(&caller.0).await?;
    if has < Role::Viewer {
        return Err(OpError::Forbidden { who: caller.0.name, needs: Role::Viewer, has }.into());
    }
    let start = start(request.headers(), wanted.after, Start::Now);
    open(&api, caller.0, start, &Following::Events(wanted.filter), &request)
}

async fn of_job(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    job: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Problem> {
    let wanted = Wanted::read(query.as_deref().unwrap_or_default(), &["after"])?;
    let Path(job) = job.map_err(|error| Problem::bad("path", "bad-path", error.body_text()))?;
    // Whether there is such a job, by whatever name it is called, and whether this caller may see it.
    let Answer::Done(view) = api.ops.call::<ShowJob>(&caller.0, &JobInput { job }, None).await? else {
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "this job cannot be followed"));
    };
    let start = start(request.headers(), wanted.after, Start::Beginning);
    open(&api, caller.0, start, &Following::Job(view.job.id), &request)
}

impl Wanted {
    fn read(query: &str, known: &[&str]) -> Result<Self, Problem> {
        let mut wanted = Self::default();
        for (name, value) in parse_query(query)? {
            if !known.contains(&name.as_str()) {
                let expected = known.join(", ");
                return Err(Problem::bad(name, "unknown-field", format!("this is none of: {expected}")));
            }
            match name.as_str() {
                "topic" => wanted.filter.topics = topics(&value)?,
                "subject" => wanted.filter.subject = Some(subject(value)?),
                _ => wanted.after = Some(value.parse().map_err(|error| bad("after", &error))?),
            }
        }
        Ok(wanted)
    }
}

/// Where the reader was, if it says so. The header goes before the query: a browser that comes back repeats the query as
/// it was.
fn start(headers: &HeaderMap, after: Option<EventId>, otherwise: Start) -> Start {
    match headers.get(LAST_EVENT_ID) {
        // A browser that has heard nothing yet says nothing.
        Some(id) if !id.is_empty() => {
            id.to_str().ok().and_then(|text| text.parse().ok()).map_or(Start::Unknown, Start::After)
        }
        _ => after.map_or(otherwise, Start::After),
    }
}

fn open(api: &Api, actor: Actor, start: Start, what: &Following, request: &Request) -> Result<Response, Problem> {
    let slot = api.streams.open(&actor)?;
    let stop = request.extensions().get::<Stopping>().map(|stopping| stopping.0.clone()).unwrap_or_default();
    let clock = api.ops.clock.clone();
    let telling = Telling {
        heard: follow(&api.ops.store, &clock, start, what),
        beat: clock.sleep(HEARTBEAT),
        job: match what {
            Following::Job(id) => Some(id.to_string()),
            Following::Events(_) => None,
        },
        place: Place::Unsaid,
        over: false,
        api: api.clone(),
        clock,
        actor,
        stop,
        _slot: slot,
    };
    let hello = sse::Event::default().retry(COME_BACK).comment("hello");
    let told = stream::iter([Ok::<_, Infallible>(hello)]).chain(stream::unfold(telling, Telling::next).map(Ok));
    let caching = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(([caching, UNBUFFERED], Sse::new(told)).into_response())
}

/// One reader's stream.
struct Telling {
    heard: BoxStream<'static, StoreResult<Heard>>,
    beat: BoxFuture<'static, ()>,
    job: Option<String>,
    place: Place,
    over: bool,
    api: Api,
    clock: SharedClock,
    actor: Actor,
    stop: CancellationToken,
    _slot: Slot,
}

/// Whether the reader knows the place from which it would go on.
enum Place {
    /// It has none yet.
    Unsaid,
    /// It knows the newest.
    Said,
    /// It can be told a newer one with the next sign of life.
    Later(EventId),
}

impl Telling {
    async fn next(mut self) -> Option<(sse::Event, Self)> {
        loop {
            if self.over {
                return None;
            }
            let stop = self.stop.clone();
            let said = tokio::select! {
                () = stop.cancelled() => None,
                heard = self.heard.next() => match heard? {
                    Ok(heard) => self.word(heard),
                    Err(error) => {
                        warn!(error = chain(&error), "a stream of events broke off");
                        return None;
                    }
                },
                () = &mut self.beat => self.beat().await,
            };
            if stop.is_cancelled() {
                return None;
            }
            if let Some(said) = said {
                return Some((said, self));
            }
        }
    }

    fn word(&mut self, heard: Heard) -> Option<sse::Event> {
        match heard {
            Heard::Event(event) => {
                self.place = Place::Said;
                let told = sse::Event::default().id(event.id.to_string()).event(event.body.to_string());
                told.json_data(&event).ok()
            }
            Heard::Place(place) if matches!(self.place, Place::Unsaid) => {
                self.place = Place::Said;
                // An id without data tells a reader its place and nothing else.
                Some(sse::Event::default().id(place.to_string()))
            }
            Heard::Place(place) => {
                self.place = Place::Later(place);
                None
            }
            Heard::Reset => {
                self.place = Place::Unsaid;
                let why =
                    "what came after the last event that you read is not kept: read the state anew, then go on here";
                sse::Event::default().event("reset").json_data(json!({ "message": why })).ok()
            }
            Heard::End => {
                self.over = true;
                sse::Event::default().event("end").json_data(json!({ "job": self.job })).ok()
            }
        }
    }

    /// A sign of life, unless the caller may no longer read.
    async fn beat(&mut self) -> Option<sse::Event> {
        self.beat = self.clock.sleep(HEARTBEAT);
        match self.api.ops.role_of(&self.actor).await {
            Ok(role) if role >= Role::Viewer => {}
            Ok(_) => {
                self.over = true;
                return None;
            }
            // Nobody was found to have lost a right: the next look tells.
            Err(error) => warn!(error = chain(&error), "a role could not be looked up"),
        }
        let alive = sse::Event::default().comment("alive");
        Some(match std::mem::replace(&mut self.place, Place::Said) {
            Place::Later(place) => alive.id(place.to_string()),
            unsaid @ Place::Unsaid => {
                self.place = unsaid;
                alive
            }
            Place::Said => alive,
        })
    }
}

fn subject(text: String) -> Result<String, Problem> {
    let fits = (1..=LONGEST_SUBJECT).contains(&text.len()) && !text.chars().any(char::is_control);
    if fits { Ok(text) } else { Err(bad("subject", &"an id or a server's handle is expected")) }
}

fn topics(text: &str) -> Result<Vec<EventTopic>, Problem> {
    let expected = "job, server, incident and approval are topics; several stand with commas between them";
    text.split(',').map(|topic| topic.parse().map_err(|_| bad("topic", &expected))).collect()
}

fn bad(path: &str, message: &dyn std::fmt::Display) -> Problem {
    Problem::bad(path, "bad-value", message.to_string())
}
