//! What proves to a job that a person allowed it: rows alone do not, since whoever has the database's tools can write
//! them; the seal over them needs the master key.

use super::{
    Cx, ForceRebuildServer, Operation, RebuildServer,
    call::unhex,
    rebuild_server::{Wiped, wiping_plan},
};
use crate::{
    ids::JobId,
    keyring::Keyring,
    model::{Approval, Job, Plan, ProvisionParams, hex},
    states::ApprovalStatus,
    store::{StoreError, StoreResult, Tx},
};

/// Whether a person approved that this job destroys this server: its approval was used for this very job, bears our seal,
/// and is of the plan that follows from the job's own parameters.
///
/// # Errors
/// When the store fails; not when the approval is missing or forged.
pub async fn approved(tx: &mut Tx, keyring: &Keyring, job: &Job, params: &ProvisionParams) -> Result<bool, StoreError> {
    let Some(id) = job.approval else { return Ok(false) };
    let Some(approval) = tx.approval(id).await? else { return Ok(false) };
    let server = tx.require_server(params.server).await?;
    let wiped = Wiped {
        handle: &server.handle,
        provider: &server.provider,
        provider_id: &params.provider_id,
        address: params.address,
        host_key: params.host_key.as_deref(),
    };
    let destroys =
        [RebuildServer::SPEC.name, ForceRebuildServer::SPEC.name].contains(&approval.plan.operation.as_str());
    let same_plan = wiping_plan(&approval.plan.operation, &wiped).hash() == approval.plan_hash;
    let bound = approval.job == Some(job.id) && job.target == Some(params.server);
    Ok(destroys && same_plan && bound && used(keyring, &approval))
}

/// Whether a person approved exactly this plan, and their approval was used for this very job and bears our seal.
///
/// # Errors
/// When the store fails; not when the approval is missing or forged.
pub async fn approved_plan(tx: &mut Tx, keyring: &Keyring, job: &Job, plan: &Plan) -> Result<bool, StoreError> {
    let Some(id) = job.approval else { return Ok(false) };
    let Some(approval) = tx.approval(id).await? else { return Ok(false) };
    Ok(approval.plan_hash == plan.hash() && approval.job == Some(job.id) && used(keyring, &approval))
}

/// Whether a yes was given to this approval by the program itself, and started what the approval says it started.
pub(super) fn used(keyring: &Keyring, approval: &Approval) -> bool {
    let seal = approval.seal.as_deref().and_then(unhex);
    let holds = |seal: Vec<u8>| with_parts(approval, approval.job, |parts| keyring.audit_verify(parts, &seal));
    approval.status == ApprovalStatus::Used && seal.is_some_and(holds)
}

impl Cx {
    /// Seals an approval that is used, together with the job that it started, if any.
    pub(super) async fn seal_approval(&mut self, approval: &Approval, job: Option<JobId>) -> StoreResult<()> {
        let seal = with_parts(approval, job, |parts| hex(&self.ops.keyring.audit_mac(parts)));
        self.tx.seal_approval(approval.id, job, &seal, self.now).await
    }
}

/// What the seal covers. The first part keeps it apart from the codes of the audit, which the same key makes.
fn with_parts<T>(approval: &Approval, job: Option<JobId>, with: impl FnOnce(&[&[u8]]) -> T) -> T {
    let (id, job) = (approval.id.to_string(), job.map(|job| job.to_string()).unwrap_or_default());
    let by = approval.decided_by.as_deref().unwrap_or_default();
    let at = approval.decided_at.map(|at| at.0.to_string()).unwrap_or_default();
    let parts = ["approval", &id, &approval.plan_hash, by, &at, &job];
    with(&parts.map(str::as_bytes))
}
