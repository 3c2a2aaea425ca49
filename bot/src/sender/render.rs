//! How messages get their words: the sender asks at the last moment, so that they tell the newest facts.

use async_trait::async_trait;
use rackhand_core::{
    fault::{Fault, FaultKind},
    model::{Body, Outgoing},
    store::{StoreError, Tx},
};

use crate::messenger::Message;

/// Words messages in the reader's language.
#[async_trait]
pub trait Render: Send + Sync {
    /// What the chat shall see. Long texts are fine: the sender splits them.
    async fn render(&self, tx: &mut Tx, chat: i64, body: &Body) -> Result<Message, RenderError>;

    /// A message's one line in a digest, in the HTML that [`Body::Digest`] keeps and `render` puts together: at most about
    /// 120 characters, since thirty lines shall fit into one message.
    async fn digest_line(&self, tx: &mut Tx, chat: i64, message: &Outgoing) -> Result<String, RenderError>;
}

/// Why a message could not be worded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// What it is about is no longer there: nobody needs to be told of it.
    #[error("{what} is no longer there")]
    Gone {
        /// What it is about.
        what: String,
    },
    /// The words are missing or do not fit together.
    #[error("no words for it: {what}")]
    Words {
        /// What is wrong.
        what: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for RenderError {
    fn kind(&self) -> FaultKind {
        match self {
            Self::Gone { .. } => FaultKind::NotFound,
            Self::Words { .. } => FaultKind::Bug,
            Self::Store(error) => error.kind(),
        }
    }
}
