//! The servers, by handle.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Page, PageOf, Rest, Spec, Topic};
use crate::model::{Risk, Role, Server};

/// Lists servers.
pub struct ListServers;

/// Which part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListInput {
    /// What `next` said on the page before; empty for the first page.
    pub cursor: String,
    /// How many at most, 1 to 500; 0 means 50.
    #[schemars(range(max = 500))]
    pub limit: u32,
}

#[async_trait]
impl Operation for ListServers {
    type Input = ListInput;
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

    async fn run(cx: &mut Cx, input: ListInput) -> Result<PageOf<Server>, OpError> {
        let page = Page::of(&input.cursor, input.limit)?;
        Ok(page.cut(cx.tx.servers(&page.slice()).await?, |server| server.handle.clone()))
    }
}
