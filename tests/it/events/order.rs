//! The order of events, in the store.

use std::time::Duration;

use futures::StreamExt;
use rackhand_core::{
    model::{EventBody, EventId, EventTopic},
    states::ServerStatus,
    store::{Engine, EventFilter, Following, Heard, Start, follow},
};

use super::{NOW, clock, everything, hear, line, new_job};
use crate::{
    databases::{Database, each_engine},
    desk::Desk,
    engine::toy::within,
};

const FIRST: Start = Start::After(EventId { pos: 0, n: 0 });

#[tokio::test]
async fn whoever_commits_late_is_not_passed_over() {
    let Some(db) = Database::fresh(Engine::Postgres).await else { return };
    let (store, other) = (db.open().await, db.open().await);
    // Five transactions, each with a number before the next one's, end from the last to the first; one never happens.
    let mut held = Vec::new();
    for _ in 0..5 {
        let mut tx = store.write().await.unwrap();
        let job = new_job(&mut tx).await;
        line(&mut tx, job, "in the same transaction").await;
        held.push((job.to_string(), tx));
    }
    let mut expected = Vec::new();
    while let Some((job, tx)) = held.pop() {
        let seen = other.read().await.unwrap().events_after(EventId::default(), &EventFilter::default(), 99).await;
        assert_eq!(seen.unwrap(), [], "an older transaction may still add something before them");
        if held.len() == 2 {
            drop(tx);
        } else {
            tx.commit().await.unwrap();
            expected.splice(0..0, [job.clone(), job]);
        }
    }
    let heard = hear(&other, FIRST, &everything(), expected.len()).await;
    let subjects: Vec<_> = heard.iter().map(|event| event.subject.clone()).collect();
    assert_eq!(subjects, expected);
    assert!(heard.iter().map(|event| event.id.n).eq([0, 1, 0, 1, 0, 1, 0, 1]));
}

#[tokio::test]
async fn every_follower_hears_every_event_once_in_one_order() {
    const WRITERS: usize = 8;
    const EACH: usize = 25;
    each_engine(|db| async move {
        let stores = [db.open().await, db.open().await];
        let total = WRITERS * EACH * 2;
        let followers: Vec<_> = [0, 1, 0]
            .into_iter()
            .map(|at| {
                let store = stores[at].clone();
                tokio::spawn(async move { hear(&store, FIRST, &everything(), total).await })
            })
            .collect();
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                let store = stores[number % 2].clone();
                tokio::spawn(async move {
                    for round in 0..EACH {
                        let mut tx = store.write().await.unwrap();
                        let job = new_job(&mut tx).await;
                        // Some take longer between their first event and their end, so that they end in another order.
                        for _ in 0..(number * 7 + round * 5) % 11 {
                            tx.require_job(job).await.unwrap();
                        }
                        line(&mut tx, job, "said").await;
                        if round % 5 == 4 {
                            drop(tx);
                            let mut tx = store.write().await.unwrap();
                            let job = new_job(&mut tx).await;
                            line(&mut tx, job, "said").await;
                            tx.commit().await.unwrap();
                        } else {
                            tx.commit().await.unwrap();
                        }
                    }
                })
            })
            .collect();
        for writer in writers {
            within(writer).await.unwrap();
        }
        assert_eq!(db.number("SELECT COUNT(*) FROM events WHERE pos > 0").await, i64::try_from(total).unwrap());
        let mut all = Vec::new();
        for follower in followers {
            all.push(within(follower).await.unwrap());
        }
        assert!(all[0].windows(2).all(|pair| pair[0].id < pair[1].id), "in order, none twice");
        assert!(all[0] == all[1] && all[0] == all[2], "all hear the same");
    })
    .await;
}

