//! Listening: connections with bounds on their number, their headers and their silence.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

use super::{metrics, pace::Paced};

/// Connections that are open at once; others wait in the system's queue.
const MOST_CONNECTIONS: usize = 512;
/// The longest head of a request; bytes.
const LONGEST_HEAD: usize = 64 * 1024;
/// How long a stop waits for answers under way.
const STOP_GRACE: Duration = Duration::from_secs(10);
/// How long to wait where no connection can be taken, such as for want of file descriptors.
const BREATH: Duration = Duration::from_millis(100);
/// How often what was counted is folded.
const TIDY: Duration = Duration::from_secs(10);

/// How long the other side of a connection may take. Among the extensions of every request.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the head of a request, and for the silence between two requests.
    pub head: Duration,
    /// For the body of a request.
    pub body: Duration,
    /// In which a reader takes nothing of an answer that waits for it.
    pub reader: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { head: Duration::from_secs(15), body: Duration::from_secs(20), reader: Duration::from_secs(30) }
    }
}

/// Told of a stop; among the extensions of every request, for answers that would go on for ever.
#[derive(Clone, Debug)]
pub(super) struct Stopping(pub(super) CancellationToken);

/// Answers whoever connects, until `stop`; answers under way are finished then.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    serve_paced(listener, router, Patience::default(), stop).await;
}

/// [`serve`], dropping whoever takes longer.
pub async fn serve_paced(listener: TcpListener, router: Router, patience: Patience, stop: CancellationToken) {
    let mut tidy = tokio::time::interval(TIDY);
    let slots = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let next = async {
            let slot = slots.clone().acquire_owned().await;
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            next = next => next,
            _ = tidy.tick() => {
                metrics::fold();
                continue;
            }
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (router, stop) = (router.clone(), stop.clone());
                connections.spawn(async move {
                    converse(stream, peer, router, patience, stop).await;
                    drop(slot);
                });
            }
            Err(error) => {
                warn!(%error, "a connection could not be taken");
                let _ = tokio::time::timeout(BREATH, stop.cancelled()).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(STOP_GRACE, connections.wait()).await.is_err() {
        warn!(connections = connections.len(), "answers under way are cut off");
    }
}

async fn converse(stream: TcpStream, peer: SocketAddr, router: Router, patience: Patience, stop: CancellationToken) {
    let _ = stream.set_nodelay(true);
    let (router, stopping) = (TowerToHyperService::new(router), Stopping(stop.clone()));
    // Laid on here: a layer would build every route anew, and keep it, for each connection.
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(stopping.clone());
        request.extensions_mut().insert(patience);
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(Paced::new(stream, patience.reader)), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%peer, %error, "a connection broke");
    }
}
