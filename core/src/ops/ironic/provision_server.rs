//! Installing an image on a node.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Course, CourseStatus, NodeFault,
    course::{provision_course, started_at},
    instance_info,
    node::name_of,
    patiently,
    reservation::{Reservation, instance_of},
};
use crate::{
    clients::ironic::{ConfigDrive, IronicError, Node, Patch, ProvisionState, Target},
    model::{Risk, Role},
    ops::{OpError, Operation, Outside, Reach, Rest, Spec, Topic},
    units::Timestamp,
};

/// The parts of a node's driver that must be fit for a deployment.
const PARTS: [&str; 2] = ["deploy", "power"];

/// Installs an image on a node.
pub struct ProvisionServer;

/// What is wanted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvisionRequest {
    /// The node's UUID or name; left out, a free node is chosen.
    #[serde(default)]
    pub server_id: Option<String>,
    /// What kind of machine is chosen from.
    #[serde(default)]
    pub resource_class: Option<String>,
    /// What is installed: an image's id or name in Glance, or its URL, with its checksum behind a `#`:
    /// `https://images.example.net/debian.qcow2#<checksum, or its URL>`.
    pub image_id: String,
    /// What the system finds at its first boot: an object of `meta_data`, `network_data`, `user_data` and `vendor_data`,
    /// or a text as Ironic takes it.
    #[serde(default)]
    pub config_drive: Option<Value>,
}

/// That it was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProvisionResponse {
    /// What to ask with how it goes: the node's UUID.
    pub operation_id: String,
    /// The node's UUID.
    pub server_id: String,
    /// The node's name, or its UUID where it has none.
    pub server_name: String,
    /// How far it is.
    pub status: CourseStatus,
    /// The same in words.
    pub message: String,
    /// When it began, as Ironic has it.
    pub started_at: Option<Timestamp>,
}

#[async_trait]
impl Operation for ProvisionServer {
    type Input = ProvisionRequest;
    type Output = ProvisionResponse;
    const SPEC: Spec = Spec {
        name: "provision_server",
        summary: "Installs an image on a bare-metal node of Ironic: on the one that is named, or on a free one",
        topic: Topic::Ironic,
        rest: &[Rest::post("/provision").answers(202)],
        cli: "nodes provision <image_id>",
        risk: Risk::Change,
        lowest: Role::Operator,
        repeatable: false,
        people_only: false,
    };
    const REACH: Reach = Reach::Run;
    const SECRETS: &'static [&'static str] = &["/config_drive"];

    fn target(input: &ProvisionRequest) -> String {
        input.server_id.clone().unwrap_or_default()
    }

    async fn run_outside(cx: &Outside, input: ProvisionRequest) -> Result<ProvisionResponse, OpError> {
        let instance = cx.key.as_deref().map_or_else(|| uuid::Uuid::now_v7().to_string(), instance_of);
        let (ironic, request) = (cx.ironic()?, cx.request.clone());
        let reservation = Reservation { ironic, clock: &cx.ops.clock, instance, request, now: cx.now };
        let held = if cx.key.is_some() { reservation.held().await? } else { None };
        let node = match held {
            // The same request was here before, and went at least as far as this.
            Some(node) => node,
            None => reservation.make(&input).await?,
        };
        if node.provision_state != ProvisionState::Available {
            return begun_before(&node);
        }
        match deploy(&reservation, &node, &input).await {
            Ok(node) => Ok(accepted(&node)),
            Err(halt) => {
                if halt.nothing_begun {
                    reservation.give_back(&node.uuid).await;
                }
                Err(halt.fault.into())
            }
        }
    }
}

/// Why a reserved node was not provisioned.
struct Halt {
    fault: NodeFault,
    /// It is certain that nothing was begun; where it is not, whoever gives stale reservations back looks again.
    nothing_begun: bool,
}

/// Has the node provisioned, and shows it on its way.
async fn deploy(reservation: &Reservation<'_>, node: &Node, input: &ProvisionRequest) -> Result<Node, Halt> {
    let begun = begin(reservation, node, input).await;
    match (begun, reservation.ironic.node(&node.uuid).await) {
        (Ok(()), Ok(seen)) => Ok(seen),
        (Ok(()), Err(error)) => Err(Halt { nothing_begun: false, fault: NodeFault::of(&node.uuid, error) }),
        // The answer was lost, or the same request, asked twice at once, was faster.
        (Err(_), Ok(seen)) if is_ours_and_moves(&seen, reservation) => Ok(seen),
        (Err(halt), Ok(_)) => Err(halt),
        (Err(halt), Err(_)) => Err(Halt { nothing_begun: false, ..halt }),
    }
}

/// Tells Ironic what to install, hears whether the node can take it, and tells it to begin.
async fn begin(reservation: &Reservation<'_>, node: &Node, input: &ProvisionRequest) -> Result<(), Halt> {
    let (ironic, clock) = (reservation.ironic, reservation.clock);
    let halt = |error: IronicError| Halt { nothing_begun: true, fault: fault(node, input, error) };
    let info = [Patch::add("/instance_info", instance_info::told(node, &input.image_id))];
    patiently(clock, || ironic.patch_node(&node.uuid, &info)).await.map_err(halt)?;
    ironic.validate(&node.uuid).await.and_then(|said| said.require(&PARTS)).map_err(halt)?;
    let drive = input.config_drive.clone().filter(|drive| !drive.is_null()).map(ConfigDrive);
    let told = patiently(clock, || ironic.provision(&node.uuid, Target::Active, drive.as_ref())).await;
    told.map_err(|error| Halt { nothing_begun: !error.effect_unknown(), ..halt(error) })
}

fn is_ours_and_moves(node: &Node, reservation: &Reservation<'_>) -> bool {
    node.instance_uuid.as_deref() == Some(&reservation.instance) && node.provision_state != ProvisionState::Available
}

fn fault(node: &Node, input: &ProvisionRequest, error: IronicError) -> NodeFault {
    let id = input.server_id.as_deref().unwrap_or(&node.uuid);
    match error {
        why @ IronicError::NoImage { .. } => NodeFault::NoImage { id: named(&input.image_id), why },
        IronicError::InvalidState { .. } | IronicError::InMaintenance { .. } | IronicError::Associated { .. } => {
            NodeFault::NotAvailable { id: named(id) }
        }
        error => NodeFault::of(id, error),
    }
}

fn named(id: &str) -> String {
    id.chars().take(200).collect()
}

fn accepted(node: &Node) -> ProvisionResponse {
    let message = format!("Server {} is being provisioned", name_of(node));
    response(node, CourseStatus::Accepted, message)
}

/// The request was begun before, and its answer lost: how far it is now.
fn begun_before(node: &Node) -> Result<ProvisionResponse, OpError> {
    let Course { status, message, .. } = provision_course(node)?;
    Ok(response(node, status, message))
}

fn response(node: &Node, status: CourseStatus, message: String) -> ProvisionResponse {
    ProvisionResponse {
        operation_id: node.uuid.clone(),
        server_id: node.uuid.clone(),
        server_name: name_of(node).to_owned(),
        status,
        message,
        started_at: started_at(node),
    }
}
