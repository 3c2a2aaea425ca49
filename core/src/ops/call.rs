//! How an operation is called: input, authority, repetition, the deed, audit, in one transaction.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tracing::{Instrument, info, warn};

use super::{Cx, Entry, OpError, Operation, Reach, Unchanged, find, operation::Checked};
use crate::{
    clients::ironic::Ironic,
    clock::SharedClock,
    fault::{Fault, FaultKind, chain},
    ids::{ApprovalId, TokenId},
    keyring::{Aad, Keyring, Sealed},
    model::{Actor, ActorKind, Approval, AuditEntry, Body, Decision, Level, Notice, Plan, Risk, Role, decide, hex},
    secret::Secret,
    states::ApprovalStatus,
    store::{Mail, Remembered, Store, StoreError, Tx},
};

/// How often an operation is begun anew because somebody else was faster.
pub(super) const RACES: u32 = 5;

/// The bounds that operations keep to.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long an approval may be given.
    pub approval_life: Duration,
    /// Whoever asks may not approve.
    pub two_persons: bool,
    /// Attempts to provision in one episode.
    pub attempts: i64,
    /// How long an invite may be used.
    pub invite_life: Duration,
}

/// The operations with all that they need. Cheap to clone.
#[derive(Clone)]
pub struct Ops {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: SharedClock,
    /// The keys.
    pub keyring: Arc<Keyring>,
    /// The bounds.
    pub limits: Limits,
    /// OpenStack Ironic, where one is configured.
    pub ironic: Option<Ironic>,
    /// The image that is installed on its nodes where nobody names one.
    pub image: Option<String>,
}

/// What a caller gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer<T> {
    /// It was done: the operation's output.
    Done(T),
    /// It waits for a person's yes.
    AwaitingApproval(ApprovalId),
}

impl Ops {
    /// Calls an operation by its type. `key` makes a repetition harmless: the same key and input give the same answer.
    pub async fn call<O: Operation>(
        &self,
        actor: &Actor,
        input: &O::Input,
        key: Option<&str>,
    ) -> Result<Answer<O::Output>, OpError> {
        let input = serde_json::to_value(input).map_err(OpError::Answer)?;
        Ok(match self.call_by_name(actor, O::SPEC.name, &input, key).await? {
            Answer::Done(value) => Answer::Done(serde_json::from_value(value).map_err(OpError::Answer)?),
            Answer::AwaitingApproval(id) => Answer::AwaitingApproval(id),
        })
    }

    /// Calls an operation by its name, with JSON.
    pub async fn call_by_name(
        &self,
        actor: &Actor,
        name: &str,
        input: &Value,
        key: Option<&str>,
    ) -> Result<Answer<Value>, OpError> {
        self.call_if(actor, name, input, key, None).await
    }

