//! Jobs: shown, chosen, called off, sent on.

use rackhand_core::{
    ids::{JobId, ServerId},
    ops::{Answer, CancelJob, JobInput, JobView, ListJobs, ListJobsInput, OpError, Page, RetryJob, ShowJob},
    states::JobStatus,
};

use super::{Asked, Reply, RouteError, Router, reply::Place};
use crate::{
    messenger::Message,
    texts::{plain, say},
    views::{self, job, named},
    want::Want,
};

impl Router {
    pub(super) async fn list_jobs(
        &self,
        asked: &Asked<'_>,
        server: Option<ServerId>,
        from: u32,
    ) -> Result<Reply, RouteError> {
        let server = match server {
            Some(id) => Some(self.server(id).await?),
            None => None,
        };
        let handle = server.as_ref().map(|server| server.handle.clone());
        let list = self
            .done::<ListJobs>(
                asked,
                &ListJobsInput { handle, open: false, cursor: Page::skip(from), limit: views::PAGE },
            )
            .await?;
        Ok(Reply::here(job::list(&asked.reader, from, &list, server.as_ref())))
    }

    pub(super) async fn show_job(&self, asked: &Asked<'_>, id: JobId) -> Result<Reply, RouteError> {
        let view = self.job_view(asked, id).await?;
        let reply = Reply::job(asked.reader.lang, view.job.id);
        Ok(reply.toast(plain!(asked.reader.lang, "toast-below")))
    }

    pub(super) async fn tell_story(&self, asked: &Asked<'_>, id: JobId) -> Result<Reply, RouteError> {
        let view = self.job_view(asked, id).await?;
        Ok(Reply::here(job::story(&asked.reader, &view)))
    }

    pub(super) async fn cancel(&self, asked: &Asked<'_>, id: JobId) -> Result<Reply, RouteError> {
        self.done::<CancelJob>(asked, &named_job(id)).await?;
        let lang = asked.reader.lang;
        let shown = if asked.message.is_some() { Reply::again() } else { Reply::job(lang, id) };
        Ok(shown.toast(plain!(lang, "toast-cancelling")))
    }

    pub(super) async fn retry(&self, asked: &Asked<'_>, id: JobId) -> Result<Reply, RouteError> {
        self.done::<RetryJob>(asked, &named_job(id)).await?;
        let lang = asked.reader.lang;
        // The message that said that it was parked says what is true now; the live one comes down.
        let reply = Reply::job(lang, id).toast(plain!(lang, "toast-retried"));
        Ok(if asked.message.is_some() { reply.and(Place::Again) } else { reply })
    }

    /// The choice of an open job for a command.
    pub(super) async fn choose_job(
        &self,
        asked: &Asked<'_>,
        command: &str,
        want: impl Fn(JobId) -> Want,
        fits: impl Fn(JobStatus) -> bool,
    ) -> Result<Reply, RouteError> {
        let lang = asked.reader.lang;
        let input = ListJobsInput { open: true, ..ListJobsInput::default() };
        let mut list = self.done::<ListJobs>(asked, &input).await?.items;
        list.retain(|line| fits(line.job.status));
        if list.is_empty() {
            let none = Message::new(say!(lang, &format!("choose-none-{command}")));
            return Ok(Reply::here(none));
        }
        let mut message = Message::new(say!(lang, &format!("choose-{command}")));
        for line in list {
            let handle = job::subject(&line.job, line.server.as_deref());
            let label = format!("{} {handle} {}", job::icon(line.job.status), line.job.id.short());
            message.buttons.push(vec![named(&label, &want(line.job.id))]);
        }
        Ok(Reply::below(views::body(message)))
    }

    async fn job_view(&self, asked: &Asked<'_>, id: JobId) -> Result<JobView, RouteError> {
        match self.ops.call::<ShowJob>(&asked.user.actor(), &named_job(id), None).await? {
            Answer::Done(view) => Ok(view),
            Answer::AwaitingApproval(_) => Err(OpError::NoPlan.into()),
        }
    }
}

fn named_job(id: JobId) -> JobInput {
    JobInput { job: id.to_string() }
}
