//! A reader of server-sent events, as the standard describes one.

use rackhand_core::model::EventId;
use reqwest::{Method, Response};
use serde_json::Value;

use crate::{api::caller::Caller, engine::toy::within};

/// A stream that is open.
pub struct Reader {
    response: Response,
    text: Vec<u8>,
    /// The last id that was given.
    pub last: Option<String>,
    comments: Vec<String>,
}

/// An event as a reader gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct Got {
    pub id: Option<String>,
    pub event: String,
    pub data: Value,
}

impl Reader {
    /// Opens the stream at `path`, after this event where there is one.
    pub async fn open(caller: &Caller, path: &str, after: Option<&str>) -> Self {
        let mut request = caller.request(Method::GET, path);
        if let Some(after) = after {
            request = request.header("Last-Event-ID", after);
        }
        let response = within(request.send()).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: Vec::new(), last: after.map(str::to_owned), comments: Vec::new() }
    }

    /// The next event; none at the stream's end.
    pub async fn next(&mut self) -> Option<Got> {
        within(async {
            loop {
                let got = self.block().await?;
                if !got.event.is_empty() {
                    return Some(got);
                }
            }
        })
        .await
    }

    /// So many events.
    pub async fn take(&mut self, count: usize) -> Vec<Got> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(self.next().await.expect("the stream goes on"));
        }
        all
    }

    /// Everything up to the stream's end.
    pub async fn rest(&mut self) -> Vec<Got> {
        let mut all = Vec::new();
        while let Some(got) = self.next().await {
            all.push(got);
        }
        all
    }

    /// Waits until it was told a place, and says which.
    pub async fn place(&mut self) -> String {
        within(async {
            while self.last.is_none() {
                self.block().await.expect("the stream goes on");
            }
        })
        .await;
        self.last.clone().unwrap()
    }

    /// Waits for a sign of life.
    pub async fn alive(&mut self) {
        within(async {
            while !self.comments.iter().any(|text| text == "alive") {
                self.block().await.expect("the stream goes on");
            }
        })
        .await;
    }

    async fn block(&mut self) -> Option<Got> {
        let end = loop {
            if let Some(at) = self.text.windows(2).position(|pair| pair == b"\n\n") {
                break at;
            }
            // Broken off is over, too.
            self.text.extend_from_slice(&self.response.chunk().await.ok().flatten()?);
        };
        let block: Vec<u8> = self.text.drain(..end + 2).collect();
        let (mut id, mut event, mut data) = (None, String::new(), Value::Null);
        for line in std::str::from_utf8(&block).unwrap().lines().filter(|line| !line.is_empty()) {
            match line.split_once(':').unwrap() {
                ("", comment) => self.comments.push(comment.trim().to_owned()),
                ("id", text) => id = Some(text.trim().to_owned()),
                ("event", text) => text.trim().clone_into(&mut event),
                ("data", text) => data = serde_json::from_str(text).unwrap(),
                ("retry", text) => assert_eq!(text.trim(), "2000"),
                other => panic!("{other:?} is no field"),
            }
        }
        if let Some(text) = &id {
            let _: EventId = text.parse().unwrap();
            self.last.clone_from(&id);
        }
        Some(Got { id, event, data })
    }
}
