//! The tool that waits: it answers when an operation has ended, and tells meanwhile what happens.

use std::time::Duration;

use rackhand_core::{
    clients::ironic::IronicError,
    model::Actor,
    ops::{
        GetOperation, GetOperationInput, JobInput, NodeFault, OpError, Operation, OperationStatus, OperationView,
        ShowJob, Spec,
    },
};
use rmcp::{
    RoleServer,
    model::{CallToolResult, JsonObject, ProgressNotificationParam, ProgressToken, Tool, ToolAnnotations},
    service::{Peer, RequestContext},
};
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::Value;

use super::{Mcp, tools};

/// The tool's name.
pub(super) const NAME: &str = "wait_for_operation";
/// The operation that it asks again and again.
pub(super) const ASKS: Spec = GetOperation::SPEC;
/// How often.
const POLL: Duration = Duration::from_millis(500);
/// How often where it is another system that is asked.
const POLL_OUTSIDE: Duration = Duration::from_secs(1);
/// How long is waited for a look at the least.
const FIRST_LOOK: Duration = Duration::from_secs(5);
/// How long the database is waited for beyond that.
const SPARE: Duration = Duration::from_secs(2);
/// The longest that one call waits: clients give up on a request after a minute.
const LONGEST_S: u32 = 50;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WaitInput {
    /// What the operation answered when it was asked for: an approval's id, a job's id or the end of one, or the UUID of
    /// a node that is being provisioned.
    id: String,
    /// How long to wait at most, in seconds, 1 to 50.
    #[serde(default = "longest")]
    #[schemars(range(min = 1, max = 50))]
    wait_s: u32,
}

const fn longest() -> u32 {
    LONGEST_S
}

/// The tool as clients see it.
pub(super) fn tool() -> Tool {
    let about = "Waits until something that was asked for has ended, at most 50 s, and tells how it stands then; with \
                 progress meanwhile. Call it again while done is false";
    let hints = ToolAnnotations::with_title(tools::title(NAME))
        .read_only(true)
        .destructive(false)
        .idempotent(true)
        .open_world(false);
    Tool::new(NAME, about, tools::object(schema_for!(WaitInput)))
        .with_title(tools::title(NAME))
        .with_raw_output_schema(tools::object(schema_for!(OperationView)))
        .with_annotations(hints)
}

impl Mcp {
    /// Looks until the operation has ended, time is up, or the client calls it off.
    pub(super) async fn wait(
        &self,
        actor: &Actor,
        arguments: JsonObject,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, OpError> {
        let WaitInput { id, wait_s } = parse(arguments)?;
        let until = self.ops.clock.now().plus(Duration::from_secs(wait_s.into()));
        let input = GetOperationInput { id };
        let mut story = Story::of(context);
        let mut last = None;
        loop {
            // Who is asked may be Ironic, which may take longer than the client waits.
            let left = until.since(self.ops.clock.now()).max(FIRST_LOOK);
            let hasty = Self { ops: self.ops.looking_for(left), ..self.clone() };
            let view = tokio::select! {
                biased;
                view = hasty.read::<GetOperation>(actor, &input) => view,
                () = self.ops.clock.sleep(left + SPARE) => Err(OpError::TooSlow),
                () = context.ct.cancelled() => return called_off(&input.id, last),
            };
            let view = match view {
                Err(error) if last.is_some() && is_silence(&error) => return so_far(last),
                view => view?,
            };
            if let Some(story) = &mut story {
                story.go_on(self, actor, &view).await?;
            }
            if context.ct.is_cancelled() {
                return called_off(&input.id, Some(view));
            }
            if view.done || self.ops.clock.now() >= until {
                return so_far(Some(view));
            }
            let poll = if view.course.is_some() { POLL_OUTSIDE } else { POLL };
            last = Some(view);
            tokio::select! {
                () = self.ops.clock.sleep(poll) => {}
                () = context.ct.cancelled() => {}
            }
        }
    }
}

fn called_off(id: &str, last: Option<OperationView>) -> Result<CallToolResult, OpError> {
    tracing::debug!(id, "waits no longer: the client called it off");
    so_far(last)
}

/// Whether it says only that nobody answered in time.
fn is_silence(error: &OpError) -> bool {
    matches!(error, OpError::TooSlow | OpError::Node(NodeFault::Away(IronicError::Timeout { .. })))
}

/// What was seen last.
fn so_far(last: Option<OperationView>) -> Result<CallToolResult, OpError> {
    let view = last.ok_or(OpError::TooSlow)?;
    Ok(CallToolResult::structured(serde_json::to_value(view).map_err(OpError::Answer)?))
}

fn parse(arguments: JsonObject) -> Result<WaitInput, OpError> {
    let input: WaitInput = serde_path_to_error::deserialize(Value::Object(arguments))
        .map_err(|error| OpError::BadInput { path: error.path().to_string(), message: error.inner().to_string() })?;
    if (1..=LONGEST_S).contains(&input.wait_s) {
        return Ok(input);
    }
    let message = format!("{} s cannot be waited: give 1 to {LONGEST_S}", input.wait_s);
    Err(OpError::BadInput { path: "wait_s".to_owned(), message })
}

/// What a client that wants progress has been told so far.
struct Story {
    peer: Peer<RoleServer>,
    token: ProgressToken,
    status: Option<OperationStatus>,
    /// Where the node was.
    state: Option<String>,
    /// The last line of the job's story that was told.
    seen: i64,
    told: u32,
}

impl Story {
    fn of(context: &RequestContext<RoleServer>) -> Option<Self> {
        let token = context.meta.get_progress_token()?;
        Some(Self { peer: context.peer.clone(), token, status: None, state: None, seen: 0, told: 0 })
    }

    /// Tells what is new: another status, where a node is, and the job's story since (of much at once, its end).
    async fn go_on(&mut self, door: &Mcp, actor: &Actor, view: &OperationView) -> Result<(), OpError> {
        if let Some(job) = view.job {
            let job = door.read::<ShowJob>(actor, &JobInput { job: job.to_string() }).await?;
            for event in job.events {
                if event.seq > self.seen {
                    self.seen = event.seq;
                    self.tell(format!("{}: {}", event.step, event.message)).await;
                }
            }
        }
        let state = view.course.as_ref().map(|course| course.provision_state.clone());
        let moved = std::mem::replace(&mut self.state, state) != self.state;
        if self.status.replace(view.status) != Some(view.status) || moved {
            self.tell(view.message.clone()).await;
        }
        Ok(())
    }

    async fn tell(&mut self, message: String) {
        self.told += 1;
        let progress = ProgressNotificationParam::new(self.token.clone(), f64::from(self.told)).with_message(message);
        // A client that has gone is found out by its cancelled request.
        let _ = self.peer.notify_progress(progress).await;
    }
}
