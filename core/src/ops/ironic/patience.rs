//! Locks of Ironic's conductors: they pass mostly in a moment, so a call that meets one is made again for a while.

use std::time::Duration;

use crate::{
    clients::ironic::{Ironic, IronicError},
    clock::SharedClock,
    ops::{NodeFault, OpError, Outside},
};

/// How long a locked node, or an Ironic with too much to do, is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// How long between two tries.
pub(super) const PAUSE: Duration = Duration::from_millis(400);

impl Outside {
    /// The configured Ironic.
    pub(super) fn ironic(&self) -> Result<&Ironic, OpError> {
        Ok(self.ops.ironic.as_ref().ok_or(NodeFault::NoIronic)?)
    }
}

/// Makes a call again, for 20 seconds at most, as long as the node is locked or Ironic has too much to do. Such a call
/// had no effect.
///
/// # Errors
/// That of the last call.
pub async fn patiently<T, F>(clock: &SharedClock, mut call: impl FnMut() -> F) -> Result<T, IronicError>
where
    F: Future<Output = Result<T, IronicError>>,
{
    let began = clock.now();
    loop {
        match call().await {
            Err(IronicError::Locked { .. } | IronicError::Busy { .. }) if clock.now().since(began) < PATIENCE => {
                clock.sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}
