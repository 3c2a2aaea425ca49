//! Servers.

use std::{collections::BTreeMap, fmt, net::IpAddr, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ids::ServerId, states::ServerStatus, units::Timestamp};

/// A server's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Server {
    /// Our id.
    pub id: ServerId,
    /// The name that people type: `vps-<provider id>` unless named.
    pub handle: String,
    /// Whose it is: `time4vps`.
    pub provider: String,
    /// Its number there.
    pub provider_id: String,
    /// Where it answers; none until the provider gives one.
    pub address: Option<IpAddr>,
    /// The provider's label.
    pub label: String,
    /// Ours: short keys with short values, for people and programs to tell servers apart by.
    pub labels: BTreeMap<String, String>,
    /// The provider's name for its size.
    pub size: String,
    /// The operating system's name at the provider.
    pub os: String,
    /// Where it is in its life.
    pub status: ServerStatus,
    /// An admin said that it is ours to manage.
    pub managed: bool,
    /// The host key that was pinned when it was last set up, as one OpenSSH line.
    pub host_key: Option<String>,
    /// Attempts in this episode; back to zero when it is ready.
    pub provisioning_attempts: i64,
    /// The approval that allows the rebuild which `force_rebuild` asks for.
    pub rebuild_approval: Option<String>,
    /// Missed at the provider since.
    pub missing_since: Option<Timestamp>,
    /// Misses in a row.
    pub misses: i64,
    /// First seen.
    pub created_at: Timestamp,
    /// Last changed.
    pub updated_at: Timestamp,
    /// Last time our checks over SSH passed.
    pub last_verified_at: Option<Timestamp>,
}

impl Server {
    /// Why nothing may touch this server, if so. Fail closed: what nobody took under management is not ours.
    pub fn untouchable(&self) -> Option<&'static str> {
        if self.status == ServerStatus::Reserved {
            Some("reserved")
        } else if !self.managed {
            Some("unmanaged")
        } else if self.status == ServerStatus::Decommissioned {
            Some("decommissioned")
        } else {
            None
        }
    }
}

/// A server seen for the first time.
#[derive(Clone, Debug)]
pub struct NewServer {
    /// The name that people will type.
    pub handle: String,
    /// Whose it is.
    pub provider: String,
    /// Its number there.
    pub provider_id: String,
    /// Where it answers.
    pub address: Option<IpAddr>,
    /// The provider's label.
    pub label: String,
    /// The provider's name for its size.
    pub size: String,
    /// Managed from the start, because a pattern in the configuration says so.
    pub managed: bool,
}

/// What a provisioning job is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProvisionMode {
    /// Make a server that is there ready; its disk stays.
    Setup,
    /// Wipe it and set it up anew.
    Rebuild,
    /// Bring a server that failed back.
    Recover,
}

impl fmt::Display for ProvisionMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Setup => "setup",
            Self::Rebuild => "rebuild",
            Self::Recover => "recover",
        })
    }
}

impl FromStr for ProvisionMode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "setup" => Ok(Self::Setup),
            "rebuild" => Ok(Self::Rebuild),
            "recover" => Ok(Self::Recover),
            other => Err(format!("{other:?} is not a mode: setup, rebuild or recover is expected")),
        }
    }
}

/// The parameters of a `provision_vps` job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvisionParams {
    /// Which server.
    pub server: ServerId,
    /// What for.
    pub mode: ProvisionMode,
    /// Reinstall the operating system first: the disk is lost.
    pub reinstall: bool,
    /// The provider's number of the server when the job was allowed.
    pub provider_id: String,
    /// Its address when the job was allowed: another one later means that the world changed.
    pub address: Option<IpAddr>,
    /// Its pinned host key when the job was allowed.
    pub host_key: Option<String>,
}
