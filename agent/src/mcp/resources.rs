//! Things to read by address: servers, incidents, jobs, and the runbooks for people, which are part of the program.

use rackhand_core::{
    model::Actor,
    ops::{
        HandleInput, IncidentInput, JobInput, ListServers, ListServersInput, OpError, ShowIncident, ShowJob, ShowServer,
    },
};
use rmcp::{
    ErrorData,
    model::{ListResourcesResult, ReadResourceResult, Resource, ResourceContents, ResourceTemplate},
};
use rust_embed::RustEmbed;
use serde::Serialize;
use serde_json::json;

use super::{Mcp, read::error_data};

#[derive(RustEmbed)]
#[folder = "../docs/runbooks"]
struct Runbooks;

/// The kinds of addresses.
pub(super) fn templates() -> Vec<ResourceTemplate> {
    let template = |uri: &str, name: &str, about: &str, mime: &str| {
        ResourceTemplate::new(uri, name).with_description(about).with_mime_type(mime)
    };
    let json = "application/json";
    vec![
        template("server://{handle}", "server", "A server: status, address, what is going on, what is wrong", json),
        template(
            "incident://{id}",
            "incident",
            "An incident: what was seen, where, since when, whether it is over",
            json,
        ),
        template("job://{id}", "job", "A job: its steps, what happened, how it ended", json),
        template("runbook://{name}", "runbook", "What a person does in a case", "text/markdown"),
    ]
}

/// The names of the runbooks, in order.
pub(super) fn runbooks() -> Vec<String> {
    let mut names: Vec<String> =
        Runbooks::iter().filter_map(|file| file.strip_suffix(".md").map(str::to_owned)).collect();
    names.sort_unstable();
    names
}

impl Mcp {
    /// A page of what can be read: the runbooks, then the servers. Jobs and incidents are too many to list: `list_jobs` and
    /// `list_incidents` do.
    pub(super) async fn resources(&self, actor: &Actor, cursor: String) -> Result<ListResourcesResult, ErrorData> {
        let first = cursor.is_empty();
        let input = ListServersInput { cursor, ..ListServersInput::default() };
        let servers = self.read::<ListServers>(actor, &input).await.map_err(error_data)?;
        let mut resources = Vec::new();
        for name in runbooks().into_iter().filter(|_| first) {
            resources.push(Resource::new(format!("runbook://{name}"), name).with_mime_type("text/markdown"));
        }
        for server in servers.items {
            let about = format!("{}, {}", server.status, server.label);
            let resource = Resource::new(format!("server://{}", server.handle), server.handle);
            resources.push(resource.with_description(about).with_mime_type("application/json"));
        }
        let mut page = ListResourcesResult::with_all_items(resources);
        page.next_cursor = servers.next;
        Ok(page)
    }

    /// What is at an address.
    pub(super) async fn resource(&self, actor: &Actor, uri: &str) -> Result<ReadResourceResult, ErrorData> {
        let (kind, name) = uri.split_once("://").unwrap_or((uri, ""));
        let contents = match kind {
            "server" => {
                self.read::<ShowServer>(actor, &HandleInput { handle: name.to_owned() }).await.map(|it| json(&it))
            }
            "incident" => {
                self.read::<ShowIncident>(actor, &IncidentInput { incident: name.to_owned() }).await.map(|it| json(&it))
            }
            "job" => self.read::<ShowJob>(actor, &JobInput { job: name.to_owned() }).await.map(|it| json(&it)),
            "runbook" => Ok(runbook(name)),
            _ => Ok(None),
        };
        let unknown = || {
            let uri: String = uri.chars().take(200).collect();
            ErrorData::resource_not_found(format!("there is nothing at {uri:?}"), Some(json!({ "uri": uri })))
        };
        let (text, mime) = match contents {
            Ok(contents) => contents.ok_or_else(unknown)?,
            Err(OpError::NotFound { .. }) => return Err(unknown()),
            Err(error) => return Err(error_data(error)),
        };
        Ok(ReadResourceResult::new(vec![ResourceContents::text(text, uri).with_mime_type(mime)]))
    }
}

fn json(thing: &impl Serialize) -> Option<(String, &'static str)> {
    serde_json::to_string(thing).ok().map(|text| (text, "application/json"))
}

fn runbook(name: &str) -> Option<(String, &'static str)> {
    let file = Runbooks::get(&format!("{name}.md"))?;
    Some((String::from_utf8_lossy(&file.data).into_owned(), "text/markdown"))
}
