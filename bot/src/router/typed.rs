//! What is typed: a command, a server's name, a job's, or something that only comes close.

use std::time::Duration;

use rackhand_core::{
    ids::JobId,
    model::{Role, Server},
    ops::{Answer, JobInput, Language, ListServers, ListServersInput, OpError, ShowJob},
    states::JobStatus,
};
use tokio::time::timeout;

use super::{Asked, Reply, RouteError, Router};
use crate::{
    commands::{Command, Takes, closest, names, parse},
    messenger::Message,
    texts::{plain, say},
    views::{self, help, named, rows, server},
    want::{Action, Want},
};

/// So many servers are looked through for a name that comes close.
const MOST_SERVERS: u32 = 2_000;
/// How long is waited for Ironic to say whether a word is a node's name.
const NODE_PATIENCE: Duration = Duration::from_secs(3);

impl Router {
    pub(super) async fn typed(&self, asked: &Asked<'_>, text: &str) -> Result<Reply, RouteError> {
        let Some((name, argument)) = parse(text) else { return self.plain(asked, text.trim()).await };
        let Some(command) = Command::find(&name) else {
            return self.answer(asked, &Want::Named(0, format!("{name} {argument}"))).await;
        };
        // What the argument names is looked up for those only who may use the command; the operation itself asks again.
        if !command.is_for(asked.reader.role) && (argument.is_empty() || asked.reader.role < Role::Viewer) {
            return Err(forbidden(asked, command).into());
        }
        match command.takes {
            // A list that is narrowed, `/servers status=ready`, is asked for as everything is that has fields.
            Takes::Nothing if argument.contains('=') => {
                let name = command.operation.unwrap_or(command.name);
                self.answer(asked, &Want::Named(0, format!("{name} {argument}"))).await
            }
            Takes::Nothing | Takes::Code => self.answer(asked, &simple(command.name, argument)).await,
            Takes::Server(action) => self.about_server(asked, action, argument).await,
            Takes::Node(action) => self.about_node(asked, action, argument).await,
            Takes::Job => self.about_job(asked, command.name, argument).await,
            Takes::Role => self.answer(asked, &Want::Invite(role(argument)?)).await,
            Takes::Language => {
                let code: String = argument.to_lowercase().chars().take(2).collect();
                let language = if code == "ру" { Some(Language::Ru) } else { code.parse().ok() };
                self.answer(asked, &Want::Lang(language)).await
            }
        }
    }

    /// Words without a slash: a name, or close to one.
    async fn plain(&self, asked: &Asked<'_>, text: &str) -> Result<Reply, RouteError> {
        let servers = self.servers(asked).await?;
        if let Some(server) = servers.iter().find(|server| server.handle.eq_ignore_ascii_case(text)) {
            return self.answer(asked, &Want::Server(server.id)).await;
        }
        if let Ok(job) = self.job_named(asked, text).await {
            return self.answer(asked, &Want::Job(job)).await;
        }
        let one_word = !text.contains(char::is_whitespace);
        // An Ironic that is away or slow knows no names: the word is something else then.
        if one_word && let Ok(found) = timeout(NODE_PATIENCE, self.node_named(asked, text)).await {
            match found {
                Ok(Some(reply)) => return Ok(reply),
                Err(RouteError::Operation(OpError::Stopping)) => return Err(OpError::Stopping.into()),
                Ok(None) | Err(_) => {}
            }
        }
        // One word that is close to a server's name was meant to be it.
        if one_word && !closest(text, servers.iter().map(|it| it.handle.as_str())).is_empty() {
            return Ok(Reply::below(views::body(unknown(asked, &servers, text, None))));
        }
        let word = text.split_whitespace().next().unwrap_or_default();
        let message = help::not_understood(&asked.reader, text, &closest(word, names(asked.reader.role)));
        Ok(Reply::below(views::body(message)))
    }

