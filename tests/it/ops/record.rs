//! What is kept of a call: the audit chain, answers for a repetition, and errors that say where the mistake is.

use std::{fs, sync::Arc};

use rackhand_core::{
    keyring::Keyring,
    model::{Role, User},
    ops::{Answer, OpError, Ops, RedeemInvite, has_key, same_key},
    states::ServerStatus,
};
use serde_json::{Value, json};

use super::{call, job_of, on};
use crate::{databases::each_engine, desk::Desk};

#[tokio::test]
async fn a_key_gives_the_same_answer_and_is_its_owners() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let (anna, boris) = (desk.person(1, Role::Admin).await, desk.person(2, Role::Admin).await);
        let invite = |who: User, role: &'static str| {
            let ops = desk.ops.clone();
            async move { ops.call_by_name(&who.actor(), "create_invite", &json!({ "role": role }), Some("k")).await }
        };
        let first = invite(anna.clone(), "viewer").await.unwrap();
        assert_eq!(invite(anna.clone(), "viewer").await.unwrap(), first);
        assert!(matches!(invite(anna.clone(), "operator").await, Err(OpError::KeyReused)));
        assert_ne!(invite(boris.clone(), "viewer").await.unwrap(), first, "another one's key is another key");
        let reused =
            desk.ops.call_by_name(&anna.actor(), "set_language", &json!({ "language": "en" }), Some("k")).await;
        assert!(matches!(reused, Err(OpError::KeyReused)), "{reused:?}");

        // The code is shown once. What is kept of it for the repetition cannot be read in the database.
        let Answer::Done(first) = first else { panic!("{first:?}") };
        let code = first["code"].as_str().unwrap();
        let kept = format!("UPDATE requests SET key = key WHERE answer LIKE '%{code}%'");
        assert_eq!(db.sql(&kept).await.unwrap(), 0);
        assert_eq!(db.sql("UPDATE requests SET key = key").await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_invite_is_used_once_also_after_the_master_key_was_rotated() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let (guest, other) = (desk.person(1, Role::Guest).await, desk.person(2, Role::Guest).await);
        let first = desk.ops.first_admin_code().await.unwrap().unwrap();
        let second = desk.ops.first_admin_code().await.unwrap().unwrap();
        let rotated = rotate(&desk);
        let redeem = |code: &str| serde_json::to_value(RedeemInvite::input(&rotated.keyring, code)).unwrap();
        let worthless = call(&rotated, &guest, "redeem_invite", &redeem(&first.code)).await;
        assert!(
            matches!(worthless, Err(OpError::BadCode)),
            "only the newest code on the terminal counts: {worthless:?}"
        );
        let shouted = format!(" {} ", second.code.to_uppercase());
        call(&rotated, &guest, "redeem_invite", &redeem(&shouted)).await.unwrap();
        let again = call(&rotated, &other, "redeem_invite", &redeem(&second.code)).await;
        assert!(matches!(again, Err(OpError::BadCode)), "{again:?}");
        assert!(desk.ops.first_admin_code().await.unwrap().is_none(), "there is an admin");

        let anna = User { role: Role::Admin, ..guest };
        let Answer::Done(invite) = call(&rotated, &anna, "create_invite", &json!({ "role": "viewer" })).await.unwrap()
        else {
            panic!("asked")
        };
        let code = redeem(invite["code"].as_str().unwrap());
        call(&rotated, &anna, "redeem_invite", &code).await.unwrap();
        let still = rotated.store.read().await.unwrap().user(anna.id).await.unwrap().unwrap();
        assert_eq!(still.role, Role::Admin, "a code takes nothing away");
        assert!(matches!(rotated.verify_audit().await.unwrap(), Ok(count) if count >= 6), "rows of both keys hold");
        assert!(desk.ops.verify_audit().await.unwrap().is_err(), "without the newer key they do not");
        desk.clock.advance(desk.ops.limits.invite_life);
    })
    .await;
}

#[tokio::test]
async fn a_database_keeps_to_the_master_key_that_it_began_with() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        assert!(!has_key(desk.store()).await.unwrap());
        assert!(same_key(desk.store(), &desk.ops.keyring).await.unwrap());
        let (other, _) = Keyring::open_or_create(&desk.keys.path().join("other.key")).unwrap();
        assert!(!same_key(desk.store(), &other).await.unwrap(), "not even where nothing is sealed");
        assert!(same_key(&desk.replica().await.store, &desk.ops.keyring).await.unwrap());
        let rotated = rotate(&desk);
        assert!(same_key(desk.store(), &rotated.keyring).await.unwrap());
        assert!(!same_key(desk.store(), &desk.ops.keyring).await.unwrap(), "a replica that lacks the newest key");
    })
    .await;
}

#[tokio::test]
async fn what_was_done_and_what_was_refused_is_recorded() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let viewer = desk.person(1, Role::Viewer).await;
        let operator = desk.person(2, Role::Operator).await;
        let server = desk.server(1, ServerStatus::Ready, true).await;
        on(&desk.ops, &viewer, "set_up_server", &server.handle).await.unwrap_err();
        job_of(&on(&desk.ops, &operator, "set_up_server", &server.handle).await);
        on(&desk.ops, &operator, "show_server", &server.handle).await.unwrap();
        let rows = desk.store().read().await.unwrap().audit(0, 9).await.unwrap();
        let rows: Vec<_> =
            rows.iter().map(|row| (row.seq, row.actor.as_str(), row.target.as_str(), row.outcome.as_str())).collect();
        let expected = [(1, "person @viewer1 #1", "vps-1", "refused"), (2, "person @operator2 #2", "vps-1", "done")];
        assert_eq!(rows, expected);
    })
    .await;
}

