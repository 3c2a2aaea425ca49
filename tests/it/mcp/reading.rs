//! Resources, prompts, completion.

use rackhand_core::{model::IncidentKind, states::ServerStatus, store::Engine};
use serde_json::{Value, json};

use super::{
    client::{Client, Sdk},
    tools::rpc,
};
use crate::{api::caller::Place, databases::Database, desk::START};

#[tokio::test]
async fn servers_incidents_jobs_and_runbooks_are_read_by_address() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    for number in 1..=60 {
        place.desk.server(number, ServerStatus::PendingSetup, true).await;
    }
    let incident = incident(&place).await;
    let first = rpc(&place.operator, "resources/list", &json!({})).await.good(200);
    assert!(first["result"]["nextCursor"].is_string(), "the fleet has a second page: {first}");
    for sdk in Sdk::ALL {
        let Some(mut client) = Client::over_http(sdk, &place.operator.root, &place.operator.secret).await else {
            return;
        };
        let job = client.good("set_up_server", json!({ "handle": "vps-7" })).await["job"].as_str().unwrap().to_owned();
        let templates = client.ask(&json!({ "do": "templates" })).await.unwrap();
        let addresses: Vec<&Value> = templates["resourceTemplates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|template| &template["uriTemplate"])
            .collect();
        assert_eq!(addresses, ["server://{handle}", "incident://{id}", "job://{id}", "runbook://{name}"]);

        let uris = listed(&mut client).await;
        let fleet = (1..=60).map(|number| format!("server://vps-{number}"));
        for uri in fleet.chain(["runbook://parked-job".to_owned()]) {
            assert_eq!(uris.iter().filter(|listed| **listed == uri).count(), 1, "{sdk:?}: {uri} in {uris:?}");
        }

        let server = read(&mut client, "server://vps-7").await;
        assert_eq!(serde_json::from_str::<Value>(&server).unwrap()["job"]["id"], job.as_str());
        let shown: Value = serde_json::from_str(&read(&mut client, &format!("incident://{incident}")).await).unwrap();
        assert_eq!(shown, client.good("show_incident", json!({ "incident": incident })).await);
        assert_eq!((&shown["server"], &shown["incident"]["kind"]), (&json!("vps-7"), &json!("server_missing")));
        let shown = read(&mut client, &format!("job://{job}")).await;
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap()["server"]["handle"], "vps-7");
        assert!(read(&mut client, "runbook://parked-job").await.starts_with("# "));
        // TypeScript's tells the code of the older revision as that of the newer one.
        let unknown = if sdk == Sdk::PythonOld { -32002 } else { -32602 };
        for uri in
            ["server://no-such", "job://00000000", "incident://00000000", "runbook://../adr/x", "file:///etc/passwd"]
        {
            let error = client.ask(&json!({ "do": "read", "uri": uri })).await.unwrap_err();
            assert_eq!(error["code"], unknown, "{uri}: {error}");
        }
    }
}

