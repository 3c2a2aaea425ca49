//! Setting up, rebuilding or recovering a rented server.
//!
//! Parameters: [`ProvisionParams`]. They hold the identity that the server had when the job was allowed; what differs
//! from it later parks the job before anything is sent.
//!
//! Steps, in order: `authorize`, `prove_identity`, `reinstall` and `await_reinstall` (a rebuild only), `reset_password`,
//! `await_password`, `await_ssh`, `access`, `base`, `verify`, `ready`.
//!
//! Actions: `provider` holds those at the provider, `host` those on the host.
//!
//! Undo: `authorize` gives the server back as `error` and forgets what was kept for the job.

mod host;
mod ledger;
mod provider;
mod reasons;

use std::time::Duration;

use async_trait::async_trait;
use rackhand_core::{
    clients::time4vps::Time4vps,
    config::Config,
    model::{IncidentKind, Job, ProvisionMode, ProvisionParams, Reason},
    ops::{PROVISION_VPS, REINSTALL},
    states::JobStatus,
    store::{StoreResult, Tx},
    work::{Observed, StepCx, StepSpec, Undone, Verdict, Workflow},
};
use serde_json::Value;

use super::{
    Tools,
    halt::{Halt, store_failed},
};

const AUTHORIZE: &str = "authorize";
const PROVE_IDENTITY: &str = "prove_identity";
const AWAIT_REINSTALL: &str = "await_reinstall";
const RESET_PASSWORD: &str = "reset_password";
const AWAIT_PASSWORD: &str = "await_password";
const AWAIT_SSH: &str = "await_ssh";
const ACCESS: &str = "access";
const BASE: &str = "base";
const VERIFY: &str = "verify";
const READY: &str = "ready";

/// Every step that a job of this kind may have, in order.
pub const STEPS: [&str; 11] = [
    AUTHORIZE,
    PROVE_IDENTITY,
    REINSTALL,
    AWAIT_REINSTALL,
    RESET_PASSWORD,
    AWAIT_PASSWORD,
    AWAIT_SSH,
    ACCESS,
    BASE,
    VERIFY,
    READY,
];

/// How long things may take.
#[derive(Clone, Debug)]
pub struct Times {
    /// One playbook.
    pub playbook: Duration,
    /// Between two questions about a password reset.
    pub reset_poll: Duration,
    /// A password reset in all.
    pub reset_limit: Duration,
    /// Between two questions about a reinstall.
    pub reinstall_poll: Duration,
    /// A reinstall in all.
    pub reinstall_limit: Duration,
    /// Between two tries to log in.
    pub ssh_poll: Duration,
    /// Until the host has to let us in.
    pub ssh_limit: Duration,
    /// How long after a request whose answer was lost it may still take effect at the provider.
    pub settle: Duration,
}

impl Times {
    /// As configured.
    pub fn of(config: &Config) -> Self {
        Self {
            playbook: config.provisioning.timeout,
            reset_poll: config.provisioning.reset_poll,
            reset_limit: config.provisioning.reset_limit,
            reinstall_poll: config.provisioning.reinstall_poll,
            reinstall_limit: config.provisioning.reinstall_limit,
            ssh_poll: config.ssh.poll,
            ssh_limit: config.ssh.await_limit,
            settle: config.provisioning.settle,
        }
    }
}

/// The workflow.
pub struct ProvisionVps {
    tools: Tools,
    provider: Time4vps,
    times: Times,
}

impl ProvisionVps {
    /// The workflow on these tools.
    pub fn new(tools: Tools, provider: Time4vps) -> Self {
        let times = Times::of(&tools.config);
        Self { tools, provider, times }
    }