#[tokio::test]
async fn whatever_is_done_to_the_record_shows() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        assert_eq!(desk.ops.verify_audit().await.unwrap(), Ok(0));
        let anna = desk.person(1, Role::Admin).await;
        for _ in 0..4 {
            call(&desk.ops, &anna, "set_language", &json!({ "language": "en" })).await.unwrap();
        }
        let columns = [
            "at = at + 1",
            "actor = actor || 'x'",
            "operation = ''",
            "target = 'x'",
            "outcome = 'asked'",
            "detail = '{}'",
            "mac = upper(mac)",
            "mac = '00' || substr(mac, 3)",
            "seq = seq + 100",
        ];
        for row in 1..=4 {
            for column in columns {
                tampered(&desk, &format!("UPDATE audit SET {column} WHERE seq = {row}")).await;
            }
            tampered(&desk, &format!("DELETE FROM audit WHERE seq = {row}")).await;
        }
        tampered(&desk, "DELETE FROM audit").await;
        tampered(&desk, "DELETE FROM audit_head").await;
        for head in ["seq = seq - 1", "seq = seq + 1", "mac = ''", "seal = ''"] {
            tampered(&desk, &format!("UPDATE audit_head SET {head}")).await;
        }
        // Cut short with the head set back to match, by somebody who knows how the chain is made.
        let cut = "DELETE FROM audit WHERE seq > 2;
             UPDATE audit_head SET seq = 2, mac = (SELECT mac FROM audit WHERE seq = 2)";
        tampered(&desk, cut).await;
        tampered(&desk, "DELETE FROM audit; UPDATE audit_head SET seq = 0, mac = '', seal = ''").await;
        let swap = "UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3;
             UPDATE audit SET seq = 3 WHERE seq = 99";
        tampered(&desk, swap).await;
        assert_eq!(desk.ops.verify_audit().await.unwrap(), Ok(4));
    })
    .await;
}

/// Does it, sees that it shows, and puts the record back.
async fn tampered(desk: &Desk, sql: &str) {
    let keep = "CREATE TABLE kept AS SELECT * FROM audit; CREATE TABLE kept_head AS SELECT * FROM audit_head";
    desk.db.sql(keep).await.unwrap();
    desk.db.sql(sql).await.unwrap();
    let said = desk.ops.verify_audit().await.unwrap();
    assert!(said.is_err(), "{sql}: {said:?}");
    let back = "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept; DELETE FROM audit_head;
         INSERT INTO audit_head SELECT * FROM kept_head; DROP TABLE kept; DROP TABLE kept_head";
    desk.db.sql(back).await.unwrap();
}

#[tokio::test]
async fn many_replicas_write_one_chain() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Viewer).await;
        let replicas = [desk.ops.clone(), desk.replica().await];
        let calls: Vec<_> = (0..30)
            .map(|at| {
                let (ops, anna) = (replicas[at % 2].clone(), anna.clone());
                tokio::spawn(async move { call(&ops, &anna, "set_language", &json!({ "language": "ru" })).await })
            })
            .collect();
        for one in calls {
            one.await.unwrap().unwrap();
        }
        assert_eq!(desk.ops.verify_audit().await.unwrap(), Ok(30));
    })
    .await;
}

#[tokio::test]
async fn a_bad_input_says_where() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Admin).await;
        let cases: [(&str, Value, &str); 7] = [
            ("set_role", json!({ "telegram_id": "x", "role": "admin" }), "telegram_id"),
            ("set_role", json!({ "telegram_id": 1, "role": "king" }), "role"),
            ("create_invite", json!({ "role": "guest" }), "role"),
            ("list_jobs", json!({ "limit": -1 }), "limit"),
            ("list_jobs", json!({ "cursor": "zz" }), "cursor"),
            ("show_server", json!({}), "handle"),
            ("show_server", json!({ "handle": "a", "force": true }), "force"),
        ];
        for (name, input, field) in cases {
            match call(&desk.ops, &anna, name, &input).await {
                Err(error @ OpError::BadInput { .. }) => {
                    assert!(error.to_string().contains(field), "{name}: {error}");
                }
                other => panic!("{name} {input}: {other:?}"),
            }
        }
        let unknown = call(&desk.ops, &anna, "drop_tables", &json!({})).await;
        assert!(matches!(unknown, Err(OpError::UnknownOperation(_))));
    })
    .await;
}

/// The same operations with a new master key before the old one.
fn rotate(desk: &Desk) -> Ops {
    let (old, new) = (desk.keys.path().join("master.key"), desk.keys.path().join("new.key"));
    Keyring::open_or_create(&new).unwrap();
    let both = format!("{}\n{}", fs::read_to_string(&new).unwrap(), fs::read_to_string(&old).unwrap());
    fs::write(&new, both).unwrap();
    let (keyring, _) = Keyring::open_or_create(&new).unwrap();
    Ops { keyring: Arc::new(keyring), ..desk.ops.clone() }
}
