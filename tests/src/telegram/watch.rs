//! Looking at what happened, and waiting for it.

use std::time::Duration;

use rackhand_core::clock::{Clock, SystemClock};

use super::{
    Answer, Call, Shown, Telegram, Violation,
    commands::scope_name,
    world::{Outcome, World},
};

/// What a test waited for did not come; this is what stood there instead.
#[derive(Debug, thiserror::Error)]
#[error("not seen within {waited:?}; instead:\n{seen}")]
pub struct TimedOut {
    waited: Duration,
    seen: String,
}

impl Telegram {
    /// The messages of a chat in their order, as they are shown now.
    pub fn transcript(&self, chat: i64) -> Vec<Shown> {
        self.shared.look(|world| messages(world, chat).to_vec())
    }

    /// All calls in their order.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.look(|world| world.calls.iter().cloned().collect())
    }

    /// The calls of one method (in any case) that were answered with 200.
    pub fn done(&self, method: &str) -> Vec<Call> {
        let method = method.to_lowercase();
        let done = |call: &Call| call.method == method && call.outcome == Outcome::Answered(200);
        self.calls().into_iter().filter(done).collect()
    }

    /// Calls that came although a 429 had asked to wait.
    pub fn violations(&self) -> Vec<Violation> {
        self.shared.look(|world| world.patience.violations.clone())
    }

    /// How many updates the bot has not acknowledged.
    pub fn unread(&self) -> usize {
        self.shared.look(|world| world.queue.unread())
    }

    /// What the bot answered to a press: `None` while it has not.
    pub fn answer_to(&self, press: &str) -> Option<Answer> {
        self.shared.look(|world| world.presses.get(press).cloned().flatten())
    }

    /// The presses that the bot left without an answer: their buttons still show a spinner.
    pub fn unanswered(&self) -> Vec<String> {
        self.shared.look(|world| {
            world.presses.iter().filter(|(_, answer)| answer.is_none()).map(|(id, _)| id.clone()).collect()
        })
    }

    /// The list of commands (name, description) set for everybody (`chat` is `None`) or one chat, in a language ("" is
    /// any).
    pub fn commands(&self, chat: Option<i64>, language: &str) -> Vec<(String, String)> {
        let key = (scope_name(chat.map_or("default", |_| "chat"), chat), language.to_owned());
        self.shared.look(|world| world.commands.get(&key).cloned().unwrap_or_default())
    }

    /// Waits until `found` finds something in a chat, at most for `deadline` by the machine's clock.
    pub async fn wait_for<T>(
        &self,
        chat: i64,
        deadline: Duration,
        found: impl Fn(&[Shown]) -> Option<T>,
    ) -> Result<T, TimedOut> {
        self.wait(deadline, |world| found(messages(world, chat)), |world| listing(messages(world, chat))).await
    }

    /// Waits until the bot answered a press.
    pub async fn wait_for_answer(&self, press: &str, deadline: Duration) -> Result<Answer, TimedOut> {
        let seen = |_: &World| format!("no answer to press {press}");
        self.wait(deadline, |world| world.presses.get(press).cloned().flatten(), seen).await
    }

    /// Waits until `found` finds something among the calls.
    pub async fn wait_for_call<T>(
        &self,
        deadline: Duration,
        found: impl Fn(&Call) -> Option<T>,
    ) -> Result<T, TimedOut> {
        let seen = |world: &World| {
            let last = world.calls.iter().rev().take(10).rev();
            last.map(|call| format!("{} {} {:?}", call.method, call.args, call.outcome)).collect::<Vec<_>>().join("\n")
        };
        self.wait(deadline, |world| world.calls.iter().find_map(&found), seen).await
    }

    async fn wait<T>(
        &self,
        deadline: Duration,
        found: impl Fn(&World) -> Option<T>,
        seen: impl Fn(&World) -> String,
    ) -> Result<T, TimedOut> {
        let mut over = SystemClock.sleep(deadline);
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(it) = self.shared.look(|world| found(world)) {
                return Ok(it);
            }
            tokio::select! {
                () = &mut changed => {}
                () = &mut over => {
                    return Err(TimedOut { waited: deadline, seen: self.shared.look(|world| seen(world)) });
                }
            }
        }
    }
}

fn messages(world: &World, chat: i64) -> &[Shown] {
    world.chats.by_id.get(&chat).map_or(&[], |chat| &chat.messages)
}

fn listing(messages: &[Shown]) -> String {
    let lines = messages.iter().map(|message| {
        let who = message.from.as_ref().map_or("bot", |person| &person.first_name);
        let buttons: Vec<&str> = message.buttons.iter().flatten().map(|key| key.label.as_str()).collect();
        format!("#{} {who}: {} {buttons:?}", message.id, message.text)
    });
    lines.collect::<Vec<_>>().join("\n")
}