    async fn try_act(&self, step: &str, cx: &mut StepCx, params: &ProvisionParams) -> Result<Verdict, Halt> {
        match step {
            AUTHORIZE => self.authorize(cx, params).await,
            PROVE_IDENTITY => self.prove_identity(cx, params).await,
            REINSTALL => self.reinstall(cx, params).await,
            AWAIT_REINSTALL => self.await_reinstall(cx, params).await,
            RESET_PASSWORD => self.reset_password(cx, params).await,
            AWAIT_PASSWORD => self.await_password(cx, params).await,
            AWAIT_SSH => self.await_ssh(cx, params).await,
            ACCESS => self.access(cx, params).await,
            BASE => self.base(cx, params).await,
            VERIFY => self.verify(cx, params).await,
            READY => self.ready(cx, params).await,
            other => Err(Halt::Verdict(Verdict::Fail(Reason::new("unknown-step", format!("no step {other:?}"))))),
        }
    }
}

#[async_trait]
impl Workflow for ProvisionVps {
    fn kind(&self) -> &'static str {
        PROVISION_VPS
    }

    fn steps(&self, params: &Value) -> Result<Vec<StepSpec>, Reason> {
        let params: ProvisionParams = serde_json::from_value(params.clone())
            .map_err(|error| Reason::new("bad-params", format!("the job's parameters cannot be read: {error}")))?;
        let mut steps = vec![StepSpec::new(AUTHORIZE).with_undo(), StepSpec::new(PROVE_IDENTITY).interruptible()];
        if params.reinstall {
            steps.push(StepSpec::new(REINSTALL));
            steps.push(StepSpec::new(AWAIT_REINSTALL).interruptible());
        }
        steps.extend([
            StepSpec::new(RESET_PASSWORD),
            StepSpec::new(AWAIT_PASSWORD).interruptible(),
            StepSpec::new(AWAIT_SSH).interruptible(),
            StepSpec::new(ACCESS).interruptible().tries(3),
            StepSpec::new(BASE).interruptible().tries(3),
            StepSpec::new(VERIFY).interruptible().tries(3),
            StepSpec::new(READY),
        ]);
        Ok(steps)
    }

    async fn act(&self, step: &str, cx: &mut StepCx) -> Verdict {
        let params = match cx.params::<ProvisionParams>() {
            Ok(params) => params,
            Err(reason) => return Verdict::Fail(reason),
        };
        self.try_act(step, cx, &params).await.unwrap_or_else(Halt::into_verdict)
    }

    async fn observe(&self, step: &str, cx: &mut StepCx) -> Observed {
        let Ok(params) = cx.params::<ProvisionParams>() else { return Observed::NotDone };
        match step {
            REINSTALL | RESET_PASSWORD => self.observe_action(step, cx, &params).await,
            // All others are harmless to repeat: their changes are in our own tables, written with their result.
            _ => Observed::NotDone,
        }
    }

    async fn undo(&self, step: &str, cx: &mut StepCx) -> Undone {
        let params = match cx.params::<ProvisionParams>() {
            Ok(params) => params,
            Err(reason) => return Undone::Park(reason),
        };
        match step {
            AUTHORIZE => self.give_back(cx, &params).await.map_err(|error| store_failed(&error)).into(),
            _ => Undone::Done,
        }
    }

    async fn ended(&self, tx: &mut Tx, job: &Job) -> StoreResult<()> {
        let now = self.tools.ops.clock.now();
        let (Some(server), Some(reason)) = (job.target, job.outcome.as_ref().or(job.reason.as_ref())) else {
            return Ok(());
        };
        match job.status {
            JobStatus::Parked if reason.code == reasons::IDENTITY => {
                tx.open_incident(Some(server), IncidentKind::IdentityMismatch, &reason.text, now).await?;
            }
            JobStatus::Failed => {
                tx.open_incident(Some(server), IncidentKind::ProvisioningFailed, &reason.text, now).await?;
            }
            _ => {}
        }
        Ok(())
    }

    fn success(&self, job: &Job) -> Reason {
        let mode = serde_json::from_value::<ProvisionParams>(job.params.clone());
        let mode = mode.map_or(ProvisionMode::Setup, |params| params.mode);
        Reason::new("ready", "set up and verified: ready").with("mode", mode)
    }
}
