//! Ironic takes connections and keeps silent: who asked for nodes is told so, and nobody else notices.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rackhand_bot::router::{Polling, Router, poll};
use rackhand_core::model::Role;
use rackhand_tests::telegram::{Person, Shown};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::House;
use crate::{e2e::eventually, harness::SOON};

/// A listener that never answers; how many connections it took.
async fn silent() -> (String, Arc<AtomicUsize>, AbortOnDropHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let taking = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (url, taken, AbortOnDropHandle::new(taking))
}

impl House {
    /// What the bot said to somebody.
    fn told(&self, person: &Person) -> Vec<Shown> {
        self.telegram.transcript(person.id).into_iter().filter(|shown| shown.from.is_none()).collect()
    }

    /// Waits until the bot has said this to somebody.
    async fn hears(&self, person: &Person, words: &str) -> Shown {
        self.hears_at(Duration::ZERO, person, words).await
    }

    /// The same, while the clock goes on by so much at each look.
    async fn hears_at(&self, pace: Duration, person: &Person, words: &str) -> Shown {
        let found = eventually(SOON, async || {
            self.clock.advance(pace);
            self.deliver().await;
            self.told(person).into_iter().find(|shown| shown.text.contains(words))
        });
        found.await.unwrap_or_else(|| panic!("never {words:?}: {:#?}", self.told(person)))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_silent_ironic_keeps_nobody_waiting_and_no_stop() {
    let (url, taken, _taking) = silent().await;
    let mut house = House::at_ironic(&url, None).await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    let olga = house.member(102, "Olga", Role::Admin).await;
    let vera = house.member(103, "Vera", Role::Viewer).await;
    let router = Arc::new(Router::new(house.ops.clone(), house.messenger.clone(), true));
    let stop = CancellationToken::new();
    let polling = Polling { owner: Some("one".into()) };
    let running = AbortOnDropHandle::new(tokio::spawn(poll(router, polling, stop.clone())));

    house.telegram.say(&anna, "/nodes");
    house.telegram.say(&anna, "/help");
    house.telegram.say(&olga, "/help");
    let help = house.hears(&olga, "/servers").await;
    let manage = format!("nm:{}", uuid::Uuid::now_v7());
    let pressed = house.telegram.press(&olga, olga.id, help.id, &manage);
    let asked = eventually(SOON, async || (taken.load(Ordering::SeqCst) > 0).then_some(()));
    asked.await.expect("Ironic is asked");

    // Who comes later is answered first. In one chat everything is answered in its order.
    house.telegram.say(&vera, "/start");
    house.hears(&vera, "Vera").await;
    assert!(house.told(&anna).is_empty(), "{:#?}", house.told(&anna));
    let told = house.hears_at(Duration::from_secs(1), &anna, "Ironic does not answer").await;
    assert!(told.button("Try again").is_some(), "{told:#?}");
    house.hears(&anna, "/servers").await;
    assert_eq!((house.told(&anna).len(), house.told(&vera).len()), (2, 1), "each is answered once");

    // What was begun goes on, and the chat does not say that it did not happen.
    let told = house.hears(&olga, "may still happen").await;
    assert!(told.button("Nodes").is_some(), "{told:#?}");
    assert!(house.telegram.answer_to(&pressed).unwrap().text.unwrap().contains("may still happen"));
    let read = eventually(SOON, async || (house.telegram.unread() == 0).then_some(()));
    read.await.expect("what is handled is acknowledged");

    // A stop waits for no reading: what was asked comes again to whoever serves next.
    let press = house.telegram.tap(&anna, anna.id, "Try again").unwrap();
    house.telegram.say(&vera, "/lang ru");
    house.hears(&vera, "Добро пожаловать").await;
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), running).await.expect("a quick stop").unwrap();
    assert!(house.telegram.answer_to(&press).is_none(), "it was under way");
    assert!(house.telegram.unread() > 0, "and is not acknowledged");
}
