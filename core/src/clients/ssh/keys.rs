//! The two kinds of keys: those that hosts prove themselves with, and the one that Rackhand logs in with.

use std::{
    fmt,
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use rand::{TryRng, rngs::SysRng};
use russh::keys::{
    Algorithm, HashAlg, PrivateKey, PublicKey,
    ssh_key::{LineEnding, private::Ed25519Keypair, public::KeyData},
};
use zeroize::Zeroizing;

use super::SshError;

/// What the key is for, as `authorized_keys` shows it.
const COMMENT: &str = "rackhand";

/// The public key that a host proves itself with. As text it is one OpenSSH line without a comment:
/// `ssh-ed25519 AAAA…`.
#[derive(Clone, PartialEq, Eq)]
pub struct HostKey(Arc<KeyData>);

impl HostKey {
    /// The key's SHA-256 as OpenSSH prints it, `SHA256:…`: what people compare.
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    pub(super) fn of(key: &PublicKey) -> Self {
        Self(Arc::new(key.key_data().clone()))
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }
}

/// The text is not the OpenSSH line of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an OpenSSH public key")]
pub struct NotAHostKey;

impl FromStr for HostKey {
    type Err = NotAHostKey;

    fn from_str(line: &str) -> Result<Self, NotAHostKey> {
        PublicKey::from_openssh(line.trim()).map(|key| Self::of(&key)).map_err(|_| NotAHostKey)
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = PublicKey::from(KeyData::clone(&self.0)).to_openssh().map_err(|_| fmt::Error)?;
        f.write_str(&line)
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostKey({})", self.fingerprint())
    }
}

/// The one key pair that Rackhand logs in to all hosts with (ed25519), and the file it is kept in: Ansible's OpenSSH
/// reads the same file.
#[derive(Clone)]
pub struct OrchestratorKey {
    path: PathBuf,
    pair: Arc<PrivateKey>,
}

impl OrchestratorKey {
    /// The key in the file `path`; when there is none, a new one is written there (mode 0600, its directory 0700), and
    /// the public line beside it in `path`.pub. Of two processes that start at once, both get the same key.
    pub fn load_or_generate(path: &Path) -> Result<Self, SshError> {
        let trouble = |what: String| SshError::Key { path: path.to_owned(), what };
        if !path.try_exists().map_err(|error| trouble(error.to_string()))? {
            generate(path).map_err(|error| trouble(format!("cannot be made: {error}")))?;
        }
        let key = Self { path: path.to_owned(), pair: Arc::new(load(path).map_err(trouble)?) };
        let public = public_path(path);
        if !public.exists() {
            let line = format!("{}\n", key.public_line());
            fs::write(&public, line).map_err(|error| trouble(format!("cannot write {}: {error}", public.display())))?;
        }
        Ok(key)
    }

    /// The line for a host's `authorized_keys`: `ssh-ed25519 AAAA… rackhand`.
    pub fn public_line(&self) -> String {
        format!("{} {COMMENT}", HostKey::of(self.pair.public_key()))
    }

    /// The file of the private key.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn pair(&self) -> Arc<PrivateKey> {
        self.pair.clone()
    }
}

impl fmt::Debug for OrchestratorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrchestratorKey").field("path", &self.path).finish_non_exhaustive()
    }
}

fn public_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

fn load(path: &Path) -> Result<PrivateKey, String> {
    let mode = fs::metadata(path).map_err(|error| error.to_string())?.permissions().mode();
    if mode & 0o077 != 0 {
        // OpenSSH would not use it either.
        return Err(format!("others can read it (mode {:03o}): chmod 600 it", mode & 0o777));
    }
    let text = Zeroizing::new(fs::read(path).map_err(|error| error.to_string())?);
    let key = PrivateKey::from_openssh(text.as_slice()).map_err(|_| "is not an OpenSSH private key".to_owned())?;
    if key.is_encrypted() {
        return Err("is protected by a passphrase, which nobody can type here".to_owned());
    }
    if key.algorithm() != Algorithm::Ed25519 {
        return Err(format!("is {}, and must be ssh-ed25519", key.algorithm()));
    }
    Ok(key)
}

/// Writes a whole new key beside `path` and links it there, so that nobody ever reads half a key.
fn generate(path: &Path) -> io::Result<()> {
    let mut seed = Zeroizing::new([0_u8; 32]);
    SysRng.try_fill_bytes(seed.as_mut()).map_err(io::Error::other)?;
    let pair = PrivateKey::new(Ed25519Keypair::from_seed(&seed).into(), COMMENT).map_err(io::Error::other)?;
    let text = pair.to_openssh(LineEnding::LF).map_err(io::Error::other)?;

    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    let linked = file
        .set_permissions(Permissions::from_mode(0o600))
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    linked.or_else(|error| if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) })
}
