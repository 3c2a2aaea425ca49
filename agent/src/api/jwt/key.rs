//! The keys that prove who made a token.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rackhand_core::config::JwtAlgorithm;
use ring::{hmac, signature};
use rustls_pki_types::{SubjectPublicKeyInfoDer, alg_id, pem::PemObject};
use zeroize::Zeroizing;

/// No file of keys is longer; bytes.
const LONGEST_FILE: u64 = 64 * 1024;
/// The shortest secret (RFC 7518, section 3.2); bytes.
const SHORTEST_SECRET: usize = 32;
/// The sizes of RSA keys that are taken; bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// What a file's mode lets others than its owner do.
const OTHERS: u32 = 0o077;
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

/// Why a key is none. Says the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No file is named.
    #[error("api.jwt.key_file: no file is named, and without a key nobody can be let in")]
    Unsaid,
    /// The file cannot be read.
    #[error("api.jwt.key_file: {path} cannot be read")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// There is no public key in it.
    #[error(
        "api.jwt.key_file: no public key is in {0}: one that begins with `-----BEGIN PUBLIC KEY-----` is expected \
         (`openssl pkey -pubout` makes it of a private key, `openssl x509 -pubkey -noout` of a certificate)"
    )]
    NoKey(PathBuf),
    /// A key of another kind is in it.
    #[error(
        "api.jwt.key_file: a key in {path} is not one for api.jwt.algorithm, which is {algorithm}: {expected} is expected"
    )]
    OtherKind {
        /// Which file.
        path: PathBuf,
        /// How tokens are signed.
        algorithm: JwtAlgorithm,
        /// What it takes.
        expected: &'static str,
    },
    /// Somebody else can read the secret.
    #[error("api.jwt.key_file: others than its owner can read the secret, and make tokens: chmod 600 {0}")]
    Open(PathBuf),
    /// The secret can be guessed.
    #[error("api.jwt.key_file: the secret in {0} is shorter than 32 bytes: `openssl rand -hex 32` makes a good one")]
    Short(PathBuf),
    /// What everybody may know would be the secret.
    #[error(
        "api.jwt.key_file: a key in PEM is in {0}, and HS256 takes a secret: set api.jwt.algorithm to the key's own \
         (RS256, ES256 or EdDSA)"
    )]
    NoSecret(PathBuf),
}

/// Any of these keys may have made a token.
pub(super) enum Keys {
    Public(Vec<signature::UnparsedPublicKey<Vec<u8>>>),
    Shared(Box<hmac::Key>),
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[keys]")
    }
}

impl Keys {
    /// The keys in a file, for this way of signing.
    pub(super) fn read(path: &Path, algorithm: JwtAlgorithm) -> Result<Self, KeyError> {
        let unreadable = |error| KeyError::Unreadable { path: path.to_owned(), error };
        let file = File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.mode();
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(LONGEST_FILE).read_to_end(&mut bytes).map_err(unreadable)?;
        if algorithm == JwtAlgorithm::Hs256 {
            return if mode & OTHERS == 0 { shared(path, &bytes) } else { Err(KeyError::Open(path.to_owned())) };
        }
        let found: Result<Vec<_>, _> = SubjectPublicKeyInfoDer::pem_slice_iter(&bytes).collect();
        let found = found.ok().filter(|found| !found.is_empty()).ok_or_else(|| KeyError::NoKey(path.to_owned()))?;
        let other = |expected| KeyError::OtherKind { path: path.to_owned(), algorithm, expected };
        found.iter().map(|spki| public(spki, algorithm).map_err(other)).collect::<Result<_, _>>().map(Self::Public)
    }

    /// Whether `signature` of `message` was made with one of these keys. Takes as long whatever is wrong with it.
    pub(super) fn made(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Public(keys) => keys.iter().any(|key| key.verify(message, signature).is_ok()),
            Self::Shared(key) => hmac::verify(key, message, signature).is_ok(),
        }
    }
}

fn shared(path: &Path, bytes: &[u8]) -> Result<Keys, KeyError> {
    let secret = bytes.trim_ascii_end();
    if secret.windows(11).any(|part| part == b"-----BEGIN ") {
        return Err(KeyError::NoSecret(path.to_owned()));
    }
    if secret.len() < SHORTEST_SECRET {
        return Err(KeyError::Short(path.to_owned()));
    }
    Ok(Keys::Shared(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret))))
}

/// The key of a `SubjectPublicKeyInfo` (RFC 5280, section 4.1), or what was expected in its place.
fn public(spki: &[u8], algorithm: JwtAlgorithm) -> Result<signature::UnparsedPublicKey<Vec<u8>>, &'static str> {
    let (id, expected, takes): (_, _, &'static dyn signature::VerificationAlgorithm) = match algorithm {
        JwtAlgorithm::Es256 => (alg_id::ECDSA_P256, "a key on P-256", &signature::ECDSA_P256_SHA256_FIXED),
        JwtAlgorithm::EdDsa => (alg_id::ED25519, "an Ed25519 key", &signature::ED25519),
        JwtAlgorithm::Rs256 | JwtAlgorithm::Hs256 => {
            (alg_id::RSA_ENCRYPTION, "an RSA key of 2048 to 8192 bits", &signature::RSA_PKCS1_2048_8192_SHA256)
        }
    };
    let (kind, key) = parts(spki).ok_or(expected)?;
    let fits = kind == id.as_ref()
        && match algorithm {
            JwtAlgorithm::Es256 => key.len() == 65 && key.starts_with(&[4]),
            JwtAlgorithm::EdDsa => key.len() == 32,
            JwtAlgorithm::Rs256 | JwtAlgorithm::Hs256 => bits_of(key).is_some_and(|bits| RSA_BITS.contains(&bits)),
        };
    if fits { Ok(signature::UnparsedPublicKey::new(takes, key.to_vec())) } else { Err(expected) }
}

/// What kind of key it is, and the key.
fn parts(spki: &[u8]) -> Option<(&[u8], &[u8])> {
    let (whole, []) = element(spki, SEQUENCE)? else { return None };
    let (kind, rest) = element(whole, SEQUENCE)?;
    let (key, []) = element(rest, BIT_STRING)? else { return None };
    // The number of bits that its last byte has too many.
    Some((kind, key.strip_prefix(&[0])?))
}

/// The size of an `RSAPublicKey` (RFC 8017, appendix A.1.1).
fn bits_of(key: &[u8]) -> Option<usize> {
    let (modulus, _) = element(element(key, SEQUENCE)?.0, INTEGER)?;
    let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    let zeros = usize::try_from(modulus.first()?.leading_zeros()).ok()?;
    Some(modulus.len() * 8 - zeros)
}

/// The contents of the DER element with this tag that `der` begins with, and what is after it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, length], rest) = der.split_first_chunk()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => rest.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_be_bytes(*length)), rest))?,
        _ => return None,
    };
    if found == tag { rest.split_at_checked(length) } else { None }
}
