//! A wish and its answer.

use rackhand_core::{
    model::Role,
    ops::{
        Answer, ApprovalInput, Approve, ApproveOutcome, CreateInvite, CreateInviteInput, ListApprovals,
        ListApprovalsInput, Nothing, OpError, Page, Refuse, SetLanguage, SetLanguageInput, ShowStatus,
        WithdrawApproval,
    },
};

use super::{Asked, Reply, RouteError, Router, reply::Place};
use crate::{
    messenger::Message,
    texts::{Lang, plain, say},
    views::{self, Reader, approval, button, help, html_to_plain, reason, status, user},
    want::{Action, Want},
};

impl Router {
    /// Does what is wanted, and words the answer.
    pub(super) async fn answer(&self, asked: &Asked<'_>, want: &Want) -> Result<Reply, RouteError> {
        self.answer_to(asked, want).await.map_err(|error| error.when(want))
    }

    async fn answer_to(&self, asked: &Asked<'_>, want: &Want) -> Result<Reply, RouteError> {
        let reader = &asked.reader;
        match want {
            Want::Start(Some(code)) => self.redeem(asked, code).await,
            Want::Start(None) => Ok(Reply::below(views::body(help::welcome(reader, &asked.user.first_name)))),
            Want::Help => Ok(Reply::here(help::help(reader))),
            Want::Servers(from) => self.list_servers(asked, *from).await,
            Want::Server(id) => self.show_server(asked, *id).await,
            Want::Act(action, id) => self.act(asked, *action, *id).await,
            Want::Choose(action, from) => self.choose_server(asked, *action, *from).await,
            Want::Nodes(from) => self.list_nodes(asked, *from).await,
            Want::Node(uuid) => self.show_node(asked, uuid).await,
            Want::ActOnNode(action, uuid) => self.act_on_node(asked, *action, uuid).await,
            Want::Jobs(server, from) => self.list_jobs(asked, *server, *from).await,
            Want::Job(id) => self.show_job(asked, *id).await,
            Want::Story(id) => self.tell_story(asked, *id).await,
            Want::Cancel(id) => self.cancel(asked, *id).await,
            Want::Retry(id) => self.retry(asked, *id).await,
            Want::Approvals(from) => {
                let input = ListApprovalsInput { open: true, cursor: Page::skip(*from), limit: views::PAGE };
                let list = self.done::<ListApprovals>(asked, &input).await?;
                Ok(Reply::here(approval::list(reader, *from, &list)))
            }
            Want::Approval(id) => Ok(Reply::approval(reader.lang, *id)),
            Want::Approve(id) => {
                let outcome = self.done::<Approve>(asked, &ApprovalInput { approval: *id }).await?;
                Ok(answered(reader.lang, &outcome))
            }
            Want::Refuse(id) => {
                let outcome = self.done::<Refuse>(asked, &ApprovalInput { approval: *id }).await?;
                Ok(answered(reader.lang, &outcome))
            }
            Want::Withdraw(id) => {
                let view = self.done::<WithdrawApproval>(asked, &ApprovalInput { approval: *id }).await?;
                Ok(Reply::again().toast(approval::toast_of_withdrawal(reader.lang, &view)))
            }
            Want::Users(from) => self.list_users(asked, *from).await,
            Want::User(id) => self.show_user(asked, *id).await,
            Want::SetRole(id, role) => self.set_role(asked, *id, *role).await,
            Want::Invite(None) => Ok(Reply::here(user::invite_choice(reader.lang))),
            Want::Invite(Some(role)) => self.invite(asked, *role).await,
            Want::Lang(None) => Ok(Reply::here(user::languages(reader.lang))),
            Want::Lang(Some(language)) => {
                let language = self.done::<SetLanguage>(asked, &SetLanguageInput { language: *language }).await?;
                let reader = Reader { lang: Lang::of(&language.to_string()), ..*reader };
                let toast = plain!(reader.lang, "lang-set");
                Ok(Reply::here(help::welcome(&reader, &asked.user.first_name)).toast(toast))
            }
            Want::Named(from, typed) => self.named(asked, *from, typed).await,
            Want::Status => {
                let all = self.done::<ShowStatus>(asked, &Nothing::default()).await?;
                let names = self.servers(asked).await?.into_iter().map(|server| (server.id, server.handle)).collect();
                Ok(Reply::here(status::screen(reader, &all, &names)).toast(plain!(reader.lang, "toast-fresh")))
            }
        }
    }

