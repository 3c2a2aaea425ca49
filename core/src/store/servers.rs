//! Servers.

use std::collections::BTreeMap;

use sqlx::any::AnyRow;

use super::{
    Slice, StoreResult, Tx,
    row::{Columns, json},
    users::expect_one,
};
use crate::{
    ids::{ApprovalId, ServerId},
    model::{EventBody, NewServer, Server, Sighting},
    states::{Machine, ServerEvent, ServerStatus},
    units::Timestamp,
};

/// Which servers to list.
#[derive(Clone, Debug, Default)]
pub struct ServerFilter {
    /// Only those in this state.
    pub status: Option<ServerStatus>,
    /// Only those that are managed, or only those that are not.
    pub managed: Option<bool>,
    /// Only those with a label of this key, and of this value where there is one.
    pub label: Option<(String, Option<String>)>,
}

impl Tx {
    /// Adds a server that the provider lists and we did not know.
    pub async fn add_server(&mut self, new: &NewServer, now: Timestamp) -> StoreResult<Server> {
        let id = ServerId::new();
        let status = if new.managed { ServerStatus::PendingSetup } else { ServerStatus::Discovered };
        sqlx::query(
            "INSERT INTO servers (id, handle, provider, provider_id, address, label, size, os, status, managed,
                 created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8, $9, $10, $10)",
        )
        .bind(id.to_string())
        .bind(new.handle.clone())
        .bind(new.provider.clone())
        .bind(new.provider_id.clone())
        .bind(new.address.map(|address| address.to_string()))
        .bind(new.label.clone())
        .bind(new.size.clone())
        .bind(status.to_string())
        .bind(i64::from(new.managed))
        .bind(now.0)
        .execute(self.conn())
        .await?;
        self.poke_servers = true;
        self.told_server(id, now).await
    }

    /// A server by our id.
    pub async fn server(&mut self, id: ServerId) -> StoreResult<Option<Server>> {
        let row =
            sqlx::query("SELECT * FROM servers WHERE id = $1").bind(id.to_string()).fetch_optional(self.conn()).await?;
        row.as_ref().map(server).transpose()
    }

    /// A server that must be there, because a row of ours points at it.
    pub async fn require_server(&mut self, id: ServerId) -> StoreResult<Server> {
        let row =
            sqlx::query("SELECT * FROM servers WHERE id = $1").bind(id.to_string()).fetch_one(self.conn()).await?;
        server(&row)
    }

    /// A server by the name that people type.
    pub async fn server_by_handle(&mut self, handle: &str) -> StoreResult<Option<Server>> {
        let row =
            sqlx::query("SELECT * FROM servers WHERE handle = $1").bind(handle.to_owned()).fetch_optional(self.conn());
        row.await?.as_ref().map(server).transpose()
    }

    /// A server by the name that people type, held until the transaction ends: what is read of it here stays true while
    /// it is acted on.
    pub async fn hold_server(&mut self, handle: &str) -> StoreResult<Option<Server>> {
        let row = sqlx::query("UPDATE servers SET status = status WHERE handle = $1 RETURNING *");
        row.bind(handle.to_owned()).fetch_optional(self.conn()).await?.as_ref().map(server).transpose()
    }

    /// Servers by handle.
    pub async fn servers(&mut self, filter: &ServerFilter, slice: &Slice) -> StoreResult<Vec<Server>> {
        let label = filter.label.as_ref().map(|(key, value)| label_in_json(key, value.as_ref())).transpose()?;
        let rows = sqlx::query(
            "SELECT * FROM servers WHERE handle > $3 AND ($4 = '' OR status = $4) AND ($5 < 0 OR managed = $5)
                 AND ($6 = '' OR replace(labels, $6, '') <> labels)
             ORDER BY handle LIMIT $2 OFFSET $1",
        )
        .bind(slice.offset)
        .bind(slice.limit)
        .bind(slice.after.clone())
        .bind(filter.status.map(|status| status.to_string()).unwrap_or_default())
        .bind(filter.managed.map_or(-1, i64::from))
        .bind(label.unwrap_or_default())
        .fetch_all(self.conn())
        .await?;
        rows.iter().map(server).collect()
    }

    /// All servers of a provider that are not gone for good.
    pub async fn servers_of(&mut self, provider: &str) -> StoreResult<Vec<Server>> {
        let rows =
            sqlx::query("SELECT * FROM servers WHERE provider = $1 AND status <> 'decommissioned' ORDER BY handle")
                .bind(provider.to_owned())
                .fetch_all(self.conn())
                .await?;
        rows.iter().map(server).collect()
    }

    /// Managed servers in this state that no queued or active job holds.
    pub async fn idle_servers_in(&mut self, status: ServerStatus) -> StoreResult<Vec<Server>> {
        let rows = sqlx::query(
            "SELECT s.* FROM servers s WHERE s.status = $1 AND s.managed = 1 AND NOT EXISTS (
                 SELECT 1 FROM jobs j WHERE j.target = s.id AND j.status IN ('queued', 'running', 'waiting', 'parked'))
             ORDER BY s.handle",
        )
        .bind(status.to_string())
        .fetch_all(self.conn())
        .await?;
        rows.iter().map(server).collect()
    }

    /// How many servers are in each state.
    pub async fn count_servers(&mut self) -> StoreResult<Vec<(ServerStatus, i64)>> {
        let rows = sqlx::query("SELECT status, COUNT(*) AS n FROM servers GROUP BY status ORDER BY status")
            .fetch_all(self.conn())
            .await?;
        rows.iter().map(|row| Ok((row.parsed("status")?, row.int("n")?))).collect()
    }

    /// Moves a server along its table, if it is still where `server` says, and returns it as it is then.
    pub async fn move_server(&mut self, server: &Server, event: ServerEvent, now: Timestamp) -> StoreResult<Server> {
        let to = server.status.after(event)?;
        let done = sqlx::query("UPDATE servers SET status = $3, updated_at = $4 WHERE id = $1 AND status = $2")
            .bind(server.id.to_string())
            .bind(server.status.to_string())
            .bind(to.to_string())
            .bind(now.0)
            .execute(self.conn())
            .await?;
        expect_one(done.rows_affected(), &server.handle)?;
        self.poke_servers = true;
        self.told_server(server.id, now).await
    }

    /// Takes a server under management, or lets go of it.
    pub async fn set_managed(&mut self, id: ServerId, managed: bool, now: Timestamp) -> StoreResult<()> {
        let done = sqlx::query("UPDATE servers SET managed = $2, updated_at = $3 WHERE id = $1")
            .bind(id.to_string())
            .bind(i64::from(managed))
            .bind(now.0)
            .execute(self.conn())
            .await?;
        expect_one(done.rows_affected(), "the server")?;
        self.told_server(id, now).await.map(drop)
    }

    /// Gives a server these labels in place of those it had.
    pub async fn set_labels(
        &mut self,
        id: ServerId,
        labels: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> StoreResult<()> {
        let done = sqlx::query("UPDATE servers SET labels = $2, updated_at = $3 WHERE id = $1")
            .bind(id.to_string())
            .bind(json(labels)?)
            .bind(now.0)
            .execute(self.conn())
            .await?;
        expect_one(done.rows_affected(), "the server")
    }

    /// Keeps what the provider says of a server now; it is listed, so it is not missing.
    pub async fn update_sighting(&mut self, id: ServerId, seen: &Sighting, now: Timestamp) -> StoreResult<()> {
        let done = sqlx::query(
            "UPDATE servers SET address = $2, label = $3, size = $4, missing_since = NULL, misses = 0, updated_at = $5
             WHERE id = $1",
        )
        .bind(id.to_string())
        .bind(seen.address.map(|address| address.to_string()))
        .bind(seen.label.clone())
        .bind(seen.size.clone())
        .bind(now.0)
        .execute(self.conn())
        .await?;
        expect_one(done.rows_affected(), "the server")
    }

    /// Notes that the provider did not list a server; returns the misses in a row.
    pub async fn server_missed(&mut self, id: ServerId, now: Timestamp) -> StoreResult<i64> {
        let sql = "UPDATE servers SET misses = misses + 1, missing_since = COALESCE(missing_since, $2) WHERE id = $1
                   RETURNING misses";
        Ok(sqlx::query_scalar(sql).bind(id.to_string()).bind(now.0).fetch_one(self.conn()).await?)
    }

    /// Counts an attempt of this episode.
    pub async fn count_attempt(&mut self, id: ServerId) -> StoreResult<i64> {
        let sql = "UPDATE servers SET provisioning_attempts = provisioning_attempts + 1 WHERE id = $1
                   RETURNING provisioning_attempts";
        Ok(sqlx::query_scalar(sql).bind(id.to_string()).fetch_one(self.conn()).await?)
    }

    /// Ends the episode: the attempts begin anew. Asked for by a person, or because the server is ready.
    pub async fn reset_attempts(&mut self, id: ServerId) -> StoreResult<()> {
        sqlx::query("UPDATE servers SET provisioning_attempts = 0 WHERE id = $1")
            .bind(id.to_string())
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Pins a server's host key, or forgets it before a reinstall.
    pub async fn pin_host_key(&mut self, id: ServerId, key: Option<&str>, now: Timestamp) -> StoreResult<()> {
        let done = sqlx::query("UPDATE servers SET host_key = $2, updated_at = $3 WHERE id = $1")
            .bind(id.to_string())
            .bind(key.map(str::to_owned))
            .bind(now.0)
            .execute(self.conn())
            .await?;
        expect_one(done.rows_affected(), "the server")
    }

    /// Our own checks over SSH passed.
    pub async fn mark_verified(&mut self, id: ServerId, os: &str, now: Timestamp) -> StoreResult<()> {
        sqlx::query("UPDATE servers SET last_verified_at = $2, os = $3 WHERE id = $1")
            .bind(id.to_string())
            .bind(now.0)
            .bind(os.to_owned())
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Keeps the approval that allows the rebuild which the server's status asks for.
    pub async fn set_rebuild_approval(&mut self, id: ServerId, approval: Option<ApprovalId>) -> StoreResult<()> {
        sqlx::query("UPDATE servers SET rebuild_approval = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(approval.map(|id| id.to_string()))
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Tells where a server is now.
    async fn told_server(&mut self, id: ServerId, now: Timestamp) -> StoreResult<Server> {
        let server = self.require_server(id).await?;
        self.tell(&server.handle, &EventBody::from(&server), now).await?;
        Ok(server)
    }
}

/// A label as it stands in the JSON of all: a quote inside a key or a value has a backslash before it, and behind a key
/// alone there is a colon, so nothing else looks like it.
fn label_in_json(key: &str, value: Option<&String>) -> StoreResult<String> {
    let key = json(&key)?;
    Ok(match value {
        Some(value) => format!("{key}:{}", json(value)?),
        None => format!("{key}:"),
    })
}

fn server(row: &AnyRow) -> StoreResult<Server> {
    Ok(Server {
        id: row.parsed("id")?,
        handle: row.text("handle")?,
        provider: row.text("provider")?,
        provider_id: row.text("provider_id")?,
        address: row.maybe_parsed("address")?,
        label: row.text("label")?,
        labels: row.json("labels")?,
        size: row.text("size")?,
        os: row.text("os")?,
        status: row.parsed("status")?,
        managed: row.flag("managed")?,
        host_key: row.maybe_text("host_key")?,
        provisioning_attempts: row.int("provisioning_attempts")?,
        rebuild_approval: row.maybe_text("rebuild_approval")?,
        missing_since: row.maybe_time("missing_since")?,
        misses: row.int("misses")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        last_verified_at: row.maybe_time("last_verified_at")?,
    })
}
