//! Messages to people: written with what they tell about, sent by one leased sender.
//!
//! A row is one message in one chat. The same key again changes that message instead of adding another.

use sqlx::any::AnyRow;

use super::{StoreResult, Tx, row::Columns, row::json, users::expect_one};
use crate::{
    ids::NoticeId,
    model::{Body, Level, Outgoing},
    units::Timestamp,
};

/// A message to be written into the outbox.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The chat.
    pub chat: i64,
    /// Unique in the chat.
    pub key: String,
    /// How loud.
    pub level: Level,
    /// What it says.
    pub body: Body,
}

/// What came of sending one version of a message.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The row.
    pub id: NoticeId,
    /// The version that was sent.
    pub revision: i64,
    /// Telegram's number of the message.
    pub message_id: i64,
}

/// A chat that has something due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The chat.
    pub chat: i64,
    /// The rank of its most urgent message.
    pub rank: i64,
    /// When its oldest message was written.
    pub since: Timestamp,
}

/// In what order messages go out, smallest first; `$2` is the present moment. An edit lets every new message go first,
/// so that a picture that changes each second leaves room for them, but for ten seconds at most.
macro_rules! urgency {
    () => {
        "CASE WHEN message_id IS NOT NULL AND due_at > $2 - 10000 THEN rank + 10 ELSE rank END"
    };
}

/// Messages of the chat `$1` that were never sent and may be folded.
macro_rules! foldable {
    () => {
        "chat = $1 AND status = 'pending' AND sent_at IS NULL AND parts_sent = 0
             AND level IN ('error', 'warning', 'info') AND key NOT LIKE 'digest:%'"
    };
}

/// At most so many messages are folded at once.
const MOST_FOLDED: i64 = 1000;