    /// Calls an operation by its name, with JSON, if what the caller saw is unchanged at the moment of the deed.
    pub async fn call_if(
        &self,
        actor: &Actor,
        name: &str,
        input: &Value,
        key: Option<&str>,
        unchanged: Option<Unchanged>,
    ) -> Result<Answer<Value>, OpError> {
        let entry = find(name).ok_or_else(|| OpError::UnknownOperation(name.chars().take(64).collect()))?;
        let checked = Checked { unchanged, ..(entry.check)(input)? };
        if entry.reach != Reach::Run || entry.spec.risk == Risk::Read {
            return self.settled(entry, actor, &checked, key).await;
        }
        // Whoever asked may go away meanwhile: what was begun outside is ended, and how is written down.
        let (ops, actor, key) = (self.clone(), actor.clone(), key.map(str::to_owned));
        let deed = async move { ops.settled(entry, &actor, &checked, key.as_deref()).await };
        match tokio::spawn(deed.in_current_span()).await {
            Ok(answer) => answer,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(OpError::Stopping),
            },
        }
    }

    /// Decides and does it, and tells the log and the audit what became of it.
    async fn settled(
        &self,
        entry: &'static Entry,
        actor: &Actor,
        checked: &Checked,
        key: Option<&str>,
    ) -> Result<Answer<Value>, OpError> {
        let answer = self.decided(entry, actor, checked, key).await;
        match &answer {
            Ok(_) if entry.spec.risk == Risk::Read => {}
            Ok(_) => info!(operation = entry.spec.name, %actor, target = checked.target, "done"),
            Err(error) => {
                warn!(operation = entry.spec.name, %actor, target = checked.target, error = chain(error), "not done");
                // Whoever looks for what is not there is no news; whoever looks where they may not is.
                if entry.spec.risk != Risk::Read || error.kind() == FaultKind::Forbidden {
                    self.audit_refusal(entry, actor, checked, error).await;
                }
            }
        }
        answer
    }

    async fn decided(
        &self,
        entry: &'static Entry,
        actor: &Actor,
        checked: &Checked,
        key: Option<&str>,
    ) -> Result<Answer<Value>, OpError> {
        if entry.spec.people_only && actor.kind != ActorKind::Person {
            return Err(OpError::PeopleOnly);
        }
        let key = key.map(|key| key_of(actor, key));
        match entry.reach {
            Reach::Store => self.transacted(entry, actor, checked, key.as_deref(), None).await,
            Reach::Plan => self.planned_outside(entry, actor, checked, key).await,
            Reach::Run => self.done_outside(entry, actor, checked, key).await,
        }
    }

    /// All of it in one transaction; `planned` was planned before, outside.
    pub(super) async fn transacted(
        &self,
        entry: &Entry,
        actor: &Actor,
        checked: &Checked,
        key: Option<&str>,
        planned: Option<&Plan>,
    ) -> Result<Answer<Value>, OpError> {
        let mut left = RACES;
        loop {
            let tx = match (entry.spec.risk, &checked.unchanged) {
                (Risk::Read, _) => self.store.read().await?,
                (_, None) => self.store.write().await?,
                (_, Some(_)) => self.store.write_on_one_moment().await?,
            };
            let cx = Cx { planned: planned.cloned(), ..self.cx(tx, actor) };
            match self.in_one_transaction(entry, cx, checked, key).await {
                // Somebody was faster: begun anew, it sees what they did.
                Err(OpError::Store(error)) if left > 0 && error.is_race() => left -= 1,
                answer => return answer,
            }
        }
    }

    async fn in_one_transaction(
        &self,
        entry: &Entry,
        mut cx: Cx,
        checked: &Checked,
        key: Option<&str>,
    ) -> Result<Answer<Value>, OpError> {
        let decision = cx.decide(entry).await?;
        if decision == Decision::Run && entry.spec.risk == Risk::Read {
            return Ok(Answer::Done((entry.run)(&mut cx, checked.input.clone()).await?));
        }
        if let Some(known) = self.known(&mut cx, entry, checked, key).await? {
            return Ok(known);
        }
        if let Some(unchanged) = &checked.unchanged {
            cx.require_unchanged(unchanged).await?;
        }
        let answer = if decision == Decision::Ask {
            Answer::AwaitingApproval(ask(&mut cx, entry, checked).await?)
        } else {
            Answer::Done((entry.run)(&mut cx, checked.input.clone()).await?)
        };
        self.record(cx, entry, checked, key, answer).await
    }

    /// Writes down what was done, and ends the transaction.
    pub(super) async fn record(
        &self,
        mut cx: Cx,
        entry: &Entry,
        checked: &Checked,
        key: Option<&str>,
        answer: Answer<Value>,
    ) -> Result<Answer<Value>, OpError> {
        let outcome = if matches!(answer, Answer::AwaitingApproval(_)) { "asked" } else { "done" };
        let now = cx.now;
        cx.audit(entry.spec.name, &checked.target, outcome, &checked.kept).await?;
        if let Some(key) = key {
            let request = Remembered {
                operation: entry.spec.name.to_owned(),
                input_hash: self.hash(checked),
                answer: self.keep(key, &answer)?,
            };
            cx.tx.remember(key, &request, now).await?;
        }
        cx.tx.commit().await?;
        Ok(answer)
    }

    /// The actor's role at this moment: for a door that goes on answering long after it was asked.
    pub async fn role_of(&self, actor: &Actor) -> Result<Role, OpError> {
        self.cx(self.store.glance().await?, actor).role_now().await
    }

    /// A context on `tx`.
    pub(super) fn cx(&self, tx: Tx, actor: &Actor) -> Cx {
        Cx { tx, actor: actor.clone(), now: self.clock.now(), approval: None, planned: None, ops: self.clone() }
    }

    /// The answer that this request was given before, under the same key.
    pub(super) async fn known(
        &self,
        cx: &mut Cx,
        entry: &Entry,
        checked: &Checked,
        key: Option<&str>,
    ) -> Result<Option<Answer<Value>>, OpError> {
        let Some(key) = key else { return Ok(None) };
        let Some(known) = cx.tx.remembered(key).await? else { return Ok(None) };
        if known.operation != entry.spec.name || known.input_hash != self.hash(checked) {
            return Err(OpError::KeyReused);
        }
        let sealed: Sealed = known.answer.parse()?;
        let text = self.keyring.open(answer_of(key), &sealed)?;
        serde_json::from_str(text.expose()).map(Some).map_err(OpError::Answer)
    }

    /// Who was refused what is kept too. A refusal that cannot be written down is still a refusal.
    async fn audit_refusal(&self, entry: &Entry, actor: &Actor, checked: &Checked, error: &OpError) {
        let written = async {
            let mut cx = self.cx(self.store.write().await?, actor);
            let detail = serde_json::json!({ "input": checked.kept, "why": error.reason().code });
            cx.audit(entry.spec.name, &checked.target, "refused", &detail).await?;
            cx.tx.commit().await.map_err(OpError::from)
        };
        if let Err(error) = written.await {
            warn!(error = chain(&error), "a refusal could not be written to the audit");
        }
    }

    /// Checks the audit chain from its beginning: the number of entries, or where it breaks.
    pub async fn verify_audit(&self) -> Result<Result<i64, crate::store::ChainFault>, StoreError> {
        let keyring = self.keyring.clone();
        let holds =
            move |parts: &[&[u8]], code: &str| unhex(code).is_some_and(|code| keyring.audit_verify(parts, &code));
        self.store.read().await?.verify_audit(holds).await
    }

    /// The answer as it is kept for a repetition: sealed, because an invite's code is in one.
    fn keep(&self, key: &str, answer: &Answer<Value>) -> Result<String, OpError> {
        let text = serde_json::to_string(answer).map_err(OpError::Answer)?;
        Ok(self.keyring.seal(answer_of(key), &Secret::new(text))?.to_string())
    }

    /// What tells one request's input from another's. A plain hash of a secret could be guessed at: that one is keyed.
    pub(super) fn hash(&self, checked: &Checked) -> String {
        let text = checked.input.to_string();
        if checked.kept == checked.input {
            return hex(&Sha256::digest(text.as_bytes()));
        }
        hex(&self.keyring.audit_mac(&[b"request", text.as_bytes()]))
    }
}

