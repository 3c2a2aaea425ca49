//! A person's yes or no. The only way to a wiped disk leads through here.

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Cx, OpError, Operation, Ops, Outside, Reach, Spec, Topic, call::approval_key, find};
use crate::{
    ids::{ApprovalId, JobId},
    model::{Actor, Approval, Body, Level, Notice, Plan, PlanChange, Risk, Role},
    states::{ApprovalEvent, ApprovalStatus},
    store::Mail,
};

/// Says yes: the plan runs, if it is still exactly what was shown.
pub struct Approve;

/// Says no.
pub struct Refuse;

/// Which approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalInput {
    /// Its id.
    pub approval: ApprovalId,
}

/// What came of a yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApproveOutcome {
    /// The plan was started.
    Started {
        /// The job, where it filed one.
        job: Option<JobId>,
        /// What it is done to.
        target: String,
    },
    /// The target changed since it was asked: nothing was done, it has to be asked anew.
    Stale {
        /// What changed.
        changes: Vec<PlanChange>,
    },
    /// Its time was up: nothing was done.
    Expired,
    /// It was answered before: nothing was done.
    Answered {
        /// How.
        status: ApprovalStatus,
        /// By whom.
        by: String,
    },
    /// Whoever asked took it back before: nothing was done.
    Withdrawn {
        /// Who that is.
        by: String,
    },
}

#[async_trait]
impl Operation for Approve {
    type Input = ApprovalInput;
    type Output = ApproveOutcome;
    const SPEC: Spec = Spec {
        name: "approve",
        summary: "Approves exactly the plan that was shown, once",
        topic: Topic::Authority,
        rest: &[],
        cli: "",
        risk: Risk::Change,
        lowest: Role::Admin,
        repeatable: true,
        people_only: true,
    };
    // What was planned outside is planned there again, to see whether it is still the same.
    const REACH: Reach = Reach::Plan;

    fn target(input: &ApprovalInput) -> String {
        input.approval.to_string()
    }

    async fn plan_outside(cx: &Outside, input: &ApprovalInput) -> Result<Option<Plan>, OpError> {
        let approval = cx.ops.store.read().await?.approval(input.approval).await?;
        let open = approval.filter(|it| it.status == ApprovalStatus::Asked && it.expires_at > cx.now);
        let Some(Plan { operation, input, .. }) = open.map(|approval| approval.plan) else { return Ok(None) };
        match find(&operation) {
            Some(entry) if entry.reach == Reach::Plan => (entry.plan_outside)(cx, input).await,
            _ => Ok(None),
        }
    }

    async fn run(cx: &mut Cx, input: ApprovalInput) -> Result<ApproveOutcome, OpError> {
        let approval = match answerable(cx, input.approval).await? {
            Ok(approval) => approval,
            Err(outcome) => return Ok(outcome),
        };
        if cx.ops.limits.two_persons && approval.is_asked_by(&cx.actor) {
            return Err(OpError::OwnRequest);
        }
        if cx.ops.limits.two_persons && asked_by_own_token(cx, &approval).await? {
            return Err(OpError::OwnRequest);
        }
        let name = &approval.plan.operation;
        let entry = find(name).ok_or_else(|| OpError::UnknownOperation(name.clone()))?;
        let plan = cx.plan_of(entry, &approval.plan.input).await?;
        let mut changes = approval.plan.changes(&plan);
        changes.extend(requester_demoted(cx, &approval, entry).await?);
        if plan.hash() != approval.plan_hash || !changes.is_empty() {
            let words: Vec<String> =
                changes.iter().map(|change| format!("{}: {} -> {}", change.what, change.was, change.is)).collect();
            let outcome = format!("stale: {}", words.join("; "));
            settle(cx, &approval, ApprovalEvent::Expire, &outcome).await?;
            return Ok(ApproveOutcome::Stale { changes });
        }
        let name = cx.actor.name.clone();
        let approved = cx.tx.move_approval(&approval, ApprovalEvent::Approve, &name, None, cx.now).await?;
        let answer = run_as_requester(cx, &approved, entry).await?;
        let used = cx.tx.move_approval(&approved, ApprovalEvent::Use, &name, Some("started"), cx.now).await?;
        let job = answer.get("job").and_then(Value::as_str).and_then(|text| text.parse().ok());
        cx.seal_approval(&used, job).await?;
        cx.tx.touch_messages(&approval_key(used.id)).await?;
        Ok(ApproveOutcome::Started { job, target: approval.plan.target })
    }
}

#[async_trait]
impl Operation for Refuse {
    type Input = ApprovalInput;
    type Output = ApproveOutcome;
    const SPEC: Spec = Spec {
        name: "refuse",
        summary: "Refuses a plan",
        topic: Topic::Authority,
        rest: &[],
        cli: "",
        risk: Risk::Change,
        lowest: Role::Admin,
        repeatable: true,
        people_only: true,
    };

    fn target(input: &ApprovalInput) -> String {
        input.approval.to_string()
    }

