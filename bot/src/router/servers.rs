//! Servers: shown, chosen, acted on.

use std::collections::BTreeSet;

use rackhand_core::{
    ids::{ApprovalId, ServerId},
    model::Server,
    ops::{Answer, HandleInput, JobStarted, ListServers, ListServersInput, OpError, Page, ShowServer},
};
use serde_json::json;

use super::{Asked, Reply, RouteError, Router};
use crate::{
    messenger::Message,
    texts::{plain, say},
    views::{self, PAGE, server},
    want::Action,
};

impl Router {
    pub(super) async fn list_servers(&self, asked: &Asked<'_>, from: u32) -> Result<Reply, RouteError> {
        let page = ListServersInput { cursor: Page::skip(from), limit: PAGE, ..ListServersInput::default() };
        let list = self.done::<ListServers>(asked, &page).await?;
        Ok(Reply::here(server::list(&asked.reader, from, &list)))
    }

    pub(super) async fn show_server(&self, asked: &Asked<'_>, id: ServerId) -> Result<Reply, RouteError> {
        let server = self.server(id).await?;
        Ok(Reply::here(self.server_card(asked, &server.handle).await?))
    }

    pub(super) async fn choose_server(
        &self,
        asked: &Asked<'_>,
        action: Action,
        from: u32,
    ) -> Result<Reply, RouteError> {
        let attempts = self.ops.limits.attempts;
        let mut fitting = self.servers(asked).await?;
        fitting.retain(|server| server::fits(action, server, attempts));
        let start = fitting.len().min(from as usize);
        let end = fitting.len().min(start + PAGE as usize);
        let more = end < fitting.len();
        let choice = server::choice(&asked.reader, action, from, &fitting[start..end], more);
        // A bare machine is provisioned by the same word.
        Ok(Reply::here(if action == Action::Provision { self.or_a_node(asked, choice) } else { choice }))
    }

    /// Does something to a server, or asks for it.
    pub(super) async fn act(&self, asked: &Asked<'_>, action: Action, id: ServerId) -> Result<Reply, RouteError> {
        let lang = asked.reader.lang;
        let server = self.server(id).await?;
        let open = self.open_questions().await?;
        let (input, key) = (json!({ "handle": server.handle }), asked.key());
        let answer = self.ops.call_by_name(&asked.user.actor(), action.operation(), &input, Some(&key)).await?;
        let done = match answer {
            Answer::AwaitingApproval(question) => return Ok(Reply::question(lang, question, &open)),
            Answer::Done(value) => value,
        };
        if action == Action::Provision {
            let started: JobStarted = serde_json::from_value(done).map_err(OpError::Answer)?;
            if started.joined {
                return Ok(Reply::job(lang, started.job).toast(plain!(lang, "toast-joined")));
            }
            // The job's live message is on its way; a card that was pressed shows the job now.
            let shown = if asked.message.is_some() && !asked.below {
                Reply::here(self.server_card(asked, &server.handle).await?)
            } else {
                Reply::again()
            };
            return Ok(shown.toast(plain!(lang, "toast-started")));
        }
        let words = format!("done-{}", action.command().replace('_', "-"));
        let card = self.server_card(asked, &server.handle).await?;
        let told = say!(lang, &words, handle = &server.handle, was = server.status.to_string());
        let html = format!("{told}\n\n{}", card.html);
        let toast = views::html_to_plain(&told);
        Ok(Reply::here(Message { html, ..card }).toast(toast))
    }

    async fn server_card(&self, asked: &Asked<'_>, handle: &str) -> Result<Message, RouteError> {
        let input = HandleInput { handle: handle.to_owned() };
        match self.ops.call::<ShowServer>(&asked.user.actor(), &input, None).await? {
            Answer::Done(view) => Ok(server::card(&asked.reader, &view)),
            Answer::AwaitingApproval(_) => Err(OpError::NoPlan.into()),
        }
    }

    /// The server that a button names.
    pub(super) async fn server(&self, id: ServerId) -> Result<Server, RouteError> {
        let found = self.ops.store.read().await?.server(id).await?;
        found.ok_or_else(|| OpError::NotFound { what: "server", name: id.to_string() }.into())
    }

    pub(super) async fn open_questions(&self) -> Result<BTreeSet<ApprovalId>, RouteError> {
        let open = self.ops.store.read().await?.approvals(true, &rackhand_core::store::Slice::first(500)).await?;
        let now = self.ops.clock.now();
        Ok(open.into_iter().filter(|approval| approval.expires_at > now).map(|approval| approval.id).collect())
    }
}
