//! A node as Ironic tells it, and what its states are called.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use strum::{Display, EnumString};

use super::IronicError;
use crate::{secret::Secret, units::Timestamp};

/// Where a node is in its life, by the names of Ironic's state machine (github openstack/ironic,
/// ironic/common/states.py).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Display, EnumString, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
#[strum(serialize_all = "lowercase")]
pub enum ProvisionState {
    /// Known, and not yet managed.
    Enroll,
    /// Its BMC is being tried.
    Verifying,
    /// Managed, and not yet for use.
    Manageable,
    /// Its hardware is being looked at.
    Inspecting,
    /// The same, waiting for the machine.
    #[strum(serialize = "inspect wait")]
    InspectWait,
    /// The look at its hardware failed.
    #[strum(serialize = "inspect failed")]
    InspectFailed,
    /// Ready to be provisioned.
    Available,
    /// Being provisioned.
    Deploying,
    /// The same, waiting for the machine to call back.
    #[strum(serialize = "wait call-back")]
    WaitCallBack,
    /// The same, held by a step until somebody says `unhold`.
    #[strum(serialize = "deploy hold")]
    DeployHold,
    /// Provisioning failed.
    #[strum(serialize = "deploy failed")]
    DeployFailed,
    /// Provisioned.
    Active,
    /// Being taken down.
    Deleting,
    /// Taking down failed.
    Error,
    /// Being wiped.
    Cleaning,
    /// The same, waiting for the machine.
    #[strum(serialize = "clean wait")]
    CleanWait,
    /// The same, held by a step until somebody says `unhold`.
    #[strum(serialize = "clean hold")]
    CleanHold,
    /// Wiping failed.
    #[strum(serialize = "clean failed")]
    CleanFailed,
    /// Being adopted: told to be active without a deployment.
    Adopting,
    /// Adopting failed.
    #[strum(serialize = "adopt failed")]
    AdoptFailed,
    /// On its way into the rescue system.
    Rescuing,
    /// The same, waiting for the machine.
    #[strum(serialize = "rescue wait")]
    RescueWait,
    /// The rescue system did not come up.
    #[strum(serialize = "rescue failed")]
    RescueFailed,
    /// In the rescue system.
    Rescue,
    /// On its way out of the rescue system.
    Unrescuing,
    /// It did not leave the rescue system.
    #[strum(serialize = "unrescue failed")]
    UnrescueFailed,
    /// Being serviced while in use.
    Servicing,
    /// The same, waiting for the machine.
    #[strum(serialize = "service wait")]
    ServiceWait,
    /// The same, held by a step until somebody says `unhold`.
    #[strum(serialize = "service hold")]
    ServiceHold,
    /// Servicing failed.
    #[strum(serialize = "service failed")]
    ServiceFailed,
    /// Any other name; of a newer Ironic, say.
    #[strum(default)]
    Other(String),
}

impl From<String> for ProvisionState {
    fn from(name: String) -> Self {
        name.parse().unwrap_or(Self::Other(name))
    }
}

impl From<ProvisionState> for String {
    fn from(state: ProvisionState) -> Self {
        state.to_string()
    }
}

/// A node. Ironic blots out passwords in what it tells (`******`).
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its identity.
    pub uuid: String,
    /// Its name, unique where it has one.
    pub name: Option<String>,
    /// The driver that reaches its BMC.
    pub driver: Option<String>,
    /// Where it is in its life.
    pub provision_state: ProvisionState,
    /// Where it is on its way to, while it moves, and where it was to go when that failed.
    pub target_provision_state: Option<ProvisionState>,
    /// When it came to its provision state.
    pub provision_updated_at: Option<Timestamp>,
    /// `power on`, `power off`, `error`; none before it was first seen.
    pub power_state: Option<String>,
    /// Whether it is kept out of use.
    pub maintenance: bool,
    /// Why, in the words of whoever said so.
    pub maintenance_reason: Option<String>,
    /// What made Ironic itself set maintenance: `power failure`, `clean failure`, …
    pub fault: Option<String>,
    /// The last thing that went wrong. The power check clears it: see [`super::Ironic::history`].
    pub last_error: Option<String>,
    /// The conductor that holds its lock at the moment.
    pub reservation: Option<String>,
    /// The conductor that takes care of it; none when no conductor does. Only in what [`super::Ironic::node`] tells.
    pub conductor: Option<String>,
    /// What kind of machine it is.
    pub resource_class: Option<String>,
    /// For whom it is reserved or used.
    pub instance_uuid: Option<String>,
    /// What is, or is to be, installed on it.
    pub instance_info: Map<String, Value>,
    /// Its hardware: `cpus`, `memory_mb`, `local_gb`, `cpu_arch`, `capabilities`, …
    pub properties: Map<String, Value>,
    /// Whatever was attached to it.
    pub extra: Map<String, Value>,
    /// Whether it is wiped between uses; none: as the conductor is configured.
    pub automated_clean: Option<bool>,
    /// Whether it may not be taken down, rebuilt or deleted.
    pub protected: bool,
    /// The step of a deployment that runs.
    pub deploy_step: Option<Step>,
    /// The step of a cleaning that runs.
    pub clean_step: Option<Step>,
    /// How far its deployment is. Only in what [`super::Ironic::node`] tells, and only while it deploys.
    pub deploy_progress: Option<Progress>,
    /// How far its cleaning is. Only in what [`super::Ironic::node`] tells, and only while it cleans.
    pub clean_progress: Option<Progress>,
}

