//! A job's events at another Rackhand: server-sent events, each with an id from which a later request goes on.

use std::time::Duration;

use reqwest::{Response, header};
use serde::Deserialize;

use super::{Rackhand, RackhandError, Request, judge};
use crate::{
    clients::http::{self, BODY_LIMIT, BodyError},
    ids::JobId,
    model::{EventBody, EventId},
};

/// A sign of life comes every 15 s.
const LONGEST_SILENCE: Duration = Duration::from_secs(50);
/// A stream has no end of its own; this one is opened anew after so long.
const LONGEST: Duration = Duration::from_hours(24);

/// What a stream tells.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "nearly all that is told are events, and one at a time")]
pub enum Told {
    /// Something happened, at this place.
    Event(EventId, EventBody),
    /// What was to come first is not kept: the story is told anew, as far as it is.
    Reset,
    /// The job has ended, and all of it is told.
    End,
}

/// A stream that is open.
#[derive(Debug)]
pub struct Events {
    response: Response,
    /// What was read and not yet told.
    text: Vec<u8>,
}

#[derive(Deserialize)]
struct Data {
    body: EventBody,
}

impl Rackhand {
    /// The events of a job from its beginning, or after this one.
    pub async fn events(&self, job: JobId, after: Option<EventId>) -> Result<Events, RackhandError> {
        let path = vec!["jobs".to_owned(), job.to_string(), "events".to_owned()];
        let request = Request { method: "GET", path, query: Vec::new(), body: None };
        let mut builder = self.prepared(&request, "")?.timeout(LONGEST);
        if let Some(after) = after {
            builder = builder.header("Last-Event-ID", after.to_string());
        }
        let response =
            tokio::time::timeout(LONGEST_SILENCE, builder.send()).await.map_err(|_| RackhandError::Silent)?;
        let response = response.map_err(|error| RackhandError::Away(error.without_url()))?;
        let status = response.status().as_u16();
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if status == 200 && kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
            return Ok(Events { response, text: Vec::new() });
        }
        let body = tokio::time::timeout(LONGEST_SILENCE, http::body(response, BODY_LIMIT)).await;
        let body = body.map_err(|_| RackhandError::Silent)?.map_err(RackhandError::Cut)?;
        judge(status, &body).and(Err(RackhandError::Stranger { status }))
    }
}

impl Events {
    /// What is told next; none where the stream ended or broke off: it goes on after the last event, at a new one.
    pub async fn next(&mut self) -> Result<Option<Told>, RackhandError> {
        loop {
            while let Some(end) = self.text.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.text.drain(..end + 2).collect();
                if let Some(told) = told(&String::from_utf8_lossy(&block)) {
                    return Ok(Some(told));
                }
            }
            match tokio::time::timeout(LONGEST_SILENCE, self.response.chunk()).await {
                Ok(Ok(Some(part))) if self.text.len() + part.len() <= BODY_LIMIT => self.text.extend_from_slice(&part),
                Ok(Ok(Some(_))) => return Err(RackhandError::Cut(BodyError::TooLong { limit: BODY_LIMIT })),
                Ok(Ok(None) | Err(_)) | Err(_) => return Ok(None),
            }
        }
    }
}

/// One block of a stream. A sign of life tells nothing, and what a newer Rackhand tells is not ours to understand.
fn told(block: &str) -> Option<Told> {
    let field = |name: &str| {
        let mut lines = block.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(field, _)| *field == name).map(|(_, value)| value.trim_start())
    };
    match field("event")? {
        "end" => Some(Told::End),
        "reset" => Some(Told::Reset),
        _ => {
            let data: Data = serde_json::from_str(field("data")?).ok()?;
            Some(Told::Event(field("id")?.parse().ok()?, data.body))
        }
    }
}
