//! Who calls: decided anew at each request, because tokens are revoked and roles taken away meanwhile.

use http::request::Parts;
use rackhand_core::{
    fault::chain,
    model::{Actor, Role},
    ops::Ops,
    secret::Secret,
};
use rmcp::{
    ErrorData,
    model::{ErrorCode, Extensions},
};

use crate::api;

/// Whom a server takes its callers for.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Whoever the HTTP request was found to come from: an [`api::Caller`] among its extensions.
    Request,
    /// A program that holds this token.
    Token(Secret),
    /// Whoever has a shell on this machine, at most in this role.
    Shell(Role),
}

impl Caller {
    /// The model that acts for the caller.
    pub(super) async fn actor(&self, ops: &Ops, extensions: &Extensions) -> Result<Actor, ErrorData> {
        let principal = match self {
            Self::Request => {
                let known = |parts: &Parts| parts.extensions.get::<api::Caller>().map(|caller| caller.0.clone());
                extensions.get::<Parts>().and_then(known)
            }
            Self::Token(token) => ops.bearer(token).await.map_err(|error| {
                tracing::error!(error = chain(&error), "a token could not be looked up");
                ErrorData::internal_error("the token could not be looked up: try again later", None)
            })?,
            Self::Shell(role) => Some(Actor { role: *role, ..Actor::shell() }),
        };
        principal.map(Actor::model).ok_or_else(|| {
            let why = "nobody knows who asks: the token is unknown, revoked or expired";
            ErrorData::new(ErrorCode::INVALID_REQUEST, why, None)
        })
    }
}
