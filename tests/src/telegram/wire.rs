//! The HTTP side: `POST /bot{TOKEN}/{method}`, and connections that can be broken in the middle of a call.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State, connect_info::Connected},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::any,
    serve::{IncomingStream, Listener},
};
use rackhand_core::clock::{Clock, SystemClock};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

use super::{
    Shared,
    args::{Args, Refusal},
    faults::Fault,
    methods,
    world::{Admission, Outcome},
};

/// What the real server takes at most: a file of 50 MB.
const MOST_BODY: usize = 50 * 1024 * 1024;

/// Serves until the task is aborted.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let router =
        Router::new().route("/{bot}/{method}", any(call)).layer(DefaultBodyLimit::max(MOST_BODY)).with_state(shared);
    // axum's accept loop never ends by itself, so there is no error to look at.
    let _ = axum::serve(Breakable(listener), router.into_make_service_with_connect_info::<Breaker>()).await;
}

async fn call(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(breaker): ConnectInfo<Breaker>,
    Path((bot, method)): Path<(String, String)>,
    request: Request,
) -> Response {
    if !shared.look(|world| world.reachable) {
        return breaker.cut();
    }
    if let Err(refusal) = known(&shared, &bot) {
        return refuse(&refusal);
    }
    let args = match Args::read(request).await {
        Ok(args) => args,
        Err(refusal) => return refuse(&refusal),
    };
    let method = method.to_lowercase();
    let (place, admission) = shared.with(|world| (world.note(&method, &args), world.admit(&method, &args)));
    let (answer, fault) = match admission {
        Admission::Refuse(refusal) => (Err(refusal), None),
        Admission::Fail(fault) => (Ok(Value::Null), Some(fault)),
        Admission::Pass { delay, fault } => {
            if let Some(delay) = delay {
                let sleep = shared.with(|world| world.clock.sleep(delay));
                sleep.await;
            }
            let answer = carry_out(&shared, &method, &args).await;
            shared.with(|world| world.noted(place).map(|call| call.effect = answer.is_ok()));
            (answer, fault)
        }
    };
    let response = match fault {
        _ if !shared.look(|world| world.reachable) => breaker.cut(),
        None => answer.map_or_else(
            |refusal| refuse(&refusal),
            |result| Json(json!({"ok": true, "result": result})).into_response(),
        ),
        Some(Fault::Drop(_)) => breaker.cut(),
        Some(Fault::Garbage(_)) => "<html><body>Please log in to the network</body></html>".into_response(),
        Some(_) => refuse(&Refusal::new(500, "Internal Server Error")),
    };
    let outcome = if breaker.is_cut() { Outcome::Dropped } else { Outcome::Answered(response.status().as_u16()) };
    shared.with(|world| world.noted(place).map(|call| call.outcome = outcome));
    response
}

fn known(shared: &Shared, bot: &str) -> Result<(), Refusal> {
    let Some(token) = bot.strip_prefix("bot").filter(|token| token.contains(':')) else {
        return Err(Refusal::new(404, "Not Found"));
    };
    if shared.with(|world| world.token == token) { Ok(()) } else { Err(Refusal::new(401, "Unauthorized")) }
}

async fn carry_out(shared: &Shared, method: &str, args: &Args) -> Result<Value, Refusal> {
    if method == "getupdates" {
        poll(shared, args).await
    } else {
        shared.with(|world| methods::run(world, method, args))
    }
}

/// A long poll waits by the machine's clock, whatever clock the limits go by.
async fn poll(shared: &Shared, args: &Args) -> Result<Value, Refusal> {
    let poller = shared.with(|world| world.queue.arrive(args))?;
    let seconds = u64::try_from(args.int("timeout").unwrap_or(0)).unwrap_or(0).min(50);
    let mut over = SystemClock.sleep(Duration::from_secs(seconds));
    loop {
        let changed = shared.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        if !shared.look(|world| world.reachable) {
            return Ok(json!([]));
        }
        if let Some(batch) = shared.look(|world| world.queue.take(poller, args.int("limit")))? {
            return Ok(Value::Array(batch));
        }
        tokio::select! {
            () = &mut changed => {}
            () = &mut over => return Ok(json!([])),
        }
    }
}

fn refuse(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(refusal.to_json())).into_response()
}

/// A listener whose connections can be broken.
struct Breakable(TcpListener);

struct Wire {
    stream: TcpStream,
    breaker: Breaker,
}

/// Breaks the connection that a call came by.
#[derive(Clone, Debug, Default)]
struct Breaker(Arc<AtomicBool>);

impl Breaker {
    /// From here on nothing is written to the connection any more: the peer sees it close without an answer.
    fn cut(&self) -> Response {
        self.0.store(true, Ordering::SeqCst);
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }

    fn is_cut(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Connected<IncomingStream<'_, Breakable>> for Breaker {
    fn connect_info(stream: IncomingStream<'_, Breakable>) -> Self {
        stream.io().breaker.clone()
    }
}

impl Listener for Breakable {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (Wire { stream, breaker: Breaker::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.breaker.is_cut() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
