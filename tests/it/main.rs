//! Black-box tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy's allowance for tests does not reach the helpers beside them"
)]

mod telegram;

/// Chooses the process's TLS, as `main` does: any test that makes an HTTP client calls this first.
fn tls() {
    // The second to come finds it chosen.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
