//! Changes that are made only if nothing changed meanwhile: what the caller saw must be what there is.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Cx, OpError, find};
use crate::model::hex;

/// What must still be so: this reading still answers what it did.
#[derive(Clone, Debug)]
pub struct Unchanged {
    /// The operation that reads.
    pub reading: &'static str,
    /// Its input.
    pub input: Value,
    /// The [`tag`]s of the answers that are good.
    pub tags: Vec<String>,
}

/// What tells one answer of a reading, as JSON text, from another.
pub fn tag(answer: &str) -> String {
    hex(&Sha256::digest(answer.as_bytes())[..16])
}

impl Cx {
    /// Reads in this transaction, which sees one moment: whoever changes it meanwhile makes this one begin anew.
    pub(super) async fn require_unchanged(&mut self, unchanged: &Unchanged) -> Result<(), OpError> {
        let name = unchanged.reading;
        let entry = find(name).ok_or_else(|| OpError::UnknownOperation(name.to_owned()))?;
        self.decide(entry).await?;
        let now = tag(&(entry.run)(self, unchanged.input.clone()).await?.to_string());
        if unchanged.tags.contains(&now) { Ok(()) } else { Err(OpError::NotAsSeen) }
    }
}
