//! Workers that die or freeze: at each write of the journal, before it and after it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use rackhand_core::{states::JobStatus, work::Witness};
use tokio::sync::Notify;

use super::toy::{Deed, STEPS, Stage, Toy, within};
use crate::databases::{Database, each_engine};

/// Holds the worker for ever at one write of the journal, so that it can be killed there.
struct Death {
    at: usize,
    seen: AtomicUsize,
    here: Notify,
}

impl Death {
    async fn perhaps(&self) {
        if self.seen.fetch_add(1, Ordering::AcqRel) == self.at {
            self.here.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl Witness for Death {
    async fn before(&self, _: &str) {
        self.perhaps().await;
    }

    async fn after(&self, _: &str) {
        self.perhaps().await;
    }
}

/// Runs the job, kills its worker at moment `at`, lets another one finish; false when the job ended before that moment.
async fn die_once(stage: &Stage, at: usize) -> bool {
    let death = Arc::new(Death { at, seen: AtomicUsize::new(0), here: Notify::new() });
    let worker = stage.worker_with(super::toy::LEASE, death.clone()).await;
    let died = tokio::select! {
        () = death.here.notified() => true,
        _ = stage.ended() => false,
    };
    worker.kill().await;
    stage.void_leases().await;
    let second = stage.worker().await;
    stage.ended().await;
    second.stop().await;
    died
}

async fn walk(db: &Database, deeds: fn() -> Vec<(&'static str, Deed)>, check: impl AsyncFn(&Stage, usize)) {
    let mut at = 0;
    loop {
        let stage = Stage::new(db, Arc::new(Toy::default())).await;
        for (step, deed) in deeds() {
            stage.toy.tell(step, [deed]);
        }
        let died = die_once(&stage, at).await;
        check(&stage, at).await;
        at += 1;
        if !died {
            break;
        }
    }
    assert!(at > 16, "only {at} moments");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_write_every_effect_is_made_once() {
    each_engine(|db| async move {
        let deeds =
            || vec![("one", Deed::Unclear), ("two", Deed::Wait(Duration::from_secs(3))), ("three", Deed::Retry)];
        walk(&db, deeds, async |stage, at| {
            let job = stage.job().await;
            assert_eq!(job.status, JobStatus::Succeeded, "moment {at}: {job:?}");
            assert_eq!(stage.toy.effects(), STEPS, "moment {at}");
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_write_of_a_failure_all_is_undone_and_why_is_kept() {
    each_engine(|db| async move {
        // Told twice: whoever is killed before it wrote the failure down meets it again.
        let deeds = || vec![("three", Deed::Fail), ("three", Deed::Fail)];
        walk(&db, deeds, async |stage, at| {
            let job = stage.job().await;
            assert_eq!((job.status, job.failed_step.as_deref()), (JobStatus::Failed, Some("three")), "moment {at}");
            assert_eq!(job.outcome.unwrap().code, "told");
            assert_eq!(stage.toy.effects(), [""; 0], "moment {at}");
            assert_eq!(stage.toy.undone(), ["two", "one"], "moment {at}");
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_worker_that_wakes_writes_nothing() {
    each_engine(|db| async move {
        let stage = Stage::new(&db, Arc::new(Toy::default())).await;
        stage.toy.tell("two", [Deed::Hold]).tell("three", [Deed::Hold]);
        let frozen = stage.worker().await;
        within(stage.toy.began.notified()).await;
        stage.void_leases().await;
        let second = stage.worker().await;
        within(async {
            while stage.steps().await.len() < 3 {
                stage.desk.clock.advance(Duration::from_secs(1));
                tokio::task::yield_now().await;
            }
            stage.toy.began.notified().await;
        })
        .await;
        let before = snapshot(&stage).await;
        // The first in the row wakes, and does what it was about to do: only a look as late as possible could have kept
        // it from that. Neither its result nor its handing over is written.
        stage.toy.let_go.notify_one();
        frozen.stop().await;
        assert_eq!(stage.toy.effects(), ["one", "two", "two"]);
        assert_eq!(snapshot(&stage).await, before);
        stage.toy.let_go.notify_one();
        let job = stage.ended().await;
        assert_eq!((job.status, job.lease_epoch), (JobStatus::Succeeded, 2));
        second.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_takes_longer_than_the_lease_keeps_it() {
    each_engine(|db| async move {
        let stage = Stage::new(&db, Arc::new(Toy::default())).await;
        stage.toy.tell("two", [Deed::Hold]);
        let lease = Duration::from_secs(5);
        let first = stage.worker_with(lease, Arc::new(rackhand_core::work::NoWitness)).await;
        within(stage.toy.began.notified()).await;
        let second = stage.worker().await;
        let until = || async { db.number("SELECT lease_until FROM jobs").await };
        let begin = until().await;
        within(async {
            while until().await < begin + 5_500 {
                stage.desk.clock.advance(Duration::from_secs(1));
            }
        })
        .await;
        assert_eq!(stage.job().await.lease_epoch, 1);
        stage.toy.let_go.notify_one();
        assert_eq!(stage.ended().await.lease_epoch, 1);
        first.stop().await;
        second.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_lease_was_taken_stops_in_the_middle_of_its_step() {
    each_engine(|db| async move {
        let stage = Stage::new(&db, Arc::new(Toy::default())).await;
        stage.toy.tell("two", [Deed::Hold]);
        let first = stage.worker_with(Duration::from_millis(600), Arc::new(rackhand_core::work::NoWitness)).await;
        within(stage.toy.began.notified()).await;
        db.sql("UPDATE jobs SET lease_epoch = lease_epoch + 1, lease_until = lease_until + 600000").await.unwrap();
        // Its heartbeat finds out, and nobody lets its step go: it can only stop.
        first.stop().await;
        assert_eq!(stage.toy.effects(), ["one"]);
        assert_eq!(stage.job().await.status, JobStatus::Running);
    })
    .await;
}

async fn snapshot(stage: &Stage) -> String {
    let mut tx = stage.desk.store().read().await.unwrap();
    let job = tx.require_job(stage.job).await.unwrap();
    let (steps, events) = (tx.steps(stage.job).await.unwrap(), tx.events(stage.job, 0, 999).await.unwrap());
    format!("{job:?} {steps:?} {events:?}")
}
