//! What is wrong, newest first.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Page, PageOf, Rest, Spec, Topic};
use crate::{
    model::{Incident, Risk, Role},
    store::IncidentFilter,
};

/// Lists incidents.
pub struct ListIncidents;

/// Which incidents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListIncidentsInput {
    /// Only those of this server.
    pub handle: Option<String>,
    /// Only those that are not over.
    pub open: bool,
    /// What `next` said on the page before; empty for the first page.
    pub cursor: String,
    /// How many at most, 1 to 500; 0 means 50.
    #[schemars(range(max = 500))]
    pub limit: u32,
}

/// An incident with its server's handle.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct IncidentLine {
    /// The incident.
    pub incident: Incident,
    /// The handle of its server.
    pub server: Option<String>,
}

#[async_trait]
impl Operation for ListIncidents {
    type Input = ListIncidentsInput;
    type Output = PageOf<IncidentLine>;
    const SPEC: Spec = Spec {
        name: "list_incidents",
        summary: "Lists what is or was wrong, newest first",
        topic: Topic::Fleet,
        rest: &[
            Rest::get("/incidents"),
            Rest::get("/incidents/active").saying("open"),
            Rest::get("/servers/{handle}/incidents"),
        ],
        cli: "incidents list",
        risk: Risk::Read,
        lowest: Role::Viewer,
        repeatable: true,
        people_only: false,
    };

    async fn run(cx: &mut Cx, input: ListIncidentsInput) -> Result<PageOf<IncidentLine>, OpError> {
        let server = match &input.handle {
            Some(handle) => Some(cx.server(handle).await?.id),
            None => None,
        };
        let page = Page::of(&input.cursor, input.limit)?;
        let incidents = cx.tx.incidents(&IncidentFilter { server, open: input.open }, &page.slice()).await?;
        let page = page.cut(incidents, |incident| incident.id.clone());
        let mut items = Vec::with_capacity(page.items.len());
        for incident in page.items {
            items.push(cx.incident_line(incident).await?);
        }
        Ok(PageOf { items, next: page.next })
    }
}