impl Cx {
    /// Whether the actor may ask for it at this moment, and has to be asked back.
    pub(super) async fn decide(&mut self, entry: &Entry) -> Result<Decision, OpError> {
        self.actor.role = self.role_now().await?;
        match decide(&self.actor, entry.spec.risk, entry.spec.lowest) {
            Decision::Refuse { needs } => {
                Err(OpError::Forbidden { who: self.actor.name.clone(), needs, has: self.actor.role })
            }
            decision => Ok(decision),
        }
    }

    /// What an operation would do now.
    pub(super) async fn plan_of(&mut self, entry: &Entry, input: &Value) -> Result<Plan, OpError> {
        match entry.reach {
            Reach::Plan => self.planned.clone().ok_or(OpError::NoPlan),
            Reach::Store | Reach::Run => (entry.plan)(self, input.clone()).await,
        }
    }

    /// The actor's role at this moment: what the door saw may have been taken away since.
    async fn role_now(&mut self) -> Result<Role, OpError> {
        let mut role = self.actor.role;
        if let Some(id) = self.actor.user {
            role = role.min(self.tx.user(id).await?.map_or(Role::Guest, |user| user.role));
        }
        if let Some(id) = self.actor.token {
            role = role.min(self.token_role(id).await?);
        }
        if self.actor.until.is_some_and(|end| end <= self.now) {
            role = Role::Guest;
        }
        Ok(role)
    }