    async fn invite(&self, asked: &Asked<'_>, role: Role) -> Result<Reply, RouteError> {
        // Without a key: what is remembered for a key would hold the code.
        let input = CreateInviteInput { role };
        let Answer::Done(made) = self.ops.call::<CreateInvite>(&asked.user.actor(), &input, None).await? else {
            return Err(OpError::NoPlan.into());
        };
        let html = user::invite(&asked.reader, &made, self.bot_name().await);
        let body = views::seal(&self.ops.keyring, asked.user.telegram_id, html)?;
        Ok(Reply::below(body).toast(plain!(asked.reader.lang, "toast-below")))
    }

    /// Says why something was not done, with the next step where one press can do it.
    pub(super) async fn refusal(&self, asked: &Asked<'_>, error: &OpError) -> Result<Reply, RouteError> {
        let lang = asked.reader.lang;
        let html = reason::error(lang, error);
        let mut message = Message::new(html.clone());
        message.buttons = self.next_step(asked, error).await?.into_iter().map(|button| vec![button]).collect();
        if asked.message.is_none() {
            return Ok(Reply::below(views::body(message)));
        }
        // Pressed: the words come over the screen, and the message shows what is true now.
        let toast = html_to_plain(&html);
        let says_more = !message.buttons.is_empty() || toast.chars().count() > 190;
        let reply = Reply::again().toast(toast);
        Ok(if says_more { reply.and(Place::Below(views::body(message))) } else { reply })
    }

    async fn next_step(
        &self,
        asked: &Asked<'_>,
        error: &OpError,
    ) -> Result<Option<crate::messenger::Button>, RouteError> {
        let lang = asked.reader.lang;
        let (handle, action) = match error {
            OpError::Busy { job, .. } => return Ok(Some(button(lang, "button-job", &Want::Job(*job)))),
            OpError::NotFound { what: "job", .. } | OpError::Ambiguous { what: "job", .. } => {
                return Ok(Some(button(lang, "button-jobs", &Want::Jobs(None, 0))));
            }
            // A node's card has this button itself.
            OpError::Node(_) if asked.message.is_none() && self.ops.ironic.is_some() => {
                return Ok(Some(views::node::all(lang)));
            }
            OpError::AttemptsSpent { handle, .. } => (handle, Action::ResetAttempts),
            OpError::Untouchable { handle, why: "reserved" } | OpError::RebuildWished(handle) => {
                (handle, Action::Release)
            }
            OpError::Untouchable { handle, why: "unmanaged" } => (handle, Action::Manage),
            _ => return Ok(None),
        };
        let server = self.ops.store.read().await?.server_by_handle(handle).await?;
        let key = format!("button-{}", action.command().replace('_', "-"));
        let server = server.filter(|_| asked.reader.may(action.operation()));
        Ok(server.map(|server| button(lang, &key, &Want::Act(action, server.id))))
    }

    /// The code behind `/start`, typed by whoever.
    pub(super) async fn redeem(&self, asked: &Asked<'_>, code: &str) -> Result<Reply, RouteError> {
        let lang = asked.reader.lang;
        match self.use_code(asked, code).await {
            Ok(user) => {
                let reader = Reader::of(&user, asked.reader.now);
                Ok(Reply::below(views::body(help::welcome(&reader, &user.first_name))))
            }
            Err(RouteError::Operation(OpError::BadCode)) if asked.user.role == Role::Guest => {
                // Told once a minute, so that guessing gets nothing and a slip of the finger gets an answer.
                let minute = asked.reader.now.0 / 60_000;
                let body = views::body(Message::new(say!(lang, "error-bad-code")));
                Ok(Reply::default().and(Place::Once { key: format!("bad-code:{minute}"), body }))
            }
            Err(error) => Err(error),
        }
    }
}

fn answered(lang: Lang, outcome: &ApproveOutcome) -> Reply {
    Reply::again().toast(approval::toast(lang, outcome))
}
