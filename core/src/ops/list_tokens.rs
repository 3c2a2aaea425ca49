//! The tokens of programs.

use async_trait::async_trait;

use super::{Cx, ListInput, OpError, Operation, Page, PageOf, Rest, Spec, Topic};
use crate::model::{Risk, Role, Token};

/// Lists tokens.
pub struct ListTokens;

#[async_trait]
impl Operation for ListTokens {
    type Input = ListInput;
    type Output = PageOf<Token>;
    const SPEC: Spec = Spec {
        name: "list_tokens",
        summary: "Lists the tokens of programs, revoked ones too; never a secret",
        topic: Topic::Authority,
        rest: &[Rest::get("/tokens")],
        cli: "token list",
        risk: Risk::Read,
        lowest: Role::Admin,
        repeatable: true,
        people_only: false,
    };

    async fn run(cx: &mut Cx, input: ListInput) -> Result<PageOf<Token>, OpError> {
        let page = Page::of(&input.cursor, input.limit)?;
        Ok(page.cut(cx.tx.tokens(&page.slice()).await?, |token| token.name.clone()))
    }
}
