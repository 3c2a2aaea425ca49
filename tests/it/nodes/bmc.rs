//! A machine with a BMC, from its enrolment to the system that installs it, through the door for programs: Ironic's own
//! redfish driver speaks to an emulated BMC, which asks for a password.

use std::sync::Arc;

use axum::{Router, routing::get};
use rackhand_core::{
    clients::ironic::{Patch, Target},
    model::Role,
    work::NoWitness,
};
use reqwest::Url;
use serde_json::{Value, json};

use super::lab::Lab;
use crate::{
    api::caller::{Caller, Door, client, token},
    e2e::eventually,
    harness::{Peer, SOON, need},
};

/// A system of the emulated BMCs, and who may log in there.
struct Bmc {
    url: Url,
    system: String,
    password: String,
}

impl Bmc {
    /// The system of this number. None where this run has no BMCs.
    fn new(number: u32) -> Option<Self> {
        let url = Url::parse(&need(Peer::Bmcs)?).unwrap();
        let password = url.password().expect("the emulator asks for a password").to_owned();
        Some(Self { url, system: format!("/redfish/v1/Systems/00000000-0000-4000-8000-{number:012}"), password })
    }

    /// The machine, as a request has it.
    fn machine(&self, lab: &Lab, password: &str) -> Value {
        let mut address = self.url.clone();
        address.set_username("").unwrap();
        address.set_password(None).unwrap();
        let bmc = json!({
            "address": address.as_str().trim_end_matches('/'),
            "username": self.url.username(),
            "password": password,
            "system_id": self.system,
        });
        let name = format!("m{}", uuid::Uuid::now_v7().simple());
        json!({ "name": name, "bmc": bmc, "resource_class": lab.class, "properties": { "local_gb": 446 } })
    }

    /// What the BMC itself tells below its system.
    async fn tells(&self, path: &str) -> Value {
        let url = self.url.join(&format!("{}{path}", self.system)).unwrap();
        client().get(url).send().await.unwrap().json().await.unwrap()
    }

    /// The power of the machine, and what it boots from.
    async fn boots(&self) -> (Value, Value, Value) {
        let (system, disc) = (self.tells("").await, self.tells("/VirtualMedia/Cd").await);
        (system["PowerState"].clone(), system["Boot"]["BootSourceOverrideTarget"].clone(), disc["Image"].clone())
    }
}

/// Rackhand's door in front of a lab, for an admin's program.
async fn door(lab: &Lab) -> (Door, Caller) {
    let door = Door::open(&lab.ops).await;
    let program = door.caller(&token(&lab.ops, "admin", Role::Admin, None).await);
    (door, program)
}

/// A node over REST, once it is so.
async fn once(program: &Caller, node: &str, is: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/nodes/{node}");
    let found = eventually(SOON, async || Some(program.get(&path).await.good(200)).filter(|told| is(told))).await;
    match found {
        Some(told) => told,
        None => panic!("it is never so: {:?}", program.get(&path).await),
    }
}

/// The address of an image that can be had.
async fn images() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(get(|| async { "an image" }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

#[tokio::test]
async fn a_machine_is_enrolled_managed_provided_and_begins_to_be_installed() {
    let (Some(lab), Some(bmc)) = (Lab::new().await, Bmc::new(1)) else { return };
    let (_door, program) = door(&lab).await;
    let images = images().await;
    let at = |state: &'static str| move |told: &Value| told["provision_state"] == state && told["locked"] == false;

    let enrolled = program.post("/nodes", &bmc.machine(&lab, &bmc.password)).await.good(202);
    let node = enrolled["uuid"].as_str().unwrap();
    let told = once(&program, node, at("enroll")).await;
    assert_eq!((&told["driver"], &told["power_state"]), (&json!("redfish"), &Value::Null));
    program.post(&format!("/nodes/{node}/manage"), &json!({})).await.good(202);
    let told = once(&program, node, at("manageable")).await;
    assert_eq!((&told["power_state"], &told["last_error"]), (&json!("power off"), &Value::Null), "the BMC told it");

    // The system that would clean it and install it is an operator's. No emulated machine runs one, so it is not cleaned.
    let agent = format!("{images}/agent.iso");
    let operators = [Patch::add("/automated_clean", false), Patch::add("/driver_info/deploy_iso", agent.as_str())];
    lab.patch(node, &operators).await;
    let asked = program.post(&format!("/nodes/{node}/provide"), &json!({})).await.good(202);
    let worker = lab.work("w", Arc::new(NoWitness));
    lab.approve(asked["approval_id"].as_str().unwrap().parse().unwrap()).await.unwrap();
    assert_eq!(once(&program, node, at("available")).await["free"], true);
    worker.abort();

    let wish = |image: &str| json!({ "server_id": node, "image_id": format!("{images}/debian.qcow2{image}") });
    let unsaid = program.post("/provision", &wish("")).await.problem(409, "node-unfit");
    assert!(unsaid["detail"].as_str().unwrap().contains("image_checksum"), "{unsaid}");

    let begun = program.post("/provision", &wish("#sha256:00")).await.good(202);
    assert_eq!((&begun["operation_id"], &begun["status"]), (&json!(node), &json!("accepted")));
    let waiting = eventually(SOON, async || {
        let told = program.get(&format!("/provision/{node}")).await.good(200);
        assert_eq!(told["status"], "in_progress", "{told}");
        (told["provision_state"] == "wait call-back").then_some(told)
    });
    assert_eq!(waiting.await.expect("its BMC boots it")["started_at"], begun["started_at"]);
    assert_eq!(bmc.boots().await, (json!("On"), json!("Cd"), json!(agent)));

    lab.told(node, Target::Deleted, "available").await;
    assert_eq!(bmc.boots().await.0, "Off");
    nobody_knows(&lab, &program, node, &bmc.password).await;
    lab.ironic.delete_node(node).await.unwrap();
}

#[tokio::test]
async fn a_bmc_that_refuses_the_password_is_told_of_and_the_password_is_not() {
    let (Some(lab), Some(bmc)) = (Lab::new().await, Bmc::new(2)) else { return };
    let (_door, program) = door(&lab).await;
    let wrong = "canary-3d90f2";
    let enrolled = program.post("/nodes", &bmc.machine(&lab, wrong)).await;
    assert!(!enrolled.text.contains(wrong), "{enrolled:?}");
    let enrolled = enrolled.good(202);
    let node = enrolled["uuid"].as_str().unwrap();
    program.post(&format!("/nodes/{node}/manage"), &json!({})).await.good(202);
    let told = once(&program, node, |told| !told["last_error"].is_null()).await;
    assert_eq!(told["provision_state"], "enroll");
    assert!(told["last_error"].as_str().unwrap().contains("401"), "{told}");
    nobody_knows(&lab, &program, node, wrong).await;
    lab.ironic.delete_node(node).await.unwrap();
}

/// No answer has the password, and the database neither.
async fn nobody_knows(lab: &Lab, program: &Caller, node: &str, password: &str) {
    for path in [format!("/nodes/{node}"), "/nodes".to_owned(), "/audit?limit=100".to_owned()] {
        let answered = program.get(&path).await;
        assert!(answered.status == 200 && !answered.text.contains(password), "{answered:?}");
    }
    for (table, column) in [("audit", "detail"), ("requests", "answer")] {
        let leaks = format!("SELECT COUNT(*) FROM {table} WHERE {column} LIKE '%{password}%'");
        assert_eq!(lab.desk.db.number(&leaks).await, 0, "{table}");
    }
    assert!(lab.desk.db.number("SELECT COUNT(*) FROM audit WHERE detail LIKE '%[secret]%'").await >= 1);
}
