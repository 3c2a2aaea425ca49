//! The steps at the provider: prove who the server is, reinstall it, reset its password.

use std::{net::IpAddr, time::Duration};

use rackhand_core::{
    clients::{
        ssh::SshError,
        time4vps::{ServerDetails, Task, TaskId, TaskKind, TaskRef, Time4vpsError},
    },
    fault::{Fault, FaultKind, chain},
    model::{EventLevel, ProvisionParams, Reason},
    ops::approved,
    units::Timestamp,
    work::{Observed, StepCx, Verdict},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{AWAIT_REINSTALL, Halt, PROVE_IDENTITY, ProvisionVps, REINSTALL, RESET_PASSWORD, reasons};

/// Longest wait for another action on the server to end.
const BUSY_LIMIT: Duration = Duration::from_mins(30);
/// Between two questions whether it has.
const BUSY_POLL: Duration = Duration::from_secs(10);

/// Our clock and the provider's may differ so much.
const SKEW: Duration = Duration::from_secs(30);

/// What an action's step remembers before it asks: enough to tell, after a crash, whether it took effect.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Asking {
    /// The provider's tasks of this kind before we first asked. Never renewed: a request of ours that arrives late must
    /// not become part of what was there before.
    before: Tasks,
    /// When we first asked.
    first: Timestamp,
    /// When we asked last, or stopped waiting for the answer.
    last: Timestamp,
}

/// An action's result: the task, if its number is known; else it is found by its kind, not older than `since`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Asked {
    task: Option<TaskId>,
    since: Timestamp,
}

impl ProvisionVps {
    /// Proves, without changing anything, that the server is the one that the job was allowed for.
    pub(super) async fn prove_identity(&self, cx: &mut StepCx, params: &ProvisionParams) -> Result<Verdict, Halt> {
        let details = self.prove(cx, params).await?;
        // A server that was set up before lets our key in, and then its password is nobody's business.
        let key_works = !params.reinstall && self.key_logs_in(params).await;
        let login = if key_works { "key" } else { "password" };
        Ok(Verdict::Done(json!({ "login": login, "os": details.os })))
    }

    /// The proof itself; also made right before anything destructive is sent.
    async fn prove(&self, cx: &StepCx, params: &ProvisionParams) -> Result<ServerDetails, Halt> {
        let id = provider_id(params)?;
        let details = self.provider.server(id).await.map_err(|error| self.provider_halt(cx, &error))?;
        let show = |address: Option<IpAddr>| address.map_or_else(|| "none".to_owned(), |address| address.to_string());
        if details.address != params.address {
            return Err(park(reasons::identity("address", &show(params.address), &show(details.address))));
        }
        if details.is_suspended() {
            let reason = Reason::new("provider-suspended", "the provider has suspended this server");
            return Err(park(reason));
        }
        if let Some(task) = &details.active_task {
            let reason = Reason::new("provider-busy", format!("the provider is busy with it: {}", task.name));
            return Err(self.wait_for_provider(cx, reason.with("detail", &task.name)));
        }
        self.prove_host_key(cx, params).await?;
        Ok(details)
    }

    /// A server that was set up before still has the key that was pinned then, unless it is down.
    async fn prove_host_key(&self, cx: &StepCx, params: &ProvisionParams) -> Result<(), Halt> {
        let Some(known) = &params.host_key else { return Ok(()) };
        // The key that was allowed went with the old disk.
        if cx.result_of(AWAIT_REINSTALL).is_some() {
            return Ok(());
        }
        match self.host_key(params).await {
            Ok(seen) if seen.to_string() == *known => Ok(()),
            Ok(seen) => Err(park(reasons::identity("host_key", known, &seen.to_string()))),
            Err(SshError::Unreachable { .. } | SshError::NoBanner | SshError::Dropped | SshError::Timeout { .. }) => {
                Ok(())
            }
            // It is up, and what answers is not what we know.
            Err(error) => Err(park(reasons::identity("host_key", known, &chain(&error)))),
        }
    }

