//! Roles that only one replica may have at a time: poller, sender, reconcilers.

use std::time::Duration;

use super::{StoreError, StoreResult, Tx, row::Columns};
use crate::units::millis;

/// A role that is held, and the proof of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Which role.
    pub role: String,
    /// The fencing token: grows each time that the role changes hands.
    pub epoch: i64,
}

impl Tx {
    /// Takes a role that is free, or prolongs it where `owner` holds it; none while somebody else does.
    pub async fn take_lease(&mut self, role: &str, owner: &str, span: Duration) -> StoreResult<Option<Lease>> {
        let now = self.db_now().await?;
        let epoch = sqlx::query_scalar::<_, i64>(
            "INSERT INTO leases (role, owner, epoch, until_at) VALUES ($1, $2, 1, $3)
             ON CONFLICT (role) DO UPDATE SET owner = excluded.owner, until_at = excluded.until_at,
                 epoch = leases.epoch + CASE WHEN leases.owner = excluded.owner AND leases.until_at >= $4 THEN 0 ELSE 1 END
             WHERE leases.until_at < $4 OR leases.owner = excluded.owner
             RETURNING epoch",
        )
        .bind(role.to_owned())
        .bind(owner.to_owned())
        .bind(now.saturating_add(millis(span)))
        .bind(now)
        .fetch_optional(self.conn())
        .await?;
        Ok(epoch.map(|epoch| Lease { role: role.to_owned(), epoch }))
    }

    /// Every role that somebody ever held, by name, and whether somebody holds it now.
    pub async fn leases(&mut self) -> StoreResult<Vec<(String, bool)>> {
        let now = self.db_now().await?;
        let rows = sqlx::query("SELECT role, until_at FROM leases ORDER BY role").fetch_all(self.conn()).await?;
        rows.iter().map(|row| Ok((row.text("role")?, row.int("until_at")? >= now))).collect()
    }

    /// Proves that a role is still held, and holds its row until the transaction ends.
    pub async fn fence_lease(&mut self, lease: &Lease) -> StoreResult<()> {
        let done = sqlx::query("UPDATE leases SET epoch = epoch WHERE role = $1 AND epoch = $2")
            .bind(lease.role.clone())
            .bind(lease.epoch)
            .execute(self.conn())
            .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::LeaseLost(lease.role.clone())) }
    }

    /// Gives a role back, so that another replica need not wait for its end.
    pub async fn drop_lease(&mut self, lease: &Lease) -> StoreResult<()> {
        sqlx::query("UPDATE leases SET until_at = 0 WHERE role = $1 AND epoch = $2")
            .bind(lease.role.clone())
            .bind(lease.epoch)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
