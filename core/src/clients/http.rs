//! The one HTTP client: every outside call of the product goes out with the deadlines and bounds set here.
//!
//! TLS is rustls with the machine's own roots; the process must have installed a crypto provider before (`main` and the
//! test harness do so in their first line). No proxy is taken from the environment, no request is sent again, and no
//! redirect is followed to another origin, so that credentials go only where the configuration says.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Certificate, Client, Response, redirect::Policy};

/// The largest answer that is read, in bytes: far above what any of our systems sends, far below what would hurt.
pub const BODY_LIMIT: usize = 2 * 1024 * 1024;

/// Redirects that one request may follow on its own origin.
const HOPS: usize = 3;

/// How long one call may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the connection: name, TCP and TLS.
    pub connect: Duration,
    /// For the whole call, from the first packet to the last byte of the answer.
    pub request: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), request: Duration::from_secs(20) }
    }
}

/// Authorities that a client trusts, beside those that the machine does.
#[derive(Clone, Debug, Default)]
pub struct Trust(Vec<Certificate>);

impl Trust {
    /// Those in a PEM file; none when there is none in it, or one that is broken.
    pub fn from_pem(pem: &[u8]) -> Option<Self> {
        Certificate::from_pem_bundle(pem).ok().filter(|found| !found.is_empty()).map(Self)
    }
}

/// A client that keeps `limits`. Fails when TLS cannot be set up on this machine.
pub fn client(limits: Limits) -> Result<Client, reqwest::Error> {
    client_trusting(limits, Trust::default())
}

/// A client that keeps `limits` and trusts `trust` too.
pub fn client_trusting(limits: Limits, trust: Trust) -> Result<Client, reqwest::Error> {
    Client::builder()
        .tls_certs_merge(trust.0)
        .user_agent(concat!("rackhand/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(limits.connect)
        .timeout(limits.request)
        .redirect(same_origin_only())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .build()
}

/// Why an answer could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Longer than the bound; the rest was not read.
    #[error("the answer is longer than {limit} bytes")]
    TooLong {
        /// The bound, in bytes.
        limit: usize,
    },
    /// The connection broke, or the deadline came, in the middle of the answer.
    #[error("the answer broke off")]
    Broken(#[source] reqwest::Error),
}

/// The whole body of `response`, of at most `limit` bytes.
pub async fn body(mut response: Response, limit: usize) -> Result<Bytes, BodyError> {
    let mut whole = BytesMut::new();
    while let Some(part) = response.chunk().await.map_err(|error| BodyError::Broken(error.without_url()))? {
        if whole.len() + part.len() > limit {
            return Err(BodyError::TooLong { limit });
        }
        whole.extend_from_slice(&part);
    }
    Ok(whole.freeze())
}

/// Whether a call that ended in `error` certainly did not reach the other side: it was never written to a connection.
pub fn never_sent(error: &reqwest::Error) -> bool {
    error.is_connect() || error.is_builder()
}

fn same_origin_only() -> Policy {
    Policy::custom(|attempt| {
        let stays = attempt.previous().last().is_some_and(|from| from.origin() == attempt.url().origin());
        if stays && attempt.previous().len() <= HOPS { attempt.follow() } else { attempt.stop() }
    })
}
