//! The steps in our own tables: take the server, keep its password, say that it is ready, give it back.

use rackhand_core::{
    keyring::{Aad, Sealed},
    model::{IncidentKind, ProvisionParams},
    ops::approved,
    secret::Secret,
    states::{Machine, ServerEvent, ServerStatus},
    store::{StoreResult, Tx},
    units::Timestamp,
    work::{StepCx, Verdict},
};
use serde_json::{Value, json};

use super::{Halt, ProvisionVps, VERIFY, reasons};

impl ProvisionVps {
    /// Is it still ours to touch, and is an attempt left? Then the server is taken, and the attempt counted: once, with
    /// the step's result.
    pub(super) async fn authorize(&self, cx: &mut StepCx, params: &ProvisionParams) -> Result<Verdict, Halt> {
        let mut tx = cx.begin().await?;
        let server = tx.require_server(params.server).await?;
        if let Some(why) = server.untouchable() {
            return Ok(Verdict::Fail(reasons::untouchable(why)));
        }
        if params.reinstall && !approved(&mut tx, &self.tools.ops.keyring, &cx.job, params).await? {
            return Ok(Verdict::Park(reasons::not_approved()));
        }
        let allowed = self.tools.ops.limits.attempts;
        if server.provisioning_attempts >= allowed {
            return Ok(Verdict::Fail(reasons::attempts_spent(server.provisioning_attempts)));
        }
        if let Err(illegal) = server.status.after(ServerEvent::Start) {
            let reason = rackhand_core::model::Reason::new("illegal-status", illegal.to_string());
            return Ok(Verdict::Fail(reason.with("status", server.status)));
        }
        tx.move_server(&server, ServerEvent::Start, cx.now()).await?;
        tx.set_rebuild_approval(server.id, None).await?;
        let attempt = tx.count_attempt(server.id).await?;
        Ok(cx.commit_done(tx, json!({ "attempt": attempt })).await?)
    }

    /// Everything is verified: the server is ready, its password forgotten, its incidents over.
    pub(super) async fn ready(&self, cx: &mut StepCx, params: &ProvisionParams) -> Result<Verdict, Halt> {
        let now = cx.now();
        let mut tx = cx.begin().await?;
        let server = tx.require_server(params.server).await?;
        tx.move_server(&server, ServerEvent::Finish, now).await?;
        tx.reset_attempts(server.id).await?;
        let os = cx.result_of(VERIFY).and_then(|facts| facts.get("os")).and_then(Value::as_str).unwrap_or_default();
        tx.mark_verified(server.id, os, now).await?;
        tx.forget_secret(&aad(&server.id.to_string())).await?;
        for kind in [IncidentKind::ProvisioningFailed, IncidentKind::IdentityMismatch] {
            tx.resolve_incident(Some(server.id), kind, now).await?;
        }
        Ok(cx.commit_done(tx, Value::Null).await?)
    }

    /// The undo of [`Self::authorize`]: nothing of the job is left but its story.
    pub(super) async fn give_back(&self, cx: &StepCx, params: &ProvisionParams) -> StoreResult<()> {
        let mut tx = cx.begin().await?;
        let server = tx.require_server(params.server).await?;
        if server.status == ServerStatus::Provisioning {
            tx.move_server(&server, ServerEvent::Fail, cx.now()).await?;
        }
        tx.forget_secret(&aad(&server.id.to_string())).await?;
        tx.commit().await
    }

    /// Keeps the root password, sealed to this server.
    pub(super) async fn keep_password(
        &self,
        tx: &mut Tx,
        params: &ProvisionParams,
        password: &Secret,
        now: Timestamp,
    ) -> Result<(), Halt> {
        let id = params.server.to_string();
        let sealed = self.tools.ops.keyring.seal(aad(&id), password).map_err(|_| sealing_failed())?;
        tx.put_secret(&aad(&id), &sealed.to_string(), now).await?;
        Ok(())
    }

    /// The root password that was kept, if any.
    pub(super) async fn kept_password(&self, cx: &StepCx, params: &ProvisionParams) -> Result<Option<Secret>, Halt> {
        let id = params.server.to_string();
        let Some(sealed) = cx.read().await?.secret(&aad(&id)).await? else { return Ok(None) };
        let sealed: Sealed = sealed.parse().map_err(|_| sealing_failed())?;
        self.tools.ops.keyring.open(aad(&id), &sealed).map(Some).map_err(|_| sealing_failed())
    }
}

/// Where a server's root password is kept while it is needed.
fn aad(server: &str) -> Aad<'_> {
    Aad { table: "servers", row: server, column: "root_password" }
}

fn sealing_failed() -> Halt {
    let text = "the stored password cannot be opened: is this the master key that it was sealed with?";
    Halt::Verdict(Verdict::Park(rackhand_core::model::Reason::new("keyring", text)))
}
