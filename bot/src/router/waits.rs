//! What is waited for while a person looks at the chat, and for how long: Ironic takes its time, or keeps silent.

use std::{future::pending, time::Duration};

use rackhand_core::{
    clients::ironic::IronicError,
    model::Risk,
    ops::{Answer, NodeFault, OpError, Operation, Reach, find},
};
use serde_json::Value;
use tokio::time::timeout;

use super::{Asked, Reply, RouteError, Router, reply::Place};
use crate::{
    messenger::Message,
    texts::say,
    views::{self, button, html_to_plain, node},
    want::Want,
};

/// How long an answer may wait for Ironic, all in all.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ironic kept silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silent {
    /// Something was begun there, and goes on.
    begun: bool,
    /// What one press asks for again.
    again: Option<Want>,
}

impl Router {
    /// Calls an operation once for this update. Ironic is waited for as long as a person waits, and what only looks
    /// there no longer than this process serves.
    pub(super) async fn call(&self, asked: &Asked<'_>, name: &str, input: &Value) -> Result<Answer<Value>, RouteError> {
        let (actor, key) = (asked.user.actor(), asked.key());
        let left = PATIENCE.saturating_sub(asked.watch.elapsed());
        let silent = |begun| RouteError::Silent(Silent { begun, again: None });
        let outside = find(name).filter(|entry| entry.reach != Reach::Store && self.ops.ironic.is_some());
        match outside.map(|entry| entry.reach == Reach::Run && entry.spec.risk != Risk::Read) {
            None => Ok(self.ops.call_by_name(&actor, name, input, Some(&key)).await?),
            // It runs on without whoever asked.
            Some(true) => {
                let answer = self.ops.call_by_name(&actor, name, input, Some(&key));
                Ok(timeout(left, answer).await.map_err(|_| silent(true))??)
            }
            // Only Ironic is hurried: what is written down after that is not cut off in the middle.
            Some(false) => {
                let hasty = self.ops.looking_for(left);
                tokio::select! {
                    answer = hasty.call_by_name(&actor, name, input, Some(&key)) => match answer {
                        Err(OpError::Node(NodeFault::Away(IronicError::Timeout { .. }))) => Err(silent(false)),
                        answer => Ok(answer?),
                    },
                    // The update comes again.
                    () = self.stopped() => Err(OpError::Stopping.into()),
                }
            }
        }
    }

    /// Calls an operation that is never asked about, once for this update.
    pub(super) async fn done<O: Operation>(
        &self,
        asked: &Asked<'_>,
        input: &O::Input,
    ) -> Result<O::Output, RouteError> {
        let input = serde_json::to_value(input).map_err(OpError::Answer)?;
        match self.call(asked, O::SPEC.name, &input).await? {
            Answer::Done(output) => Ok(serde_json::from_value(output).map_err(OpError::Answer)?),
            Answer::AwaitingApproval(_) => Err(OpError::NoPlan.into()),
        }
    }

    async fn stopped(&self) {
        match self.stop.get() {
            Some(stop) => stop.cancelled().await,
            None => pending().await,
        }
    }
}

impl RouteError {
    /// The same of what was wanted: what only looks can be asked for again with one press.
    pub(super) fn when(self, want: &Want) -> Self {
        match (self, want) {
            (Self::Silent(silent), Want::Nodes(_) | Want::Node(_)) => {
                Self::Silent(Silent { again: Some(want.clone()), ..silent })
            }
            (error, _) => error,
        }
    }
}

impl Silent {
    /// Says so, with the next step.
    pub(super) fn told(&self, asked: &Asked<'_>) -> Reply {
        let lang = asked.reader.lang;
        let html = say!(lang, if self.begun { "ironic-silent-begun" } else { "ironic-silent" });
        let next = self.again.as_ref().map_or_else(|| node::all(lang), |want| button(lang, "button-again", want));
        let body = views::body(Message { buttons: vec![vec![next]], ..Message::new(html.clone()) });
        if asked.message.is_none() {
            return Reply::below(body);
        }
        Reply::again().toast(html_to_plain(&html)).and(Place::Below(body))
    }
}
