//! The servers, by handle.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Page, PageOf, Rest, Spec, Topic, label_server::check_label};
use crate::{
    model::{Risk, Role, Server},
    states::ServerStatus,
    store::ServerFilter,
};

/// Lists servers.
pub struct ListServers;

/// Which servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListServersInput {
    /// Only those in this state.
    pub status: Option<ServerStatus>,
    /// Only those under management, or only those that are not.
    pub managed: Option<bool>,
    /// Only those with this label: `env=prod`, or `env` with whatever value.
    pub label: Option<String>,
    /// What `next` said on the page before; empty for the first page.
    pub cursor: String,
    /// How many at most, 1 to 500; 0 means 50.
    #[schemars(range(max = 500))]
    pub limit: u32,
}

#[async_trait]
impl Operation for ListServers {
    type Input = ListServersInput;
    type Output = PageOf<Server>;
    const SPEC: Spec = Spec {
        name: "list_servers",
        summary: "Lists the servers with their status",
        topic: Topic::Fleet,
        rest: &[Rest::get("/servers")],
        cli: "servers list",
        risk: Risk::Read,
        lowest: Role::Viewer,
        repeatable: true,
        people_only: false,
    };

    async fn run(cx: &mut Cx, input: ListServersInput) -> Result<PageOf<Server>, OpError> {
        let page = Page::of(&input.cursor, input.limit)?;
        let label = input.label.as_deref().map(label).transpose()?;
        let filter = ServerFilter { status: input.status, managed: input.managed, label };
        Ok(page.cut(cx.tx.servers(&filter, &page.slice()).await?, |server| server.handle.clone()))
    }
}

/// A label's key, and its value where one is meant.
fn label(text: &str) -> Result<(String, Option<String>), OpError> {
    let (key, value) = text.split_once('=').map_or((text, None), |(key, value)| (key, Some(value)));
    check_label(key, value.unwrap_or_default())
        .map_err(|message| OpError::BadInput { path: "label".to_owned(), message: message.to_owned() })?;
    Ok((key.to_owned(), value.map(str::to_owned)))
}
