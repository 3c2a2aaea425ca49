//! What operations are done to: each has something of its own, in a state from which it goes.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use rackhand_core::{
    clients::{
        http::{self, Limits},
        ironic::{Auth, Ironic},
    },
    clock::SystemClock,
    model::{Actor, NewServer, Role},
    ops::{Answer, Ops},
    states::ServerEvent,
};
use rackhand_tests::fast_ironic::{FastIronic, MANAGEABLE, UUID};
use serde_json::{Value, json};

use super::{Call, Row, entry};
use crate::desk::person_in;

pub(super) struct Ground<'a>(pub &'a Ops);

impl Ground<'_> {
    /// A call of each operation, with an input that it takes.
    pub async fn calls(&self, rows: &[&'static Row]) -> Vec<Call> {
        let mut calls = Vec::new();
        for row in rows {
            calls.push(Call { row, entry: entry(row), input: self.input(&row.operation).await });
        }
        calls
    }

    async fn input(&self, operation: &str) -> Value {
        match operation {
            "list_servers" | "list_jobs" | "list_approvals" | "list_users" | "list_tokens" | "list_audit"
            | "list_nodes" | "show_status" => json!({}),
            "list_incidents"
            | "show_server"
            | "unmanage_server"
            | "reserve_server"
            | "set_up_server"
            | "rebuild_server"
            | "force_rebuild_server"
            | "reset_attempts" => json!({ "handle": self.server(true).await }),
            "manage_server" => json!({ "handle": self.server(false).await }),
            "release_server" => {
                let handle = self.server(true).await;
                self.owner("reserve_server", json!({ "handle": handle })).await;
                json!({ "handle": handle })
            }
            "label_server" => json!({ "handle": self.server(true).await, "labels": { "env": "prod" } }),
            "show_job" | "cancel_job" | "retry_job" => json!({ "job": self.job().await }),
            // Nothing is wrong: there is none to be shown.
            "show_incident" => json!({ "incident": "00000000" }),
            "get_operation" => json!({ "id": self.job().await }),
            "approve" | "refuse" | "show_approval" | "withdraw_approval" => {
                json!({ "approval": self.approval().await })
            }
            "get_node" | "manage_node" | "end_maintenance" => json!({ "node": UUID }),
            "provide_node" => json!({ "node": MANAGEABLE }),
            "check_provision_status" | "check_unprovision_status" => json!({ "operation_id": UUID }),
            "unprovision_server" => json!({ "server_id": UUID }),
            "provision_server" => json!({ "image_id": "debian" }),
            "enrol_node" => json!({ "name": "new", "bmc": { "address": "http://192.0.2.1", "password": "secret" } }),
            "show_user" => json!({ "telegram_id": self.person().await }),
            "set_role" => json!({ "telegram_id": self.person().await, "role": "operator" }),
            "put_user" => json!({ "telegram_id": number(), "role": "viewer" }),
            "create_invite" => json!({ "role": "viewer" }),
            "redeem_invite" => json!({ "code_hashes": ["0"] }),
            "create_token" => json!({ "name": format!("token-{}", number()), "role": "viewer" }),
            "revoke_token" => {
                let name = format!("token-{}", number());
                self.owner("create_token", json!({ "name": name, "role": "viewer" })).await;
                json!({ "name": name })
            }
            "set_language" => json!({ "language": "en" }),
            other => panic!("{other} needs an input that it takes: say it in tests/it/authority/doors/ground.rs"),
        }
    }

    async fn person(&self) -> i64 {
        let number = number().into();
        person_in(&self.0.store, number, Role::Viewer).await.telegram_id
    }

    /// A server; a managed one was set up.
    async fn server(&self, managed: bool) -> String {
        let (number, now) = (number(), self.0.clock.now());
        let new = NewServer {
            handle: format!("vps-{number}"),
            provider: "time4vps".to_owned(),
            provider_id: number.to_string(),
            address: Some(format!("192.0.2.{}", number % 250).parse().unwrap()),
            label: "label".to_owned(),
            size: "small".to_owned(),
            managed,
        };
        let mut tx = self.0.store.write().await.unwrap();
        let mut server = tx.add_server(&new, now).await.unwrap();
        if managed {
            server = tx.move_server(&server, ServerEvent::Start, now).await.unwrap();
            server = tx.move_server(&server, ServerEvent::Finish, now).await.unwrap();
        }
        tx.commit().await.unwrap();
        server.handle
    }

    async fn job(&self) -> Value {
        let handle = self.server(true).await;
        self.owner("set_up_server", json!({ "handle": handle })).await["job"].take()
    }

    async fn approval(&self) -> Value {
        let handle = self.server(true).await;
        self.owner("rebuild_server", json!({ "handle": handle })).await
    }

    /// What the owner is answered: of a question, its id.
    async fn owner(&self, operation: &str, input: Value) -> Value {
        let answer = self.0.call_by_name(&Actor::shell(), operation, &input, None).await;
        match answer.unwrap_or_else(|error| panic!("{operation}: {error}")) {
            Answer::Done(output) => output,
            Answer::AwaitingApproval(id) => json!(id),
        }
    }
}

/// A number that nothing has yet.
fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1000);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The same operations with an Ironic, which serves as long as it is held.
pub async fn with_ironic(ops: &Ops) -> (Ops, FastIronic) {
    let upstream = FastIronic::start().await.unwrap();
    let url = format!("http://{}", upstream.address());
    let ironic = Ironic::new(http::client(Limits::default()).unwrap(), Some(&url), Auth::None, Arc::new(SystemClock));
    (Ops { ironic: Some(ironic.unwrap()), image: Some("debian".to_owned()), ..ops.clone() }, upstream)
}
