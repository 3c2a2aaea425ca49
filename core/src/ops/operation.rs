//! What an operation is.

use async_trait::async_trait;
use futures::future::BoxFuture;
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{OpError, Ops};
use crate::{
    ids::ApprovalId,
    model::{Actor, Plan, Risk, Role},
    store::Tx,
    units::Timestamp,
};

/// What is known of an operation without running it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Its name, the same at every door.
    pub name: &'static str,
    /// One line for help, schemas and documentation.
    pub summary: &'static str,
    /// What it can do to the world.
    pub risk: Risk,
    /// The lowest role that may ask for it.
    pub lowest: Role,
    /// Asking twice does no more than asking once.
    pub repeatable: bool,
    /// Only a person may ask for it: no token, no model.
    pub people_only: bool,
}

/// A capability of Rackhand.
#[async_trait]
pub trait Operation: Send + Sync + 'static {
    /// What it is given.
    type Input: DeserializeOwned + Serialize + JsonSchema + Send + Sync + 'static;
    /// What it answers.
    type Output: DeserializeOwned + Serialize + JsonSchema + Send + 'static;
    /// What is known of it.
    const SPEC: Spec;

    /// What it is done to, for the audit: a handle, an id, or nothing.
    fn target(_input: &Self::Input) -> String {
        String::new()
    }

    /// Exactly what would be done, for a person to approve. Only operations that destroy have one.
    async fn plan(_cx: &mut Cx, _input: &Self::Input) -> Result<Plan, OpError> {
        Err(OpError::NoPlan)
    }

    /// Checks and does it, in the transaction of `cx`. Calls nothing outside: what takes long is enqueued.
    async fn run(cx: &mut Cx, input: Self::Input) -> Result<Self::Output, OpError>;
}

/// What an operation has in its hands.
pub struct Cx {
    /// The transaction in which all of it happens, with its audit.
    pub tx: Tx,
    /// Who asks.
    pub actor: Actor,
    /// The moment of asking.
    pub now: Timestamp,
    /// The approval that allows it, where one was needed.
    pub approval: Option<ApprovalId>,
    /// The table's surroundings: keys, limits.
    pub ops: Ops,
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Page {
    /// How many to skip.
    pub offset: u32,
    /// How many at most, 1 to 500; 0 means 50.
    pub limit: u32,
}

impl Page {
    /// Offset and limit for the database; one row more than asked for, to see whether there is more.
    pub(super) fn bounds(self) -> (i64, i64) {
        (i64::from(self.offset), i64::from(self.size()) + 1)
    }

    fn size(self) -> u32 {
        if self.limit == 0 { 50 } else { self.limit.min(500) }
    }

    /// Cuts the row too many off.
    pub(super) fn of<T>(self, mut items: Vec<T>) -> PageOf<T> {
        let size = self.size() as usize;
        let more = items.len() > size;
        items.truncate(size);
        PageOf { items, more }
    }
}

/// A part of a list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PageOf<T> {
    /// The items.
    pub items: Vec<T>,
    /// There are more after these.
    pub more: bool,
}

/// An operation in the table, its types erased: input and output are JSON with a schema.
pub struct Entry {
    /// What is known of it.
    pub spec: Spec,
    /// The schema of its input.
    pub input: fn() -> Schema,
    /// The schema of its output.
    pub output: fn() -> Schema,
    pub(super) check: fn(&Value) -> Result<Checked, OpError>,
    pub(super) plan: for<'a> fn(&'a mut Cx, Value) -> BoxFuture<'a, Result<Plan, OpError>>,
    pub(super) run: for<'a> fn(&'a mut Cx, Value) -> BoxFuture<'a, Result<Value, OpError>>,
}

/// An input that is of the operation's type.
pub(super) struct Checked {
    /// In canonical form: defaults filled in, keys in order.
    pub input: Value,
    /// What it is done to.
    pub target: String,
}

impl Entry {
    /// The table's line for an operation.
    pub fn of<O: Operation>() -> Self {
        Self {
            spec: O::SPEC,
            input: || schema_for!(O::Input),
            output: || schema_for!(O::Output),
            check: check::<O>,
            plan: |cx, input| {
                Box::pin(async move {
                    let input = parse::<O::Input>(&input)?;
                    O::plan(cx, &input).await
                })
            },
            run: |cx, input| {
                Box::pin(async move {
                    let input = parse::<O::Input>(&input)?;
                    let output = O::run(cx, input).await?;
                    serde_json::to_value(output).map_err(OpError::Answer)
                })
            },
        }
    }
}

fn check<O: Operation>(value: &Value) -> Result<Checked, OpError> {
    let input = parse::<O::Input>(value)?;
    let target = O::target(&input);
    Ok(Checked { input: serde_json::to_value(input).map_err(OpError::Answer)?, target })
}

fn parse<T: DeserializeOwned>(value: &Value) -> Result<T, OpError> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| OpError::BadInput { path: error.path().to_string(), message: error.inner().to_string() })
}
