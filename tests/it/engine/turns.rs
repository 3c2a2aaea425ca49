//! How a job goes from step to step, and how it ends.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use rackhand_core::{
    ids::ServerId,
    model::{NewJob, Reason, StepStatus, backoff},
    states::{JobStatus, ServerStatus},
    work::{Runner, Settings, StepCx, StepSpec, Verdict, Workflow},
};
use serde_json::{Value, json};

use super::toy::{Deed, STEPS, Stage, Toy, enqueue, enqueue_new, within};
use crate::{databases::each_engine, desk::Desk};

#[tokio::test(flavor = "multi_thread")]
async fn steps_run_in_order_once() {
    each_engine(|db| async move {
        let stage = Stage::new(&db, Arc::new(Toy::default())).await;
        stage.toy.tell("two", [Deed::Wait(Duration::from_secs(5)), Deed::Wait(Duration::from_secs(5))]);
        let worker = stage.worker().await;
        let job = stage.ended().await;
        assert_eq!((job.status, job.outcome.unwrap().code.as_str()), (JobStatus::Succeeded, "succeeded"));
        assert_eq!(stage.toy.effects(), STEPS);
        let steps = stage.steps().await;
        assert!(steps.iter().all(|step| step.attempt == 1 && step.data["did"] == step.name.as_str()), "{steps:?}");
        assert!(stage.toy.world.lock().unwrap().observed.is_empty(), "what waited was not left behind");
        let story = stage.desk.store().read().await.unwrap().events(stage.job, 0, 99).await.unwrap();
        let told = story.iter().filter(|line| line.message == "two was told to").count();
        assert_eq!(told, 1, "a poll that still waits for the same is no news");
        worker.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passing_trouble_is_tried_again_with_growing_pauses_and_then_fails() {
    each_engine(|db| async move {
        let stage = Stage::new(&db, Arc::new(Toy::default())).await;
        stage.toy.tell("two", [Deed::Retry, Deed::Retry, Deed::Retry]);
        let worker = stage.worker().await;
        for attempt in 1..=2 {
            let (job, at) = within(async {
                loop {
                    let mut tx = stage.desk.store().read().await.unwrap();
                    let job = tx.require_job(stage.job).await.unwrap();
                    let tried = tx.steps(stage.job).await.unwrap().get(1).map(|step| step.attempt);
                    if job.status == JobStatus::Waiting && tried == Some(attempt) {
                        return (job, tx.last_events(stage.job, 1).await.unwrap().remove(0).at);
                    }
                    drop(tx);
                    stage.desk.clock.advance(Duration::from_millis(10));
                    tokio::task::yield_now().await;
                }
            })
            .await;
            assert_eq!(job.run_at, at.plus(backoff(attempt)), "try {attempt}");
        }
        let job = stage.ended().await;
        assert_eq!((job.status, job.failed_step.as_deref()), (JobStatus::Failed, Some("two")));
        assert_eq!(stage.steps().await[1].attempt, 3);
        assert_eq!(stage.toy.undone(), ["one"]);
        worker.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_step_fails_what_was_done_is_undone_in_reverse_and_why_is_kept() {
    each_engine(|db| async move {
        for (at, step) in STEPS.into_iter().enumerate() {
            let stage = Stage::new(&db, Arc::new(Toy::default())).await;
            stage.toy.tell(step, [Deed::Fail]);
            let worker = stage.worker().await;
            let job = stage.ended().await;
            assert_eq!((job.status, job.failed_step.as_deref()), (JobStatus::Failed, Some(step)));
            assert_eq!(job.outcome.unwrap().text, format!("{step} was told to"));
            let reversed: Vec<_> = STEPS[..at].iter().rev().copied().collect();
            assert_eq!(stage.toy.undone(), reversed);
            assert!(stage.toy.effects().is_empty());
            assert_eq!(stage.step_states().await, vec![StepStatus::Undone; at + 1]);
            worker.stop().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_that_waits_goes_on_by_itself_and_says_so_once() {
    each_engine(|db| async move {
        let stage = Stage::new(&db, Arc::new(Toy::default())).await;
        stage.toy.tell("three", [Deed::Fail]);
        stage.toy.world.lock().unwrap().undo_waits = 7;
        let worker = stage.worker().await;
        let job = stage.ended().await;
        assert_eq!((job.status, job.outcome.unwrap().code.as_str()), (JobStatus::Failed, "told"));
        assert_eq!(stage.toy.undone(), ["two", "one"]);
        let story = stage.desk.store().read().await.unwrap().last_events(stage.job, 50).await.unwrap();
        let waits = story.iter().filter(|event| event.message.contains("cannot be undone yet")).count();
        assert_eq!(waits, 1, "{story:?}");
        worker.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_that_fails_parks_and_goes_on_when_a_person_says_so() {
    each_engine(|db| async move {
        let stage = Stage::new(&db, Arc::new(Toy::default())).await;
        stage.toy.tell("three", [Deed::Fail]);
        stage.toy.world.lock().unwrap().undo_fails = true;
        let worker = stage.worker().await;
        let job = stage.ended().await;
        assert_eq!((job.status, job.failed_step.as_deref()), (JobStatus::Parked, Some("three")));
        assert_eq!((job.reason.unwrap().code.as_str(), job.outcome.unwrap().code.as_str()), ("undo-failed", "told"));
        stage.toy.world.lock().unwrap().undo_fails = false;
        stage.retry().await;
        let job = stage.until(&[JobStatus::Failed]).await;
        assert_eq!((job.failed_step.as_deref(), job.outcome.unwrap().code.as_str()), (Some("three"), "told"));
        assert_eq!(stage.toy.undone(), ["two", "one"]);
        worker.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_step_acts_again_and_an_unsure_one_is_looked_at_again() {
    each_engine(|db| async move {
        let stage = Stage::new(&db, Arc::new(Toy::default())).await;
        stage.toy.tell("one", [Deed::Park]).tell("two", [Deed::Unclear]).tell("three", [Deed::Panic]);
        let worker = stage.worker().await;
        assert_eq!(stage.ended().await.status, JobStatus::Parked);
        assert!(stage.toy.effects().is_empty());
        stage.toy.world.lock().unwrap().observing_parks = true;
        stage.retry().await;
        let job = stage.until(&[JobStatus::Parked, JobStatus::Succeeded]).await;
        assert_eq!((job.status, job.reason.unwrap().code.as_str()), (JobStatus::Parked, "unsure"));
        stage.retry().await;
        stage.until(&[JobStatus::Parked]).await;
        assert_eq!(stage.toy.effects(), ["one", "two"], "sent on, it is looked at again and not done again");
        stage.toy.world.lock().unwrap().observing_parks = false;
        stage.retry().await;
        let job = within(async {
            loop {
                let job = stage.until(&[JobStatus::Parked]).await;
                if job.step.as_deref() == Some("three") {
                    return job;
                }
            }
        })
        .await;
        assert_eq!(job.reason.unwrap().code, "panicked");
        stage.retry().await;
        stage.until(&[JobStatus::Succeeded]).await;
        assert_eq!(stage.toy.effects(), STEPS);
        worker.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_program_cannot_do_waits_for_one_that_can() {
    each_engine(|db| async move {
        let mut stage = Stage::new(&db, Arc::new(Toy::default())).await;
        // LIKE would take one for the other, and so would a search without ends.
        let mut others = Vec::new();
        for kind in ["nobodys", "to", "t_y", "TOY", "toy2", "%"] {
            others.push(enqueue(&stage.desk, kind, Value::Null).await.id);
        }
        let worker = stage.worker().await;
        assert_eq!(stage.ended().await.status, JobStatus::Succeeded);
        // These parameters no program will ever understand.
        stage.job = enqueue(&stage.desk, "toy", json!({"bad": true})).await.id;
        let job = stage.ended().await;
        assert_eq!((job.status, job.outcome.unwrap().code.as_str()), (JobStatus::Failed, "bad-params"));
        let tx = &mut stage.desk.store().read().await.unwrap();
        for other in others {
            let job = tx.require_job(other).await.unwrap();
            assert_eq!((job.status, job.lease_epoch), (JobStatus::Queued, 0), "{}", job.kind);
        }
        worker.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_steps_time_begins_anew_only_when_a_person_sends_the_job_on() {
    each_engine(|db| async move {
        let stage = Stage::new(&db, Arc::new(Toy::default())).await;
        stage.toy.tell("two", [Deed::Wait(Duration::from_secs(5)), Deed::Retry, Deed::Park]);
        let worker = stage.worker().await;
        let waits = stage.until(&[JobStatus::Waiting]).await;
        let begun = stage.steps().await[1].started_at;
        let parked = stage.until(&[JobStatus::Parked]).await;
        let step = stage.steps().await.remove(1);
        assert!(parked.lease_epoch > waits.lease_epoch);
        assert_eq!((step.attempt, step.started_at), (2, begun), "tries of its own leave a step its limit");
        stage.desk.clock.advance(Duration::from_hours(5));
        let sent_on = stage.desk.ops.clock.now();
        stage.retry().await;
        assert_eq!(stage.ended().await.status, JobStatus::Succeeded);
        assert!(stage.steps().await[1].started_at >= sent_on);
        worker.stop().await;
    })
    .await;
}

/// Sees whether two jobs are ever at one server at once.
struct Crowd {
    kind: &'static str,
    inside: Arc<Mutex<HashSet<ServerId>>>,
    done: Arc<AtomicUsize>,
}

#[async_trait]
impl Workflow for Crowd {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn steps(&self, _: &Value) -> Result<Vec<StepSpec>, Reason> {
        Ok(vec![StepSpec::new("enter"), StepSpec::new("leave")])
    }

    async fn act(&self, step: &str, cx: &mut StepCx) -> Verdict {
        let target = cx.job.target.unwrap();
        let mut inside = self.inside.lock().unwrap();
        if step == "enter" {
            assert!(inside.insert(target), "two at once");
        } else {
            inside.remove(&target);
            self.done.fetch_add(1, Ordering::AcqRel);
        }
        Verdict::Done(Value::Null)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_has_one_job_at_a_time_however_many_workers_there_are() {
    const KINDS: [&str; 5] = ["a", "b", "c", "d", "e"];
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let (inside, done) = (Arc::new(Mutex::new(HashSet::new())), Arc::new(AtomicUsize::new(0)));
        for number in 1..=4 {
            let server = desk.server(number, ServerStatus::Ready, true).await;
            for kind in KINDS {
                let new = NewJob {
                    kind,
                    target: Some(server.id),
                    params: Value::Null,
                    requested_by: "system test".to_owned(),
                    requester: None,
                    approval: None,
                };
                enqueue_new(&desk, &new).await.unwrap();
            }
        }
        let stop = tokio_util::sync::CancellationToken::new();
        let mut workers = Vec::new();
        for name in ["one", "two", "three"] {
            let settings = Settings {
                workers: 4,
                lease: super::toy::LEASE,
                poll: Duration::from_secs(1),
                stop_grace: super::toy::GRACE,
            };
            let mut runner = Runner::new(db.open().await, desk.ops.clock.clone(), settings, name.to_owned());
            for kind in KINDS {
                runner = runner.with(Arc::new(Crowd { kind, inside: inside.clone(), done: done.clone() }));
            }
            let stop = stop.clone();
            workers.push(tokio::spawn(async move { runner.run(stop).await }));
        }
        within(async {
            while done.load(Ordering::Acquire) < 20 {
                desk.clock.advance(Duration::from_secs(1));
                tokio::task::yield_now().await;
            }
        })
        .await;
        stop.cancel();
        for worker in workers {
            within(worker).await.unwrap();
        }
        let counts = desk.store().read().await.unwrap().count_jobs().await.unwrap();
        assert_eq!(counts, [(JobStatus::Succeeded, 20)]);
    })
    .await;
}