impl Tx {
    /// Writes a message; one with the same key in the same chat is changed to it.
    pub async fn mail(&mut self, mail: &Mail, now: Timestamp) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO outbox (id, chat, key, level, rank, body, status, revision, sent_revision, attempts, due_at,
                 created_at)
             VALUES ($1, $2, $3, $4, $5, $6, 'pending', 1, 0, 0, $7, $7)
             ON CONFLICT (chat, key) DO UPDATE SET body = excluded.body, revision = outbox.revision + 1,
                 status = 'pending', level = excluded.level, rank = excluded.rank, parts_sent = 0, plain = 0,
                 attempts = CASE WHEN outbox.status = 'pending' THEN outbox.attempts ELSE 0 END",
        )
        .bind(NoticeId::new().to_string())
        .bind(mail.chat)
        .bind(mail.key.clone())
        .bind(mail.level.to_string())
        .bind(mail.level.rank())
        .bind(json(&mail.body)?)
        .bind(now.0)
        .execute(self.conn())
        .await?;
        self.poke_outbox = true;
        Ok(())
    }

    /// Writes a message unless one with this key was ever written in this chat: for what is told exactly once.
    pub async fn mail_once(&mut self, mail: &Mail, now: Timestamp) -> StoreResult<()> {
        let known = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM outbox WHERE chat = $1 AND key = $2")
            .bind(mail.chat)
            .bind(mail.key.clone())
            .fetch_one(self.conn())
            .await?;
        if known == 0 { self.mail(mail, now).await } else { Ok(()) }
    }

    /// Changes what a message that the chat shows says; where its row is gone, it gets a new one. Somebody pressed a
    /// button and waits for it, so it is due since ever and does not let others go first.
    pub async fn replace_message(
        &mut self,
        chat: i64,
        message_id: i64,
        body: &Body,
        now: Timestamp,
    ) -> StoreResult<()> {
        let done = sqlx::query(
            "UPDATE outbox SET body = $3, revision = revision + 1, status = 'pending', level = 'reply', rank = $4,
                 due_at = 0, parts_sent = 0, plain = 0
             WHERE chat = $1 AND message_id = $2",
        )
        .bind(chat)
        .bind(message_id)
        .bind(json(body)?)
        .bind(Level::Reply.rank())
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 0 {
            let key = format!("message:{message_id}");
            self.mail(&Mail { chat, key: key.clone(), level: Level::Reply, body: body.clone() }, now).await?;
            sqlx::query("UPDATE outbox SET message_id = $3, due_at = 0 WHERE chat = $1 AND key = $2")
                .bind(chat)
                .bind(key)
                .bind(message_id)
                .execute(self.conn())
                .await?;
        }
        self.poke_outbox = true;
        Ok(())
    }

    /// The thing that a key's messages show has changed: they are worded and sent anew.
    pub async fn touch_messages(&mut self, key: &str) -> StoreResult<()> {
        let done = sqlx::query(
            "UPDATE outbox SET revision = revision + 1, status = 'pending', parts_sent = 0, plain = 0
             WHERE key = $1 AND status IN ('pending', 'sent')",
        )
        .bind(key.to_owned())
        .execute(self.conn())
        .await?;
        self.poke_outbox |= done.rows_affected() > 0;
        Ok(())
    }

    /// Words and sends anew what one message that the chat shows is about, whatever that is.
    pub async fn touch_message(&mut self, chat: i64, message_id: i64) -> StoreResult<()> {
        let done = sqlx::query(
            "UPDATE outbox SET revision = revision + 1, status = 'pending'
             WHERE chat = $1 AND message_id = $2 AND status IN ('pending', 'sent')",
        )
        .bind(chat)
        .bind(message_id)
        .execute(self.conn())
        .await?;
        self.poke_outbox |= done.rows_affected() > 0;
        Ok(())
    }

    /// Shows a live message (again) at the end of the chat, where its reader is; the old place gets `instead`, so that
    /// one live message stays.
    pub async fn mail_below(&mut self, mail: &Mail, instead: &Body, now: Timestamp) -> StoreResult<()> {
        sqlx::query(
            "UPDATE outbox SET key = key || ':' || CAST(message_id AS TEXT), body = $3, revision = revision + 1,
                 status = 'pending', level = 'reply', rank = $4, due_at = $5
             WHERE chat = $1 AND key = $2 AND message_id IS NOT NULL",
        )
        .bind(mail.chat)
        .bind(mail.key.clone())
        .bind(json(instead)?)
        .bind(Level::Reply.rank())
        .bind(now.0)
        .execute(self.conn())
        .await?;
        self.mail(mail, now).await
    }

    /// Chats with something due that Telegram did not silence, the most urgent first.
    pub async fn chats_due(&mut self, now: Timestamp) -> StoreResult<Vec<Due>> {
        let rows = sqlx::query(concat!(
            "SELECT chat, MIN(",
            urgency!(),
            ") AS urgency, MIN(created_at) AS since FROM outbox o
             WHERE status = 'pending' AND due_at <= $1
                 AND NOT EXISTS (SELECT 1 FROM chat_pauses p WHERE p.until_at > $1 AND (p.chat = o.chat OR p.chat = 0))
             GROUP BY chat ORDER BY 2, 3, 1"
        ))
        .bind(now.0)
        .bind(now.0)
        .fetch_all(self.conn())
        .await?;
        rows.iter().map(due).collect()
    }

    /// What a chat has due; none if there is nothing.
    pub async fn chat_due(&mut self, chat: i64, now: Timestamp) -> StoreResult<Option<Due>> {
        let row = sqlx::query(concat!(
            "SELECT chat, MIN(",
            urgency!(),
            ") AS urgency, MIN(created_at) AS since FROM outbox
             WHERE chat = $1 AND status = 'pending' AND due_at <= $2 GROUP BY chat"
        ))
        .bind(chat)
        .bind(now.0)
        .fetch_optional(self.conn())
        .await?;
        row.as_ref().map(due).transpose()
    }

    /// The next moment after `now` at which a message becomes due, or the silence of a chat that has one ends.
    pub async fn next_mail(&mut self, now: Timestamp) -> StoreResult<Option<Timestamp>> {
        let sql = "SELECT MIN(at) FROM (
                       SELECT CASE WHEN p.until_at > o.due_at THEN p.until_at ELSE o.due_at END AS at FROM outbox o
                       LEFT JOIN (SELECT chat, until_at FROM chat_pauses WHERE until_at > $1) p
                           ON p.chat = o.chat OR p.chat = 0
                       WHERE o.status = 'pending') moments
                   WHERE at > $1";
        Ok(sqlx::query_scalar::<_, Option<i64>>(sql).bind(now.0).fetch_one(self.conn()).await?.map(Timestamp))
    }

    /// The most urgent due message of a chat.
    pub async fn next_for(&mut self, chat: i64, now: Timestamp) -> StoreResult<Option<Outgoing>> {
        let row = sqlx::query(concat!(
            "SELECT * FROM outbox WHERE chat = $1 AND status = 'pending' AND due_at <= $2
             ORDER BY ",
            urgency!(),
            ", created_at, id LIMIT 1"
        ))
        .bind(chat)
        .bind(now.0)
        .fetch_optional(self.conn())
        .await?;
        row.as_ref().map(outgoing).transpose()
    }

    /// How many messages that could have been folded were sent to a chat after `since`, each counted once however often
    /// it was edited; digests are not counted.
    pub async fn spent_since(&mut self, chat: i64, since: Timestamp) -> StoreResult<i64> {
        let sql = "SELECT COUNT(*) FROM outbox WHERE chat = $1 AND sent_at > $2
                       AND level IN ('error', 'warning', 'info') AND key NOT LIKE 'digest:%'";
        Ok(sqlx::query_scalar(sql).bind(chat).bind(since.0).fetch_one(self.conn()).await?)
    }

    /// Takes the messages of a chat that were never sent and may be folded out of the row, and answers with them, oldest
    /// first; at most 1000.
    pub async fn fold(&mut self, chat: i64) -> StoreResult<Vec<Outgoing>> {
        let rows = sqlx::query(concat!(
            "UPDATE outbox SET status = 'folded' WHERE status = 'pending' AND id IN (
                 SELECT id FROM outbox WHERE ",
            foldable!(),
            " ORDER BY created_at, id LIMIT $2)
             RETURNING *"
        ))
        .bind(chat)
        .bind(MOST_FOLDED)
        .fetch_all(self.conn())
        .await?;
        let mut folded: Vec<Outgoing> = rows.iter().map(outgoing).collect::<StoreResult<_>>()?;
        folded.sort_by_key(|message| (message.created_at, message.id.to_string()));
        Ok(folded)
    }

    /// The body of a message by its key.
    pub async fn mail_body(&mut self, chat: i64, key: &str) -> StoreResult<Option<Body>> {
        let row = sqlx::query("SELECT body FROM outbox WHERE chat = $1 AND key = $2")
            .bind(chat)
            .bind(key.to_owned())
            .fetch_optional(self.conn())
            .await?;
        row.map(|row| row.json("body")).transpose()
    }

    /// A version of a message reached the chat. If a newer version is wanted meanwhile, it stays due, not before `next`.
    pub async fn mail_sent(&mut self, sent: &Sent, next: Timestamp, now: Timestamp) -> StoreResult<()> {
        let done = sqlx::query(
            "UPDATE outbox SET sent_revision = $2, message_id = $3, sent_at = COALESCE(sent_at, $4), attempts = 0,
                 parts_sent = 0, plain = 0, error = NULL, due_at = $5, status = CASE WHEN revision > $2 THEN 'pending' ELSE 'sent' END
             WHERE id = $1",
        )
        .bind(sent.id.to_string())
        .bind(sent.revision)
        .bind(sent.message_id)
        .bind(now.0)
        .bind(next.0)
        .execute(self.conn())
        .await?;
        expect_one(done.rows_affected(), "the message")
    }

    /// So many messages of a version that is too long for one are sent; a newer version begins anew.
    pub async fn mail_part_sent(&mut self, id: NoticeId, revision: i64, parts: i64) -> StoreResult<()> {
        sqlx::query("UPDATE outbox SET parts_sent = $3, attempts = 0 WHERE id = $1 AND revision = $2")
            .bind(id.to_string())
            .bind(revision)
            .bind(parts)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Telegram refused this version's markup: the next try sends it as plain text.
    pub async fn mail_as_plain(&mut self, id: NoticeId, revision: i64, error: &str) -> StoreResult<()> {
        sqlx::query("UPDATE outbox SET plain = 1, error = $3 WHERE id = $1 AND revision = $2")
            .bind(id.to_string())
            .bind(revision)
            .bind(short(error))
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Sending failed for now: tried again at `due`.
    pub async fn mail_postponed(&mut self, id: NoticeId, due: Timestamp, error: &str) -> StoreResult<()> {
        sqlx::query("UPDATE outbox SET attempts = attempts + 1, due_at = $2, error = $3 WHERE id = $1")
            .bind(id.to_string())
            .bind(due.0)
            .bind(short(error))
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// The message in the chat is gone: the next try sends it anew.
    pub async fn mail_unsent(&mut self, id: NoticeId) -> StoreResult<()> {
        sqlx::query("UPDATE outbox SET message_id = NULL, parts_sent = 0, plain = 0 WHERE id = $1")
            .bind(id.to_string())
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// It can never be delivered: they blocked the bot, or Telegram refuses the text.
    pub async fn mail_undeliverable(&mut self, id: NoticeId, error: &str) -> StoreResult<()> {
        sqlx::query("UPDATE outbox SET status = 'undeliverable', error = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(short(error))
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// This chat cannot be written to: nothing that waits for it is delivered. A person is marked, and is written to again
    /// once they write themselves.
    pub async fn chat_closed(&mut self, chat: i64, error: &str) -> StoreResult<()> {
        sqlx::query("UPDATE outbox SET status = 'undeliverable', error = $2 WHERE chat = $1 AND status = 'pending'")
            .bind(chat)
            .bind(short(error))
            .execute(self.conn())
            .await?;
        self.mark_blocked(chat).await
    }

    /// A group became another chat: what waits for it goes there, as new messages. What is there already under the same
    /// key stays, and the old one is given up.
    pub async fn chat_moved(&mut self, from: i64, to: i64) -> StoreResult<()> {
        sqlx::query(
            "UPDATE outbox SET chat = $2, message_id = NULL, parts_sent = 0 WHERE chat = $1 AND status = 'pending'
                 AND NOT EXISTS (SELECT 1 FROM outbox there WHERE there.chat = $2 AND there.key = outbox.key)",
        )
        .bind(from)
        .bind(to)
        .execute(self.conn())
        .await?;
        self.poke_outbox = true;
        self.chat_closed(from, "the group is another chat now").await
    }

    /// Telegram asked for silence toward a chat (or, as chat 0, toward all) until then; every replica keeps to it.
    pub async fn pause_chat(&mut self, chat: i64, until: Timestamp) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO chat_pauses (chat, until_at) VALUES ($1, $2)
             ON CONFLICT (chat) DO UPDATE SET until_at = excluded.until_at WHERE excluded.until_at > chat_pauses.until_at",
        )
        .bind(chat)
        .bind(until.0)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Forgets messages that nothing was to be sent of since `before`; at most `limit`. The message that follows a job
    /// stays as long as the job has not ended: a person may send one on that was parked long ago. How many were forgotten.
    pub async fn forget_mail(&mut self, before: Timestamp, limit: i64) -> StoreResult<u64> {
        let done = sqlx::query(
            "DELETE FROM outbox WHERE status <> 'pending' AND id IN (
                 SELECT o.id FROM outbox o
                 WHERE o.status IN ('sent', 'folded', 'undeliverable') AND o.created_at < $1 AND o.due_at < $1
                     AND NOT EXISTS (SELECT 1 FROM jobs j WHERE o.key LIKE 'job:%' AND j.id = substr(o.key, 5)
                         AND j.status IN ('queued', 'running', 'waiting', 'parked'))
                 ORDER BY o.created_at, o.id LIMIT $2)",
        )
        .bind(before.0)
        .bind(limit)
        .execute(self.conn())
        .await?;
        Ok(done.rows_affected())
    }

    /// How many messages wait, and since when the oldest does.
    pub async fn outbox_depth(&mut self) -> StoreResult<(i64, Option<Timestamp>)> {
        let row = sqlx::query("SELECT COUNT(*) AS n, MIN(created_at) AS since FROM outbox WHERE status = 'pending'")
            .fetch_one(self.conn())
            .await?;
        Ok((row.int("n")?, row.maybe_time("since")?))
    }
}

/// What is kept of an error's words.
fn short(error: &str) -> String {
    error.chars().take(300).collect()
}

fn due(row: &AnyRow) -> StoreResult<Due> {
    Ok(Due { chat: row.int("chat")?, rank: row.int("urgency")?, since: row.time("since")? })
}

fn outgoing(row: &AnyRow) -> StoreResult<Outgoing> {
    Ok(Outgoing {
        id: row.parsed("id")?,
        chat: row.int("chat")?,
        key: row.text("key")?,
        level: row.parsed("level")?,
        body: row.json("body")?,
        revision: row.int("revision")?,
        parts_sent: row.int("parts_sent")?,
        plain: row.flag("plain")?,
        message_id: row.maybe_int("message_id")?,
        sent_at: row.maybe_time("sent_at")?,
        attempts: row.int("attempts")?,
        created_at: row.time("created_at")?,
    })
}
