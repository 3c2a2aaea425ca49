//! Whether a machine listens, and what a failing one does to its connections.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr, TcpListener as StdListener},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::{Machine, server};

/// A listener, and the port that it got.
pub(super) fn listen(address: IpAddr, port: u16) -> io::Result<(StdListener, u16)> {
    let listener = StdListener::bind(SocketAddr::new(address, port))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

/// A machine's power switch.
#[derive(Debug)]
pub(super) struct Power {
    running: Option<Running>,
    frost: Arc<Frost>,
}

#[derive(Debug)]
struct Running {
    cut: CancellationToken,
    accepting: JoinHandle<()>,
    /// False until a restart is over.
    listens: Arc<AtomicBool>,
}

impl Power {
    pub(super) fn on(listener: StdListener, machine: &Arc<Machine>) -> io::Result<Self> {
        let mut power = Self { running: None, frost: Arc::default() };
        power.run(listener, machine)?;
        Ok(power)
    }

    pub(super) async fn off(&mut self) {
        self.frost.thaw();
        if let Some(Running { cut, accepting, .. }) = self.running.take() {
            cut.cancel();
            // The port is closed only when the task that holds it has ended.
            let _ = accepting.await;
        }
    }

    pub(super) async fn up(&mut self, machine: &Arc<Machine>) -> io::Result<()> {
        if self.running.as_ref().is_some_and(|running| running.listens.load(Ordering::SeqCst)) {
            return Ok(());
        }
        self.off().await;
        let (listener, _) = listen(machine.address, machine.port)?;
        self.run(listener, machine)
    }

    /// Turns itself on once the machine's downtime is over.
    pub(super) fn up_later(&mut self, machine: &Arc<Machine>) {
        let cut = CancellationToken::new();
        let listens = Arc::new(AtomicBool::new(false));
        let (machine, frost, ours, ready) = (machine.clone(), self.frost.clone(), cut.clone(), listens.clone());
        let over = machine.clock.sleep(machine.lock().downtime);
        let accepting = tokio::spawn(async move {
            tokio::select! {
                () = over => {}
                () = ours.cancelled() => return,
            }
            match listen(machine.address, machine.port).and_then(|(listener, _)| TcpListener::from_std(listener)) {
                Ok(listener) => {
                    ready.store(true, Ordering::SeqCst);
                    accept(listener, machine, frost, ours).await;
                }
                Err(error) => tracing::error!(%error, port = machine.port, "a simulated machine stays down"),
            }
        });
        self.running = Some(Running { cut, accepting, listens });
    }

    pub(super) fn freeze(&self) {
        self.frost.frozen.store(true, Ordering::SeqCst);
    }

    pub(super) fn thaw(&self) {
        self.frost.thaw();
    }

    fn run(&mut self, listener: StdListener, machine: &Arc<Machine>) -> io::Result<()> {
        let cut = CancellationToken::new();
        let listener = TcpListener::from_std(listener)?;
        let accepting = tokio::spawn(accept(listener, machine.clone(), self.frost.clone(), cut.clone()));
        self.running = Some(Running { cut, accepting, listens: Arc::new(AtomicBool::new(true)) });
        Ok(())
    }
}

impl Drop for Power {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.cut.cancel();
        }
    }
}

async fn accept(listener: TcpListener, machine: Arc<Machine>, frost: Arc<Frost>, cut: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = cut.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else { continue };
        let cut = Box::pin(cut.clone().cancelled_owned());
        let line = Line { stream, cut, frost: frost.clone() };
        tokio::spawn(server::serve(machine.clone(), line));
    }
}

/// Whether a machine is frozen, and who waits for the thaw.
#[derive(Debug, Default)]
struct Frost {
    frozen: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

impl Frost {
    fn thaw(&self) {
        self.frozen.store(false, Ordering::SeqCst);
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_iter().for_each(Waker::wake);
    }

    fn poll_thawed(&self, cx: &Context<'_>) -> Poll<()> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.frozen.load(Ordering::SeqCst) {
            return Poll::Ready(());
        }
        if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// A connection of a machine: it stands still in frost, and breaks when the machine goes down.
pub(super) struct Line {
    stream: TcpStream,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    frost: Arc<Frost>,
}

impl Line {
    fn poll_alive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        self.frost.poll_thawed(cx).map(Ok)
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_alive(cx))?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        std::task::ready!(self.poll_alive(cx))?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