    async fn about_server(
        &self,
        asked: &Asked<'_>,
        action: Option<Action>,
        argument: &str,
    ) -> Result<Reply, RouteError> {
        if argument.is_empty() {
            let want = action.map_or(Want::Servers(0), |action| Want::Choose(action, 0));
            return self.answer(asked, &want).await;
        }
        let servers = self.servers(asked).await?;
        if let Some(server) = servers.iter().find(|server| server.handle.eq_ignore_ascii_case(argument)) {
            let want = action.map_or(Want::Server(server.id), |action| Want::Act(action, server.id));
            return self.answer(asked, &want).await;
        }
        // A bare machine is shown and provisioned by the same words.
        let node = match action {
            Some(Action::Provision) => self.provision_named(asked, argument).await?,
            None => self.node_named(asked, argument).await?,
            Some(_) => return Ok(Reply::below(views::body(unknown(asked, &servers, argument, action)))),
        };
        let unknown = || self.or_a_node(asked, unknown(asked, &servers, argument, action));
        Ok(node.unwrap_or_else(|| Reply::below(views::body(unknown()))))
    }

    async fn about_job(&self, asked: &Asked<'_>, command: &str, argument: &str) -> Result<Reply, RouteError> {
        if argument.is_empty() {
            return match command {
                "cancel" => self.choose_job(asked, command, Want::Cancel, |_| true).await,
                "retry" => self.choose_job(asked, command, Want::Retry, |status| status == JobStatus::Parked).await,
                _ => self.answer(asked, &Want::Jobs(None, 0)).await,
            };
        }
        let job = self.job_named(asked, argument).await?;
        let want = match command {
            "cancel" => Want::Cancel(job),
            "retry" => Want::Retry(job),
            "story" => Want::Story(job),
            _ => Want::Job(job),
        };
        self.answer(asked, &want).await
    }

    async fn job_named(&self, asked: &Asked<'_>, name: &str) -> Result<JobId, RouteError> {
        let input = JobInput { job: name.to_owned() };
        match self.ops.call::<ShowJob>(&asked.user.actor(), &input, None).await? {
            Answer::Done(view) => Ok(view.job.id),
            Answer::AwaitingApproval(_) => Err(OpError::NoPlan.into()),
        }
    }

    /// All servers, as far as a person could look through them.
    pub(super) async fn servers(&self, asked: &Asked<'_>) -> Result<Vec<Server>, RouteError> {
        let mut all = Vec::new();
        let mut page = ListServersInput { limit: 500, ..ListServersInput::default() };
        for _ in 0..MOST_SERVERS / 500 {
            let Answer::Done(part) = self.ops.call::<ListServers>(&asked.user.actor(), &page, None).await? else {
                break;
            };
            all.extend(part.items);
            let Some(next) = part.next else { break };
            page.cursor = next;
        }
        Ok(all)
    }
}

fn simple(command: &str, argument: &str) -> Want {
    match command {
        "servers" => Want::Servers(0),
        "nodes" => Want::Nodes(0),
        "jobs" => Want::Jobs(None, 0),
        "approvals" => Want::Approvals(0),
        "users" => Want::Users(0),
        "status" => Want::Status,
        "start" => Want::Start(Some(argument.to_owned()).filter(|code| !code.is_empty())),
        _ => Want::Help,
    }
}

fn role(argument: &str) -> Result<Option<Role>, OpError> {
    if argument.is_empty() {
        return Ok(None);
    }
    argument.to_lowercase().parse().map(Some).map_err(|_| OpError::BadInput {
        path: "role".to_owned(),
        message: "viewer, operator or admin is expected".to_owned(),
    })
}

fn forbidden(asked: &Asked<'_>, command: &Command) -> OpError {
    let needs = command.operation.and_then(rackhand_core::ops::find).map_or(Role::Viewer, |entry| entry.spec.lowest);
    OpError::Forbidden { who: asked.user.name(), needs, has: asked.user.role }
}

/// There is no such server; those whose names come close are a press away.
fn unknown(asked: &Asked<'_>, servers: &[Server], typed: &str, action: Option<Action>) -> Message {
    let lang = asked.reader.lang;
    let mut html = say!(lang, "server-unknown", name = typed);
    let close = closest(typed, servers.iter().map(|server| server.handle.as_str()));
    if close.is_empty() {
        return Message::new(html).row([(plain!(lang, "button-servers"), Want::Servers(0).data())]);
    }
    html.push(' ');
    html.push_str(&say!(lang, "server-close"));
    let found = close.iter().filter_map(|handle| servers.iter().find(|server| server.handle == **handle));
    let label = |server: &Server| format!("{} {}", server::icon(server.status), server.handle);
    let want = |server: &Server| action.map_or(Want::Server(server.id), |action| Want::Act(action, server.id));
    let buttons = found.map(|server| named(&label(server), &want(server))).collect();
    Message { html, buttons: rows(buttons), ..Message::default() }
}
