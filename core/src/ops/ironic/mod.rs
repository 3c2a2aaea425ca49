//! Bare metal that OpenStack Ironic keeps: nodes, provisioning and unprovisioning.
//!
//! Stateless on purpose: Ironic keeps all state, an operation's id is the node's UUID, and what is told of it is derived
//! from the node at each question. Ours are the audit, the approval, and the job that makes a node free for the next.

mod check_provision_status;
mod check_unprovision_status;
mod course;
mod end_maintenance;
mod enrol_node;
mod fault;
mod get_node;
mod instance_info;
mod list_nodes;
mod manage_node;
mod node;
mod node_facts;
mod node_job;
mod node_job_seen;
mod patience;
mod provide_node;
mod provide_plan;
mod provision_server;
mod reservation;
mod secret_text;
mod unprovision_plan;
mod unprovision_server;

pub use check_provision_status::CheckProvisionStatus;
pub use check_unprovision_status::CheckUnprovisionStatus;
pub use course::{Course, CourseStatus, OperationInput, is_moving_down, last_words, troubles, unprovision_course};
pub use end_maintenance::EndMaintenance;
pub use enrol_node::{Bmc, EnrolNode, EnrolNodeInput};
pub use fault::NodeFault;
pub use get_node::GetNode;
pub use list_nodes::{ListNodes, ListNodesInput};
pub use manage_node::ManageNode;
pub use node::{NodeInput, NodeView};
pub use node_job::{DELETE, NodeJob, PROVIDE, PROVIDE_NODE, UNPROVISION_NODE, open_node_jobs};
pub use node_job_seen::{ASKED, AWAIT_AVAILABLE, JobNode, SINCE, is_past_calling_off};
pub use patience::patiently;
pub use provide_node::ProvideNode;
pub use provide_plan::{ProvideParams, provide_plan};
pub use provision_server::{ProvisionRequest, ProvisionResponse, ProvisionServer};
pub use secret_text::SecretText;
pub use unprovision_plan::{UnprovisionParams, unprovision_plan};
pub use unprovision_server::{UnprovisionRequest, UnprovisionResponse, UnprovisionServer};

/// This provider's name, where several are named.
pub const IRONIC: &str = "ironic";
