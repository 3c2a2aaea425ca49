//! An Ironic behind a certificate of an authority that this machine does not know.

use std::{net::Ipv4Addr, path::Path, process::Command, sync::Arc};

use axum::{Router, routing::get};
use rackhand_core::{
    clients::ironic::{Ironic, IronicError},
    config::{Config, load},
    fault::chain,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::clock;

#[tokio::test]
async fn only_the_configured_authority_makes_it_trusted() {
    crate::harness::init();
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let url = serve(dir.path()).await;
    let ironic = |ca: &str| Ironic::configured(&config(&url, ca).ironic, clock());
    let error = ironic("").unwrap().unwrap().version().await.unwrap_err();
    assert!(matches!(error, IronicError::Unavailable { sent: false, .. }), "{}", chain(&error));
    let ca = dir.path().join("ca.crt").display().to_string();
    assert_eq!(ironic(&ca).unwrap().unwrap().version().await.unwrap(), 115);

    for (file, reason) in
        [("gone", "No such file"), ("ca.key", "no certificates in PEM"), ("ca.srl", "no certificates")]
    {
        let error = ironic(&dir.path().join(file).display().to_string()).unwrap_err();
        assert!(matches!(error, IronicError::BadCa { .. }) && error.to_string().contains(reason), "{file}: {error}");
    }
}

fn config(url: &str, ca: &str) -> Config {
    let env = [("IRONIC_URL", url), ("IRONIC_CA_FILE", ca), ("RACKHAND_CONFIG", "/dev/null")];
    load(|name| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()), None).unwrap()
}

/// An authority, and a certificate of it for 127.0.0.1.
fn certificates(dir: &Path) {
    let make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt \
                  -subj /CN=authority -days 2 &&
                openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out request -subj /CN=ironic &&
                printf 'subjectAltName=IP:127.0.0.1' > names &&
                openssl x509 -req -in request -CA ca.crt -CAkey ca.key -CAcreateserial -out crt -days 2 -extfile names";
    let output = Command::new("sh").args(["-c", make]).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

async fn serve(dir: &Path) -> String {
    let crt = CertificateDer::from_pem_file(dir.join("crt")).unwrap();
    let key = PrivateKeyDer::from_pem_file(dir.join("key")).unwrap();
    let tls = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![crt], key).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/v1", get(|| async { [("X-OpenStack-Ironic-API-Maximum-Version", "1.115")] }));
    tokio::spawn(async move { axum::serve(Tls(listener, TlsAcceptor::from(Arc::new(tls))), router).await });
    url
}

struct Tls(TcpListener, TlsAcceptor);

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.0.accept().await.unwrap();
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}
