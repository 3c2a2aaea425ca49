//! The sender's words: what the views make of the newest facts.

use async_trait::async_trait;
use rackhand_core::{
    model::{Body, Outgoing},
    ops::Ops,
    store::Tx,
};

use crate::{
    messenger::Message,
    sender::{Render, RenderError},
    views::{self, ViewError},
};

/// Words every message by the views.
pub struct Words {
    ops: Ops,
}

impl Words {
    /// With these operations' clock and keys.
    pub fn new(ops: Ops) -> Self {
        Self { ops }
    }
}

#[async_trait]
impl Render for Words {
    async fn render(&self, tx: &mut Tx, chat: i64, body: &Body) -> Result<Message, RenderError> {
        Ok(views::render(tx, self.ops.clock.now(), &self.ops.keyring, chat, body).await?)
    }

    async fn digest_line(&self, tx: &mut Tx, chat: i64, message: &Outgoing) -> Result<String, RenderError> {
        Ok(views::digest_line(tx, chat, message).await?)
    }
}

impl From<ViewError> for RenderError {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::Store(error) => Self::Store(error),
            error @ ViewError::Keyring(_) => Self::Words { what: error.to_string() },
        }
    }
}