    /// What a token may do at this moment.
    pub(super) async fn token_role(&mut self, id: TokenId) -> Result<Role, OpError> {
        Ok(self.tx.token(id).await?.map_or(Role::Guest, |token| token.role_at(self.now)))
    }

    /// Appends to the audit, in this transaction.
    pub async fn audit(&mut self, operation: &str, target: &str, outcome: &str, detail: &Value) -> Result<(), OpError> {
        let entry = AuditEntry {
            seq: 0,
            at: self.now,
            actor: self.actor.to_string(),
            operation: operation.to_owned(),
            target: target.to_owned(),
            outcome: outcome.to_owned(),
            detail: detail.to_string(),
        };
        let keyring = self.ops.keyring.clone();
        self.tx.append_audit(entry, move |parts| hex(&keyring.audit_mac(parts))).await?;
        Ok(())
    }
}

/// Writes the question down and shows it to everybody who may answer it. The same question asked again is the same.
async fn ask(cx: &mut Cx, entry: &Entry, checked: &Checked) -> Result<ApprovalId, OpError> {
    let plan = cx.plan_of(entry, &checked.input).await?;
    let plan_hash = plan.hash();
    if let Some(open) = cx.tx.approval_asked_for(&plan_hash).await?
        && open.expires_at > cx.now
    {
        return Ok(open.id);
    }
    // Who may ask only until then has their question answered only until then.
    let life = cx.now.plus(cx.ops.limits.approval_life);
    let approval = Approval {
        id: ApprovalId::new(),
        plan,
        plan_hash,
        requested_by: cx.actor.to_string(),
        requester: cx.actor.user,
        token: cx.actor.token,
        status: ApprovalStatus::Asked,
        asked_at: cx.now,
        expires_at: cx.actor.until.map_or(life, |until| until.min(life)),
        decided_by: None,
        decided_at: None,
        outcome: None,
        job: None,
        seal: None,
    };
    super::answer_approval::expire_overdue(cx).await?;
    cx.tx.add_approval(&approval).await?;
    for admin in cx.tx.users_from(Role::Admin).await? {
        let body = Body::Notice(Notice::ApprovalAsked { approval: approval.id });
        // A question with an hour-glass is never folded into a digest.
        let mail = Mail { chat: admin.telegram_id, key: approval_key(approval.id), level: Level::Reply, body };
        cx.tx.mail(&mail, cx.now).await?;
    }
    Ok(approval.id)
}

/// The outbox key of the messages that show an approval.
pub(super) fn approval_key(id: ApprovalId) -> String {
    format!("approval:{id}")
}

/// A key is its actor's own: another's request with the same key is another request. People may rename themselves.
fn key_of(actor: &Actor, key: &str) -> String {
    let id = actor.user.map(|id| id.to_string()).or(actor.token.map(|id| id.to_string()));
    // A name may have a colon in it, as a key may: quoted, the two cannot be told wrongly apart.
    let who = id.unwrap_or_else(|| format!("{:?}", actor.name));
    format!("{}:{who}:{key}", actor.kind)
}

fn answer_of(key: &str) -> Aad<'_> {
    Aad { table: "requests", row: key, column: "answer" }
}

/// Our own hex only: in another spelling of the same bytes the column was changed.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let bytes: Option<Vec<u8>> =
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect();
    bytes.filter(|bytes| hex(bytes) == text)
}
