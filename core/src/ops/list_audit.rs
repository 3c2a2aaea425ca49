//! The record of what was done, newest first.

use async_trait::async_trait;

use super::{Cx, ListInput, OpError, Operation, Page, PageOf, Rest, Spec, Topic};
use crate::model::{AuditEntry, Risk, Role};

/// Lists the audit.
pub struct ListAudit;

#[async_trait]
impl Operation for ListAudit {
    type Input = ListInput;
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

    async fn run(cx: &mut Cx, input: ListInput) -> Result<PageOf<AuditEntry>, OpError> {
        let page = Page::of(&input.cursor, input.limit)?;
        let before = page.after_number()?;
        Ok(page.cut(cx.tx.audit_newest_first(before, &page.slice()).await?, |entry| entry.seq.to_string()))
    }
}
