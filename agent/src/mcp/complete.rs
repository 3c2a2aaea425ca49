//! What could stand where somebody is typing: handles, ids of incidents and jobs, names of runbooks.

use rackhand_core::{
    model::Actor,
    ops::{ListIncidents, ListIncidentsInput, ListJobs, ListJobsInput, ListServers, ListServersInput, OpError},
};
use rmcp::{
    ErrorData,
    model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference},
};

use super::{Mcp, prompts::READY, read::error_data, resources};

/// How many servers one page has, and how many pages are looked through.
const PAGE: u32 = 500;
const PAGES: usize = 20;

impl Mcp {
    /// What fits so far.
    pub(super) async fn completion(
        &self,
        actor: &Actor,
        wanted: &CompleteRequestParams,
    ) -> Result<CompleteResult, ErrorData> {
        // Nothing fits where nothing is known.
        let kind = match &wanted.r#ref {
            Reference::Prompt(prompt) => {
                let ready = READY.iter().find(|ready| ready.name == prompt.name);
                ready.and_then(|ready| ready.argument).map(|(name, _, kind)| (name, kind))
            }
            Reference::Resource(resource) => match resource.uri.as_str() {
                "server://{handle}" => Some(("handle", "server")),
                "incident://{id}" => Some(("id", "incident")),
                "job://{id}" => Some(("id", "job")),
                "runbook://{name}" => Some(("name", "runbook")),
                _ => None,
            },
            _ => None,
        };
        let typed = &wanted.argument;
        let fitting = match kind {
            Some((name, kind)) if name == typed.name => self.fitting(actor, kind, &typed.value).await,
            _ => Ok(Vec::new()),
        };
        let mut values = fitting.map_err(error_data)?;
        let more = values.len() > CompletionInfo::MAX_VALUES;
        values.truncate(CompletionInfo::MAX_VALUES);
        let info = CompletionInfo::with_pagination(values, None, more);
        Ok(CompleteResult::new(info.map_err(|error| ErrorData::internal_error(error, None))?))
    }

    async fn fitting(&self, actor: &Actor, kind: &str, typed: &str) -> Result<Vec<String>, OpError> {
        let fits = |name: &String| name.starts_with(typed);
        match kind {
            "server" => self.handles(actor, fits).await,
            "incident" => {
                let input = ListIncidentsInput { limit: PAGE, ..ListIncidentsInput::default() };
                let incidents = self.read::<ListIncidents>(actor, &input).await?.items;
                Ok(incidents.into_iter().map(|line| line.incident.id).filter(fits).collect())
            }
            "job" => {
                let input = ListJobsInput { limit: PAGE, ..ListJobsInput::default() };
                let jobs = self.read::<ListJobs>(actor, &input).await?.items;
                Ok(jobs.into_iter().map(|line| line.job.id.to_string()).filter(fits).collect())
            }
            _ => Ok(resources::runbooks().into_iter().filter(fits).collect()),
        }
    }

    async fn handles(&self, actor: &Actor, fits: impl Fn(&String) -> bool) -> Result<Vec<String>, OpError> {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        for _ in 0..PAGES {
            let input = ListServersInput { cursor, limit: PAGE, ..ListServersInput::default() };
            let page = self.read::<ListServers>(actor, &input).await?;
            found.extend(page.items.into_iter().map(|server| server.handle).filter(&fits));
            match page.next {
                Some(next) if found.len() <= CompletionInfo::MAX_VALUES => cursor = next,
                _ => break,
            }
        }
        Ok(found)
    }
}
