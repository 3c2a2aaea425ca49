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
}

impl Tx {
    /// Writes a message; one with the same key in the same chat is changed to it.
    pub async fn mail(&mut self, mail: &Mail, now: Timestamp) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO outbox (id, chat, key, level, rank, body, status, revision, sent_revision, attempts, due_at,
                 created_at)
             VALUES ($1, $2, $3, $4, $5, $6, 'pending', 1, 0, 0, $7, $7)
             ON CONFLICT (chat, key) DO UPDATE SET body = excluded.body, revision = outbox.revision + 1,
                 status = 'pending', level = excluded.level, rank = excluded.rank",
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

    /// Changes what a message that the chat shows says; where its row is gone, it gets a new one.
    pub async fn replace_message(
        &mut self,
        chat: i64,
        message_id: i64,
        body: &Body,
        now: Timestamp,
    ) -> StoreResult<()> {
        let done = sqlx::query(
            "UPDATE outbox SET body = $3, revision = revision + 1, status = 'pending', level = 'reply', rank = $4,
                 due_at = $5
             WHERE chat = $1 AND message_id = $2",
        )
        .bind(chat)
        .bind(message_id)
        .bind(json(body)?)
        .bind(Level::Reply.rank())
        .bind(now.0)
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 0 {
            let key = format!("message:{message_id}");
            self.mail(&Mail { chat, key: key.clone(), level: Level::Reply, body: body.clone() }, now).await?;
            sqlx::query("UPDATE outbox SET message_id = $3 WHERE chat = $1 AND key = $2")
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
            "UPDATE outbox SET revision = revision + 1, status = 'pending'
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
        let rows = sqlx::query(
            "SELECT chat, MIN(rank) AS rank, MIN(created_at) AS since FROM outbox o
             WHERE status = 'pending' AND due_at <= $1
                 AND NOT EXISTS (SELECT 1 FROM chat_pauses p WHERE p.until_at > $1 AND (p.chat = o.chat OR p.chat = 0))
             GROUP BY chat ORDER BY 2, 3",
        )
        .bind(now.0)
        .fetch_all(self.conn())
        .await?;
        rows.iter().map(|row| Ok(Due { chat: row.int("chat")?, rank: row.int("rank")? })).collect()
    }

    /// When something that is not due yet, or whose chat is silenced, will be.
    pub async fn next_mail(&mut self, now: Timestamp) -> StoreResult<Option<Timestamp>> {
        let sql = "SELECT MIN(CASE WHEN p.until_at > o.due_at THEN p.until_at ELSE o.due_at END) FROM outbox o
                   LEFT JOIN (SELECT chat, until_at FROM chat_pauses WHERE until_at > $1) p
                       ON p.chat = o.chat OR p.chat = 0
                   WHERE o.status = 'pending'";
        Ok(sqlx::query_scalar::<_, Option<i64>>(sql).bind(now.0).fetch_one(self.conn()).await?.map(Timestamp))
    }

    /// The most urgent due message of a chat.
    pub async fn next_for(&mut self, chat: i64, now: Timestamp) -> StoreResult<Option<Outgoing>> {
        let row = sqlx::query(
            "SELECT * FROM outbox WHERE chat = $1 AND status = 'pending' AND due_at <= $2
             ORDER BY rank, created_at, id LIMIT 1",
        )
        .bind(chat)
        .bind(now.0)
        .fetch_optional(self.conn())
        .await?;
        row.as_ref().map(outgoing).transpose()
    }

    /// How many new foldable messages were sent to a chat since `since`.
    pub async fn spent_since(&mut self, chat: i64, since: Timestamp) -> StoreResult<i64> {
        let sql = "SELECT COUNT(*) FROM outbox
                   WHERE chat = $1 AND sent_at > $2 AND level IN ('error', 'warning', 'info')";
        Ok(sqlx::query_scalar(sql).bind(chat).bind(since.0).fetch_one(self.conn()).await?)
    }

    /// Messages of a chat that were never sent and may be folded, oldest first; at most 200.
    pub async fn foldable(&mut self, chat: i64) -> StoreResult<Vec<Outgoing>> {
        let rows = sqlx::query(
            "SELECT * FROM outbox WHERE chat = $1 AND status = 'pending' AND message_id IS NULL
                 AND level IN ('error', 'warning', 'info') AND key NOT LIKE 'digest:%'
             ORDER BY created_at, id LIMIT 200",
        )
        .bind(chat)
        .fetch_all(self.conn())
        .await?;
        rows.iter().map(outgoing).collect()
    }

    /// Marks messages as folded into a digest.
    pub async fn mark_folded(&mut self, ids: &[NoticeId]) -> StoreResult<()> {
        for id in ids {
            let done = sqlx::query("UPDATE outbox SET status = 'folded' WHERE id = $1 AND status = 'pending'")
                .bind(id.to_string())
                .execute(self.conn())
                .await?;
            expect_one(done.rows_affected(), "the message")?;
        }
        Ok(())
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
                 error = NULL, due_at = $5, status = CASE WHEN revision > $2 THEN 'pending' ELSE 'sent' END
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

    /// Sending failed for now: tried again at `due`.
    pub async fn mail_postponed(&mut self, id: NoticeId, due: Timestamp, error: &str) -> StoreResult<()> {
        sqlx::query("UPDATE outbox SET attempts = attempts + 1, due_at = $2, error = $3 WHERE id = $1")
            .bind(id.to_string())
            .bind(due.0)
            .bind(error.chars().take(300).collect::<String>())
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// The message in the chat is gone: the next try sends it anew.
    pub async fn mail_unsent(&mut self, id: NoticeId) -> StoreResult<()> {
        sqlx::query("UPDATE outbox SET message_id = NULL WHERE id = $1")
            .bind(id.to_string())
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// It can never be delivered: they blocked the bot, or Telegram refuses the text.
    pub async fn mail_undeliverable(&mut self, id: NoticeId, error: &str) -> StoreResult<()> {
        sqlx::query("UPDATE outbox SET status = 'undeliverable', error = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(error.chars().take(300).collect::<String>())
            .execute(self.conn())
            .await?;
        Ok(())
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

    /// How many messages wait, and since when the oldest does.
    pub async fn outbox_depth(&mut self) -> StoreResult<(i64, Option<Timestamp>)> {
        let row = sqlx::query("SELECT COUNT(*) AS n, MIN(created_at) AS since FROM outbox WHERE status = 'pending'")
            .fetch_one(self.conn())
            .await?;
        Ok((row.int("n")?, row.maybe_time("since")?))
    }
}

fn outgoing(row: &AnyRow) -> StoreResult<Outgoing> {
    Ok(Outgoing {
        id: row.parsed("id")?,
        chat: row.int("chat")?,
        key: row.text("key")?,
        level: row.parsed("level")?,
        body: row.json("body")?,
        revision: row.int("revision")?,
        message_id: row.maybe_int("message_id")?,
        attempts: row.int("attempts")?,
        created_at: row.time("created_at")?,
    })
}
