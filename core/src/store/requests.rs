//! What was asked before: requests with a key, and Telegram's updates.

use super::{StoreResult, Tx, row::Columns};
use crate::units::Timestamp;

/// An earlier request with the same key.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// The operation that it was for.
    pub operation: String,
    /// The hash of its input.
    pub input_hash: String,
    /// What was answered, as JSON text.
    pub answer: String,
}

impl Tx {
    /// The earlier request with this key.
    pub async fn remembered(&mut self, key: &str) -> StoreResult<Option<Remembered>> {
        let row = sqlx::query("SELECT operation, input_hash, answer FROM requests WHERE key = $1")
            .bind(key.to_owned())
            .fetch_optional(self.conn())
            .await?;
        row.map(|row| {
            Ok(Remembered {
                operation: row.text("operation")?,
                input_hash: row.text("input_hash")?,
                answer: row.text("answer")?,
            })
        })
        .transpose()
    }

    /// Remembers a request and its answer.
    ///
    /// # Errors
    /// `Taken` when the same key was written meanwhile.
    pub async fn remember(&mut self, key: &str, request: &Remembered, now: Timestamp) -> StoreResult<()> {
        sqlx::query("INSERT INTO requests (key, operation, input_hash, answer, at) VALUES ($1, $2, $3, $4, $5)")
            .bind(key.to_owned())
            .bind(request.operation.clone())
            .bind(request.input_hash.clone())
            .bind(request.answer.clone())
            .bind(now.0)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Notes an update of Telegram's with what it caused; false when it was handled before.
    pub async fn note_update(&mut self, update_id: i64, caused: &str, now: Timestamp) -> StoreResult<bool> {
        let done = sqlx::query(
            "INSERT INTO updates (update_id, at, caused) VALUES ($1, $2, $3) ON CONFLICT (update_id) DO NOTHING",
        )
        .bind(update_id)
        .bind(now.0)
        .bind(caused.chars().take(200).collect::<String>())
        .execute(self.conn())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Whether an update of Telegram's was handled before.
    pub async fn is_noted(&mut self, update_id: i64) -> StoreResult<bool> {
        let sql = "SELECT COUNT(*) FROM updates WHERE update_id = $1";
        Ok(sqlx::query_scalar::<_, i64>(sql).bind(update_id).fetch_one(self.conn()).await? > 0)
    }

    /// The newest update that was handled.
    pub async fn last_update(&mut self) -> StoreResult<Option<i64>> {
        Ok(sqlx::query_scalar("SELECT MAX(update_id) FROM updates").fetch_one(self.conn()).await?)
    }

    /// Forgets requests and updates from before `before`.
    pub async fn forget_requests(&mut self, before: Timestamp) -> StoreResult<()> {
        sqlx::query("DELETE FROM requests WHERE at < $1").bind(before.0).execute(self.conn()).await?;
        sqlx::query("DELETE FROM updates WHERE at < $1 AND update_id < (SELECT MAX(update_id) FROM updates)")
            .bind(before.0)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
