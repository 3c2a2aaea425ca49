//! What Rackhand does in the outside world: workflows, which act for a job, and reconcilers, which look by themselves.
//!
//! Outside systems are called from this folder, and from the operations whose reach says so.

mod approvals;
pub mod free_node;
mod halt;
mod housekeeping;
pub mod provision_vps;
mod rebuilds;
mod reservations;
mod sync;

use std::{sync::Arc, time::Duration};

use rackhand_core::{
    clients::{ansible::Ansible, ssh::OrchestratorKey, time4vps::Time4vps},
    clock::SharedClock,
    config::Config,
    ops::Ops,
    store::Store,
    work::{Reconciler, Runner, Settings},
};

pub use approvals::ApprovalClock;
pub use free_node::FreeNode;
pub use housekeeping::Housekeeping;
pub use provision_vps::{ProvisionVps, Times};
pub use rebuilds::Rebuilds;
pub use reservations::Reservations;
pub use sync::ServerSync;

/// Everything that workflows and reconcilers act through.
#[derive(Clone)]
pub struct Tools {
    /// The operations, with the store, the clock and the keys.
    pub ops: Ops,
    /// The provider; none when no account is configured, and then nothing is synchronized and no job can act there.
    pub provider: Option<Time4vps>,
    /// The playbooks.
    pub ansible: Arc<Ansible>,
    /// Our own key, which servers let in.
    pub key: Arc<OrchestratorKey>,
    /// The configuration.
    pub config: Arc<Config>,
}

impl Tools {
    /// The job engine with every workflow whose outside system is configured; none where none is.
    pub fn runner(&self, owner: &str) -> Option<Runner> {
        let provider = self.provider.clone().map(|provider| ProvisionVps::new(self.clone(), provider));
        let ironic = self.ops.ironic.as_ref().map(|ironic| FreeNode::kinds(&self.ops, ironic));
        if provider.is_none() && ironic.is_none() {
            return None;
        }
        let work = &self.config.work;
        let settings =
            Settings { workers: work.workers, lease: work.lease, poll: work.poll, stop_grace: work.stop_grace };
        let mut runner = Runner::new(self.store().clone(), self.clock().clone(), settings, owner.to_owned());
        if let Some(workflow) = provider {
            runner = runner.with(Arc::new(workflow));
        }
        for workflow in ironic.into_iter().flatten() {
            runner = runner.with(Arc::new(workflow));
        }
        Some(runner)
    }

    /// Every reconciler.
    pub fn reconcilers(&self) -> Vec<Arc<dyn Reconciler>> {
        let mut all: Vec<Arc<dyn Reconciler>> = vec![
            Arc::new(Rebuilds::new(self.ops.clone())),
            Arc::new(ApprovalClock::new(self.ops.clone(), self.config.approvals.warn_before)),
            Arc::new(Housekeeping::new(self.ops.clone())),
        ];
        if self.ops.ironic.is_some() {
            all.push(Arc::new(Reservations::new(self.ops.clone())));
        }
        if let Some(provider) = &self.provider {
            all.push(Arc::new(ServerSync::new(
                self.ops.clone(),
                provider.clone(),
                self.config.fleet.managed.clone(),
                self.config.sync.interval,
            )));
        }
        all
    }

    fn store(&self) -> &Store {
        &self.ops.store
    }

    fn clock(&self) -> &SharedClock {
        &self.ops.clock
    }
}

/// The longest that a look may be away: reconcilers without a wish of their own look so often.
const CALM: Duration = Duration::from_secs(15);
