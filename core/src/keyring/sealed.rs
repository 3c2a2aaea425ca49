//! The form of an encrypted secret in the database.

use std::{fmt, str::FromStr};

use super::{KeyringError, unhex::unhex};
use crate::model::hex;

/// The place in the database that a sealed secret belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aad<'a> {
    /// The table's name.
    pub table: &'a str,
    /// The row's id.
    pub row: &'a str,
    /// The column's name, or the name of the secret within the row.
    pub column: &'a str,
}

impl Aad<'_> {
    /// The three names, each behind its length, so that no two places look the same.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"rackhand v1".to_vec();
        for name in [self.table, self.row, self.column] {
            bytes.extend((name.len() as u64).to_be_bytes());
            bytes.extend(name.as_bytes());
        }
        bytes
    }
}

/// An encrypted secret. `Display` and `FromStr` are its one text form: `v1.KEY.NONCE.CIPHERTEXT`, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The name of the master key.
    pub key_id: String,
    /// Random, made for this secret alone.
    pub nonce: [u8; 24],
    /// The encrypted bytes with the 16 of their authenticator.
    pub ciphertext: Vec<u8>,
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v1.{}.{}.{}", self.key_id, hex(&self.nonce), hex(&self.ciphertext))
    }
}

impl FromStr for Sealed {
    type Err = KeyringError;

    fn from_str(text: &str) -> Result<Self, KeyringError> {
        let parts: Vec<&str> = text.split('.').collect();
        let ["v1", key_id, nonce, ciphertext] = parts[..] else {
            return Err(KeyringError::Encoding("it does not read v1.KEY.NONCE.CIPHERTEXT"));
        };
        let nonce = unhex(nonce).and_then(|bytes| <[u8; 24]>::try_from(bytes.as_slice()).ok());
        Ok(Self {
            key_id: key_id.to_owned(),
            nonce: nonce.ok_or(KeyringError::Encoding("its nonce is not 48 hexadecimal digits"))?,
            ciphertext: unhex(ciphertext).ok_or(KeyringError::Encoding("its ciphertext is not hexadecimal"))?.to_vec(),
        })
    }
}
