//! Secrets at rest, and what else hangs on the master key.
//!
//! From each master key three keys are derived (HKDF-SHA256): one seals secrets (XChaCha20-Poly1305), one authenticates
//! the audit chain, one hashes invitation codes (HMAC-SHA256). Several master keys are a rotation: the first is used,
//! the others still read what was written with them. Who has the database and not this key can neither read a secret,
//! nor forge an audit row, nor try codes.

mod file;
mod sealed;
mod unhex;

use std::path::{Path, PathBuf};

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use rand::{TryRng, rngs::SysRng};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

pub use sealed::{Aad, Sealed};

use crate::{
    fault::{Fault, FaultKind},
    model::hex,
    secret::Secret,
};

/// Whether the file of the master key was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFile {
    /// Made just now: the person must be told, loudly, to back it up.
    Created,
    /// It was there.
    Found,
}

/// Why a keyring cannot be opened or used. No text of it shows a key or a secret.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The machine refused something.
    #[error("the master key file {}: cannot {doing}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried, after "cannot".
        doing: &'static str,
        /// What the machine said.
        source: std::io::Error,
    },
    /// Whoever may change the link could put in another key.
    #[error("{} is a symbolic link: name the master key file itself", .0.display())]
    SymbolicLink(PathBuf),
    /// A directory, a device, a pipe.
    #[error("{} is not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// Others can read the key.
    #[error(
        "the master key file {} has mode {mode:04o}: it must be readable by its owner alone (chmod 600)",
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Somebody else owns the key.
    #[error("the master key file {} belongs to user {owner}, and Rackhand runs as {us}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The user id of its owner.
        owner: u32,
        /// The user id of this process.
        us: u32,
    },
    /// A line that is no key.
    #[error("the master key file {}, line {line}: {why}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Nothing in it.
    #[error("the master key file {} holds no key: restore it from a backup", .0.display())]
    Empty(PathBuf),
    /// Sealed with a key that we do not have.
    #[error("sealed with the key {0}, which is not in the master key file: restore it from a backup")]
    UnknownKey(String),
    /// Changed since it was sealed, moved to another row, or sealed with another key of the same name.
    #[error("a sealed secret does not open: it was changed, or belongs elsewhere")]
    Refused,
    /// Not the text of a sealed secret.
    #[error("not a sealed secret: {0}")]
    Encoding(&'static str),
    /// The machine has no randomness.
    #[error("the machine gives no random numbers")]
    Random(#[source] rand::rngs::SysError),
    /// A cipher refused what it always takes.
    #[error("the cipher refused to {0}")]
    Cipher(&'static str),
}

impl Fault for KeyringError {
    fn kind(&self) -> FaultKind {
        match self {
            Self::Random(_) => FaultKind::Unavailable,
            Self::Cipher(_) | Self::Encoding(_) => FaultKind::Bug,
            _ => FaultKind::NeedsPerson,
        }
    }
}

/// The keys of this deployment. `Debug` shows their names only.
pub struct Keyring {
    current: Key,
    older: Vec<Key>,
}

/// What is derived from one master key.
struct Key {
    id: String,
    sealing: Zeroizing<[u8; 32]>,
    // As long as a block of SHA-256, which HMAC takes as it is.
    audit: Zeroizing<[u8; 64]>,
    codes: Zeroizing<[u8; 64]>,
}

impl Keyring {
    /// Opens the file of master keys, or makes it with one new key: mode 0600, its directory 0700 if that is new, and
    /// on the disk when this returns. Two processes that start together end with the same key. Refuses a file that
    /// others can read, that belongs to another user than us or root, and a symbolic link.
    pub fn open_or_create(path: &Path) -> Result<(Self, KeyFile), KeyringError> {
        let (masters, origin) = file::open_or_create(path)?;
        let mut keys = masters.iter().map(|master| Key::derive(&master.id, &master.bytes));
        let current = keys.next().ok_or_else(|| KeyringError::Empty(path.to_owned()))??;
        let older = keys.collect::<Result<_, _>>()?;
        Ok((Self { current, older }, origin))
    }

    /// The name of the key that seals.
    pub fn current_id(&self) -> &str {
        &self.current.id
    }

    /// Encrypts `secret` with the current key for one place in the database; it opens only there.
    pub fn seal(&self, aad: Aad<'_>, secret: &Secret) -> Result<Sealed, KeyringError> {
        let nonce = random::<24>()?;
        let bytes = secret.bytes();
        let payload = Payload { msg: &bytes, aad: &aad.bytes() };
        let ciphertext = self
            .current
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| KeyringError::Cipher("encrypt a secret"))?;
        Ok(Sealed { key_id: self.current.id.clone(), nonce, ciphertext })
    }

    /// Decrypts what [`Self::seal`] made for the same place, with whichever of our keys it was made.
    pub fn open(&self, aad: Aad<'_>, sealed: &Sealed) -> Result<Secret, KeyringError> {
        let key = self
            .keys()
            .find(|key| key.id == sealed.key_id)
            .ok_or_else(|| KeyringError::UnknownKey(sealed.key_id.clone()))?;
        let payload = Payload { msg: &sealed.ciphertext, aad: &aad.bytes() };
        let bytes = key.cipher().decrypt(&XNonce::from(sealed.nonce), payload).map_err(|_| KeyringError::Refused)?;
        let bytes = Zeroizing::new(bytes);
        std::str::from_utf8(&bytes).map(Secret::new).map_err(|_| KeyringError::Refused)
    }

    /// The authenticator of an audit row made of `parts`, by the current key. The parts keep their borders:
    /// `["ab", "c"]` and `["a", "bc"]` differ.
    pub fn audit_mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac(&self.current.audit, parts)
    }

    /// Whether one of our keys made `expected` for `parts`; takes the same time whichever byte differs.
    pub fn audit_verify(&self, parts: &[&[u8]], expected: &[u8]) -> bool {
        let ours = self.keys().map(|key| mac(&key.audit, parts).as_slice().ct_eq(expected));
        ours.fold(Choice::from(0), |any, one| any | one).into()
    }

    /// What is stored of an invitation code: 64 hexadecimal digits, by the current key.
    pub fn code_hash(&self, code: &Secret) -> String {
        self.current.code_hash(code)
    }

    /// The same by each of our keys, the current one first: for looking a code up that was made before a rotation.
    pub fn code_hashes(&self, code: &Secret) -> Vec<String> {
        self.keys().map(|key| key.code_hash(code)).collect()
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.older)
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys().map(|key| &key.id)).finish()
    }
}

impl Key {
    fn derive(id: &str, master: &[u8; 32]) -> Result<Self, KeyringError> {
        let source = Hkdf::<Sha256>::new(None, master);
        let expand = |purpose: &[u8], key: &mut [u8]| {
            source.expand(purpose, key).map_err(|_| KeyringError::Cipher("derive a key"))
        };
        let mut key = Self {
            id: id.to_owned(),
            sealing: Zeroizing::new([0; 32]),
            audit: Zeroizing::new([0; 64]),
            codes: Zeroizing::new([0; 64]),
        };
        expand(b"rackhand v1 seal", key.sealing.as_mut())?;
        expand(b"rackhand v1 audit", key.audit.as_mut())?;
        expand(b"rackhand v1 codes", key.codes.as_mut())?;
        Ok(key)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.sealing).into())
    }

    fn code_hash(&self, code: &Secret) -> String {
        hex(&mac(&self.codes, &[code.expose().as_bytes()]))
    }
}

/// HMAC-SHA256 over the parts, each behind its length.
fn mac(key: &[u8; 64], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new(key.into());
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Fresh bytes from the machine.
fn random<const N: usize>() -> Result<[u8; N], KeyringError> {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).map_err(KeyringError::Random)?;
    Ok(bytes)
}
