//! The exit status: what a script can tell apart.

use rackhand_core::{
    clients::rackhand::RackhandError,
    fault::{Fault, FaultKind},
    ops::OpError,
    store::StoreError,
};

use super::door::NotThere;

/// Something failed.
pub const FAILED: u8 = 1;
/// What was typed is wrong.
pub const USAGE: u8 = 2;
/// Refused: whoever asks may not.
pub const REFUSED: u8 = 3;
/// What was named is not there.
pub const NOT_FOUND: u8 = 4;
/// Nothing was done yet: it waits for a person's yes.
pub const AWAITING: u8 = 5;
/// The world is not as the request needs it: busy, in another state, or only a person can go on.
pub const CONFLICT: u8 = 6;
/// Out of reach for now.
pub const UNAVAILABLE: u8 = 7;

/// All of them, for help.
pub const HELP: &str = "Exit status: 0 done, 1 failed, 2 wrong usage or input, 3 refused, 4 not found, 5 waits for a \
                        person's approval, 6 conflict or busy, 7 out of reach for now.";

/// The exit status that tells of an error.
pub fn of(error: &anyhow::Error) -> u8 {
    error.chain().find_map(known).unwrap_or(FAILED)
}

fn known(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    let kind = (cause.downcast_ref().map(OpError::kind))
        .or_else(|| cause.downcast_ref().map(RackhandError::kind))
        .or_else(|| cause.downcast_ref().map(StoreError::kind));
    match kind {
        Some(kind) => Some(of_kind(kind)),
        None => cause.is::<NotThere>().then_some(REFUSED),
    }
}

fn of_kind(kind: FaultKind) -> u8 {
    match kind {
        FaultKind::Invalid => USAGE,
        FaultKind::Forbidden | FaultKind::Unauthenticated => REFUSED,
        FaultKind::NotFound => NOT_FOUND,
        FaultKind::Conflict | FaultKind::NeedsPerson => CONFLICT,
        FaultKind::Unavailable | FaultKind::RateLimited => UNAVAILABLE,
        FaultKind::Bug => FAILED,
    }
}
