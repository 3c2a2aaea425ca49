//! Server sync: the provider's list against ours.
//!
//! It adds, updates and flags; it never deletes, and it never touches a server. An unreachable provider is one incident
//! for the platform, not one for each server.

use std::{error::Error, net::IpAddr, time::Duration};

use async_trait::async_trait;
use rackhand_core::{
    clients::time4vps::{ListedServer, Time4vps, Time4vpsError},
    config::Glob,
    fault::chain,
    model::{Body, IncidentKind, Level, NewServer, Notice, Role, Server, Sighting, SyncChange, compare},
    ops::Ops,
    store::{Lease, Mail, StoreResult, Tx},
    work::Reconciler,
};
use tracing::{info, warn};

const PROVIDER: &str = "time4vps";
/// Misses in a row after which a server counts as missing.
const MISSES: i64 = 2;

/// Compares the provider's servers with ours.
pub struct ServerSync {
    ops: Ops,
    provider: Time4vps,
    managed: Vec<Glob>,
    interval: Duration,
}

impl ServerSync {
    /// Looks every `interval`; servers whose handle or label fits a pattern of `managed` are managed from the start.
    pub fn new(ops: Ops, provider: Time4vps, managed: Vec<Glob>, interval: Duration) -> Self {
        Self { ops, provider, managed, interval }
    }

    async fn reached(&self, listed: Vec<ListedServer>, lease: &Lease) -> Result<(), Box<dyn Error + Send + Sync>> {
        let listed: Vec<Sighting> = listed.into_iter().map(sighting).collect();
        let ours = self.ops.store.read().await?.servers_of(PROVIDER).await?;
        let now = self.ops.clock.now();
        for change in compare(&ours, &listed) {
            // The list has active servers only: one that is suspended is not gone.
            if let SyncChange::Missing(server) = &change
                && self.still_known(server).await
            {
                continue;
            }
            let mut tx = self.ops.store.write().await?;
            tx.fence_lease(lease).await?;
            match change {
                SyncChange::New(seen) => self.discovered(&mut tx, &seen).await?,
                SyncChange::Changed { server, now: seen, what } => {
                    info!(server = server.handle, what = what.join(", "), "changed at the provider");
                    tx.update_sighting(server.id, &seen, now).await?;
                    self.over(&mut tx, Some(&server), IncidentKind::ServerMissing).await?;
                }
                SyncChange::Missing(server) => self.missed(&mut tx, &server).await?,
            }
            tx.commit().await?;
        }
        let mut tx = self.ops.store.write().await?;
        tx.note_answer(PROVIDER, now).await?;
        self.over(&mut tx, None, IncidentKind::ProviderApiUnavailable).await?;
        Ok(tx.commit().await?)
    }

    async fn still_known(&self, server: &Server) -> bool {
        let Ok(id) = server.provider_id.parse() else { return false };
        // Only a clear "no such server" counts as a miss.
        !matches!(self.provider.server(id).await, Err(Time4vpsError::NotFound))
    }

    async fn discovered(&self, tx: &mut Tx, seen: &Sighting) -> StoreResult<()> {
        let handle = format!("vps-{}", seen.provider_id);
        let managed = self.managed.iter().any(|glob| glob.matches(&handle) || glob.matches(&seen.label));
        let new = NewServer {
            handle,
            provider: PROVIDER.to_owned(),
            provider_id: seen.provider_id.clone(),
            address: seen.address,
            label: seen.label.clone(),
            size: seen.size.clone(),
            managed,
        };
        let now = self.ops.clock.now();
        let server = tx.add_server(&new, now).await?;
        info!(server = server.handle, managed, "discovered at the provider");
        let notice = Notice::ServerDiscovered { server: server.id };
        tell_admins(tx, &format!("discovered:{}", server.id), Level::Info, &notice, &self.ops).await
    }

    async fn missed(&self, tx: &mut Tx, server: &Server) -> StoreResult<()> {
        let now = self.ops.clock.now();
        if tx.server_missed(server.id, now).await? < MISSES {
            return Ok(());
        }
        let details = format!("{} is no longer listed by the provider", server.handle);
        let (incident, new) = tx.open_incident(Some(server.id), IncidentKind::ServerMissing, &details, now).await?;
        if new {
            warn!(server = server.handle, "missing at the provider");
            let notice = Notice::IncidentOpened { incident: incident.id.clone() };
            tell_admins(tx, &format!("incident:{}", incident.id), Level::Error, &notice, &self.ops).await?;
        }
        Ok(())
    }

    /// The provider is away: one incident, however many servers it has.
    async fn away(&self, error: &Time4vpsError) -> StoreResult<()> {
        let mut tx = self.ops.store.write().await?;
        tx.note_failure(PROVIDER, self.ops.clock.now()).await?;
        let details = error.advice().map_or_else(|| chain(error), |advice| format!("{}. {advice}", chain(error)));
        let kind = IncidentKind::ProviderApiUnavailable;
        let (incident, new) = tx.open_incident(None, kind, &details, self.ops.clock.now()).await?;
        if new {
            let notice = Notice::IncidentOpened { incident: incident.id.clone() };
            tell_admins(&mut tx, &format!("incident:{}", incident.id), Level::Error, &notice, &self.ops).await?;
        }
        tx.commit().await
    }

    async fn over(&self, tx: &mut Tx, server: Option<&Server>, kind: IncidentKind) -> StoreResult<()> {
        let id = server.map(|server| server.id);
        if let Some(incident) = tx.resolve_incident(id, kind, self.ops.clock.now()).await? {
            let notice = Notice::IncidentResolved { incident: incident.id.clone() };
            let key = format!("incident:{}:resolved", incident.id);
            tell_admins(tx, &key, Level::Info, &notice, &self.ops).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Reconciler for ServerSync {
    fn name(&self) -> &'static str {
        "server-sync"
    }

    fn interval(&self) -> Duration {
        self.interval
    }

    async fn look(&self, lease: &Lease) -> Result<(), Box<dyn Error + Send + Sync>> {
        match self.provider.servers().await {
            Ok(listed) => self.reached(listed, lease).await,
            // Being asked for patience is no trouble; the next look comes.
            Err(Time4vpsError::RateLimited { .. }) => Ok(()),
            Err(error) => Ok(self.away(&error).await?),
        }
    }
}

/// Writes a notice to every admin, once for each key.
async fn tell_admins(tx: &mut Tx, key: &str, level: Level, notice: &Notice, ops: &Ops) -> StoreResult<()> {
    for admin in tx.users_from(Role::Admin).await? {
        let body = Body::Notice(notice.clone());
        let mail = Mail { chat: admin.telegram_id, key: key.to_owned(), level, body };
        tx.mail_once(&mail, ops.clock.now()).await?;
    }
    Ok(())
}

fn sighting(listed: ListedServer) -> Sighting {
    Sighting {
        provider_id: listed.id.to_string(),
        address: listed.address.filter(|address: &IpAddr| !address.is_unspecified()),
        label: listed.label.or(listed.domain).unwrap_or_default(),
        size: listed.size.unwrap_or_default(),
    }
}
