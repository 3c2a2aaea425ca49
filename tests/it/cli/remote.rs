//! The same commands here and over REST: the same answers, the same exit status.

use rackhand_core::{model::Role, states::ServerStatus};
use serde_json::Value;

use super::Machine;
use crate::{databases::each_engine, desk::person_in};

#[tokio::test]
async fn both_ways_answer_the_same() {
    each_engine(|db| async move {
        let machine = Machine::new(db);
        for number in 1..=3 {
            machine.server(number, ServerStatus::Ready, number < 3).await;
        }
        let token = machine.token("ci", "admin");
        let serving = machine.serve().await;
        let there = |args: &[&str]| machine.there(&serving.url, &token, args);

        // What changes something is asked for there first, and seen from both.
        let said = there(&["servers", "label", "vps-1", "env=prod", "rack=b 7", "--json"]).json();
        assert_eq!((&said["labels"]["env"], &said["labels"]["rack"]), (&"prod".into(), &"b 7".into()));
        assert_eq!(there(&["users", "put", "7", "operator", "--first-name", "Anna"]).code, 0);
        assert_eq!(machine.here(&["servers", "provision", "vps-2"]).code, 0);

        let reads: &[&[&str]] = &[
            &["servers", "list"],
            &["servers", "list", "--limit", "2"],
            &["servers", "show", "vps-1"],
            &["jobs", "list", "--open", "--handle", "vps-2"],
            &["servers", "list", "--status", "ready", "--managed", "--label", "env=prod"],
            &["users", "list"],
            &["users", "list", "--role", "operator"],
            &["audit", "list", "--operation", "label_server", "--target", "vps-1", "--actor", "ci"],
            &["users", "show", "7"],
            &["approvals", "list"],
            &["incidents", "list", "--open"],
            &["status"],
        ];
        for read in reads {
            for extra in [&[][..], &["--json"]] {
                let args = [*read, extra].concat();
                let (one, other) = (machine.here(&args), there(&args));
                assert_eq!(one, other, "{args:?}");
                assert!(one.code == 0 && !one.out.is_empty() && !one.out.contains('\u{1b}'), "{args:?}: {one:?}");
            }
        }
        let list = machine.here(&["servers", "list"]).out;
        assert!(list.starts_with("HANDLE") && list.contains("env=prod,rack=b 7"), "{list}");

        // The exit status tells what went wrong, whichever way it came.
        let wrong: &[(&[&str], i32, &str)] = &[
            (&["servers", "show", "nope"], 4, "nope"),
            (&["servers", "show", ".."], 4, ".."),
            (&["jobs", "show", "00000000"], 4, "00000000"),
            (&["servers", "list", "--cursor", "nonsense"], 2, "cursor"),
            (&["servers", "list", "--limit", "many"], 2, "limit"),
            (&["servers", "list", "--label", "a b"], 2, "label"),
            (&["servers", "list", "--status", "broken"], 2, "status"),
            (&["audit", "list", "--operation", "rebuild"], 2, "operation"),
            (&["servers", "label", "vps-1", "bad key=x"], 2, "labels.bad key"),
            (&["servers", "label", "vps-1"], 2, "KEY=VALUE"),
            (&["users", "put", "7", "king"], 2, "king"),
            (&["servers", "rebuild", "vps-3"], 6, "no address"),
            (&["servers", "rebuild", "vps-2"], 6, "busy"),
        ];
        for (args, code, words) in wrong {
            for ended in [machine.here(args), there(args)] {
                assert!(
                    ended.code == *code && ended.err.contains(words) && ended.out.is_empty(),
                    "{args:?}: {ended:?}"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_yes_says_so_and_how() {
    each_engine(|db| async move {
        let machine = Machine::new(db);
        machine.server(1, ServerStatus::Ready, true).await;
        let token = machine.token("ci", "admin");
        let serving = machine.serve().await;
        let ways = [
            machine.here(&["servers", "rebuild", "vps-1"]),
            machine.there(&serving.url, &token, &["servers", "rebuild", "vps-1"]),
        ];
        let ids = ways.map(|ended| {
            assert_eq!(ended.code, 5, "{ended:?}");
            for words in
                ["rebuild_server: vps-1", "192.0.2.1", "LOST FOR GOOD", "/approvals", "Nothing has happened yet"]
            {
                assert!(ended.out.contains(words), "{words}: {ended:?}");
            }
            let (_, rest) = ended.out.split_once("approval ").unwrap();
            rest.split(',').next().unwrap().to_owned()
        });
        assert_eq!(ids[0], ids[1], "the same question is one question");
        let json = machine.there(&serving.url, &token, &["servers", "rebuild", "vps-1", "--json"]);
        let said: Value = serde_json::from_str(&json.out).unwrap();
        assert_eq!((json.code, said["approval_id"].as_str()), (5, Some(ids[0].as_str())));
        assert_eq!(machine.here(&["jobs", "list", "--json"]).json()["items"], Value::Array(vec![]));
    })
    .await;
}

#[tokio::test]
async fn authority_is_the_tokens_and_what_is_for_people_says_where() {
    each_engine(|db| async move {
        let machine = Machine::new(db);
        machine.server(1, ServerStatus::Ready, true).await;
        person_in(&machine.db.open().await, 7, Role::Admin).await;
        let (viewer, admin) = (machine.token("eyes", "viewer"), machine.token("hands", "admin"));
        let serving = machine.serve().await;

        let refused: &[(&str, &[&str], &str)] = &[
            (&viewer, &["servers", "label", "vps-1", "a=b"], "operator"),
            ("rh_wrong", &["servers", "list"], "token"),
            ("", &["servers", "list"], "token"),
            (&admin, &["users", "put", "8", "admin"], "only a person"),
            (&admin, &["users", "put", "7", "guest"], "only a person"),
            (&admin, &["servers", "manage", "vps-1"], "not offered over REST"),
            (&admin, &["token", "create", "more", "admin"], "not offered over REST"),
        ];
        for (token, args, words) in refused {
            let ended = machine.there(&serving.url, token, args);
            assert!(ended.code == 3 && ended.err.contains(words), "{args:?}: {ended:?}");
            assert!(token.is_empty() || !ended.err.contains(token), "{ended:?}");
        }
        assert_eq!(machine.here(&["users", "put", "8", "admin"]).code, 0, "whoever has the shell is the owner");

        let url = serving.url.clone();
        drop(serving);
        let ended = machine.there(&url, &admin, &["servers", "list"]);
        assert!(ended.code == 7 && ended.err.contains("api.listen"), "{ended:?}");
        let ended = machine.there("ftp://x", &admin, &["servers", "list"]);
        assert!(ended.code == 2 && ended.err.contains("https://HOST"), "{ended:?}");
    })
    .await;
}