    /// Wipes the server and installs its system anew.
    pub(super) async fn reinstall(&self, cx: &mut StepCx, params: &ProvisionParams) -> Result<Verdict, Halt> {
        // Once more, as late as can be: rows that say so are not enough, the approval's seal must hold.
        if !approved(&mut cx.read().await?, &self.tools.ops.keyring, &cx.job, params).await? {
            return Ok(Verdict::Park(reasons::not_approved()));
        }
        let os = self.system_to_install(cx, params).await?;
        if let Some(asked) = self.ask(cx, params, TaskKind::Reinstall).await? {
            return Ok(Verdict::Done(json!(asked)));
        }
        // From here on the old key may be gone, however the job ends.
        let mut tx = cx.begin().await?;
        tx.pin_host_key(params.server, None, cx.now()).await?;
        tx.commit().await?;
        let id = provider_id(params)?;
        cx.still_mine().await?;
        let answer = self.provider.reinstall(id, &os, None).await;
        self.asked(cx, answer).await
    }

    /// Waits until the provider has reinstalled it; its host key is another one then.
    pub(super) async fn await_reinstall(&self, cx: &mut StepCx, params: &ProvisionParams) -> Result<Verdict, Halt> {
        let limit = self.times.reinstall_limit;
        let task = match self.finished(cx, params, REINSTALL, limit, self.times.reinstall_poll).await? {
            Ok(task) => task,
            Err(verdict) => return Ok(verdict),
        };
        let mut tx = cx.begin().await?;
        tx.pin_host_key(params.server, None, cx.now()).await?;
        let has_password = task.password.is_some();
        if let Some(password) = &task.password {
            self.keep_password(&mut tx, params, password, cx.now()).await?;
        }
        Ok(cx.commit_done(tx, json!({ "password": has_password })).await?)
    }

    /// Has the provider make a new root password, unless we can log in without one.
    pub(super) async fn reset_password(&self, cx: &mut StepCx, params: &ProvisionParams) -> Result<Verdict, Halt> {
        if let Some(why) = no_reset_needed(cx) {
            cx.log(EventLevel::Info, why).await?;
            return Ok(Verdict::Done(json!({ "skipped": true })));
        }
        if let Some(asked) = self.ask(cx, params, TaskKind::ResetPassword).await? {
            return Ok(Verdict::Done(json!(asked)));
        }
        let id = provider_id(params)?;
        cx.still_mine().await?;
        let answer = self.provider.reset_password(id).await;
        self.asked(cx, answer).await
    }

    /// Waits for the new password and keeps it, sealed.
    pub(super) async fn await_password(&self, cx: &mut StepCx, params: &ProvisionParams) -> Result<Verdict, Halt> {
        if skipped(cx) {
            return Ok(Verdict::Done(json!({ "skipped": true })));
        }
        let limit = self.times.reset_limit;
        let task = match self.finished(cx, params, RESET_PASSWORD, limit, self.times.reset_poll).await? {
            Ok(task) => task,
            Err(verdict) => return Ok(verdict),
        };
        let Some(password) = &task.password else {
            let text = "the provider says that the password is reset, and does not say what it is";
            return Ok(Verdict::Fail(Reason::new("provider-no-password", text)));
        };
        let mut tx = cx.begin().await?;
        self.keep_password(&mut tx, params, password, cx.now()).await?;
        Ok(cx.commit_done(tx, Value::Null).await?)
    }

    /// After a crash, or an answer that was lost: did the provider get the request?
    pub(super) async fn observe_action(&self, step: &str, cx: &mut StepCx, params: &ProvisionParams) -> Observed {
        // What was not remembered was not asked.
        let Ok(asking) = serde_json::from_value::<Asking>(cx.step.data.clone()) else { return Observed::NotDone };
        let kind = if step == REINSTALL { TaskKind::Reinstall } else { TaskKind::ResetPassword };
        let unclear = |reason| Observed::Unclear { reason, after: self.times.reset_poll };
        let now_there = match self.tasks_of(params, kind).await {
            Ok(tasks) => tasks,
            Err(error) if error.kind() == FaultKind::NeedsPerson || error.kind() == FaultKind::Unauthenticated => {
                return Observed::Park(reasons::provider(&error));
            }
            Err(error) => return unclear(reasons::provider(&error)),
        };
        if let Some(asked) = asking.took_effect(&now_there) {
            return Observed::Done(json!(asked));
        }
        // A request that is still on its way may yet arrive.
        if cx.now().since(asking.last) < self.times.settle {
            return unclear(Reason::new("settling", "looking whether the provider got the request"));
        }
        Observed::NotDone
    }

