//! The servers, by handle.

use async_trait::async_trait;

use super::{Cx, OpError, Operation, Page, PageOf, Spec};
use crate::model::{Risk, Role, Server};

/// Lists servers.
pub struct ListServers;

#[async_trait]
impl Operation for ListServers {
    type Input = Page;
    type Output = PageOf<Server>;
    const SPEC: Spec = Spec {
        name: "list_servers",
        summary: "Lists the servers with their status",
        risk: Risk::Read,
        lowest: Role::Viewer,
        repeatable: true,
        people_only: false,
    };

    async fn run(cx: &mut Cx, page: Page) -> Result<PageOf<Server>, OpError> {
        let (offset, limit) = page.bounds();
        Ok(page.of(cx.tx.servers(offset, limit).await?))
    }
}
