//! What Ironic answers, read: what must be there is asked for, all else may be missing or null.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::node::{HistoryEvent, NewNode, Node, Progress, Step, Validation, Verdict};
use crate::units::Timestamp;

/// The fields of a node that a list asks for. With them an answer holds no driver's secrets, not even blotted out.
pub const LISTED: &str = "uuid,name,driver,provision_state,target_provision_state,provision_updated_at,power_state,\
    maintenance,maintenance_reason,fault,last_error,reservation,resource_class,instance_uuid,instance_info,\
    properties,extra,automated_clean,protected,deploy_step,clean_step";

/// The fields that only a question for one node asks for. **A list that is asked for the conductor is a 500**.
pub const OF_ONE: &str = "conductor,driver_internal_info";

/// One node.
pub fn node(answer: &Value) -> Option<Node> {
    Some(Node {
        uuid: text(answer, "uuid")?,
        name: text(answer, "name"),
        driver: text(answer, "driver"),
        provision_state: text(answer, "provision_state")?.into(),
        target_provision_state: text(answer, "target_provision_state").map(Into::into),
        provision_updated_at: moment(answer, "provision_updated_at"),
        power_state: text(answer, "power_state"),
        maintenance: answer["maintenance"].as_bool().unwrap_or(false),
        maintenance_reason: text(answer, "maintenance_reason"),
        fault: text(answer, "fault"),
        last_error: text(answer, "last_error"),
        reservation: text(answer, "reservation"),
        conductor: text(answer, "conductor"),
        resource_class: text(answer, "resource_class"),
        instance_uuid: text(answer, "instance_uuid"),
        instance_info: object(answer, "instance_info"),
        properties: object(answer, "properties"),
        extra: object(answer, "extra"),
        automated_clean: answer["automated_clean"].as_bool(),
        protected: answer["protected"].as_bool().unwrap_or(false),
        deploy_step: step(&answer["deploy_step"]),
        clean_step: step(&answer["clean_step"]),
        deploy_progress: progress(&answer["driver_internal_info"], "deploy_steps", "deploy_step_index"),
        clean_progress: progress(&answer["driver_internal_info"], "clean_steps", "clean_step_index"),
    })
}

/// One page of nodes, and the marker of the next. The address of the next page is Ironic's idea of its own address;
/// only the marker in it is used.
pub fn nodes(answer: &Value) -> Option<(Vec<Node>, Option<String>)> {
    let nodes = answer["nodes"].as_array()?.iter().map(node).collect::<Option<Vec<_>>>()?;
    let next = match answer["next"].as_str() {
        Some(address) => Some(marker(address)?),
        None => None,
    };
    Some((nodes, next))
}

/// What `POST /v1/nodes` takes.
pub fn new_node(new: &NewNode) -> Value {
    let mut driver_info = new.driver_info.clone();
    let secrets = new.driver_secrets.iter().map(|(key, secret)| (key.clone(), Value::from(secret.expose())));
    driver_info.extend(secrets);
    let parts = new.interfaces.iter().map(|(key, part)| (key.clone(), Value::from(part.as_str())));
    let mut body: Map<String, Value> = parts.collect();
    body.extend([
        ("driver".to_owned(), Value::from(new.driver.as_str())),
        ("driver_info".to_owned(), Value::Object(driver_info)),
        ("properties".to_owned(), Value::Object(new.properties.clone())),
        ("extra".to_owned(), Value::Object(new.extra.clone())),
    ]);
    let name = new.name.as_deref().map(Value::from);
    let class = new.resource_class.as_deref().map(Value::from);
    let clean = new.automated_clean.map(Value::from);
    let chosen = [("name", name), ("resource_class", class), ("automated_clean", clean)];
    body.extend(chosen.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    Value::Object(body)
}

/// What each part of the driver says.
pub fn validation(answer: &Value) -> Option<Validation> {
    let parts = answer.as_object()?.iter().map(|(part, said)| {
        let verdict = match (said["result"].as_bool(), said["reason"].as_str()) {
            (Some(true), _) => Verdict::Fit,
            (Some(false), reason) => Verdict::Unfit(reason.unwrap_or("no reason was told").to_owned()),
            (None, _) if said.is_object() => Verdict::Absent,
            (None, _) => return None,
        };
        Some((part.clone(), verdict))
    });
    Some(Validation(parts.collect::<Option<BTreeMap<_, _>>>()?))
}

/// What went wrong on a node.
pub fn history(answer: &Value) -> Option<Vec<HistoryEvent>> {
    let event = |event: &Value| {
        Some(HistoryEvent {
            at: moment(event, "created_at"),
            severity: text(event, "severity").unwrap_or_default(),
            kind: text(event, "event_type").unwrap_or_default(),
            event: text(event, "event")?,
        })
    };
    answer["history"].as_array()?.iter().map(event).collect()
}

fn text(answer: &Value, key: &str) -> Option<String> {
    answer[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn object(answer: &Value, key: &str) -> Map<String, Value> {
    answer[key].as_object().cloned().unwrap_or_default()
}

/// Ironic writes `2026-11-20T10:00:00+00:00`, and `2026-11-20T10:00:00.123456` in UTC in some places.
fn moment(answer: &Value, key: &str) -> Option<Timestamp> {
    let text = answer[key].as_str()?;
    let at = text.parse::<jiff::Timestamp>().or_else(|_| format!("{text}Z").parse());
    at.ok().map(|at| Timestamp(at.as_millisecond()))
}

/// A step; an empty object when none runs.
fn step(said: &Value) -> Option<Step> {
    Some(Step { interface: text(said, "interface")?, step: text(said, "step")? })
}

/// The driver keeps its list of steps and the place in it only while it works through them.
fn progress(info: &Value, list: &str, index: &str) -> Option<Progress> {
    let all = info[list].as_array()?.len();
    let done = usize::try_from(info[index].as_u64()?).ok()?;
    (done < all).then_some(Progress { done, all })
}

fn marker(address: &str) -> Option<String> {
    let url = reqwest::Url::parse(address).ok()?;
    let found = url.query_pairs().find(|(key, _)| key == "marker");
    found.map(|(_, marker)| marker.into_owned())
}
