//! The audit chain: append-only, each row's code covers the row and the code before it.

use sqlx::any::AnyRow;

use super::{StoreError, StoreResult, Tx, row::Columns};
use crate::model::AuditEntry;

/// Where the chain is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("audit entry {seq}: {what}")]
pub struct ChainFault {
    /// The first entry that does not hold.
    pub seq: i64,
    /// What is wrong with it.
    pub what: &'static str,
}

impl Tx {
    /// Appends an entry; `mac` makes the code over (the code before, this entry's bytes). Holds the chain's head until
    /// the transaction ends, so that entries are written one after another.
    pub async fn append_audit(
        &mut self,
        mut entry: AuditEntry,
        mac: impl Fn(&str, &[u8]) -> String + Send,
    ) -> StoreResult<AuditEntry> {
        let head = sqlx::query("UPDATE audit_head SET seq = seq + 1 WHERE id = 1 RETURNING seq, mac")
            .fetch_one(self.conn())
            .await?;
        entry.seq = head.int("seq")?;
        let code = mac(&head.text("mac")?, &entry.canonical());
        sqlx::query(
            "INSERT INTO audit (seq, at, actor, operation, target, outcome, detail, mac)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(entry.seq)
        .bind(entry.at.0)
        .bind(entry.actor.clone())
        .bind(entry.operation.clone())
        .bind(entry.target.clone())
        .bind(entry.outcome.clone())
        .bind(entry.detail.clone())
        .bind(code.clone())
        .execute(self.conn())
        .await?;
        sqlx::query("UPDATE audit_head SET mac = $1 WHERE id = 1").bind(code).execute(self.conn()).await?;
        Ok(entry)
    }

    /// The number of the newest entry; 0 when there is none.
    pub async fn audit_newest(&mut self) -> StoreResult<i64> {
        Ok(sqlx::query_scalar("SELECT seq FROM audit_head WHERE id = 1").fetch_one(self.conn()).await?)
    }

    /// Entries after `after`, oldest first; at most `limit`.
    pub async fn audit(&mut self, after: i64, limit: i64) -> StoreResult<Vec<AuditEntry>> {
        let rows = self.audit_rows(after, limit).await?;
        rows.iter().map(entry).collect()
    }

    /// Walks the whole chain. Returns the number of entries, or where it first breaks.
    pub async fn verify_audit(
        &mut self,
        mac: impl Fn(&str, &[u8]) -> String + Send,
    ) -> StoreResult<Result<i64, ChainFault>> {
        let head = sqlx::query("SELECT seq, mac FROM audit_head WHERE id = 1").fetch_one(self.conn()).await?;
        let (last, last_code) = (head.int("seq")?, head.text("mac")?);
        let (mut seq, mut code) = (0, String::new());
        loop {
            let rows = self.audit_rows(seq, 500).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let entry = entry(row)?;
                if entry.seq != seq + 1 {
                    return Ok(Err(ChainFault { seq: seq + 1, what: "is missing" }));
                }
                seq = entry.seq;
                let expected = mac(&code, &entry.canonical());
                code = row.text("mac")?;
                if code != expected {
                    return Ok(Err(ChainFault { seq, what: "was changed, or the key is another one" }));
                }
            }
        }
        if (seq, &code) != (last, &last_code) {
            return Ok(Err(ChainFault { seq: seq + 1, what: "is missing at the end" }));
        }
        Ok(Ok(seq))
    }

    async fn audit_rows(&mut self, after: i64, limit: i64) -> Result<Vec<AnyRow>, StoreError> {
        let sql = "SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2";
        Ok(sqlx::query(sql).bind(after).bind(limit).fetch_all(self.conn()).await?)
    }
}

fn entry(row: &AnyRow) -> StoreResult<AuditEntry> {
    Ok(AuditEntry {
        seq: row.int("seq")?,
        at: row.time("at")?,
        actor: row.text("actor")?,
        operation: row.text("operation")?,
        target: row.text("target")?,
        outcome: row.text("outcome")?,
        detail: row.text("detail")?,
    })
}