/// A step of a deployment or a cleaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The part of the driver that does it: `deploy`, `bios`, …
    pub interface: String,
    /// Its name.
    pub step: String,
}

/// Steps done, of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps that are over; less than `all` while one runs.
    pub done: usize,
    /// Steps there are.
    pub all: usize,
}

/// Which nodes to list; what is none does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeFilter {
    /// Only those in this state.
    pub provision_state: Option<ProvisionState>,
    /// Only those of this kind of machine.
    pub resource_class: Option<String>,
    /// Only those with, or without, an instance.
    pub associated: Option<bool>,
    /// Only the one with this instance.
    pub instance_uuid: Option<String>,
    /// Only those in, or not in, maintenance.
    pub maintenance: Option<bool>,
}

/// Some nodes of a list.
#[derive(Clone, Debug)]
pub struct NodePage {
    /// In the order in which they were enrolled.
    pub nodes: Vec<Node>,
    /// What to ask for the next page with; none when there is none.
    pub next: Option<String>,
}

/// A node to enrol.
#[derive(Clone, Debug, Default)]
pub struct NewNode {
    /// Its name: letters, digits and `-._~`.
    pub name: Option<String>,
    /// The driver that reaches its BMC: `redfish`, …
    pub driver: String,
    /// Where the driver finds the BMC: `redfish_address`, `redfish_username`, …
    pub driver_info: Map<String, Value>,
    /// The part of `driver_info` that must not be seen: `redfish_password`, …
    pub driver_secrets: BTreeMap<String, Secret>,
    /// The parts of the driver where the default is not meant: `deploy_interface`, `boot_interface`, …
    pub interfaces: BTreeMap<String, String>,
    /// What kind of machine it is.
    pub resource_class: Option<String>,
    /// Its hardware.
    pub properties: Map<String, Value>,
    /// Whatever is to be attached to it.
    pub extra: Map<String, Value>,
    /// Whether it is wiped between uses; none: as the conductor is configured.
    pub automated_clean: Option<bool>,
}

/// One change of a node, as JSON Patch has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Patch {
    /// Sets a field or a key, whether or not it is there.
    Add {
        /// Such as `/instance_info/image_source`.
        path: String,
        /// To what.
        value: Value,
    },
    /// Sets one that must be there.
    Replace {
        /// Such as `/automated_clean`.
        path: String,
        /// To what.
        value: Value,
    },
    /// Takes one away that must be there.
    Remove {
        /// Such as `/instance_uuid`.
        path: String,
    },
}

impl Patch {
    /// Sets a field or a key, whether or not it is there.
    pub fn add(path: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::Add { path: path.into(), value: value.into() }
    }

    /// Sets a field or a key that must be there.
    pub fn replace(path: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::Replace { path: path.into(), value: value.into() }
    }

    /// Takes away a field or a key that must be there.
    pub fn remove(path: impl Into<String>) -> Self {
        Self::Remove { path: path.into() }
    }
}

/// What a node is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display)]
#[strum(serialize_all = "lowercase")]
pub enum Target {
    /// Be provisioned, from `available` or `deploy failed`.
    Active,
    /// Be taken down, and wiped where that is switched on.
    Deleted,
    /// Be managed: from `enroll`, `available`, or a failure.
    Manage,
    /// Be made available, from `manageable`; wiped first where that is switched on.
    Provide,
    /// Be installed anew, from `active`, `deploy failed` or `error`.
    Rebuild,
    /// Stop what waits for the machine.
    Abort,
    /// Go on from a hold.
    Unhold,
}

/// What the installed system finds at its first boot: an object of `meta_data`, `network_data`, `user_data` and
/// `vendor_data`, or a text (an address, or an image in base64) as Ironic takes it. It may hold secrets, so it cannot
/// be printed.
#[derive(Clone, PartialEq)]
pub struct ConfigDrive(pub Value);

impl std::fmt::Debug for ConfigDrive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[configdrive]")
    }
}

/// What each part of a node's driver says of what it was given, by the part's name (`deploy`, `power`, `boot`, …).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation(pub BTreeMap<String, Verdict>);

impl Validation {
    /// Whether all of `parts` are fit. A part that the driver does not have is.
    ///
    /// # Errors
    /// [`IronicError::NoImage`] where a part says so, else [`IronicError::NotValid`], with the reasons of all that are
    /// not fit, as `part: reason`.
    pub fn require(&self, parts: &[&str]) -> Result<(), IronicError> {
        let verdicts = parts.iter().filter_map(|part| Some((part, self.0.get(*part)?)));
        let unfit = verdicts.filter_map(|(part, verdict)| match verdict {
            Verdict::Unfit(reason) => Some(format!("{part}: {reason}")),
            Verdict::Fit | Verdict::Absent => None,
        });
        let reasons = unfit.collect::<Vec<_>>().join("; ");
        if reasons.is_empty() { Ok(()) } else { Err(super::error::unfit(&reasons)) }
    }
}

/// What one part of a driver says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It can work with what it was given.
    Fit,
    /// The driver has no such part.
    Absent,
    /// It cannot, and why.
    Unfit(String),
}

/// Something that happened on a node, as Ironic remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEvent {
    /// When.
    pub at: Option<Timestamp>,
    /// `INFO` or `ERROR`.
    pub severity: String,
    /// What was under way, or what came of it: `deploying`, `deployment_end`, …
    pub kind: String,
    /// What happened, in Ironic's words.
    pub event: String,
}
