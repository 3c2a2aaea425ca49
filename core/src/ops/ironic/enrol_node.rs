//! Telling Ironic of a machine.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{NodeFault, NodeView, SecretText, given, reservation::instance_of};
use crate::{
    clients::ironic::{IronicError, NewNode},
    model::{Risk, Role},
    ops::{OpError, Operation, Outside, Reach, Rest, Spec, Topic},
};

/// Enrols a machine as a node of Ironic's.
pub struct EnrolNode;

/// The machine.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolNodeInput {
    /// What to call it: letters, digits and `-._~`.
    pub name: String,
    /// How its BMC is reached.
    pub bmc: Bmc,
    /// What kind of machine it is; requests for a machine name it.
    #[serde(default)]
    pub resource_class: Option<String>,
    /// Its hardware: `cpus`, `memory_mb`, `local_gb`, `cpu_arch`, …
    #[serde(default)]
    pub properties: Map<String, Value>,
}

/// A BMC that speaks Redfish.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bmc {
    /// Its address, such as `https://192.0.2.7`.
    #[serde(deserialize_with = "given::address")]
    pub address: String,
    /// Its account.
    #[serde(default)]
    pub username: Option<String>,
    /// The account's password.
    #[serde(default)]
    pub password: Option<SecretText>,
    /// Which of its systems is meant, such as `/redfish/v1/Systems/1`; left out where it has one only.
    #[serde(default)]
    pub system_id: Option<String>,
    /// Whether its certificate is checked; it is, unless said otherwise.
    #[serde(default)]
    pub verify_ca: Option<bool>,
}

#[async_trait]
impl Operation for EnrolNode {
    type Input = EnrolNodeInput;
    type Output = NodeView;
    const SPEC: Spec = Spec {
        name: "enrol_node",
        summary: "Enrols a machine with a Redfish BMC as a node of Ironic; then manage and provide it",
        topic: Topic::Ironic,
        rest: &[Rest::post("/nodes").answers(202)],
        cli: "nodes enrol <name>",
        risk: Risk::Change,
        lowest: Role::Admin,
        repeatable: false,
        people_only: false,
    };
    const REACH: Reach = Reach::Run;
    const SECRETS: &'static [&'static str] = &["/bmc/password"];

    fn target(input: &EnrolNodeInput) -> String {
        input.name.clone()
    }

    async fn run_outside(cx: &Outside, input: EnrolNodeInput) -> Result<NodeView, OpError> {
        let (ironic, name) = (cx.ironic()?, input.name.clone());
        // Another machine under the same key is another request.
        let request = cx.key.iter().zip(&cx.request).map(|(key, asked)| instance_of(&format!("{key}:{asked}"))).next();
        let new = new_node(input, request.clone());
        match ironic.create_node(&new).await {
            Ok(node) => Ok(node.into()),
            // The same request, whose answer was lost, made it.
            Err(error @ IronicError::Duplicate { .. }) if request.is_some() => match ironic.node(&name).await {
                Ok(node) if node.extra.get(REQUEST).and_then(Value::as_str) == request.as_deref() => Ok(node.into()),
                _ => Err(NodeFault::of(&name, error).into()),
            },
            Err(error) => Err(NodeFault::of(&name, error).into()),
        }
    }
}

/// Where a node keeps which request enrolled it.
const REQUEST: &str = "rackhand_enrolled_by";

fn new_node(input: EnrolNodeInput, request: Option<String>) -> NewNode {
    let Bmc { address, username, password, system_id, verify_ca } = input.bmc;
    let told = [
        ("redfish_address", Some(Value::from(address))),
        ("redfish_username", username.map(Value::from)),
        ("redfish_system_id", system_id.map(Value::from)),
        ("redfish_verify_ca", verify_ca.map(Value::from)),
    ];
    NewNode {
        name: Some(input.name),
        driver: "redfish".to_owned(),
        driver_info: told.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect(),
        driver_secrets: password.map(|text| ("redfish_password".to_owned(), text.0)).into_iter().collect(),
        resource_class: input.resource_class,
        properties: input.properties,
        extra: request.map(|request| (REQUEST.to_owned(), Value::from(request))).into_iter().collect(),
        ..NewNode::default()
    }
}
