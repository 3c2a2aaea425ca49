//! Tokens that come as name and password.

use std::time::Duration;

use rackhand_agent::api::Auth;
use rackhand_core::{
    model::{Actor, Role},
    ops::{RevokeToken, RevokeTokenInput},
    states::ServerStatus,
};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::caller::{Answered, Door, client, token};
use crate::{databases::each_engine, desk::Desk};

#[tokio::test]
async fn a_token_may_come_as_name_and_password() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let ops = &desk.ops;
        desk.server(1, ServerStatus::PendingSetup, true).await;
        let viewer = token(ops, "eyes", Role::Viewer, None).await;
        let operator = token(ops, "hands", Role::Operator, Some(1)).await;
        let door = Door::with(ops, Auth::Basic, 1000).await;
        let at = |method: Method, path: &str| client().request(method, format!("http://{}/api/v1{path}", door.address));
        let get = |name: &str, secret: &str| at(Method::GET, "/servers").basic_auth(name, Some(secret));
        let post = |name: &str, secret: &str| {
            let post = at(Method::POST, "/servers/vps-1/provision").basic_auth(name, Some(secret));
            post.header("Idempotency-Key", "one").json(&json!({}))
        };
        let refused = async |request: RequestBuilder| {
            let answered = Answered::of(request).await;
            answered.problem(401, "unauthenticated");
            let ways: Vec<_> = answered.headers.get_all("www-authenticate").iter().collect();
            assert_eq!(ways, ["Bearer realm=\"rackhand\"", "Basic realm=\"rackhand\", charset=\"UTF-8\""]);
        };
        Answered::of(get("eyes", &viewer)).await.good(200);
        Answered::of(post("eyes", &viewer)).await.problem(403, "forbidden");
        let first = Answered::of(post("hands", &operator)).await.good(202);
        // The same token as itself is the same caller.
        let again = door.caller(&operator).post_once("/servers/vps-1/provision", "one", &json!({})).await;
        assert_eq!(again.good(202), first);

        for (name, secret) in [
            ("hands", viewer.as_str()),
            ("eyes", &operator),
            ("Eyes", &viewer),
            ("", &viewer),
            ("eyes", ""),
            (&viewer, "eyes"),
            ("eyes", "rh_0000"),
            ("eyes:", &viewer),
            (&"x".repeat(300), &viewer),
        ] {
            refused(get(name, secret)).await;
        }
        for given in ["Basic", "Basic ", "Basic %%%", "Basic /w==", "Basic ZXllcw==", "Digest x", "Basic a b"] {
            refused(at(Method::GET, "/servers").header("Authorization", given)).await;
        }
        refused(get("eyes", &viewer).bearer_auth(&viewer)).await;
        refused(at(Method::GET, "/servers")).await;

        // A browser that knows the password lends it to no page from elsewhere.
        for (name, value) in [
            ("Origin", "https://evil.example"),
            ("Origin", "null"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
        ] {
            Answered::of(post("hands", &operator).header(name, value)).await.problem(403, "strange-origin");
        }
        let home = post("hands", &operator).header("Sec-Fetch-Site", "same-origin").header("Origin", "https://x");
        Answered::of(home).await.good(202);

        let input = RevokeTokenInput { name: "eyes".to_owned() };
        ops.call::<RevokeToken>(&Actor::shell(), &input, None).await.unwrap();
        refused(get("eyes", &viewer)).await;
        desk.clock.advance(Duration::from_hours(25));
        refused(get("hands", &operator)).await;
    })
    .await;
}
