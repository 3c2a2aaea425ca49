//! The stream as programs read it, over HTTP.

use std::{sync::Arc, time::Duration};

use rackhand_core::{
    clock::{Clock, SystemClock},
    ids::JobId,
    model::{Actor, Reason, Role},
    ops::{Answer, CancelJob, JobInput, Ops, RevokeToken, RevokeTokenInput},
    states::{JobEvent, JobStatus, ServerStatus},
    store::{ClaimBy, Engine, Kinds, Store},
};
use reqwest::{Method, StatusCode};
use tokio_util::task::AbortOnDropHandle;

use super::{NOW, line, new_job, reader::Reader};
use crate::{
    api::caller::{Caller, Door, Place, token},
    databases::{Database, each_engine},
    desk::Desk,
    engine::toy::within,
};

/// Operations on the machine's own clock: replicas hear of each other by looking again and again.
fn real(ops: Ops) -> Ops {
    Ops { clock: Arc::new(SystemClock), ..ops }
}

/// Waits until everything that was written is given out: on one server with other databases, transactions there are
/// older ones, too.
async fn settled(db: &Database, store: &Store) {
    let written = db.number("SELECT MAX(pos) FROM events").await;
    within(async {
        while store.read().await.unwrap().newest_event().await.unwrap().pos < written {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// A job from its beginning to before its end, in a transaction for each change: nine events.
async fn almost_done(store: &Store) -> JobId {
    let mut tx = store.write().await.unwrap();
    let id = new_job(&mut tx).await;
    tx.commit().await.unwrap();
    let by = ClaimBy { owner: "x".to_owned(), kinds: Kinds::from_iter(["toy"]), lease: Duration::from_mins(1) };
    let mut tx = store.write().await.unwrap();
    assert_eq!(tx.claim(&by, NOW).await.unwrap().unwrap().id, id);
    line(&mut tx, id, "taken").await;
    tx.commit().await.unwrap();
    for number in 0..6 {
        let mut tx = store.write().await.unwrap();
        line(&mut tx, id, &format!("line {number}\nwith a break, \u{2028} and more")).await;
        tx.commit().await.unwrap();
    }
    id
}

/// Ends the job well: one event.
async fn finish(store: &Store, id: JobId) {
    let mut tx = store.write().await.unwrap();
    let job = tx.require_job(id).await.unwrap();
    tx.set_outcome(id, &Reason::new("done", "all done")).await.unwrap();
    let ended = tx.let_go(&job, JobEvent::Succeed, None, NOW, NOW).await.unwrap();
    assert_eq!(ended.status, JobStatus::Succeeded);
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_reader_goes_on_after_any_event_at_any_replica() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let ops = real(desk.ops.clone());
        let secret = token(&ops, "reader", Role::Viewer, None).await;
        let first = Door::open(&ops).await;
        let id = almost_done(desk.store()).await;
        let path = format!("/jobs/{id}/events");
        let mut live = Reader::open(&first.caller(&secret), &path, None).await;
        let mut story = live.take(9).await;
        assert_eq!((story[0].event.as_str(), &story[0].data["body"]["status"]), ("job_status", &"queued".into()));
        assert_eq!(story[8].data["body"]["message"], "line 5\nwith a break, \u{2028} and more");

        // A door at a store of its own is another replica, or the same one started anew.
        let second = Door::open(&real(desk.replica().await)).await;
        let mut other = Reader::open(&second.caller(&secret), &path, story[3].id.as_deref()).await;
        assert_eq!(other.take(5).await, story[4..]);
        finish(desk.store(), id).await;
        story.extend(live.rest().await);
        assert_eq!(story.len(), 11, "one event more, and the end");
        assert_eq!(story[9].data["body"]["status"], "succeeded");
        assert_eq!((story[10].event.as_str(), &story[10].data["job"]), ("end", &id.to_string().into()));
        assert_eq!(other.rest().await, story[9..]);

        drop((first, second));
        let third = Door::open(&real(desk.replica().await)).await;
        let caller = third.caller(&secret);
        for at in 0..10 {
            let rest = Reader::open(&caller, &path, story[at].id.as_deref()).await.rest().await;
            assert_eq!(rest, story[at + 1..], "after the event {at}");
            let after = story[at].id.as_deref().unwrap();
            let rest = Reader::open(&caller, &format!("{path}?after={after}"), None).await.rest().await;
            assert_eq!(rest, story[at + 1..]);
        }
        assert_eq!(Reader::open(&caller, &path, None).await.rest().await, story);
    })
    .await;
}

#[tokio::test]
async fn the_stream_of_everything_begins_now_and_loses_nothing() {
    each_engine(|db| async move {
        let place = Place::real(&db).await;
        let store = place.desk.store().clone();
        let before = almost_done(&store).await;
        settled(&db, &store).await;
        // Nothing has happened yet that this reader could name, and still it can come back.
        let mut reader = Reader::open(&place.viewer, "/events", None).await;
        let at = reader.place().await;
        drop(reader);
        place.desk.server(7, ServerStatus::Ready, true).await;
        finish(&store, before).await;
        let mut reader = Reader::open(&place.viewer, "/events", Some(&at)).await;
        let got = reader.take(2).await;
        assert_eq!((got[0].event.as_str(), &got[0].data["subject"]), ("server_changed", &"vps-7".into()));
        assert_eq!(got[1].data["subject"], before.to_string());

        let mut servers = Reader::open(&place.viewer, "/events?topic=server,incident&subject=vps-8", Some(&at)).await;
        place.desk.server(9, ServerStatus::Ready, true).await;
        place.desk.server(8, ServerStatus::Ready, true).await;
        assert_eq!(servers.next().await.unwrap().data["subject"], "vps-8");
        assert_eq!(reader.next().await.unwrap().data["subject"], "vps-9");

        // A stop ends streams at once rather than after its grace.
        drop(place.door);
        assert_eq!(servers.rest().await, []);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_followed_is_said() {
    each_engine(|db| async move {
        let place = Place::real(&db).await;
        let id = almost_done(place.desk.store()).await;
        settled(&db, place.desk.store()).await;
        for lost in ["77777777-0", "no id of ours", "00-0"] {
            let mut reader = Reader::open(&place.viewer, "/events", Some(lost)).await;
            reader.last = None;
            let reset = reader.next().await.unwrap();
            assert_eq!((reset.event.as_str(), reset.id), ("reset", None), "{lost}");
            let at = reader.place().await;
            let mut story = Reader::open(&place.viewer, &format!("/jobs/{id}/events"), Some(lost)).await;
            assert_eq!(story.next().await.unwrap().event, "reset");
            assert_eq!(story.take(9).await[8].id.as_deref(), Some(at.as_str()), "all of it, anew");
        }
        place.viewer.get("/events?after=x").await.bad("after");
        place.viewer.get("/events?topic=job,weather").await.bad("topic");
        place.viewer.get("/events?subject=%00").await.bad("subject");
        place.viewer.get("/events?since=1").await.bad("since");
        place.viewer.get(&format!("/jobs/{id}/events?topic=job")).await.bad("topic");
        place.viewer.get(&format!("/jobs/{}/events", JobId::new())).await.problem(404, "not-found");
        place.door.caller("rh_unknown").get("/events").await.problem(401, "unauthenticated");
    })
    .await;
}

#[tokio::test]
async fn a_job_called_off_before_it_began_is_told_to_its_end() {
    each_engine(|db| async move {
        let place = Place::real(&db).await;
        let mut tx = place.desk.store().write().await.unwrap();
        let id = new_job(&mut tx).await;
        tx.commit().await.unwrap();
        let mut reader = Reader::open(&place.viewer, &format!("/jobs/{id}/events"), None).await;
        assert_eq!(reader.take(1).await[0].data["body"]["status"], "queued");
        let input = JobInput { job: id.to_string() };
        place.desk.ops.call::<CancelJob>(&Actor::shell(), &input, None).await.unwrap();
        let told: Vec<_> = reader.rest().await.into_iter().map(|got| got.event).collect();
        assert_eq!(told, ["job_status", "job_line", "end"]);
    })
    .await;
}

#[tokio::test]
async fn a_revoked_token_hears_no_more() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        let mut reader = Reader::open(&place.viewer, "/events", None).await;
        reader.place().await;
        let clock = place.desk.clock.clone();
        let ticking = AbortOnDropHandle::new(tokio::spawn(async move {
            loop {
                clock.advance(Duration::from_secs(1));
                SystemClock.sleep(Duration::from_millis(5)).await;
            }
        }));
        reader.alive().await;
        let input = RevokeTokenInput { name: "viewer".to_owned() };
        let admin = place.desk.person(1, Role::Admin).await.actor();
        let revoked = place.desk.ops.call::<RevokeToken>(&admin, &input, None).await.unwrap();
        assert!(matches!(revoked, Answer::Done(_)));
        assert_eq!(reader.rest().await, []);
        place.viewer.get("/events").await.problem(401, "unauthenticated");
        drop(ticking);
    })
    .await;
}

#[tokio::test]
async fn streams_are_counted() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        let mut open = Vec::new();
        for _ in 0..16 {
            open.push(Reader::open(&place.viewer, "/events", None).await);
        }
        let refused = place.viewer.get("/events").await;
        refused.problem(429, "too-many-streams");
        assert_eq!(refused.header("retry-after"), "15");
        drop(Reader::open(&place.admin, "/events", None).await);
        open.pop();
        within(reopened(&place.viewer)).await;
    })
    .await;
}

