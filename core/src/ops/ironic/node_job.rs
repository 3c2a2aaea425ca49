//! Jobs that make a node free for the next one, and may wipe it on the way: by taking it down, or by providing it.

use serde::{Deserialize, Serialize, de::Error};
use serde_json::Value;

use super::{
    NodeFault, NodeInput, ProvideParams, UnprovisionParams,
    node_facts::{CLEANING, OFF},
    provide_plan, unprovision_plan,
};
use crate::{
    clients::ironic::{Node, Target},
    model::{Job, NewJob, Plan},
    ops::{Cx, OpError},
    store::{StoreResult, Tx},
};

/// The kind of the job that takes nodes down.
pub const UNPROVISION_NODE: &str = "unprovision_node";

/// The kind of the job that makes nodes available.
pub const PROVIDE_NODE: &str = "provide_node";

/// The step that tells Ironic to take the node down.
pub const DELETE: &str = "delete";

/// The step that tells Ironic to make the node available.
pub const PROVIDE: &str = "provide";

/// What a job does to a node: exactly what a person allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum NodeJob {
    /// Takes it down.
    Unprovision(UnprovisionParams),
    /// Makes it available.
    Provide(ProvideParams),
}

impl NodeJob {
    /// The kinds of these jobs.
    pub const KINDS: [&str; 2] = [UNPROVISION_NODE, PROVIDE_NODE];

    /// What a job does to a node; none for a job that does nothing to one.
    pub fn of(job: &Job) -> Option<Self> {
        Self::read(&job.kind, &job.params).ok()
    }

    /// The parameters of a job of this kind.
    ///
    /// # Errors
    /// When the kind is none of these, or the parameters are not of it.
    pub fn read(kind: &str, params: &Value) -> Result<Self, serde_json::Error> {
        match kind {
            UNPROVISION_NODE => UnprovisionParams::deserialize(params).map(Self::Unprovision),
            PROVIDE_NODE => ProvideParams::deserialize(params).map(Self::Provide),
            other => Err(serde_json::Error::custom(format!("{other} does nothing to a node"))),
        }
    }

    /// The kind of the job.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unprovision(_) => UNPROVISION_NODE,
            Self::Provide(_) => PROVIDE_NODE,
        }
    }

    /// The node's UUID.
    pub fn node(&self) -> &str {
        match self {
            Self::Unprovision(UnprovisionParams { node, .. }) | Self::Provide(ProvideParams { node, .. }) => node,
        }
    }

    /// What was allowed.
    pub fn plan(&self) -> &Plan {
        match self {
            Self::Unprovision(UnprovisionParams { plan, .. }) | Self::Provide(ProvideParams { plan, .. }) => plan,
        }
    }

    /// Whether this is what follows from the plan, and nothing else.
    pub fn follows_from_its_plan(&self) -> bool {
        match self {
            Self::Unprovision(params) => UnprovisionParams::of(&params.plan).as_ref() == Some(params),
            Self::Provide(params) => ProvideParams::of(&params.plan).as_ref() == Some(params),
        }
    }

    /// The same planned again, for the node as it is now.
    ///
    /// # Errors
    /// When it is no longer done to the node.
    pub fn plan_again(&self, node: &Node) -> Result<Plan, NodeFault> {
        match self {
            Self::Unprovision(params) => unprovision_plan(node, &params.request()),
            Self::Provide(params) => provide_plan(node, &NodeInput { node: params.node.clone() }),
        }
    }

    /// The step that tells Ironic.
    pub fn telling(&self) -> &'static str {
        match self {
            Self::Unprovision(_) => DELETE,
            Self::Provide(_) => PROVIDE,
        }
    }

    /// What Ironic is told.
    pub fn target(&self) -> Target {
        match self {
            Self::Unprovision(_) => Target::Deleted,
            Self::Provide(_) => Target::Provide,
        }
    }

    /// Whether it was asked for without cleaning.
    pub fn keeps_disks(&self) -> bool {
        matches!(self, Self::Unprovision(UnprovisionParams { clean: false, .. }))
    }

    /// Whether it was allowed without cleaning: as asked, or because cleaning is switched off in Ironic.
    pub fn is_without_cleaning(&self) -> bool {
        self.plan().identity.get(CLEANING).is_some_and(|cleaning| cleaning == OFF)
    }
}

/// The jobs at a node that have not ended.
///
/// # Errors
/// When the store fails.
pub async fn open_node_jobs(tx: &mut Tx, node: &str) -> StoreResult<Vec<Job>> {
    let mut open = Vec::new();
    for kind in NodeJob::KINDS {
        open.extend(tx.open_jobs_with(kind, "node", node).await?);
    }
    Ok(open)
}

impl Cx {
    /// Files the job that does what was allowed, unless another one is at the node.
    pub(super) async fn file_node_job(&mut self, doing: &NodeJob) -> Result<Job, OpError> {
        if let Some(job) = open_node_jobs(&mut self.tx, doing.node()).await?.first() {
            return Err(OpError::Busy { handle: doing.plan().target.clone(), job: job.id });
        }
        let new = NewJob {
            kind: doing.kind(),
            target: None,
            params: serde_json::to_value(doing).map_err(OpError::Answer)?,
            requested_by: self.actor.to_string(),
            requester: self.actor.user,
            approval: self.approval,
        };
        let (job, _) = self.tx.enqueue(&new, self.now).await?;
        self.show_job_live(&job).await?;
        Ok(job)
    }
}
