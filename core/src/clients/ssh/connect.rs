//! From an address to an encrypted connection whose host key was checked, within one deadline.

use std::{
    borrow::Cow,
    future::{Future, Pending, pending},
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use russh::{
    Preferred, cipher, client, compression, kex,
    keys::{Algorithm, EcdsaCurve, PublicKeyOrCertificate},
    mac,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Timeout, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

use super::{HostKey, SshError, Target};

/// One span for a whole conversation, whatever parts it has.
pub(super) struct Deadline(Pin<Box<Timeout<Pending<()>>>>);

impl Deadline {
    pub(super) fn after(span: Duration) -> Self {
        Self(Box::pin(timeout(span, pending())))
    }

    /// What `work` gives, or nothing when the deadline comes first.
    pub(super) async fn keep<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            _ = &mut self.0 => None,
        }
    }

    /// What `work` gives; `what` is the name of this part of the conversation.
    pub(super) async fn within<T>(&mut self, what: &'static str, work: impl Future<Output = T>) -> Result<T, SshError> {
        self.keep(work).await.ok_or(SshError::Timeout { what })
    }
}

/// An encrypted connection to a host whose key was checked. Dropping it ends it at once, whatever it was doing.
pub(super) struct Connection {
    pub(super) handle: client::Handle<KeyCheck>,
    pub(super) key: HostKey,
    _cut: DropGuard,
}

/// Connects by TCP and waits for the host's first byte: SSH servers speak first.
pub(super) async fn dial(target: &Target, deadline: &mut Deadline) -> Result<TcpStream, SshError> {
    let address = SocketAddr::new(target.address, target.port);
    let connected = deadline.keep(TcpStream::connect(address)).await;
    let stream = connected
        .unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
        .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
        .map_err(|source| SshError::Unreachable { address, source })?;
    match deadline.keep(stream.peek(&mut [0])).await {
        None => Err(SshError::NoBanner),
        Some(Ok(1..)) => Ok(stream),
        Some(Ok(0) | Err(_)) => Err(SshError::Dropped),
    }
}

/// Connects, agrees on keys and checks the host's.
pub(super) async fn open(target: &Target, deadline: &mut Deadline) -> Result<Connection, SshError> {
    let stream = dial(target, deadline).await?;
    let cut = CancellationToken::new();
    let stream = Lifeline { stream, cut: Box::pin(cut.clone().cancelled_owned()) };
    let cut = cut.drop_guard();
    let seen = Arc::new(OnceLock::new());
    let check = KeyCheck { pinned: target.pinned.clone(), seen: seen.clone() };
    let config = Arc::new(config(target.pinned.as_ref()));
    let handle = deadline.within("the key exchange", client::connect_stream(config, stream, check)).await?;
    match (handle, seen.get().cloned(), target.pinned.clone()) {
        (_, Some(seen), Some(pinned)) if seen != pinned => Err(SshError::HostKeyChanged { pinned, seen }),
        (Ok(handle), Some(key), _) => Ok(Connection { handle, key, _cut: cut }),
        (Ok(_), None, _) => Err(SshError::Protocol { what: "it showed no host key".to_owned() }),
        (Err(error), _, _) => Err(error),
    }
}

/// Compares the host's key with the pinned one, before anything is sent that only the host may know.
#[derive(Debug)]
pub(super) struct KeyCheck {
    pinned: Option<HostKey>,
    seen: Arc<OnceLock<HostKey>>,
}

impl client::Handler for KeyCheck {
    type Error = SshError;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, SshError> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else { return Ok(false) };
        // A later exchange of keys on the same connection must show the same key as the first.
        let seen = HostKey::of(key);
        let first = self.seen.get_or_init(|| seen.clone());
        Ok(*first == seen && self.pinned.as_ref().is_none_or(|pinned| *pinned == seen))
    }
}

fn config(pinned: Option<&HostKey>) -> client::Config {
    client::Config {
        preferred: preferred(pinned.map(HostKey::algorithm).as_ref()),
        nodelay: true,
        ..client::Config::default()
    }
}

/// What we offer. A host has a key of each kind: the kind that was pinned must come first, else the host would show
/// another one and look changed.
fn preferred(pinned: Option<&Algorithm>) -> Preferred {
    let mut keys = vec![
        Algorithm::Ed25519,
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    ];
    keys.sort_by_key(|kind| Some(kind) != pinned);
    Preferred {
        kex: Cow::Borrowed(KEX),
        key: Cow::Owned(keys),
        cipher: Cow::Borrowed(&[
            cipher::CHACHA20_POLY1305,
            cipher::AES_256_GCM,
            cipher::AES_128_GCM,
            cipher::AES_256_CTR,
            cipher::AES_128_CTR,
        ]),
        mac: Cow::Borrowed(&[mac::HMAC_SHA256_ETM, mac::HMAC_SHA512_ETM, mac::HMAC_SHA256, mac::HMAC_SHA512]),
        compression: Cow::Borrowed(&[compression::NONE]),
        host_key_certificates: Cow::Borrowed(&[]),
    }
}

const KEX: &[kex::Name] = &[
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::MLKEM768X25519_SHA256,
    kex::DH_G16_SHA512,
    kex::DH_G14_SHA256,
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
];

/// A TCP connection that ends when its owner is gone. The task that drives an SSH connection does not look whether
/// anybody still wants it while keys are exchanged, so a host that stops there would keep it for ever.
struct Lifeline {
    stream: TcpStream,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Lifeline {
    fn poll_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.cut.as_mut().poll(cx).is_ready() { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

impl AsyncRead for Lifeline {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Lifeline {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
