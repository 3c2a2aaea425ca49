//! One thing that is or was wrong.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, IncidentLine, OpError, Operation, Rest, Spec, Topic};
use crate::model::{Incident, Risk, Role};

/// Shows an incident.
pub struct ShowIncident;

/// Which incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentInput {
    /// Its id, as `list_incidents` says it.
    pub incident: String,
}

#[async_trait]
impl Operation for ShowIncident {
    type Input = IncidentInput;
    type Output = IncidentLine;
    const SPEC: Spec = Spec {
        name: "show_incident",
        summary: "Shows one incident: what was seen, on which server, since when, and whether it is over",
        topic: Topic::Fleet,
        rest: &[Rest::get("/incidents/{incident}")],
        cli: "incidents show <incident>",
        risk: Risk::Read,
        lowest: Role::Viewer,
        repeatable: true,
        people_only: false,
    };

    fn target(input: &IncidentInput) -> String {
        input.incident.clone()
    }

    async fn run(cx: &mut Cx, input: IncidentInput) -> Result<IncidentLine, OpError> {
        let id = input.incident.trim().to_lowercase();
        let not_found = || OpError::NotFound { what: "incident", name: id.chars().take(64).collect() };
        let incident = cx.tx.incident(&id).await?.ok_or_else(not_found)?;
        cx.incident_line(incident).await
    }
}

impl Cx {
    /// The incident with its server's handle.
    pub(super) async fn incident_line(&mut self, incident: Incident) -> Result<IncidentLine, OpError> {
        let server = match incident.server {
            Some(id) => Some(self.tx.require_server(id).await?.handle),
            None => None,
        };
        Ok(IncidentLine { incident, server })
    }
}
