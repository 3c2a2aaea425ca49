//! Whether a database was written with our keys: a lost key file must not be replaced by a new one in silence.

use super::call::unhex;
use crate::{
    keyring::Keyring,
    model::hex,
    store::{Store, StoreResult},
};

/// What the database's key check is made over; apart from all else that this key makes codes of.
const PARTS: &[&[u8]] = &[b"key-check"];

/// Whether `keyring` holds the key of this database. The first keyring that asks becomes it; of several at once, one.
/// A rotated keyring, which still holds the old key, moves the check on to its newest.
pub async fn same_key(store: &Store, keyring: &Keyring) -> StoreResult<bool> {
    let ours = hex(&keyring.audit_mac(PARTS));
    let known = store.read().await?.key_check().await?;
    if known.as_ref() == Some(&ours) {
        return Ok(true);
    }
    let mut tx = store.write().await?;
    let known = tx.first_key_check(&ours).await?;
    if !unhex(&known).is_some_and(|code| keyring.audit_verify(PARTS, &code)) {
        return Ok(false);
    }
    tx.set_key_check(&ours).await?;
    tx.commit().await?;
    Ok(true)
}

/// Whether this database has a key already.
pub async fn has_key(store: &Store) -> StoreResult<bool> {
    Ok(store.read().await?.key_check().await?.is_some())
}
