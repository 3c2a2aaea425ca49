//! Why a workflow's step stops before its end.

use rackhand_core::{fault::chain, model::Reason, store::StoreError, work::Verdict};

/// What a step's `?` carries: a decision, or the failure of our own database.
pub(super) enum Halt {
    /// With this verdict.
    Verdict(Verdict),
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Halt {
    /// The step's verdict.
    pub(super) fn into_verdict(self) -> Verdict {
        match self {
            Self::Verdict(verdict) => verdict,
            // A lost lease shows at the next fenced write, which stops the worker.
            Self::Store(error) => Verdict::Retry { reason: store_failed(&error), after: None },
        }
    }
}

/// Our own database failed.
pub(super) fn store_failed(error: &StoreError) -> Reason {
    Reason::new("store", chain(error))
}
