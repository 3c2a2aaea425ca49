//! Something is wrong.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString};

use crate::{ids::ServerId, states::IncidentStatus, units::Timestamp};

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Display, EnumString, EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum IncidentKind {
    /// A server's identity is not what we know: its address or its host key changed.
    IdentityMismatch,
    /// A provisioning job failed for good.
    ProvisioningFailed,
    /// The provider's interface is out of reach: one for all servers.
    ProviderApiUnavailable,
    /// The provider no longer lists a server.
    ServerMissing,
}

/// One incident; at most one is open for each (server, kind).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Incident {
    /// Its place in the table, a UUID.
    pub id: String,
    /// The server, or none for the platform.
    pub server: Option<ServerId>,
    /// What is wrong.
    pub kind: IncidentKind,
    /// Where it is.
    pub status: IncidentStatus,
    /// What was seen.
    pub details: String,
    /// When it was noticed.
    pub detected_at: Timestamp,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
}