    /// Everything that comes before a request that changes something: an earlier request of ours that arrived late is
    /// taken for it; the identity is proved again, and what was there before is remembered.
    async fn ask(&self, cx: &mut StepCx, params: &ProvisionParams, kind: TaskKind) -> Result<Option<Asked>, Halt> {
        let there = self.tasks_of(params, kind).await.map_err(|error| self.provider_halt(cx, &error))?;
        let remembered = serde_json::from_value::<Asking>(cx.step.data.clone()).ok();
        if let Some(asked) = remembered.as_ref().and_then(|asking| asking.took_effect(&there)) {
            cx.log(EventLevel::Info, "an earlier request arrived after all: no second one is sent").await?;
            return Ok(Some(asked));
        }
        self.prove(cx, params).await?;
        let now = cx.now();
        let asking = match remembered {
            Some(asking) => Asking { last: now, ..asking },
            None => Asking { before: there, first: now, last: now },
        };
        cx.remember(json!(asking)).await?;
        Ok(None)
    }

    /// What became of the request.
    async fn asked(&self, cx: &mut StepCx, answer: Result<TaskId, Time4vpsError>) -> Result<Verdict, Halt> {
        match answer {
            Ok(task) => Ok(Verdict::Done(json!(Asked { task: Some(task), since: cx.now() }))),
            Err(error) if error.effect_unknown() => {
                // It may have been on its way until this moment.
                if let Ok(asking) = serde_json::from_value::<Asking>(cx.step.data.clone()) {
                    cx.remember(json!(Asking { last: cx.now(), ..asking })).await?;
                }
                Ok(Verdict::Unclear { reason: reasons::provider(&error), after: self.times.reset_poll })
            }
            Err(error) => Err(self.provider_halt(cx, &error)),
        }
    }

    /// The task that step `asked_by` started, once it is finished; else what to do meanwhile.
    async fn finished(
        &self,
        cx: &StepCx,
        params: &ProvisionParams,
        asked_by: &str,
        limit: Duration,
        poll: Duration,
    ) -> Result<Result<Task, Verdict>, Halt> {
        let id = provider_id(params)?;
        let asked: Asked = cx
            .result_of(asked_by)
            .and_then(|data| serde_json::from_value(data.clone()).ok())
            .unwrap_or(Asked { task: None, since: cx.step.started_at });
        let kind = if asked_by == REINSTALL { TaskKind::Reinstall } else { TaskKind::ResetPassword };
        let found = match asked.task {
            Some(task) => self.provider.task(id, task).await.map(Some),
            // An older task of the kind is not the one that was asked for.
            None => self.provider.latest(id, kind).await.map(|task| task.filter(|task| not_before(task, asked.since))),
        };
        let waiting = |reason: Reason| {
            if cx.now().since(cx.step.started_at) > limit {
                let text = format!("the provider did not finish it within {} s", limit.as_secs());
                return Verdict::Fail(Reason::new("provider-too-slow", text).with("seconds", limit.as_secs()));
            }
            Verdict::Wait { reason, after: poll }
        };
        Ok(match found {
            Ok(Some(task)) if task.failed => {
                let said = task.said.unwrap_or_default();
                let text = format!("the provider says that the task failed: {said}");
                Err(Verdict::Fail(Reason::new("provider-task-failed", text).with("detail", said)))
            }
            Ok(Some(task)) if task.completed => Ok(task),
            Ok(_) => Err(waiting(Reason::new("provider-works", "the provider is working on it"))),
            // The task goes on at the provider, whatever happens to our questions.
            Err(error) if matches!(error.kind(), FaultKind::Unavailable | FaultKind::RateLimited) => {
                Err(waiting(reasons::provider(&error)))
            }
            Err(error) => Err(self.provider_halt(cx, &error).into_verdict()),
        })
    }

    async fn tasks_of(&self, params: &ProvisionParams, kind: TaskKind) -> Result<Tasks, Time4vpsError> {
        let id = params.provider_id.parse().map_err(|_| Time4vpsError::NotFound)?;
        let details = self.provider.server(id).await?;
        let latest = self.provider.latest(id, kind).await?;
        let is_kind = |task: &&TaskRef| task.name == kind.wire_name();
        Ok(Tasks {
            newest: details
                .last_tasks
                .iter()
                .chain(&details.active_task)
                .filter(is_kind)
                .filter_map(|task| task.id)
                .max(),
            active: details.active_task.iter().any(|task| is_kind(&task)),
            latest: latest.as_ref().and_then(|task| task.activated.clone()),
            latest_at: latest.and_then(|task| task.activated_at()),
        })
    }

