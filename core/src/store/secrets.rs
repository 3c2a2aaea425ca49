//! Sealed secrets. This file never sees one in clear: the keyring seals and opens.

use super::{StoreResult, Tx};
use crate::{keyring::Aad, units::Timestamp};

impl Tx {
    /// Keeps a sealed secret, in place of an earlier one.
    pub async fn put_secret(&mut self, at: &Aad<'_>, sealed: &str, now: Timestamp) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO secrets (table_name, row_id, column_name, sealed, created_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (table_name, row_id, column_name)
             DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at",
        )
        .bind(at.table.to_owned())
        .bind(at.row.to_owned())
        .bind(at.column.to_owned())
        .bind(sealed.to_owned())
        .bind(now.0)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// A sealed secret.
    pub async fn secret(&mut self, at: &Aad<'_>) -> StoreResult<Option<String>> {
        let sql = "SELECT sealed FROM secrets WHERE table_name = $1 AND row_id = $2 AND column_name = $3";
        let sealed = sqlx::query_scalar(sql).bind(at.table.to_owned()).bind(at.row.to_owned());
        Ok(sealed.bind(at.column.to_owned()).fetch_optional(self.conn()).await?)
    }

    /// Whether any secret is kept at all.
    pub async fn any_secret(&mut self) -> StoreResult<bool> {
        let sql = "SELECT COUNT(*) FROM (SELECT 1 AS one FROM secrets LIMIT 1) kept";
        Ok(sqlx::query_scalar::<_, i64>(sql).fetch_one(self.conn()).await? > 0)
    }

    /// Forgets a secret; it need not be there.
    pub async fn forget_secret(&mut self, at: &Aad<'_>) -> StoreResult<()> {
        sqlx::query("DELETE FROM secrets WHERE table_name = $1 AND row_id = $2 AND column_name = $3")
            .bind(at.table.to_owned())
            .bind(at.row.to_owned())
            .bind(at.column.to_owned())
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
