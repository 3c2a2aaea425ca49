//! A job called off, and a process that stops.

use std::{sync::Arc, time::Duration};

use rackhand_core::{model::StepStatus, states::JobStatus, work::NoWitness};

use super::toy::{Deed, GRACE, STEPS, Stage, Toy, within};
use crate::databases::each_engine;

#[tokio::test(flavor = "multi_thread")]
async fn called_off_while_it_waits_or_is_parked_it_is_undone() {
    each_engine(|db| async move {
        for deed in [|| Deed::Wait(Duration::from_hours(1)), || Deed::Park] {
            let stage = Stage::new(&db, Arc::new(Toy::default())).await;
            stage.toy.tell("two", [deed()]);
            let worker = stage.worker().await;
            stage.until(&[JobStatus::Waiting, JobStatus::Parked]).await;
            stage.cancel().await;
            let job = stage.until(&[JobStatus::Cancelled]).await;
            assert_eq!((job.outcome.unwrap().code.as_str(), job.failed_step), ("cancelled", None));
            assert_eq!(stage.toy.undone(), ["one"]);
            assert!(stage.toy.effects().is_empty());
            worker.stop().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn called_off_while_it_runs_it_stops_at_once_or_after_its_step() {
    each_engine(|db| async move {
        for interruptible in [true, false] {
            let stage = Stage::new(&db, Arc::new(Toy { interruptible, ..Toy::default() })).await;
            stage.toy.tell("two", [Deed::Hold]);
            let worker = stage.worker_with(Duration::from_millis(2_400), Arc::new(NoWitness)).await;
            within(stage.toy.began.notified()).await;
            stage.cancel().await;
            if !interruptible {
                assert_eq!(stage.job().await.status, JobStatus::Running);
                stage.toy.let_go.notify_one();
            }
            let job = stage.until(&[JobStatus::Cancelled]).await;
            assert!(job.cancel_requested);
            let undone: &[&str] = if interruptible { &["one"] } else { &["two", "one"] };
            assert_eq!(stage.toy.undone(), undone);
            worker.stop().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn called_off_after_it_was_sent_on_it_is_undone_all_the_same() {
    each_engine(|db| async move {
        let stage = Stage::new(&db, Arc::new(Toy::default())).await;
        stage.toy.tell("two", [Deed::Park]);
        let worker = stage.worker().await;
        stage.until(&[JobStatus::Parked]).await;
        worker.stop().await;
        stage.retry().await;
        stage.cancel().await;
        let worker = stage.worker().await;
        stage.until(&[JobStatus::Cancelled]).await;
        assert_eq!(stage.toy.undone(), ["one"]);
        worker.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stops_finishes_its_step_and_begins_no_other() {
    each_engine(|db| async move {
        let stage = Stage::new(&db, Arc::new(Toy::default())).await;
        stage.toy.tell("one", [Deed::Hold]);
        let worker = stage.worker().await;
        within(stage.toy.began.notified()).await;
        worker.stop.cancel();
        stage.toy.let_go.notify_one();
        worker.stop().await;
        assert_eq!((stage.job().await.status, stage.step_states().await), (JobStatus::Queued, vec![StepStatus::Done]));
        let worker = stage.worker().await;
        assert_eq!(stage.ended().await.status, JobStatus::Succeeded);
        assert_eq!(stage.toy.effects(), STEPS);
        assert!(stage.toy.world.lock().unwrap().observed.is_empty());
        worker.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_does_not_finish_is_handed_over_and_looked_at() {
    each_engine(|db| async move {
        for interruptible in [true, false] {
            let stage = Stage::new(&db, Arc::new(Toy { interruptible, ..Toy::default() })).await;
            stage.toy.tell("two", [Deed::Hold]);
            let worker = stage.worker().await;
            within(stage.toy.began.notified()).await;
            worker.stop.cancel();
            if !interruptible {
                stage.desk.clock.advance(GRACE / 2);
                assert_eq!(stage.job().await.status, JobStatus::Running);
            }
            let stopping = worker.stop();
            let turning = async {
                loop {
                    // Only what cannot be interrupted needs the clock.
                    if !interruptible {
                        stage.desk.clock.advance(Duration::from_millis(1));
                    }
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                () = stopping => {}
                () = turning => {}
            }
            let left = (stage.job().await.status, stage.step_states().await);
            assert_eq!(left, (JobStatus::Queued, vec![StepStatus::Done, StepStatus::Started]));
            let worker = stage.worker().await;
            assert_eq!(stage.ended().await.status, JobStatus::Succeeded);
            assert_eq!(stage.toy.effects(), STEPS);
            assert_eq!(stage.toy.world.lock().unwrap().observed, ["two"]);
            worker.stop().await;
        }
    })
    .await;
}