#[tokio::test]
async fn each_event_is_a_place_to_go_on_from() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let server = desk.server(1, ServerStatus::Ready, true).await;
        let mut tx = desk.store().write().await.unwrap();
        let job = new_job(&mut tx).await;
        for number in 0..210 {
            line(&mut tx, job, &number.to_string()).await;
        }
        tx.set_managed(server.id, false, NOW).await.unwrap();
        tx.commit().await.unwrap();
        let all = hear(desk.store(), FIRST, &everything(), 213).await;
        // As one more process would read it.
        let store = db.open().await;
        for (at, event) in all.iter().enumerate().step_by(15) {
            let rest = &all[at + 1..];
            assert_eq!(hear(&store, Start::After(event.id), &everything(), rest.len()).await, rest);
        }
        let servers = EventFilter { topics: vec![EventTopic::Incident, EventTopic::Server], subject: None };
        let heard = hear(&store, FIRST, &Following::Events(servers), 2).await;
        assert_eq!(heard[1].subject, "vps-1");
        assert_eq!(heard[1].body, EventBody::ServerChanged { status: ServerStatus::Ready, managed: false });
        let one = hear(&store, Start::Beginning, &Following::Job(job), 211).await;
        assert_eq!(one, all[1..212]);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_kept_is_said_to_be_missing() {
    each_engine(|db| async move {
        let store = db.open().await;
        let mut jobs = Vec::new();
        for _ in 0..3 {
            let mut tx = store.write().await.unwrap();
            jobs.push(new_job(&mut tx).await);
            tx.commit().await.unwrap();
        }
        let all = hear(&store, FIRST, &everything(), 3).await;
        let later = NOW.plus(Duration::from_secs(1));
        let mut tx = store.write().await.unwrap();
        assert_eq!(tx.forget_old_events(NOW, 100).await.unwrap(), 1, "the place before the first");
        assert_eq!(tx.forget_old_events(later, 1).await.unwrap(), 1, "no more than were asked for");
        assert_eq!(tx.forget_old_events(later, 100).await.unwrap(), 1, "all but the newest");
        assert_eq!(tx.newest_event().await.unwrap(), all[2].id);
        tx.commit().await.unwrap();

        let unknown = EventId { pos: all[2].id.pos + 1_000_000, n: 0 };
        for start in [all[0].id, all[1].id, unknown] {
            let mut heard = follow(&store, &clock(), Start::After(start), &everything());
            assert_eq!(within(heard.next()).await.unwrap().unwrap(), Heard::Reset);
            assert_eq!(within(heard.next()).await.unwrap().unwrap(), Heard::Place(all[2].id));
        }
        let mut heard = follow(&store, &clock(), Start::After(all[2].id), &everything());
        assert_eq!(within(heard.next()).await.unwrap().unwrap(), Heard::Place(all[2].id));
        let mut of_job = follow(&store, &clock(), Start::Beginning, &Following::Job(jobs[0]));
        assert_eq!(within(of_job.next()).await.unwrap().unwrap(), Heard::Reset, "its beginning is not kept");

        // Places count up from the newest, whatever was forgotten.
        let mut tx = store.write().await.unwrap();
        new_job(&mut tx).await;
        tx.commit().await.unwrap();
        assert!(hear(&store, Start::After(all[2].id), &everything(), 1).await[0].id > all[2].id);
    })
    .await;
}

#[tokio::test]
async fn a_dump_from_another_server_does_not_give_places_out_twice() {
    let Some(db) = Database::fresh(Engine::Postgres).await else { return };
    let store = db.open().await;
    let mut tx = store.write().await.unwrap();
    new_job(&mut tx).await;
    tx.commit().await.unwrap();
    let old = hear(&store, FIRST, &everything(), 1).await[0].id;
    // Another replica that comes up leaves this server's own events alone.
    assert!(db.open().await.read().await.unwrap().knows_event(old).await.unwrap());
    db.sql("INSERT INTO events SELECT pos + 4000000000, n, at, topic, subject, body FROM events WHERE pos > 0")
        .await
        .unwrap();
    let store = db.open().await;
    assert!(!store.read().await.unwrap().knows_event(old).await.unwrap());
    let mut heard = follow(&store, &clock(), Start::After(old), &everything());
    assert_eq!(within(heard.next()).await.unwrap().unwrap(), Heard::Reset);
}
