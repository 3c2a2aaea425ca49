//! Somebody who makes JSON Web Tokens, with keys made a moment ago.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rackhand_agent::api::{Auth, Jwt};
use rackhand_core::config::{ApiJwt, JwtAlgorithm};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::desk::START;

pub const ISSUER: &str = "https://issuer.example";
pub const AUDIENCE: &str = "rackhand";
/// When tokens are made, in seconds.
pub const NOW: i64 = START.0 / 1000;

/// An issuer with one key.
pub struct Issuer {
    pub algorithm: JwtAlgorithm,
    dir: TempDir,
    key: Key,
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Shared(hmac::Key),
}

impl Issuer {
    pub fn new(algorithm: JwtAlgorithm) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let made = match algorithm {
            JwtAlgorithm::Rs256 => "RSA -pkeyopt rsa_keygen_bits:2048",
            JwtAlgorithm::Es256 => "EC -pkeyopt ec_paramgen_curve:P-256",
            JwtAlgorithm::EdDsa => "ED25519",
            JwtAlgorithm::Hs256 => {
                let secret = format!("{:064x}", rand::random::<u128>());
                write(dir.path(), "key", secret.as_bytes());
                let key = Key::Shared(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
                return Self { algorithm, dir, key };
            }
        };
        let der = fs::read(private_key(dir.path(), made)).unwrap();
        let key = match algorithm {
            JwtAlgorithm::Es256 => {
                Key::Ec(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &SystemRandom::new()).unwrap())
            }
            JwtAlgorithm::EdDsa => Key::Ed(Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).unwrap()),
            _ => Key::Rsa(Box::new(RsaKeyPair::from_pkcs8(&der).unwrap())),
        };
        Self { algorithm, dir, key }
    }

    /// The file by which others know its tokens.
    pub fn key_file(&self) -> PathBuf {
        self.dir.path().join("key")
    }

    pub fn settings(&self) -> ApiJwt {
        ApiJwt {
            key_file: Some(self.key_file()),
            algorithm: self.algorithm,
            issuer: Some(ISSUER.to_owned()),
            audience: Some(AUDIENCE.to_owned()),
            role_claim: "rackhand_role".to_owned(),
        }
    }

    /// A door's way in for its tokens.
    pub fn auth(&self) -> Auth {
        Auth::Jwt(Arc::new(Jwt::open(&self.settings()).unwrap()))
    }

    /// A token with these claims in place of the usual ones; what is null is left out.
    pub fn token(&self, claims: &Value) -> String {
        self.signed(&json!({ "alg": self.algorithm.to_string(), "typ": "JWT" }), &usual(claims))
    }

    /// A token with exactly this header and these claims.
    pub fn signed(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encoded(header), encoded(claims));
        let signature = self.signature(message.as_bytes());
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Key::Ec(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Key::Ed(key) => key.sign(message).as_ref().to_vec(),
            Key::Shared(key) => hmac::sign(key, message).as_ref().to_vec(),
        }
    }
}

/// The usual claims of an operator's token that is good for an hour, with these in their place.
pub fn usual(other: &Value) -> Value {
    let mut claims =
        json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "ci", "exp": NOW + 3600, "rackhand_role": "operator" });
    for (name, value) in other.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

pub fn encoded(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Makes `private` (DER), `private.pem` and the public half `key` (PEM) in `dir`.
pub fn private_key(dir: &Path, kind: &str) -> PathBuf {
    let make = format!(
        "openssl genpkey -algorithm {kind} -out private.pem && openssl pkcs8 -topk8 -nocrypt -in private.pem -outform DER \
         -out private && openssl pkey -in private.pem -pubout -out key"
    );
    let output = Command::new("sh").args(["-c", &make]).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    dir.join("private")
}

/// A file that only its owner can read.
pub fn write(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}