#[tokio::test]
async fn prompts_carry_the_facts_and_complete_their_arguments() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    place.desk.server(167, ServerStatus::PendingSetup, true).await;
    for number in 1..=120 {
        place.desk.server(number, ServerStatus::Ready, true).await;
    }
    let incident = incident(&place).await;
    for sdk in Sdk::ALL {
        let Some(mut client) = Client::over_http(sdk, &place.operator.root, &place.operator.secret).await else {
            return;
        };
        let listed = client.ask(&json!({ "do": "list_prompts" })).await.unwrap();
        let names: Vec<&Value> = listed["prompts"].as_array().unwrap().iter().map(|prompt| &prompt["name"]).collect();
        assert_eq!(names, ["triage-incident", "plan-capacity", "post-incident-review"]);

        let started = client.good("set_up_server", json!({ "handle": "vps-167" })).await;
        let job = started["job"].as_str().unwrap().to_owned();
        let asked =
            [("triage-incident", json!({ "handle": "vps-167" })), ("post-incident-review", json!({ "job": job }))];
        for (name, arguments) in asked {
            let prompt = client.ask(&json!({ "do": "prompt", "name": name, "arguments": arguments })).await.unwrap();
            let text = prompt["messages"][0]["content"]["text"].as_str().unwrap();
            let given = arguments.as_object().unwrap().values().next().unwrap().as_str().unwrap();
            assert!(text.contains(given) && !text.contains('{'), "{text}");
            let facts = prompt["messages"][1]["content"]["resource"]["text"].as_str().unwrap();
            assert!(facts.contains("vps-167"), "{facts}");
            let error = client.ask(&json!({ "do": "prompt", "name": name })).await.unwrap_err();
            assert_eq!(error["code"], -32602, "{error}");
        }
        let prompt = client.ask(&json!({ "do": "prompt", "name": "plan-capacity" })).await.unwrap();
        let text = prompt["messages"][0]["content"]["text"].as_str().unwrap();
        assert_every_tool_exists(text);
        assert!(text.contains("list_servers") && text.contains("list_nodes"), "{text}");

        let typed = |reference: (&str, &str), name: &str, value: &str| json!({ "do": "complete", reference.0: reference.1, "name": name, "value": value });
        let values = complete(&mut client, &typed(("prompt", "triage-incident"), "handle", "vps-16")).await;
        assert_eq!(values, (vec!["vps-16".to_owned(), "vps-167".to_owned()], false));
        let (values, more) = complete(&mut client, &typed(("template", "server://{handle}"), "handle", "vps-")).await;
        assert_eq!((values.len(), more), (100, true));
        let values = complete(&mut client, &typed(("template", "job://{id}"), "id", &job[..20])).await;
        assert_eq!(values, (vec![job.clone()], false));
        let values = complete(&mut client, &typed(("template", "incident://{id}"), "id", &incident[..20])).await;
        assert_eq!(values, (vec![incident.clone()], false));
        let values = complete(&mut client, &typed(("template", "runbook://{name}"), "name", "parked")).await;
        assert_eq!(values, (vec!["parked-job".to_owned()], false));
        assert_eq!(complete(&mut client, &typed(("prompt", "no-such"), "handle", "v")).await, (Vec::new(), false));
    }
}

#[tokio::test]
async fn a_client_is_told_at_its_start_which_tools_are_for_which_machines() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    let hello =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "c", "version": "1" } });
    let told = rpc(&place.viewer, "initialize", &hello).await.good(200)["result"]["instructions"].take();
    let told = told.as_str().unwrap();
    assert_every_tool_exists(told);
    for tool in ["set_up_server", "rebuild_server", "provision_server", "unprovision_server", "list_nodes"] {
        assert!(told.contains(tool), "{tool}: {told}");
    }
}

/// Something is wrong with vps-7.
async fn incident(place: &Place) -> String {
    let mut tx = place.desk.store().write().await.unwrap();
    let server = tx.server_by_handle("vps-7").await.unwrap().unwrap().id;
    let (incident, _) = tx.open_incident(Some(server), IncidentKind::ServerMissing, "gone", START).await.unwrap();
    tx.commit().await.unwrap();
    incident.id
}

/// The addresses of all that is listed. Some clients turn the pages by themselves, the others are told to.
async fn listed(client: &mut Client) -> Vec<String> {
    let (mut what, mut uris) = (json!({ "do": "list_resources" }), Vec::new());
    loop {
        let mut page = client.ask(&what).await.unwrap();
        let resources = page["resources"].as_array().unwrap().iter();
        uris.extend(resources.map(|resource| resource["uri"].as_str().unwrap().to_owned()));
        match page["nextCursor"].take() {
            Value::Null => return uris,
            cursor => what["cursor"] = cursor,
        }
    }
}

async fn read(client: &mut Client, uri: &str) -> String {
    let read = client.ask(&json!({ "do": "read", "uri": uri })).await.unwrap();
    read["contents"][0]["text"].as_str().unwrap().to_owned()
}

async fn complete(client: &mut Client, what: &Value) -> (Vec<String>, bool) {
    let completion = client.ask(what).await.unwrap()["completion"].take();
    let values = completion["values"].as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned());
    (values.collect(), completion["hasMore"].as_bool().unwrap())
}

/// Every word of a prompt that looks like a tool is one.
fn assert_every_tool_exists(text: &str) {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let tools: Vec<&str> = words.filter(|word| word.contains('_')).collect();
    assert!(tools.len() >= 3, "{text}");
    for tool in tools {
        let waits = tool == "wait_for_operation";
        assert!(waits || rackhand_core::ops::find(tool).is_some(), "there is no tool {tool}");
    }
}
