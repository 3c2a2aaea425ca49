//! Tools: who is shown which, who may call which, what they answer, and that none approves.

use std::collections::BTreeSet;

use rackhand_core::{
    model::{Risk, Role},
    ops::{Entry, table},
    states::ServerStatus,
    store::Engine,
};
use rackhand_tests::fast_ironic::UUID;
use serde_json::{Value, json};

use super::client::{Client, Sdk};
use crate::{
    api::caller::{Answered, Caller, Place},
    authority,
    databases::{Database, each_engine},
    desk::Desk,
};

const ROLES: [Role; 3] = [Role::Viewer, Role::Operator, Role::Admin];

impl Place {
    fn with_role(&self, role: Role) -> &Caller {
        match role {
            Role::Admin => &self.admin,
            Role::Operator => &self.operator,
            Role::Viewer | Role::Guest => &self.viewer,
        }
    }
}

/// What a role is shown, as the table has it.
fn offered(role: Role) -> BTreeSet<String> {
    let may = |entry: &&Entry| {
        let spec = entry.spec;
        !spec.people_only && role >= spec.lowest && (spec.risk != Risk::Destroy || role == Role::Admin)
    };
    let names = table().iter().filter(may).map(|entry| entry.spec.name);
    names.chain(["wait_for_operation"]).map(str::to_owned).collect()
}

#[tokio::test]
async fn each_role_is_shown_what_it_may_call() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    for sdk in Sdk::ALL {
        for role in ROLES {
            let caller = place.with_role(role);
            let Some(mut client) = Client::over_http(sdk, &caller.root, &caller.secret).await else { return };
            assert_eq!(client.version, sdk.revision());
            let tools = client.tools().await;
            let names: BTreeSet<String> = tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect();
            assert_eq!((&names, tools.len()), (&offered(role), names.len()), "{role}: each is there once");
            for tool in tools {
                check(role, &tool);
            }
        }
    }
}

/// A tool says of itself what the table says of its operation.
fn check(role: Role, tool: &Value) {
    let hints = &tool["annotations"];
    for schema in ["inputSchema", "outputSchema"] {
        assert_eq!(tool[schema]["type"], "object", "{tool}");
    }
    assert!(tool["title"].is_string() && tool["description"].as_str().is_some_and(|text| text.len() > 10), "{tool}");
    if role == Role::Viewer {
        assert_eq!(hints["readOnlyHint"], true, "{tool}");
    }
    let Some(entry) = table().iter().find(|entry| entry.spec.name == tool["name"]) else { return };
    assert_eq!(hints["readOnlyHint"], entry.spec.risk == Risk::Read, "{tool}");
    assert_eq!(hints["destructiveHint"], entry.spec.risk == Risk::Destroy, "{tool}");
    assert_eq!(hints["idempotentHint"], entry.spec.repeatable, "{tool}");
    if entry.spec.risk == Risk::Destroy {
        let fields = json!(["status", "approval_id", "operation_id", "message", "approve_with"]);
        assert_eq!(tool["outputSchema"]["required"], fields, "{tool}");
    }
}

/// With the most that a token can have, every tool in the table is called on an open question, in every shape: on one
/// about a rented server, and on one about a node of Ironic's.
#[tokio::test]
async fn no_tool_approves() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let (ops, upstream) = authority::doors::with_ironic(&desk.ops).await;
        let place = Place::at(Desk { ops, ..desk }).await;
        let server = place.desk.server(1, ServerStatus::Ready, true).await;
        let wishes = [
            ("rebuild_server", json!({ "handle": server.handle })),
            ("unprovision_server", json!({ "server_id": UUID })),
        ];
        let mut asked = BTreeSet::new();
        for (name, wish) in &wishes {
            let answer = call(&place.admin, name, wish).await;
            assert_eq!(answer["structuredContent"]["status"], "awaiting_approval", "{answer}");
            asked.insert(answer["structuredContent"]["approval_id"].as_str().unwrap().to_owned());
        }
        assert_eq!(asked.len(), wishes.len());
        let again = call(&place.admin, "rebuild_server", &json!({ "handle": server.handle })).await;
        let over_rest = place.admin.post("/servers/vps-1/rebuild", &json!({})).await.good(202);
        assert_eq!(over_rest, again["structuredContent"], "one question, and one answer at both doors");
        assert_eq!(over_rest["operation_id"], over_rest["approval_id"]);
        // Whoever asked may take the question back, which is no yes.
        let all = authority::doors::inputs(&place.desk.ops).await.into_iter();
        for (name, usual) in all.filter(|(name, _)| *name != "withdraw_approval") {
            for approval in &asked {
                let mut all = usual.clone();
                all["approval"] = json!(approval);
                let shapes = [
                    usual.clone(),
                    all,
                    json!({ "approval": approval }),
                    json!({ "id": approval }),
                    json!({ "operation_id": approval }),
                    json!({ "approval_id": approval, "status": "approved" }),
                    json!({ "handle": server.handle, "approval": approval, "approved": true }),
                    json!({ "server_id": UUID, "approval": approval, "approved": true }),
                ];
                for input in shapes {
                    // A person does these; then they are not the model's doing.
                    let answer = call(&place.admin, name, &input).await;
                    let open = still_asked(&place).await;
                    assert!(asked.is_subset(&open), "{name} {input} answered a question: {answer}");
                }
            }
        }
        for approval in &asked {
            for name in ["approve", "refuse"] {
                let answer = call(&place.admin, name, &json!({ "approval": approval })).await;
                assert_eq!(answer["structuredContent"]["code"], "people-only", "{answer}");
            }
            let wait = call(&place.viewer, "get_operation", &json!({ "id": approval })).await;
            assert_eq!(wait["structuredContent"]["status"], "awaiting_approval", "{wait}");
        }
        let jobs = call(&place.viewer, "list_jobs", &json!({})).await;
        let jobs = jobs["structuredContent"]["items"].as_array().unwrap().clone();
        assert!(jobs.iter().all(|line| line["job"]["approval"].is_null()), "{jobs:?}");
        assert!(jobs.iter().all(|line| line["node"].is_null()), "nothing takes a node down: {jobs:?}");
        drop(upstream);
    })
    .await;
}

