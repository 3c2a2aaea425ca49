//! When each provider last answered, and last did not, as whoever asks it regularly found it.

use sqlx::any::AnyRow;

use super::{StoreResult, Tx, row::Columns};
use crate::units::Timestamp;

/// What is known of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Its name: `time4vps`, `ironic`.
    pub provider: String,
    /// When it last gave a good answer.
    pub answered_at: Option<Timestamp>,
    /// When it last gave none.
    pub failed_at: Option<Timestamp>,
    /// Since when it has given none; nothing while it answers.
    pub away_since: Option<Timestamp>,
}

impl Tx {
    /// Notes that a provider gave a good answer.
    pub async fn note_answer(&mut self, provider: &str, now: Timestamp) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO contacts (provider, answered_at) VALUES ($1, $2)
             ON CONFLICT (provider) DO UPDATE SET answered_at = excluded.answered_at, away_since = NULL",
        )
        .bind(provider.to_owned())
        .bind(now.0)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Notes that a provider gave none.
    pub async fn note_failure(&mut self, provider: &str, now: Timestamp) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO contacts (provider, failed_at, away_since) VALUES ($1, $2, $2)
             ON CONFLICT (provider) DO UPDATE SET failed_at = excluded.failed_at,
                 away_since = COALESCE(contacts.away_since, excluded.away_since)",
        )
        .bind(provider.to_owned())
        .bind(now.0)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Every provider that was asked, by name.
    pub async fn contacts(&mut self) -> StoreResult<Vec<Contact>> {
        let rows = sqlx::query("SELECT * FROM contacts ORDER BY provider").fetch_all(self.conn()).await?;
        rows.iter().map(contact).collect()
    }

    /// Forgets providers that nobody has asked since: they are configured no more.
    pub async fn forget_contacts(&mut self, before: Timestamp) -> StoreResult<()> {
        sqlx::query("DELETE FROM contacts WHERE COALESCE(answered_at, 0) < $1 AND COALESCE(failed_at, 0) < $1")
            .bind(before.0)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}

fn contact(row: &AnyRow) -> StoreResult<Contact> {
    Ok(Contact {
        provider: row.text("provider")?,
        answered_at: row.maybe_time("answered_at")?,
        failed_at: row.maybe_time("failed_at")?,
        away_since: row.maybe_time("away_since")?,
    })
}
