//! What every test needs before it starts.

use std::sync::Once;

/// Gives this process its one TLS provider, as every `main` does in its first line.
pub fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}
