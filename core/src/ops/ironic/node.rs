//! A node as it is told at every door.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{clients::ironic::Node, units::Timestamp};

/// The input of operations on one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeInput {
    /// The node's UUID or name.
    pub node: String,
}

/// A node of Ironic's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(clippy::struct_excessive_bools, reason = "each is a question that its reader asks by itself")]
pub struct NodeView {
    /// Its UUID.
    pub uuid: String,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// The driver that reaches its BMC.
    pub driver: Option<String>,
    /// Where it is in its life, in Ironic's words: `available`, `active`, `wait call-back`, …
    pub provision_state: String,
    /// Where it is on its way to.
    pub target_provision_state: Option<String>,
    /// When it came to its state.
    pub provision_updated_at: Option<Timestamp>,
    /// `power on`, `power off`, `error`; none before it was first seen.
    pub power_state: Option<String>,
    /// Whether it is kept out of use.
    pub maintenance: bool,
    /// Why.
    pub maintenance_reason: Option<String>,
    /// What made Ironic itself keep it out of use.
    pub fault: Option<String>,
    /// The last thing that went wrong.
    pub last_error: Option<String>,
    /// What kind of machine it is.
    pub resource_class: Option<String>,
    /// For whom it is reserved or used.
    pub instance_uuid: Option<String>,
    /// Its hardware: `cpus`, `memory_mb`, `local_gb`, …
    pub properties: Map<String, Value>,
    /// Whether it is wiped between uses; none: as Ironic is configured.
    pub automated_clean: Option<bool>,
    /// Whether it may not be taken down.
    pub protected: bool,
    /// Whether Ironic is at work on it at this moment.
    pub locked: bool,
    /// Whether it can be provisioned now.
    pub free: bool,
    /// Whether it can be unprovisioned now.
    pub provisioned: bool,
}

impl From<Node> for NodeView {
    fn from(node: Node) -> Self {
        Self {
            free: super::reservation::is_free(&node),
            provisioned: super::unprovision_plan::can_be_taken_down(&node.provision_state),
            provision_state: node.provision_state.to_string(),
            target_provision_state: node.target_provision_state.map(|state| state.to_string()),
            locked: node.reservation.is_some(),
            uuid: node.uuid,
            name: node.name,
            driver: node.driver,
            provision_updated_at: node.provision_updated_at,
            power_state: node.power_state,
            maintenance: node.maintenance,
            maintenance_reason: node.maintenance_reason,
            fault: node.fault,
            last_error: node.last_error,
            resource_class: node.resource_class,
            instance_uuid: node.instance_uuid,
            properties: node.properties,
            automated_clean: node.automated_clean,
            protected: node.protected,
        }
    }
}

/// What people call a node: its name, or its UUID where it has none.
pub(super) fn name_of(node: &Node) -> &str {
    node.name.as_deref().unwrap_or(&node.uuid)
}
