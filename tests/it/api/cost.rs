//! What a reading costs: how often the upstream is asked, over how many connections, and what is written.

use std::sync::Arc;

use rackhand_core::{
    clients::{
        http,
        ironic::{Auth, Ironic},
    },
    clock::SystemClock,
    model::{Actor, Role},
    ops::{Ops, RevokeToken, RevokeTokenInput},
};
use rackhand_tests::fast_ironic::{FastIronic, UUID};

use super::caller::{Door, token};
use crate::{databases::each_engine, desk::Desk, harness};

#[tokio::test]
async fn a_status_is_one_question_on_a_connection_that_stays_and_writes_nothing() {
    harness::init();
    each_engine(|db| async move {
        let upstream = FastIronic::start().await.unwrap();
        let (url, desk) = (format!("http://{}", upstream.address()), Desk::new(&db).await);
        let client = http::client(http::Limits::default()).unwrap();
        let ironic = Ironic::new(client, Some(&url), Auth::None, Arc::new(SystemClock)).unwrap();
        let ops = Ops { ironic: Some(ironic), ..desk.ops.clone() };
        let door = Door::open(&ops).await;
        let program = door.caller(&token(&ops, "program", Role::Viewer, None).await);
        let path = format!("/provision/{UUID}");

        // The first one learns Ironic's version, and notes that the token is used.
        assert_eq!(program.get(&path).await.good(200)["status"], "completed");
        let (questions, commits) = (upstream.questions(), ops.store.commits());
        for _ in 0..20 {
            program.get(&path).await.good(200);
        }
        assert_eq!((upstream.questions() - questions, upstream.connections()), (20, 1));
        assert_eq!(ops.store.commits(), commits, "a reading writes nothing");

        // However cheap, it is asked each time whether it is still allowed.
        ops.call::<RevokeToken>(&Actor::shell(), &RevokeTokenInput { name: "program".to_owned() }, None).await.unwrap();
        program.get(&path).await.problem(401, "unauthenticated");
        assert_eq!(upstream.questions() - questions, 20, "nobody asks for whoever may not");
    })
    .await;
}