    async fn system_to_install(&self, cx: &StepCx, params: &ProvisionParams) -> Result<String, Halt> {
        let configured = self.tools.config.fleet.reinstall_os.clone();
        if let Some(os) = configured.filter(|os| !os.is_empty()) {
            return Ok(os);
        }
        let details =
            self.provider.server(provider_id(params)?).await.map_err(|error| self.provider_halt(cx, &error))?;
        details.os.ok_or_else(|| {
            let text = "the provider does not say which system the server has: set fleet.reinstall_os";
            Halt::Verdict(Verdict::Park(Reason::new("no-os", text)))
        })
    }

    /// What an error of the provider means for a step whose request certainly had no effect.
    fn provider_halt(&self, cx: &StepCx, error: &Time4vpsError) -> Halt {
        let reason = reasons::provider(error);
        match error {
            Time4vpsError::RateLimited { wait } => Halt::Verdict(Verdict::Wait { reason, after: *wait }),
            Time4vpsError::Busy { .. } => self.wait_for_provider(cx, reason),
            Time4vpsError::AddressNotAllowed
            | Time4vpsError::WrongLogin
            | Time4vpsError::BadBaseUrl
            | Time4vpsError::NotFound => park(reason),
            Time4vpsError::Refused { .. } => Halt::Verdict(Verdict::Fail(reason)),
            Time4vpsError::Unavailable { .. } | Time4vpsError::Timeout | Time4vpsError::Garbage { .. } => {
                Halt::Verdict(Verdict::Retry { reason, after: None })
            }
        }
    }

    fn wait_for_provider(&self, cx: &StepCx, reason: Reason) -> Halt {
        if cx.now().since(cx.step.started_at) > BUSY_LIMIT {
            return Halt::Verdict(Verdict::Fail(reason));
        }
        Halt::Verdict(Verdict::Wait { reason, after: BUSY_POLL.min(self.times.reinstall_poll) })
    }
}

/// The provider's tasks of one kind, as far as it tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Tasks {
    /// The number of the newest, where it is told.
    newest: Option<TaskId>,
    /// One is under way.
    active: bool,
    /// When the latest was started, in the provider's words.
    latest: Option<String>,
    /// The same as a moment, where it can be read.
    latest_at: Option<Timestamp>,
}

impl Asking {
    /// Whether a task that is there now, and was not before, is ours. Only what is newer counts: lists get shorter.
    fn took_effect(&self, now: &Tasks) -> Option<Asked> {
        let newer = now.newest.filter(|newest| self.before.newest.is_none_or(|before| *newest > before));
        let recent = now.latest_at.is_none_or(|at| at.plus(SKEW) >= self.first);
        let another = now.latest.is_some() && now.latest != self.before.latest && recent;
        let begun = now.active && !self.before.active;
        (newer.is_some() || another || begun).then_some(Asked { task: newer, since: self.first })
    }
}

/// Whether a task may be one that was asked for at `since`.
fn not_before(task: &Task, since: Timestamp) -> bool {
    task.activated_at().is_none_or(|at| at.plus(SKEW) >= since)
}

/// Why no password is needed, if so.
fn no_reset_needed(cx: &StepCx) -> Option<&'static str> {
    let result = |step: &str, key: &str| cx.result_of(step).and_then(|data| data.get(key)).cloned();
    if result(AWAIT_REINSTALL, "password") == Some(Value::Bool(true)) {
        return Some("the reinstall gave a password: no reset needed");
    }
    if result(PROVE_IDENTITY, "login") == Some(json!("key")) {
        return Some("our key is let in: no password needed");
    }
    None
}

fn skipped(cx: &StepCx) -> bool {
    cx.result_of(RESET_PASSWORD).and_then(|data| data.get("skipped")).and_then(Value::as_bool).unwrap_or(false)
}

fn provider_id(params: &ProvisionParams) -> Result<i64, Halt> {
    params.provider_id.parse().map_err(|_| {
        let text = format!("{:?} is not a number of the provider", params.provider_id);
        Halt::Verdict(Verdict::Fail(Reason::new("bad-params", text)))
    })
}

fn park(reason: Reason) -> Halt {
    Halt::Verdict(Verdict::Park(reason))
}
