//! The versions of Ironic's interface, which name what a call may say and what its answer holds.

use reqwest::header::HeaderMap;

/// The header that names the version of a call.
pub const HEADER: &str = "X-OpenStack-Ironic-API-Version";
/// In each answer: the newest version that Ironic speaks.
const NEWEST: &str = "X-OpenStack-Ironic-API-Maximum-Version";

/// A version of the interface, `1.N` by its N.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minor(pub u32);

impl Minor {
    /// For all that is asked of nodes: their conductor (1.49), whether they are protected (1.48), automated cleaning
    /// (1.47) and a configdrive as an object (1.56).
    pub const USUAL: Self = Self(56);
    /// A configdrive with `vendor_data`.
    pub const VENDOR_DATA: Self = Self(59);
    /// What went wrong on a node.
    pub const HISTORY: Self = Self(78);
    /// Going on from a hold.
    pub const UNHOLD: Self = Self(85);
    /// Stopping a deployment that waits for the machine.
    pub const DEPLOY_ABORT: Self = Self(110);

    /// As the header has it.
    pub fn header(self) -> String {
        format!("1.{}", self.0)
    }
}

/// The newest version that an answer says Ironic speaks.
pub fn newest(headers: &HeaderMap) -> Option<Minor> {
    headers.get(NEWEST)?.to_str().ok()?.trim().strip_prefix("1.")?.parse().ok().map(Minor)
}
