//! Whoever comes with a JSON Web Token.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rackhand_agent::api::Jwt;
use rackhand_core::{
    config::{ApiJwt, JwtAlgorithm},
    model::Role,
    states::ServerStatus,
    store::Engine,
};
use reqwest::Method;
use ring::hmac;
use serde_json::{Value, json};

use super::{
    caller::{Answered, Door, token},
    issuer::{Issuer, NOW, encoded, private_key, usual, write},
};
use crate::{
    databases::{Database, each_engine},
    desk::Desk,
    events::reader::Reader,
};

const ALGORITHMS: [JwtAlgorithm; 4] =
    [JwtAlgorithm::Rs256, JwtAlgorithm::Es256, JwtAlgorithm::EdDsa, JwtAlgorithm::Hs256];

#[tokio::test]
async fn whoever_the_issuer_vouches_for_is_let_in_and_named() {
    for algorithm in ALGORITHMS {
        let issuer = Issuer::new(algorithm);
        each_engine(|db| {
            let (auth, good) = (issuer.auth(), |claims| issuer.token(&claims));
            let (operator, viewer) = (good(json!({})), good(json!({ "sub": "eyes", "rackhand_role": "viewer" })));
            let admin = good(
                json!({ "sub": "repo:we/us:ref", "aud": ["x", "rackhand"], "rackhand_role": "admin", "nbf": NOW }),
            );
            async move {
                let desk = Desk::new(&db).await;
                desk.person(1, Role::Admin).await;
                desk.server(1, ServerStatus::PendingSetup, true).await;
                let door = Door::with(&desk.ops, auth, 1000).await;
                let [operator, viewer, admin] = [operator, viewer, admin].map(|token| door.caller(&token));
                viewer.get("/servers").await.good(200);
                viewer.post("/servers/vps-1/provision", &json!({})).await.problem(403, "forbidden");
                operator.post("/servers/vps-1/provision", &json!({})).await.good(202);
                operator.post("/servers/vps-1/rebuild", &json!({})).await.problem(403, "forbidden");
                desk.server(2, ServerStatus::Ready, true).await;
                let asked = admin.post("/servers/vps-2/rebuild", &json!({})).await.good(202);
                assert_eq!(asked["status"], "awaiting_approval", "what destroys waits for a person");
                let path = format!("/approvals/{}", asked["approval_id"].as_str().unwrap());
                assert_eq!(viewer.get(&path).await.good(200)["requested_by"], "token jwt:repo:we/us:ref");
                let audit = admin.get("/audit").await.good(200)["items"].clone();
                let who = |operation: &str| {
                    let lines = audit.as_array().unwrap().iter().filter(|line| line["operation"] == operation);
                    lines.map(|line| line["actor"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
                };
                assert_eq!(who("set_up_server").len(), 2, "{audit}");
                assert!(who("set_up_server").contains(&"token jwt:ci".to_owned()), "{audit}");
                assert!(who("set_up_server").contains(&"token jwt:eyes".to_owned()), "{audit}");

                // Language models come in the same way.
                let listing = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
                let accept = "application/json, text/event-stream";
                let tools = viewer.at(Method::POST, "/mcp").header("accept", accept).json(&listing);
                let tools = Answered::of(tools).await.good(200).to_string();
                assert!(tools.contains("list_servers") && !tools.contains("set_up_server"), "{tools}");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn what_does_not_fit_in_each_point_is_refused() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let desk = Desk::new(&db).await;
    let stranger = Issuer::new(JwtAlgorithm::Es256);
    for algorithm in ALGORITHMS {
        let issuer = Issuer::new(algorithm);
        let door = Door::with(&desk.ops, issuer.auth(), 10_000).await;
        let refused = async |why: &str, token: String| {
            let answered = door.caller(&token).get("/servers").await;
            let problem = answered.problem(401, "unauthenticated");
            assert!(problem["detail"].as_str().unwrap().starts_with(why), "{algorithm}, {why}: {problem}");
            assert!(answered.header("www-authenticate").starts_with("Bearer"), "{answered:?}");
        };
        for (why, claims) in [
            ("iss", json!({ "iss": "https://other.example" })),
            ("iss", json!({ "iss": null })),
            ("iss", json!({ "iss": ["https://issuer.example"] })),
            ("aud", json!({ "aud": "other" })),
            ("aud", json!({ "aud": ["other", "rackhan"] })),
            ("aud", json!({ "aud": null })),
            ("exp", json!({ "exp": NOW - 30 })),
            ("exp", json!({ "exp": null })),
            ("exp", json!({ "exp": (NOW + 60).to_string() })),
            ("exp", json!({ "exp": -1 })),
            ("exp", json!({ "exp": 1e300 })),
            ("nbf", json!({ "nbf": NOW + 31 })),
            ("nbf", json!({ "nbf": "tomorrow" })),
            ("rackhand_role", json!({ "rackhand_role": null })),
            ("rackhand_role", json!({ "rackhand_role": "guest" })),
            ("rackhand_role", json!({ "rackhand_role": "king" })),
            ("rackhand_role", json!({ "rackhand_role": ["admin"] })),
            ("rackhand_role", json!({ "rackhand_role": null, "role": "admin" })),
            ("sub", json!({ "sub": null })),
            ("sub", json!({ "sub": "" })),
            ("sub", json!({ "sub": "a\nb" })),
            ("sub", json!({ "sub": "\u{202e}ci" })),
            ("sub", json!({ "sub": " ci" })),
            ("sub", json!({ "sub": "x".repeat(256) })),
        ] {
            refused(why, issuer.token(&claims)).await;
        }
        let header = |alg: &str| json!({ "alg": alg, "typ": "JWT" });
        for alg in ["none", "None", "", "HS256", "RS256", "ES256", "EdDSA", "RS512", "PS256"] {
            if alg != algorithm.to_string() {
                refused("alg", issuer.signed(&header(alg), &usual(&json!({})))).await;
            }
        }
        let name = algorithm.to_string();
        refused("alg", format!("{}.{}.", encoded(&header("none")), encoded(&usual(&json!({}))))).await;
        refused("crit", issuer.signed(&json!({ "alg": name, "crit": ["b64"], "b64": false }), &usual(&json!({}))))
            .await;
        // Whoever has only what everybody may have: the public key, as if it were the secret.
        let public = fs::read(issuer.key_file()).unwrap();
        if algorithm != JwtAlgorithm::Hs256 {
            for (alg, why) in [("HS256", "alg"), (name.as_str(), "this JSON Web Token is not signed")] {
                let message = format!("{}.{}", encoded(&header(alg)), encoded(&usual(&json!({}))));
                let forged = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &public), message.as_bytes());
                refused(why, format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(forged))).await;
            }
        }
        let good = issuer.token(&json!({}));
        let (message, signature) = good.rsplit_once('.').unwrap();
        let (head, _) = message.split_once('.').unwrap();
        let unsigned = "this JSON Web Token is not signed";
        let other = encoded(&usual(&json!({ "rackhand_role": "admin" })));
        refused(unsigned, format!("{head}.{other}.{signature}")).await;
        refused(unsigned, format!("{message}.")).await;
        refused(unsigned, format!("{message}.{signature}=")).await;
        if algorithm == JwtAlgorithm::Es256 {
            refused(unsigned, stranger.token(&json!({}))).await;
        }
        for no_token in ["", "x", "a.b", "..", "a.b.c.d", "é.é.é"] {
            let answered = door.caller(no_token).get("/servers").await;
            answered.problem(401, "unauthenticated");
        }
        refused("no token of more", format!("{good}{}", "x".repeat(8192))).await;
        let ours = token(&desk.ops, &format!("ours-{name}"), Role::Admin, None).await;
        refused("this is no JSON Web Token", ours).await;
        for edge in [json!({ "exp": NOW - 29 }), json!({ "nbf": NOW + 30 }), json!({ "exp": 1_790_000_000.5 })] {
            door.caller(&issuer.token(&edge)).get("/servers").await.good(200);
        }
    }
}

#[tokio::test]
async fn a_subject_has_keys_and_limits_of_its_own() {
    let issuer = Issuer::new(JwtAlgorithm::Hs256);
    each_engine(|db| {
        let auth = issuer.auth();
        let tokens = ["a", "a:b"].map(|sub| issuer.token(&json!({ "sub": sub, "rackhand_role": "operator" })));
        let again = issuer.token(&json!({ "sub": "a", "exp": NOW + 60 }));
        async move {
            let desk = Desk::new(&db).await;
            for number in 1..=2 {
                desk.server(number, ServerStatus::PendingSetup, true).await;
            }
            let door = Door::with(&desk.ops, auth, 4).await;
            let [a, b] = tokens.map(|token| door.caller(&token));
            let path = "/servers/vps-1/provision";
            let first = a.post_once(path, "b:1", &json!({})).await.good(202);
            // Another token of the same subject is the same caller.
            assert_eq!(door.caller(&again).post_once(path, "b:1", &json!({})).await.good(202), first);
            a.post_once("/servers/vps-2/provision", "b:1", &json!({})).await.problem(409, "key-reused");
            // This key after that name is another one's key after another name.
            b.post_once("/servers/vps-2/provision", "1", &json!({})).await.good(202);
            a.get("/servers").await.good(200);
            a.get("/servers").await.problem(429, "too-many-requests");
            b.get("/servers").await.good(200);
        }
    })
    .await;
}

#[tokio::test]
async fn a_stream_ends_when_its_token_does() {
    let issuer = Issuer::new(JwtAlgorithm::EdDsa);
    each_engine(|db| {
        let (auth, token) = (issuer.auth(), issuer.token(&json!({ "exp": NOW + 60 })));
        async move {
            let desk = Desk::new(&db).await;
            let door = Door::with(&desk.ops, auth, 1000).await;
            let caller = door.caller(&token);
            let mut reader = Reader::open(&caller, "/events", None).await;
            reader.place().await;
            desk.clock.advance(Duration::from_secs(91));
            assert_eq!(reader.rest().await, []);
            caller.get("/events").await.problem(401, "unauthenticated");
        }
    })
    .await;
}

#[test]
fn a_key_that_is_none_says_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let at = |path: &Path, algorithm| ApiJwt {
        key_file: Some(path.to_owned()),
        algorithm,
        ..Issuer::new(JwtAlgorithm::Hs256).settings()
    };
    let refused = |path: &Path, algorithm, words: &str| {
        let error = Jwt::open(&at(path, algorithm)).unwrap_err().to_string();
        assert!(error.starts_with("api.jwt.key_file: ") && error.contains(words), "{error}");
    };
    let keys = [JwtAlgorithm::Rs256, JwtAlgorithm::Es256, JwtAlgorithm::EdDsa].map(|algorithm| {
        let issuer = Issuer::new(algorithm);
        (issuer.key_file(), algorithm, issuer)
    });
    for (path, algorithm, _) in &keys {
        for (_, other, _) in &keys {
            let opened = Jwt::open(&at(path, *other));
            assert_eq!(opened.is_ok(), other == algorithm);
            if other != algorithm {
                refused(path, *other, &format!("not one for api.jwt.algorithm, which is {other}"));
            }
        }
        refused(&path.with_file_name("private.pem"), *algorithm, "openssl pkey -pubout");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        refused(path, JwtAlgorithm::Hs256, "set api.jwt.algorithm");
    }
    private_key(dir.path(), "RSA -pkeyopt rsa_keygen_bits:1024");
    refused(&dir.path().join("key"), JwtAlgorithm::Rs256, "2048");
    private_key(dir.path(), "EC -pkeyopt ec_paramgen_curve:P-384");
    refused(&dir.path().join("key"), JwtAlgorithm::Es256, "P-256");
    refused(&dir.path().join("gone"), JwtAlgorithm::EdDsa, "gone cannot be read");
    refused(&write(dir.path(), "empty", b""), JwtAlgorithm::EdDsa, "no public key");
    refused(&write(dir.path(), "short", &[b'x'; 31]), JwtAlgorithm::Hs256, "openssl rand -hex 32");
    let open = write(dir.path(), "open", &[b'x'; 32]);
    assert!(Jwt::open(&at(&open, JwtAlgorithm::Hs256)).is_ok());
    fs::set_permissions(&open, fs::Permissions::from_mode(0o640)).unwrap();
    refused(&open, JwtAlgorithm::Hs256, "chmod 600");
}

#[tokio::test]
async fn two_keys_are_trusted_while_they_change() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let desk = Desk::new(&db).await;
    let (old, new) = (Issuer::new(JwtAlgorithm::Es256), Issuer::new(JwtAlgorithm::Es256));
    let both = [fs::read(old.key_file()).unwrap(), fs::read(new.key_file()).unwrap()].concat();
    fs::write(old.key_file(), both).unwrap();
    let door = Door::with(&desk.ops, old.auth(), 1000).await;
    for issuer in [&old, &new] {
        door.caller(&issuer.token(&json!({}))).get("/servers").await.good(200);
    }
    let third = Issuer::new(JwtAlgorithm::Es256).token(&json!({}));
    let _: Value = door.caller(&third).get("/servers").await.problem(401, "unauthenticated");
}