    async fn run(cx: &mut Cx, input: ApprovalInput) -> Result<ApproveOutcome, OpError> {
        let approval = match answerable(cx, input.approval).await? {
            Ok(approval) => approval,
            Err(outcome) => return Ok(outcome),
        };
        settle(cx, &approval, ApprovalEvent::Refuse, "refused").await?;
        let by = cx.actor.name.clone();
        Ok(ApproveOutcome::Answered { status: ApprovalStatus::Refused, by })
    }
}

/// The approval if it can still be answered, else what to say of it.
async fn answerable(cx: &mut Cx, id: ApprovalId) -> Result<Result<Approval, ApproveOutcome>, OpError> {
    let approval = held(cx, id).await?;
    if approval.status == ApprovalStatus::Expired {
        return Ok(Err(ApproveOutcome::Expired));
    }
    if approval.status != ApprovalStatus::Asked {
        let by = approval.decided_by.clone().unwrap_or_default();
        if approval.is_withdrawn() {
            return Ok(Err(ApproveOutcome::Withdrawn { by }));
        }
        return Ok(Err(ApproveOutcome::Answered { status: approval.status, by }));
    }
    if approval.expires_at <= cx.now {
        settle(cx, &approval, ApprovalEvent::Expire, "expired").await?;
        return Ok(Err(ApproveOutcome::Expired));
    }
    Ok(Ok(approval))
}

/// The approval, which nobody else answers while this transaction lasts.
pub(super) async fn held(cx: &mut Cx, id: ApprovalId) -> Result<Approval, OpError> {
    let not_found = || OpError::NotFound { what: "approval", name: id.to_string() };
    cx.tx.hold_approval(id).await?.ok_or_else(not_found)
}

/// Ends the question without the deed, and has its messages worded anew.
pub(super) async fn settle(
    cx: &mut Cx,
    approval: &Approval,
    event: ApprovalEvent,
    outcome: &str,
) -> Result<(), OpError> {
    let name = cx.actor.name.clone();
    cx.tx.move_approval(approval, event, &name, Some(outcome), cx.now).await?;
    cx.tx.touch_messages(&approval_key(approval.id)).await?;
    Ok(())
}

/// Whether a token asked that the one who answers made: nobody is two persons through a program.
async fn asked_by_own_token(cx: &mut Cx, approval: &Approval) -> Result<bool, OpError> {
    let Some(id) = approval.token else { return Ok(false) };
    Ok(cx.tx.token(id).await?.is_some_and(|token| token.is_made_by(&cx.actor)))
}

/// Whether the one who asked may no longer ask for this: then nobody asks for it.
async fn requester_demoted(
    cx: &mut Cx,
    approval: &Approval,
    entry: &super::Entry,
) -> Result<Option<PlanChange>, OpError> {
    let has = match (approval.requester, approval.token) {
        (Some(id), _) => cx.tx.user(id).await?.map_or(Role::Guest, |user| user.role),
        (None, Some(id)) => cx.token_role(id).await?,
        (None, None) => return Ok(None),
    };
    let needs = entry.spec.lowest.max(entry.spec.risk.floor());
    let change = || PlanChange { what: "requester".to_owned(), was: needs.to_string(), is: has.to_string() };
    Ok((has < needs).then(change))
}

/// Runs the plan in the requester's name: the job's live message is theirs; the audit names the approver too.
async fn run_as_requester(cx: &mut Cx, approval: &Approval, entry: &super::Entry) -> Result<Value, OpError> {
    let approver = cx.actor.clone();
    if let Some(id) = approval.requester
        && let Some(user) = cx.tx.user(id).await?
    {
        cx.actor.user = Some(user.id);
        cx.actor.name = user.name();
        cx.actor.telegram_id = Some(user.telegram_id);
    }
    cx.approval = Some(approval.id);
    let answer = (entry.run)(cx, approval.plan.input.clone()).await;
    cx.approval = None;
    cx.actor = approver;
    let answer = answer?;
    let detail = serde_json::json!({
        "approval": approval.id,
        "requested_by": approval.requested_by,
        "plan_hash": approval.plan_hash,
    });
    cx.audit(entry.spec.name, &approval.plan.target, "approved", &detail).await?;
    Ok(answer)
}

/// Ends every question whose time is up, so that it can be asked anew.
pub(super) async fn expire_overdue(cx: &mut Cx) -> Result<(), OpError> {
    for approval in cx.tx.approvals_overdue(cx.now).await? {
        settle(cx, &approval, ApprovalEvent::Expire, "expired").await?;
    }
    Ok(())
}

impl Ops {
    /// Ends the questions whose time is up, and reminds the admins of those that have less than `warn_before` left.
    pub async fn tick_approvals(&self, warn_before: Duration) -> Result<(), OpError> {
        let actor = Actor::system("approval-clock");
        let mut cx = self.cx(self.store.write().await?, &actor);
        expire_overdue(&mut cx).await?;
        let now = cx.now;
        for approval in cx.tx.approvals_to_warn(now.plus(warn_before)).await? {
            for admin in cx.tx.users_from(Role::Admin).await? {
                let body = Body::Notice(Notice::ApprovalExpiring { approval: approval.id });
                let key = format!("approval-expiring:{}", approval.id);
                cx.tx.mail_once(&Mail { chat: admin.telegram_id, key, level: Level::Reply, body }, now).await?;
            }
        }
        Ok(cx.tx.commit().await?)
    }
}
