//! What an operation is.

use std::sync::LazyLock;

use async_trait::async_trait;
use futures::future::BoxFuture;
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{OpError, Ops, Outside, Rest, Topic, Unchanged};
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
    /// What it is about.
    pub topic: Topic,
    /// Where it is at the REST door; empty: not there.
    pub rest: &'static [Rest],
    /// How it is called at the command line: its words, then the fields that stand without a name, such as
    /// `servers show <handle>`; other fields are options. Empty: not there, or there in a shape of its own.
    pub cli: &'static str,
    /// What it can do to the world.
    pub risk: Risk,
    /// The lowest role that may ask for it.
    pub lowest: Role,
    /// Asking twice does no more than asking once.
    pub repeatable: bool,
    /// Only a person may ask for it: no token, no model.
    pub people_only: bool,
}

/// Whether an operation calls an outside system while it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// No: all of it happens in one transaction.
    Store,
    /// To plan it: the plan is made before the transaction that asks, and again before the one that approves.
    Plan,
    /// To do it: no transaction is open meanwhile; what came of it is written down afterwards.
    Run,
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
    /// Whether it calls an outside system.
    const REACH: Reach = Reach::Store;
    /// Its answer names the job that does it, as `job`: whoever asked can follow that.
    const STARTS_JOB: bool = false;
    /// Where in the input secrets are, as JSON pointers: they are struck out of whatever is kept of it.
    const SECRETS: &'static [&'static str] = &[];
    /// Its answer holds a secret, shown this once: for doors that leave no copy behind.
    const SECRET_ANSWER: bool = false;

    /// What it is done to, for the audit: a handle, an id, or nothing.
    fn target(_input: &Self::Input) -> String {
        String::new()
    }

    /// Exactly what would be done, for a person to approve. Only operations that destroy have one.
    async fn plan(_cx: &mut Cx, _input: &Self::Input) -> Result<Plan, OpError> {
        Err(OpError::NoPlan)
    }

    /// The same for [`Reach::Plan`], while no transaction is open: it is found in [`Cx::planned`] afterwards.
    async fn plan_outside(_cx: &Outside, _input: &Self::Input) -> Result<Option<Plan>, OpError> {
        Err(OpError::NoPlan)
    }

    /// Checks and does it, in the transaction of `cx`. Calls nothing outside: what takes long is enqueued.
    async fn run(_cx: &mut Cx, _input: Self::Input) -> Result<Self::Output, OpError> {
        Err(OpError::NoDeed)
    }

    /// The same for [`Reach::Run`], while no transaction is open. Whoever asked is allowed to.
    async fn run_outside(_cx: &Outside, _input: Self::Input) -> Result<Self::Output, OpError> {
        Err(OpError::NoDeed)
    }
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
    /// What was planned outside, for operations that do.
    pub planned: Option<Plan>,
    /// The table's surroundings: keys, limits.
    pub ops: Ops,
}

/// Something done in a transaction, its input as JSON.
type Inside<T> = for<'a> fn(&'a mut Cx, Value) -> BoxFuture<'a, Result<T, OpError>>;
/// Something done at an outside system, while no transaction is open.
type Abroad<T> = for<'a> fn(&'a Outside, Value) -> BoxFuture<'a, Result<T, OpError>>;

/// An operation in the table, its types erased: input and output are JSON with a schema.
pub struct Entry {
    /// What is known of it.
    pub spec: Spec,
    /// Its answer holds a secret.
    pub secret_answer: bool,
    /// Its input holds one.
    pub secret_input: bool,
    /// The schema of its input.
    pub input: fn() -> Schema,
    /// The same as JSON, made once: doors look at it at each request.
    pub input_json: LazyLock<Value>,
    /// The schema of its output.
    pub output: fn() -> Schema,
    /// Whether it calls an outside system.
    pub reach: Reach,
    /// Its answer names a job that does it.
    pub starts_job: bool,
    pub(super) check: fn(&Value) -> Result<Checked, OpError>,
    pub(super) plan: Inside<Plan>,
    pub(super) plan_outside: Abroad<Option<Plan>>,
    pub(super) run: Inside<Value>,
    pub(super) run_outside: Abroad<Value>,
}

/// An input that is of the operation's type.
#[derive(Clone)]
pub(super) struct Checked {
    /// In canonical form: defaults filled in, keys in order.
    pub input: Value,
    /// The same as it may be kept: without its secrets.
    pub kept: Value,
    /// What it is done to.
    pub target: String,
    /// What must still be so for it to be done.
    pub unchanged: Option<Unchanged>,
}

impl Entry {
    /// Whether what it answers is only a beginning: a job that does it, or a question to a person.
    pub fn is_long(&self) -> bool {
        self.starts_job || self.spec.risk == Risk::Destroy
    }

    /// The table's line for an operation.
    pub fn of<O: Operation>() -> Self {
        Self {
            spec: O::SPEC,
            secret_answer: O::SECRET_ANSWER,
            secret_input: !O::SECRETS.is_empty(),
            input: || schema_for!(O::Input),
            input_json: LazyLock::new(|| schema_for!(O::Input).to_value()),
            output: || schema_for!(O::Output),
            reach: O::REACH,
            starts_job: O::STARTS_JOB,
            check: check::<O>,
            plan: |cx, input| {
                Box::pin(async move {
                    let input = parse::<O::Input>(&input)?;
                    O::plan(cx, &input).await
                })
            },
            plan_outside: |cx, input| {
                Box::pin(async move {
                    let input = parse::<O::Input>(&input)?;
                    O::plan_outside(cx, &input).await
                })
            },
            run: |cx, input| {
                Box::pin(async move {
                    let input = parse::<O::Input>(&input)?;
                    let output = O::run(cx, input).await?;
                    serde_json::to_value(output).map_err(OpError::Answer)
                })
            },
            run_outside: |cx, input| {
                Box::pin(async move {
                    let input = parse::<O::Input>(&input)?;
                    let output = O::run_outside(cx, input).await?;
                    serde_json::to_value(output).map_err(OpError::Answer)
                })
            },
        }
    }
}

fn check<O: Operation>(value: &Value) -> Result<Checked, OpError> {
    super::clean::check(value)?;
    let input = parse::<O::Input>(value)?;
    let target = O::target(&input);
    let input = serde_json::to_value(input).map_err(OpError::Answer)?;
    let mut kept = input.clone();
    for secret in O::SECRETS {
        if let Some(place) = kept.pointer_mut(secret) {
            *place = Value::from("[secret]");
        }
    }
    Ok(Checked { input, kept, target, unchanged: None })
}

fn parse<T: DeserializeOwned>(value: &Value) -> Result<T, OpError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let (path, message) = (error.path().to_string(), error.inner().to_string());
        // serde finds a field missing in the object around it.
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
        let Some(field) = missing else { return OpError::BadInput { path, message } };
        let around = if path == "." { String::new() } else { format!("{path}.") };
        OpError::BadInput { path: format!("{around}{field}"), message: "this field is needed".to_owned() }
    })
}
