//! The record of what was done, newest first.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Page, PageOf, Rest, Spec, Topic, create_invite::FIRST_ADMIN_CODE, find};
use crate::{
    model::{AuditEntry, Risk, Role},
    store::AuditFilter,
};

/// Lists the audit.
pub struct ListAudit;

/// Which entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListAuditInput {
    /// Only those of this operation, such as `rebuild_server`.
    pub operation: Option<String>,
    /// Only those about this, as it stands there: a handle, an id, a name.
    pub target: Option<String>,
    /// Only those of whom is named so: `@anna`, `#1001`, a token's name; or of all of a kind: `person`, `token`, `model`,
    /// `system`.
    pub actor: Option<String>,
    /// What `next` said on the page before; empty for the first page.
    pub cursor: String,
    /// How many at most, 1 to 500; 0 means 50.
    #[schemars(range(max = 500))]
    pub limit: u32,
}

#[async_trait]
impl Operation for ListAudit {
    type Input = ListAuditInput;
    type Output = PageOf<AuditEntry>;
    const SPEC: Spec = Spec {
        name: "list_audit",
        summary: "Lists who did what to what, newest first",
        topic: Topic::Authority,
        rest: &[Rest::get("/audit")],
        cli: "audit list",
        risk: Risk::Read,
        lowest: Role::Admin,
        repeatable: true,
        people_only: false,
    };

    async fn run(cx: &mut Cx, input: ListAuditInput) -> Result<PageOf<AuditEntry>, OpError> {
        let page = Page::of(&input.cursor, input.limit)?;
        let before = page.after_number()?;
        if let Some(name) = &input.operation
            && find(name).is_none()
            && name != FIRST_ADMIN_CODE
        {
            let message = "the name of an operation is expected, such as rebuild_server".to_owned();
            return Err(OpError::BadInput { path: "operation".to_owned(), message });
        }
        let filter = AuditFilter { operation: input.operation, target: input.target, actor: input.actor };
        let entries = cx.tx.audit_newest_first(before, &filter, &page.slice()).await?;
        Ok(page.cut(entries, |entry| entry.seq.to_string()))
    }
}
