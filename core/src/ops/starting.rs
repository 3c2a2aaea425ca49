//! What several operations share: finding a server or a job by the name that people type, and filing a provisioning job.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError};
use crate::{
    ids::JobId,
    model::{Body, Job, Level, NewJob, ProvisionMode, ProvisionParams, Server},
    states::{JobStatus, Machine, ServerEvent},
    store::Mail,
    store::job_key,
};

/// The kind of the job that sets servers up.
pub const PROVISION_VPS: &str = "provision_vps";

/// The step of that job which wipes the disk; in jobs that reinstall only.
pub const REINSTALL: &str = "reinstall";

/// The input of operations on one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandleInput {
    /// The server's handle, such as `vps-267179`.
    pub handle: String,
}

/// The input of operations on one job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobInput {
    /// The job's id, or the end of it.
    pub job: String,
}

/// A job that was filed, or that was there already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobStarted {
    /// The job.
    pub job: JobId,
    /// It was there already: the request joined it.
    pub joined: bool,
}

impl Cx {
    /// The server of this handle, to be shown.
    pub(super) async fn server(&mut self, handle: &str) -> Result<Server, OpError> {
        self.tx.server_by_handle(handle).await?.ok_or_else(|| no_server(handle))
    }

    /// The server of this handle, to be changed: nobody else changes it meanwhile, so that what is checked and approved
    /// is what is enqueued.
    pub(super) async fn held_server(&mut self, handle: &str) -> Result<Server, OpError> {
        self.tx.hold_server(handle).await?.ok_or_else(|| no_server(handle))
    }

    /// The server of this handle, held, if it may be touched.
    pub(super) async fn touchable(&mut self, handle: &str) -> Result<Server, OpError> {
        let server = self.held_server(handle).await?;
        match server.untouchable() {
            Some(why) => Err(OpError::Untouchable { handle: server.handle, why }),
            None => Ok(server),
        }
    }

    /// The job with this id, or whose id ends so.
    pub(super) async fn job(&mut self, name: &str) -> Result<Job, OpError> {
        let name: String = name.trim().to_lowercase().chars().take(64).collect();
        let mut found = if name.len() < 4 { Vec::new() } else { self.tx.jobs_ending(&name).await? };
        match (found.pop(), found.pop()) {
            (Some(job), None) => Ok(job),
            (None, _) => Err(OpError::NotFound { what: "job", name }),
            (Some(_), Some(_)) => Err(OpError::Ambiguous { what: "job", name }),
        }
    }

    /// Files a provisioning job for a server, or joins the same one. The caller has checked that it may be touched.
    pub(super) async fn file_provisioning(
        &mut self,
        server: &Server,
        mode: ProvisionMode,
        reinstall: bool,
    ) -> Result<JobStarted, OpError> {
        let address = server.address.ok_or_else(|| OpError::NoAddress(server.handle.clone()))?;
        let params = ProvisionParams {
            server: server.id,
            mode,
            reinstall,
            provider_id: server.provider_id.clone(),
            address: Some(address),
            host_key: server.host_key.clone(),
        };
        let params = serde_json::to_value(params).map_err(OpError::Answer)?;
        if let Some(open) = self.tx.open_job(PROVISION_VPS, server.id).await? {
            if open.params != params || open.ending.is_some() || open.cancel_requested {
                return Err(OpError::Busy { handle: server.handle.clone(), job: open.id });
            }
            return Ok(JobStarted { job: open.id, joined: true });
        }
        self.check_attempts(server)?;
        server.status.after(ServerEvent::Start).map_err(OpError::Illegal)?;
        let new = NewJob {
            kind: PROVISION_VPS,
            target: Some(server.id),
            params,
            requested_by: self.actor.to_string(),
            requester: self.actor.user,
            approval: self.approval,
        };
        let (job, fresh) = self.tx.enqueue(&new, self.now).await?;
        self.show_job_live(&job).await?;
        Ok(JobStarted { job: job.id, joined: !fresh })
    }

    fn check_attempts(&self, server: &Server) -> Result<(), OpError> {
        if server.provisioning_attempts >= self.ops.limits.attempts {
            return Err(OpError::AttemptsSpent {
                handle: server.handle.clone(),
                attempts: server.provisioning_attempts,
            });
        }
        Ok(())
    }

    /// Gives whoever asked (or, where nobody did, every admin) the one message that follows the job.
    pub(super) async fn show_job_live(&mut self, job: &Job) -> Result<(), OpError> {
        let people = match job.requester {
            Some(id) => self.tx.user(id).await?.into_iter().collect(),
            None => self.tx.users_from(crate::model::Role::Admin).await?,
        };
        for person in people {
            let body = Body::JobCard { job: job.id };
            let mail = Mail { chat: person.telegram_id, key: job_key(job.id), level: Level::Reply, body };
            self.tx.mail_once(&mail, self.now).await?;
        }
        Ok(())
    }

    /// A job that has not ended.
    pub(super) fn require_open(job: &Job) -> Result<(), OpError> {
        match job.status {
            JobStatus::Succeeded | JobStatus::Failed | JobStatus::Cancelled => {
                Err(OpError::Illegal(crate::states::IllegalMove {
                    machine: "job",
                    from: job.status.to_string(),
                    event: "change".into(),
                }))
            }
            _ => Ok(()),
        }
    }
}

fn no_server(handle: &str) -> OpError {
    OpError::NotFound { what: "server", name: handle.chars().take(64).collect() }
}
