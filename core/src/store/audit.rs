//! The audit chain: append-only, each row's code covers the row and the code before it.
//!
//! The head, too, has a code: who cuts the chain short would have to forge it. What this cannot see is the whole table,
//! head and all, put back to an earlier copy of itself.

use sqlx::any::AnyRow;

use super::{Slice, StoreResult, Tx, row::Columns};
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

/// Which entries to list.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only those of this operation.
    pub operation: Option<String>,
    /// Only those about this.
    pub target: Option<String>,
    /// Only those whose actor has these words in a row: the whole of `token ci`, or a part.
    pub actor: Option<String>,
}

impl Tx {
    /// Appends an entry; `mac` makes the code over parts, each with its borders. Holds the chain's head until the
    /// transaction ends, so that entries are written one after another.
    pub async fn append_audit(
        &mut self,
        mut entry: AuditEntry,
        mac: impl Fn(&[&[u8]]) -> String + Send,
    ) -> StoreResult<AuditEntry> {
        let head = sqlx::query("UPDATE audit_head SET seq = seq + 1 WHERE id = 1 RETURNING seq, mac")
            .fetch_one(self.conn())
            .await?;
        entry.seq = head.int("seq")?;
        let code = mac(&[head.text("mac")?.as_bytes(), &entry.canonical()]);
        let seal = mac(&[HEAD, entry.seq.to_string().as_bytes(), code.as_bytes()]);
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
        sqlx::query("UPDATE audit_head SET mac = $1, seal = $2 WHERE id = 1")
            .bind(code)
            .bind(seal)
            .execute(self.conn())
            .await?;
        Ok(entry)
    }

    /// The code that tells which master key this database was written with; none before the first.
    pub async fn key_check(&mut self) -> StoreResult<Option<String>> {
        Ok(sqlx::query_scalar("SELECT mac FROM key_check WHERE id = 1").fetch_optional(self.conn()).await?)
    }

    /// Writes that code where there is none, and returns the one that is there then, held until the transaction ends.
    pub async fn first_key_check(&mut self, mac: &str) -> StoreResult<String> {
        let sql = "INSERT INTO key_check (id, mac) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET mac = key_check.mac
                   RETURNING mac";
        Ok(sqlx::query_scalar(sql).bind(mac.to_owned()).fetch_one(self.conn()).await?)
    }

    /// Replaces that code, after the master key was rotated.
    pub async fn set_key_check(&mut self, mac: &str) -> StoreResult<()> {
        let done =
            sqlx::query("UPDATE key_check SET mac = $1 WHERE id = 1").bind(mac.to_owned()).execute(self.conn()).await?;
        super::users::expect_one(done.rows_affected(), "the key check")
    }

    /// Entries after `after`, oldest first; at most `limit`.
    pub async fn audit(&mut self, after: i64, limit: i64) -> StoreResult<Vec<AuditEntry>> {
        let rows = self.audit_rows(after, limit).await?;
        rows.iter().map(entry).collect()
    }

    /// Entries from before `before`, newest first.
    pub async fn audit_newest_first(
        &mut self,
        before: i64,
        filter: &AuditFilter,
        slice: &Slice,
    ) -> StoreResult<Vec<AuditEntry>> {
        let rows = sqlx::query(
            "SELECT * FROM audit WHERE seq < $3 AND ($4 = '' OR operation = $4) AND ($5 = '' OR target = $5)
                 AND ($6 = '' OR replace(' ' || actor || ' ', $6, '') <> ' ' || actor || ' ')
             ORDER BY seq DESC LIMIT $2 OFFSET $1",
        )
        .bind(slice.offset)
        .bind(slice.limit)
        .bind(before)
        .bind(filter.operation.clone().unwrap_or_default())
        .bind(filter.target.clone().unwrap_or_default())
        .bind(
            filter
                .actor
                .as_ref()
                .filter(|actor| !actor.is_empty())
                .map(|actor| format!(" {actor} "))
                .unwrap_or_default(),
        )
        .fetch_all(self.conn())
        .await?;
        rows.iter().map(entry).collect()
    }

    /// Walks the whole chain; `holds` says whether a code is that of the parts. Returns the number of entries, or where
    /// it first breaks.
    pub async fn verify_audit(
        &mut self,
        holds: impl Fn(&[&[u8]], &str) -> bool + Send + Sync,
    ) -> StoreResult<Result<i64, ChainFault>> {
        let head =
            sqlx::query("SELECT seq, mac, seal FROM audit_head WHERE id = 1").fetch_optional(self.conn()).await?;
        let Some(head) = head else { return Ok(Err(ChainFault { seq: 0, what: "the chain's head is missing" })) };
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
                let before = std::mem::replace(&mut code, row.text("mac")?);
                if !holds(&[before.as_bytes(), &entry.canonical()], &code) {
                    return Ok(Err(ChainFault { seq, what: "was changed, or the key is another one" }));
                }
            }
        }
        if (seq, &code) != (last, &last_code) {
            return Ok(Err(ChainFault { seq: seq + 1, what: "is missing at the end" }));
        }
        let sealed = holds(&[HEAD, last.to_string().as_bytes(), code.as_bytes()], &head.text("seal")?);
        if !(sealed || last == 0 && self.nobody_has_a_role().await?) {
            return Ok(Err(ChainFault { seq: seq + 1, what: "is missing at the end: the head was set back" }));
        }
        Ok(Ok(seq))
    }

    /// A role is given by an operation, and that is recorded: with an empty record there can be none.
    async fn nobody_has_a_role(&mut self) -> StoreResult<bool> {
        let sql = "SELECT COUNT(*) FROM users WHERE role <> 'guest'";
        Ok(sqlx::query_scalar::<_, i64>(sql).fetch_one(self.conn()).await? == 0)
    }

    async fn audit_rows(&mut self, after: i64, limit: i64) -> StoreResult<Vec<AnyRow>> {
        let sql = "SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2";
        Ok(sqlx::query(sql).bind(after).bind(limit).fetch_all(self.conn()).await?)
    }
}

/// What the head's code begins with, so that no row's code can stand in for it.
const HEAD: &[u8] = b"head";

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
