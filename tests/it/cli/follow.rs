//! A job that is followed to its end: each line once, in order, also when what tells it breaks off in between.

use std::{net::SocketAddr, time::Duration};

use rackhand_core::{
    clock::{Clock, SystemClock},
    ids::JobId,
    model::{EventLevel, Reason},
    ops::PROVISION_VPS,
    states::{JobEvent, ServerStatus},
    store::{ClaimBy, Kinds, Store},
};

use super::Machine;
use crate::{databases::each_engine, e2e::world::eventually, harness::SOON};

#[tokio::test]
async fn each_line_is_printed_once_also_over_a_restart() {
    each_engine(|db| async move {
        let machine = Machine::new(db);
        let token = machine.token("ci", "operator");
        let store = machine.db.open().await;
        for (number, is_there) in [(1, false), (2, true)] {
            machine.server(number, ServerStatus::PendingSetup, true).await;
            let mut serving = machine.serve().await;
            let url = serving.url.clone();
            let there = is_there.then_some((url.as_str(), token.as_str()));
            let following = machine.begin(there, &["servers", "provision", &format!("vps-{number}"), "--follow"]);
            let job = claimed(&store).await;
            say(&store, job, 1..=2).await;
            eventually(SOON, async || following.out().contains("line 2\n").then_some(())).await.expect("some is told");
            if is_there {
                let address: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
                drop(serving);
                say(&store, job, 3..=40).await;
                serving = machine.serve_at(address, "off").await;
            } else {
                say(&store, job, 3..=40).await;
            }
            say(&store, job, 41..=42).await;
            end(&store, job, JobEvent::Succeed).await;
            let ended = following.ended().await;
            assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
            let told: Vec<_> = ended.out.lines().filter_map(|line| Some(line.split_once("line ")?.1)).collect();
            assert_eq!(told, (1..=42).map(|line| line.to_string()).collect::<Vec<_>>(), "{ended:?}");
            drop(serving);
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_parked_or_fails_ends_it_with_the_reason() {
    each_engine(|db| async move {
        let machine = Machine::new(db);
        let token = machine.token("ci", "operator");
        let store = machine.db.open().await;
        let serving = machine.serve().await;
        machine.server(1, ServerStatus::PendingSetup, true).await;
        let ways = [None, Some((serving.url.as_str(), token.as_str()))];
        let follow = |way: usize| machine.begin(ways[way], &["servers", "provision", "vps-1", "--follow"]);
        let mut following = follow(0);
        let job = claimed(&store).await;
        say(&store, job, 1..=1).await;
        for (way, how, word) in
            [(1, JobEvent::Park, "parked"), (0, JobEvent::Park, "parked"), (0, JobEvent::Fail, "failed")]
        {
            end(&store, job, how).await;
            let ended = following.ended().await;
            assert!(ended.code == 1 && ended.out.contains(&format!("{word} since ")), "{ended:?}");
            assert!(ended.out.ends_with(": because of this\n"), "{ended:?}");
            assert_eq!(ended.out.matches("line 1\n").count(), 1, "{ended:?}");
            if how == JobEvent::Fail {
                break;
            }
            // It is sent on: that it was parked is told, and no end any more.
            assert_eq!(machine.here(&["jobs", "retry", &job.to_string()]).code, 0);
            assert_eq!(claimed(&store).await, job);
            following = follow(way);
            eventually(SOON, async || following.out().contains("sent on").then_some(())).await.expect("it goes on");
        }
    })
    .await;
}

/// The job that was asked for, taken as by a worker.
async fn claimed(store: &Store) -> JobId {
    let by =
        ClaimBy { owner: "worker".to_owned(), kinds: Kinds::from_iter([PROVISION_VPS]), lease: Duration::from_mins(5) };
    let claim = async || {
        let mut tx = store.write().await.unwrap();
        let job = tx.claim(&by, SystemClock.now()).await.unwrap()?;
        tx.commit().await.unwrap();
        Some(job.id)
    };
    eventually(SOON, claim).await.expect("a job was asked for")
}

async fn say(store: &Store, job: JobId, lines: std::ops::RangeInclusive<u32>) {
    for line in lines {
        let mut tx = store.write().await.unwrap();
        let job = tx.require_job(job).await.unwrap();
        tx.add_event(&job, "step", EventLevel::Info, &format!("line {line}"), SystemClock.now()).await.unwrap();
        tx.commit().await.unwrap();
    }
}

async fn end(store: &Store, job: JobId, how: JobEvent) {
    let now = SystemClock.now();
    let mut tx = store.write().await.unwrap();
    let job = tx.require_job(job).await.unwrap();
    let why = Reason::new("because", "because of this");
    tx.set_outcome(job.id, &why).await.unwrap();
    tx.let_go(&job, how, Some(&why), now, now).await.unwrap();
    tx.commit().await.unwrap();
}
