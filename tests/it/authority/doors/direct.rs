//! The table of operations itself, under all doors: every kind of actor in every role, on both databases.

use async_trait::async_trait;
use rackhand_core::{
    model::{Actor, ActorKind, Role},
    ops::{Answer, Ops},
};
use strum::IntoEnumIterator;

use super::{Call, Door, Outcome, Who, ground::with_ironic, keeps_to_the_table, of_problem};
use crate::{
    databases::each_engine,
    desk::{Desk, as_kind},
};

#[tokio::test]
async fn under_the_doors() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let (ops, _ironic) = with_ironic(&desk.ops).await;
        for role in Role::iter() {
            let user = desk.person(role as i64 + 1, role).await;
            for kind in ActorKind::iter() {
                let who = Who { door: "ops", kind, role: Some(role) };
                keeps_to_the_table(&ops, &who, &Direct(ops.clone(), as_kind(&user, kind)), 1).await;
            }
        }
        assert_eq!(ops.verify_audit().await.unwrap().map(|count| count > 100), Ok(true));
    })
    .await;
}

struct Direct(Ops, Actor);

#[async_trait]
impl Door for Direct {
    async fn ask(&self, call: &Call) -> Vec<Outcome> {
        vec![match self.0.call_by_name(&self.1, &call.row.operation, &call.input, None).await {
            Ok(Answer::Done(_)) => Outcome::Run,
            Ok(Answer::AwaitingApproval(_)) => Outcome::Ask,
            Err(error) => of_problem(&error.reason().code, call),
        }]
    }
}