#[tokio::test]
async fn a_full_house_says_when_to_come_back() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let desk = Desk::new(&db).await;
    let door = Door::with_streams(&desk.ops, 2, 3);
    let [one, two, three] = ["one", "two", "three"].map(|name| (name, Role::Viewer));
    let mut callers = Vec::new();
    for (name, role) in [one, two, three] {
        callers.push(door.caller(&token(&desk.ops, name, role, None).await));
    }
    let mut open = Vec::new();
    for caller in [0, 0, 1] {
        open.push(Reader::open(&callers[caller], "/events", None).await);
    }
    for (caller, status, code) in [(0, 429, "too-many-streams"), (1, 503, "streams-full"), (2, 503, "streams-full")] {
        let refused = callers[caller].get("/events").await;
        refused.problem(status, code);
        assert_eq!(refused.header("retry-after"), "15");
        callers[caller].get("/servers").await.good(200);
    }
    open.pop();
    within(reopened(&callers[2])).await;
}

/// Waits until one more stream can be opened: the door learns of a reader that went when it next writes or reads.
pub async fn reopened(caller: &Caller) {
    loop {
        let response = caller.request(Method::GET, "/events").send().await.unwrap();
        if response.status() == StatusCode::OK {
            return;
        }
        let full = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
        assert!(full.contains(&response.status()), "{response:?}");
        tokio::task::yield_now().await;
    }
}
