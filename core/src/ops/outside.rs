//! Operations that call an outside system while they are asked for.
//!
//! No transaction is open while the outside is waited for: authority is decided before, in one of its own, and what came
//! of it is written in another one afterwards. What changes the outside is in the audit from its beginning, so that a
//! process that dies in the middle leaves a trace of it.

use std::time::Duration;

use serde_json::Value;

use super::{Answer, Cx, Entry, OpError, Ops, call::RACES, operation::Checked};
use crate::{
    model::{Actor, Risk},
    units::Timestamp,
};

/// How long the outside is waited for where it is only looked at: whoever asked is told then who keeps silent. Shorter
/// than any door waits.
pub const LOOK: Duration = Duration::from_secs(25);

/// What an operation has in its hands outside.
pub struct Outside {
    /// The operations with their clients and the clock.
    pub ops: Ops,
    /// Who asks.
    pub actor: Actor,
    /// What tells this request from every other one, of whoever else: the same again is the same request.
    pub key: Option<String>,
    /// What was asked for under this key, as a hash that gives no secret away.
    pub request: Option<String>,
    /// The moment of asking.
    pub now: Timestamp,
}

impl Ops {
    /// Plans outside, and then asks or does in one transaction.
    pub(super) async fn planned_outside(
        &self,
        entry: &Entry,
        actor: &Actor,
        checked: &Checked,
        key: Option<String>,
    ) -> Result<Answer<Value>, OpError> {
        if let Some(known) = self.gate(entry, actor, checked, key.as_deref()).await? {
            return Ok(known);
        }
        let outside = self.looking().outside(actor, checked, key.clone());
        let plan = (entry.plan_outside)(&outside, checked.input.clone()).await?;
        self.transacted(entry, actor, checked, key.as_deref(), plan.as_ref()).await
    }

    /// Does it outside, and then writes down what was done.
    pub(super) async fn done_outside(
        &self,
        entry: &'static Entry,
        actor: &Actor,
        checked: &Checked,
        key: Option<String>,
    ) -> Result<Answer<Value>, OpError> {
        if entry.spec.risk == Risk::Read {
            self.gate(entry, actor, checked, None).await?;
            let outside = self.looking().outside(actor, checked, key);
            return Ok(Answer::Done((entry.run_outside)(&outside, checked.input.clone()).await?));
        }
        if let Some(known) = self.begun(entry, actor, checked, key.as_deref()).await? {
            return Ok(known);
        }
        let outside = self.outside(actor, checked, key);
        let output = (entry.run_outside)(&outside, checked.input.clone()).await?;
        outside.written_down(entry, checked, output).await
    }

    /// Whether the actor may ask for it; and the answer, if it was given before.
    async fn gate(
        &self,
        entry: &Entry,
        actor: &Actor,
        checked: &Checked,
        key: Option<&str>,
    ) -> Result<Option<Answer<Value>>, OpError> {
        let tx = match entry.spec.risk {
            Risk::Read => self.store.glance().await?,
            Risk::Change | Risk::Destroy => self.store.read().await?,
        };
        let mut cx = self.cx(tx, actor);
        cx.decide(entry).await?;
        match entry.spec.risk {
            Risk::Read => Ok(None),
            Risk::Change | Risk::Destroy => self.known(&mut cx, entry, checked, key).await,
        }
    }

    /// The same for what changes the outside; that it begins is written down.
    async fn begun(
        &self,
        entry: &Entry,
        actor: &Actor,
        checked: &Checked,
        key: Option<&str>,
    ) -> Result<Option<Answer<Value>>, OpError> {
        let mut left = RACES;
        loop {
            let mut cx = self.cx(self.store.write().await?, actor);
            cx.decide(entry).await?;
            if let Some(known) = self.known(&mut cx, entry, checked, key).await? {
                return Ok(Some(known));
            }
            match cx.begins(entry, checked).await {
                Err(OpError::Store(error)) if left > 0 && error.is_race() => left -= 1,
                written => return written.map(|()| None),
            }
        }
    }

    /// The same for a look outside, which ends in time.
    fn looking(&self) -> Self {
        self.looking_for(LOOK)
    }

    /// The same for somebody who waits for the outside no longer than for `span` from now on.
    #[must_use]
    pub fn looking_for(&self, span: Duration) -> Self {
        Self { ironic: self.ironic.as_ref().map(|ironic| ironic.within(span)), ..self.clone() }
    }

    fn outside(&self, actor: &Actor, checked: &Checked, key: Option<String>) -> Outside {
        let request = key.is_some().then(|| self.hash(checked));
        Outside { ops: self.clone(), actor: actor.clone(), key, request, now: self.clock.now() }
    }
}

impl Outside {
    /// The audit row and the answer for a repetition. The same request that came at the same time, perhaps through another
    /// replica, may have written its answer first: then that is the answer.
    async fn written_down(&self, entry: &Entry, checked: &Checked, output: Value) -> Result<Answer<Value>, OpError> {
        let (ops, key) = (&self.ops, self.key.as_deref());
        let answer = Answer::Done(output);
        let mut left = RACES;
        loop {
            let mut cx = ops.cx(ops.store.write().await?, &self.actor);
            if let Some(known) = ops.known(&mut cx, entry, checked, key).await? {
                return Ok(known);
            }
            match ops.record(cx, entry, checked, key, answer.clone()).await {
                Err(OpError::Store(error)) if left > 0 && error.is_race() => left -= 1,
                written => return written,
            }
        }
    }
}

impl Cx {
    /// Writes down that it begins, and ends the transaction.
    async fn begins(mut self, entry: &Entry, checked: &Checked) -> Result<(), OpError> {
        self.audit(entry.spec.name, &checked.target, "begun", &checked.kept).await?;
        Ok(self.tx.commit().await?)
    }
}