/// The clients check each good answer against the schema that the tool has promised.
#[tokio::test]
async fn answers_are_what_their_schemas_say() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    place.desk.server(1, ServerStatus::Ready, true).await;
    place.desk.server(2, ServerStatus::PendingSetup, true).await;
    for sdk in Sdk::ALL {
        let Some(mut client) = Client::over_http(sdk, &place.admin.root, &place.admin.secret).await else {
            return;
        };
        let started = client.good("set_up_server", json!({ "handle": "vps-2" })).await;
        let job = started["job"].as_str().unwrap().to_owned();
        let asked = client.good("rebuild_server", json!({ "handle": "vps-1" })).await;
        let approval = asked["approval_id"].as_str().unwrap().to_owned();
        for name in ["list_servers", "list_jobs", "list_approvals", "list_users", "list_audit", "show_status"] {
            client.good(name, json!({})).await;
        }
        assert_eq!(client.good("show_server", json!({ "handle": "vps-2" })).await["job"]["id"], job.as_str());
        assert_eq!(client.good("show_job", json!({ "job": job })).await["server"]["handle"], "vps-2");
        let operation = client.good("get_operation", json!({ "id": job })).await;
        assert_eq!((&operation["status"], &operation["done"]), (&json!("queued"), &json!(false)));
        let operation = client.good("get_operation", json!({ "id": approval })).await;
        assert_eq!((&operation["status"], &operation["approval"]), (&json!("awaiting_approval"), &json!(approval)));

        let problem = client.problem("show_server", json!({ "handle": 5 })).await;
        assert_eq!((&problem["code"], &problem["errors"][0]["path"]), (&json!("bad-input"), &json!("handle")));
        let problem = client.problem("show_server", json!({})).await;
        assert!(problem["detail"].as_str().unwrap().contains("handle"), "{problem}");
        let problem = client.problem("wait_for_operation", json!({ "id": job, "wait_s": 51 })).await;
        assert_eq!(problem["errors"][0]["path"], "wait_s", "{problem}");
        let error = client.ask(&json!({ "do": "call", "name": "sudo" })).await.unwrap_err();
        assert_eq!(error["code"], -32602, "{error}");
    }
}

/// A token that is taken away is nobody from the next request on.
#[tokio::test]
async fn a_revoked_token_is_nobody() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    let name = rackhand_core::ops::RevokeTokenInput { name: "viewer".to_owned() };
    let shell = rackhand_core::model::Actor::shell();
    assert_eq!(rpc(&place.viewer, "tools/list", &json!({})).await.status, 200);
    place.desk.ops.call::<rackhand_core::ops::RevokeToken>(&shell, &name, None).await.unwrap();
    let refused = rpc(&place.viewer, "tools/list", &json!({})).await;
    refused.problem(401, "unauthenticated");
    assert!(refused.header("www-authenticate").starts_with("Bearer"), "{refused:?}");
}

/// One request, as a client of the older revisions sends it.
pub async fn rpc(caller: &Caller, method: &str, params: &Value) -> Answered {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let accept = "application/json, text/event-stream";
    Answered::of(caller.at(reqwest::Method::POST, "/mcp").header("accept", accept).json(&body)).await
}

/// The result of a tool.
pub async fn call(caller: &Caller, name: &str, input: &Value) -> Value {
    rpc(caller, "tools/call", &json!({ "name": name, "arguments": input })).await.good(200)["result"].clone()
}

/// The questions that nobody has answered.
async fn still_asked(place: &Place) -> BTreeSet<String> {
    let listed = call(&place.viewer, "list_approvals", &json!({ "limit": 500 })).await;
    let listed = listed["structuredContent"]["items"].as_array().unwrap();
    let open = listed.iter().filter(|approval| approval["status"] == "asked");
    open.map(|approval| approval["id"].as_str().unwrap().to_owned()).collect()
}
