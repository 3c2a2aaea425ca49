//! Incidents: one open for each (server, kind).

use sqlx::any::AnyRow;
use uuid::Uuid;

use super::{Slice, StoreResult, Tx, row::Columns};
use crate::{
    ids::ServerId,
    model::{EventBody, Incident, IncidentKind},
    units::Timestamp,
};

/// Which incidents.
#[derive(Clone, Copy, Debug, Default)]
pub struct IncidentFilter {
    /// Only those of this server.
    pub server: Option<ServerId>,
    /// Only those that are not over.
    pub open: bool,
}

impl Tx {
    /// Opens an incident, or finds the open one of this kind; returns it and whether it is new.
    pub async fn open_incident(
        &mut self,
        server: Option<ServerId>,
        kind: IncidentKind,
        details: &str,
        now: Timestamp,
    ) -> StoreResult<(Incident, bool)> {
        let done = sqlx::query(
            "INSERT INTO incidents (id, server, kind, status, details, detected_at)
             VALUES ($1, $2, $3, 'detected', $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(Uuid::now_v7().to_string())
        .bind(server.map(|id| id.to_string()))
        .bind(kind.to_string())
        .bind(details.chars().take(1_000).collect::<String>())
        .bind(now.0)
        .execute(self.conn())
        .await?;
        let row = sqlx::query(
            "SELECT * FROM incidents WHERE COALESCE(server, '') = $1 AND kind = $2 AND status <> 'resolved'",
        )
        .bind(server.map(|id| id.to_string()).unwrap_or_default())
        .bind(kind.to_string())
        .fetch_one(self.conn())
        .await?;
        let (incident, new) = (incident(&row)?, done.rows_affected() == 1);
        if new {
            self.tell(&incident.id, &EventBody::from(&incident), now).await?;
        }
        Ok((incident, new))
    }

    /// Ends the open incident of this kind; none when there was none.
    pub async fn resolve_incident(
        &mut self,
        server: Option<ServerId>,
        kind: IncidentKind,
        now: Timestamp,
    ) -> StoreResult<Option<Incident>> {
        let row = sqlx::query(
            "UPDATE incidents SET status = 'resolved', resolved_at = $3
             WHERE COALESCE(server, '') = $1 AND kind = $2 AND status <> 'resolved' RETURNING *",
        )
        .bind(server.map(|id| id.to_string()).unwrap_or_default())
        .bind(kind.to_string())
        .bind(now.0)
        .fetch_optional(self.conn())
        .await?;
        let over = row.as_ref().map(incident).transpose()?;
        if let Some(incident) = &over {
            self.tell(&incident.id, &EventBody::from(incident), now).await?;
        }
        Ok(over)
    }

    /// An incident by id.
    pub async fn incident(&mut self, id: &str) -> StoreResult<Option<Incident>> {
        let row = sqlx::query("SELECT * FROM incidents WHERE id = $1").bind(id.to_owned());
        row.fetch_optional(self.conn()).await?.as_ref().map(incident).transpose()
    }

    /// Incidents, newest first.
    pub async fn incidents(&mut self, filter: &IncidentFilter, slice: &Slice) -> StoreResult<Vec<Incident>> {
        let rows = sqlx::query(
            "SELECT * FROM incidents WHERE ($1 = '' OR server = $1) AND ($2 = 0 OR status <> 'resolved')
                 AND ($5 = '' OR id < $5)
             ORDER BY id DESC LIMIT $4 OFFSET $3",
        )
        .bind(filter.server.map(|id| id.to_string()).unwrap_or_default())
        .bind(i64::from(filter.open))
        .bind(slice.offset)
        .bind(slice.limit)
        .bind(slice.after.clone())
        .fetch_all(self.conn())
        .await?;
        rows.iter().map(incident).collect()
    }

    /// Incidents that are not over, oldest first; at most 100.
    pub async fn open_incidents(&mut self) -> StoreResult<Vec<Incident>> {
        let rows = sqlx::query("SELECT * FROM incidents WHERE status <> 'resolved' ORDER BY detected_at, id LIMIT 100")
            .fetch_all(self.conn())
            .await?;
        rows.iter().map(incident).collect()
    }
}

fn incident(row: &AnyRow) -> StoreResult<Incident> {
    Ok(Incident {
        id: row.text("id")?,
        server: row.maybe_parsed("server")?,
        kind: row.parsed("kind")?,
        status: row.parsed("status")?,
        details: row.text("details")?,
        detected_at: row.time("detected_at")?,
        resolved_at: row.maybe_time("resolved_at")?,
    })
}
